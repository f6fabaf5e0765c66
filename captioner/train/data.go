package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"

	"github.com/onetomany/caption/vocab"
)

// Data is what a decoder is trained on. Run does not change it.
type Data struct {
	Vocab *vocab.Vocab // usually vocab.Build of the training captions

	Features [][]float32 // feature vector of each training photo, all of one length
	Captions [][][]int   // captions of each training photo, as Vocab.Encode gives them

	Val []ValSet // may be empty: then the last epoch is kept
}

// ValSet is a set of photos for which the decoder writes captions after each epoch.
// The score of an epoch is the mean CIDEr-D over the sets.
type ValSet struct {
	Name     string
	Features [][]float32
	Refs     [][][]string // reference captions of each photo, as vocab.Tokenize gives them
}

// check refuses data that would break or silently spoil a run, and returns the
// number of features of a photo.
func (d *Data) check() (int, error) {
	if d == nil || d.Vocab.Len() <= vocab.Unk+1 {
		return 0, errors.New("train: the vocabulary has no words")
	}
	if len(d.Features) == 0 {
		return 0, errors.New("train: no training photos")
	}
	if len(d.Features) != len(d.Captions) {
		return 0, fmt.Errorf("train: features of %d photos, captions of %d", len(d.Features), len(d.Captions))
	}
	D := len(d.Features[0])
	if D == 0 {
		return 0, errors.New("train: the feature vectors are empty")
	}
	if err := checkFeatures("training", d.Features, D); err != nil {
		return 0, err
	}
	n := 0
	for i, cs := range d.Captions {
		for _, c := range cs {
			n += min(len(c), 1)
			for _, id := range c {
				if id < vocab.Unk || id >= d.Vocab.Len() {
					return 0, fmt.Errorf("train: training photo %d has word %d: want %d..%d", i, id, vocab.Unk, d.Vocab.Len()-1)
				}
			}
		}
	}
	if n == 0 {
		return 0, errors.New("train: no training captions")
	}
	for _, v := range d.Val {
		if len(v.Features) != len(v.Refs) || len(v.Refs) == 0 {
			return 0, fmt.Errorf("train: validation set %q has features of %d photos, captions of %d", v.Name, len(v.Features), len(v.Refs))
		}
		if err := checkFeatures(fmt.Sprintf("validation set %q:", v.Name), v.Features, D); err != nil {
			return 0, err
		}
		for i, r := range v.Refs {
			if len(r) == 0 {
				return 0, fmt.Errorf("train: validation set %q: photo %d has no captions", v.Name, i)
			}
		}
	}
	return D, nil
}

func checkFeatures(what string, features [][]float32, D int) error {
	for i, f := range features {
		if len(f) != D {
			return fmt.Errorf("train: %s photo %d has %d features, the first training photo has %d", what, i, len(f), D)
		}
		for _, x := range f {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("train: %s photo %d has a feature that is not finite", what, i)
			}
		}
	}
	return nil
}

// examples lists the captions, truncated at maxWords; empty ones are left out.
func (d *Data) examples(maxWords int) []example {
	var es []example
	for photo, cs := range d.Captions {
		for _, c := range cs {
			if n := min(len(c), maxWords); n > 0 {
				es = append(es, example{photo, c[:n], n == len(c)})
			}
		}
	}
	return es
}

// standardise returns mean and standard deviation of each feature over the
// training photos, and their standardised features [photos,D]. A feature that
// does not vary has standard deviation 1.
func standardise(features [][]float32, D int) (mean, std, v []float32) {
	sum, square := make([]float64, D), make([]float64, D)
	for _, f := range features {
		for k, x := range f {
			sum[k] += float64(x)
		}
	}
	n := float64(len(features))
	for k := range sum {
		sum[k] /= n
	}
	for _, f := range features {
		for k, x := range f {
			square[k] += (float64(x) - sum[k]) * (float64(x) - sum[k])
		}
	}
	mean, std = make([]float32, D), make([]float32, D)
	for k := range mean {
		mean[k], std[k] = float32(sum[k]), float32(math.Sqrt(square[k]/n))
		if std[k] < 1e-6 {
			std[k] = 1
		}
	}
	v = make([]float32, len(features)*D)
	for i, f := range features {
		for k, x := range f {
			v[i*D+k] = (x - mean[k]) / std[k]
		}
	}
	return mean, std, v
}

// digest identifies the data in a checkpoint.
func (d *Data) digest() string {
	h := digester{sha256.New()}
	h.int(d.Vocab.Len())
	for id := range d.Vocab.Len() {
		h.string(d.Vocab.Word(id))
	}
	h.features(d.Features)
	for _, cs := range d.Captions {
		h.int(len(cs))
		for _, c := range cs {
			h.int(len(c))
			for _, id := range c {
				h.int(id)
			}
		}
	}
	h.int(len(d.Val))
	for _, v := range d.Val {
		h.string(v.Name)
		h.features(v.Features)
		for _, refs := range v.Refs {
			h.int(len(refs))
			for _, r := range refs {
				h.int(len(r))
				for _, w := range r {
					h.string(w)
				}
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digester hashes values with their lengths, so that different inputs differ in
// what is hashed.
type digester struct{ hash.Hash }

func (h digester) int(x int) { binary.Write(h, binary.LittleEndian, uint64(x)) }

func (h digester) string(s string) {
	h.int(len(s))
	h.Write([]byte(s))
}

func (h digester) features(fs [][]float32) {
	h.int(len(fs))
	for _, f := range fs {
		h.int(len(f))
		binary.Write(h, binary.LittleEndian, f)
	}
}
