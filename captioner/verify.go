package captioner

import (
	"bytes"
	"context"
	"fmt"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/safetensors"
)

// VerifyTolerance is the largest relative difference, ‖a−b‖/‖b‖, that Verify
// allows between the features computed here and those in the folder: float32
// sums differ a little from one processor to another.
const VerifyTolerance = 1e-3

// VerifyToleranceBF16 is the tolerance for a Captioner opened with cnn.BF16, whose
// features have fewer digits.
const VerifyToleranceBF16 = 0.05

// proofOptions must not change: the sentences in all folders were written with them.
var proofOptions = Options{Num: 1, Beam: 3, LengthPower: 0.7, MaxWords: 20, NoRepeat: 3, TopP: 1, Temperature: 1, Seed: 1}

// Report is the result of Verify.
type Report struct {
	Files    []File  // those with the right hash
	Photo    string  // name of the bundled photo; "" if the folder has none
	Distance float64 // of its features from those in the folder, relative
	Sentence string  // written for it
}

// Verify tests the model on this machine: it hashes every file of the folder again
// and captions the bundled photo. The features must be within VerifyTolerance and the
// sentence must be the one in the folder; with cnn.BF16 the features must be within
// VerifyToleranceBF16, and the sentence may differ. The report holds what was right
// before the first error, a *ModelError.
func (c *Captioner) Verify(ctx context.Context) (*Report, error) {
	r := new(Report)
	switch {
	case c.parts().config == nil:
		return r, errNotOpen
	case ctx == nil:
		return r, errNoContext
	}
	return r, inDir(c.verify(ctx, r), c.dir)
}

func (c *Captioner) verify(ctx context.Context, r *Report) error {
	now, err := readConfig(c.fsys)
	if err != nil {
		return err
	}
	if now.Checksum != c.config.Checksum {
		return &ModelError{File: configFile, Err: fmt.Errorf("changed since the model was opened"), Hint: "open it again"}
	}
	for _, f := range c.config.CNN.Files {
		if _, err := readFile(c.cnnFS, f, true); err != nil {
			return err
		}
		r.Files = append(r.Files, f)
	}
	files := map[string][]byte{}
	for _, f := range c.config.Files {
		b, err := readFile(c.fsys, f, true)
		if err != nil {
			return err
		}
		files[f.Name] = b
		r.Files = append(r.Files, f)
	}
	v := c.config.Verify
	if v == nil {
		return nil
	}
	want, err := decodeProof(files[proofFile], c.config.Decoder.Features)
	if err != nil {
		return &ModelError{File: proofFile, Err: err, Hint: hintRestore}
	}
	is, err := c.prove(ctx, files[v.Photo])
	if err != nil {
		return &ModelError{File: v.Photo, Err: err, Hint: hintRestore}
	}
	r.Photo, r.Distance, r.Sentence = v.Photo, features.Distance(is.features, want), is.sentence
	hint := "this program computes something else than the one that saved the model: report it, with the processor's name"
	bf16 := c.net.Info().Precision == cnn.BF16
	tolerance := VerifyTolerance
	if bf16 {
		tolerance = VerifyToleranceBF16
	}
	if !(r.Distance <= tolerance) {
		return &ModelError{File: v.Photo, Err: fmt.Errorf("its features are %.2g away from those in %s; %g is allowed", r.Distance, proofFile, tolerance), Hint: hint}
	}
	if is.sentence != v.Sentence && !bf16 {
		return &ModelError{File: v.Photo, Err: fmt.Errorf("captioned %q, %s says %q", is.sentence, configFile, v.Sentence), Hint: hint}
	}
	return nil
}

// proof is what the bundled photo must give.
type proof struct {
	features []float32
	sentence string
}

// prove captions an encoded photo.
func (c *Captioner) prove(ctx context.Context, photo []byte) (*proof, error) {
	f, err := c.extractor.Read(ctx, bytes.NewReader(photo), nil)
	if err != nil {
		return nil, err
	}
	o := proofOptions
	caps, err := c.CaptionFeatures(ctx, f, &o)
	if err != nil {
		return nil, err
	}
	return &proof{f, caps[0].Text}, nil
}

// encode returns the bytes of verify.safetensors.
func (p *proof) encode() ([]byte, error) {
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{{
		Info: safetensors.Info{Name: "features", DType: safetensors.F32, Shape: []int{len(p.features)}},
		Data: p.features,
	}}, nil)
	return b.Bytes(), err
}

func decodeProof(b []byte, size int) ([]float32, error) {
	f, err := safetensors.Read(b)
	if err != nil {
		return nil, err
	}
	v, err := f.Float32s("features")
	if err == nil && len(v) != size {
		err = fmt.Errorf("%d features, the decoder takes %d", len(v), size)
	}
	return v, err
}
