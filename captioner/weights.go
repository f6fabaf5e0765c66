package captioner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/safetensors"
	"github.com/onetomany/caption/internal/strictjson"
	"github.com/onetomany/caption/internal/weights"
)

// metadata is what decoder.safetensors says of itself: the parts that it was
// trained with, so that a folder put together from two models is noticed.
func (c *config) metadata() (map[string]string, error) {
	pre, err := json.Marshal(c.Preprocessing)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"format":        "caption-decoder",
		"version":       "1",
		"cell":          string(c.Decoder.Cell),
		"entry":         string(c.Decoder.Entry),
		"vocab.sha256":  c.file(vocabFile).SHA256,
		"cnn.sha256":    c.CNN.identity(),
		"cnn.layer":     c.CNN.Layer,
		"preprocessing": string(pre),
	}, nil
}

// encodeDecoder returns the bytes of decoder.safetensors. With half, the
// matrices are stored as float16; the vectors, which take little room, stay float32.
func encodeDecoder(d *Decoder, half bool, metadata map[string]string) ([]byte, error) {
	var tensors []safetensors.Tensor
	size := 0
	for _, w := range d.weights() {
		t := safetensors.Tensor{
			Info: safetensors.Info{Name: w.name, DType: safetensors.F32, Shape: w.shape},
			Data: *w.data,
		}
		if half && len(w.shape) == 2 {
			t.DType = safetensors.F16
			for i, x := range t.Data {
				if math.Abs(float64(x)) >= 65520 {
					return nil, fmt.Errorf("%s[%d] is %v, too large for float16", w.name, i, x)
				}
			}
		}
		size += len(t.Data) * t.DType.Size()
		tensors = append(tensors, t)
	}
	b := bytes.NewBuffer(make([]byte, 0, size+1<<13))
	err := safetensors.Write(b, tensors, metadata)
	return b.Bytes(), err
}

// matrices are the two-dimensional weights of a Decoder, in memory or where a file
// has them.
type matrices struct{ first, every, embed, wx, wh, out weights.Data }

// matrices returns those of d.
func (d *Decoder) matrices() *matrices {
	return &matrices{
		first: weights.Of(d.FirstW), every: weights.Of(d.EveryW), embed: weights.Of(d.Embed),
		wx: weights.Of(d.Wx), wh: weights.Of(d.Wh), out: weights.Of(d.OutW),
	}
}

// byName returns the matrix of the name that it has in a file, nil for vectors.
func (m *matrices) byName(name string) *weights.Data {
	return map[string]*weights.Data{
		"image.first.weight": &m.first, "image.every.weight": &m.every, "embed.weight": &m.embed,
		"cell.wx": &m.wx, "cell.wh": &m.wh, "out.weight": &m.out,
	}[name]
}

// decodeDecoder reads decoder.safetensors: the matrices stay in b. The decoder has
// exactly the tensors that the sizes in c call for, and was trained with the parts
// that c names. That the matrices are finite is checked by tasks of p, and found tells
// the result; a file that is compared with the checksum of one that was checked need
// not be.
func decodeDecoder(b []byte, c *config, compared bool, p *packing.Packer) (d *Decoder, m *matrices, found func() error, err error) {
	fail := func(field, hint string, err error) (*Decoder, *matrices, func() error, error) {
		return nil, nil, nil, &ModelError{File: decoderFile, Field: field, Err: err, Hint: hint}
	}
	f, err := safetensors.Read(b)
	if err != nil {
		return fail("", hintRestore, err)
	}
	want, err := c.metadata()
	if err != nil {
		return fail("", "", err)
	}
	for _, k := range []string{"format", "version", "cell", "entry", "vocab.sha256", "cnn.sha256", "cnn.layer"} {
		if is := f.Metadata[k]; is != want[k] {
			return fail(k, hintMixed, fmt.Errorf("trained with %q, the folder has %q", is, want[k]))
		}
	}
	// Compared by value: another version may write another text for the same.
	var pre features.Preprocessing
	is := f.Metadata["preprocessing"]
	if err := strictjson.Unmarshal([]byte(is), &pre); err != nil || pre != c.Preprocessing {
		return fail("preprocessing", hintMixed, fmt.Errorf("trained with %s, the folder has %s", is, want["preprocessing"]))
	}
	d = c.decoder()
	ws := d.weights()
	for _, w := range ws {
		info, ok := f.Lookup(w.name)
		switch {
		case !ok:
			return fail(w.name, hintRestore, fmt.Errorf("the tensor is missing"))
		case info.DType != safetensors.F32 && info.DType != safetensors.F16:
			return fail(w.name, hintRestore, fmt.Errorf("type %s is neither F32 nor F16", info.DType))
		case !slices.Equal(info.Shape, w.shape):
			return fail(w.name, hintMixed, fmt.Errorf("shape %v, config.json needs %v", info.Shape, w.shape))
		}
	}
	for _, t := range f.Tensors() {
		if !slices.ContainsFunc(ws, func(w weight) bool { return w.name == t.Name }) {
			return fail(t.Name, hintMixed, fmt.Errorf("a %s decoder with entry %s has no such tensor", d.Cell, d.Entry))
		}
	}
	m = new(matrices)
	errs := make([]error, len(ws))
	for i, w := range ws {
		if x := m.byName(w.name); x != nil {
			var raw []byte
			if raw, err = f.Bytes(w.name); err == nil {
				info, _ := f.Lookup(w.name)
				*x = weights.Stored(raw, info.DType == safetensors.F16)
				if !compared {
					p.Do(func(*weights.Scratch) { errs[i] = finite(*x) })
				}
			}
		} else if *w.data, err = f.Float32s(w.name); err == nil {
			err = w.check()
		}
		if err != nil {
			return fail(w.name, hintRestore, err)
		}
	}
	found = func() error {
		for i, err := range errs {
			if err != nil {
				return &ModelError{File: decoderFile, Field: ws[i].name, Err: err, Hint: hintRestore}
			}
		}
		return nil
	}
	return d, m, found, nil
}

// finite refuses numbers that are not.
func finite(x weights.Data) error {
	i := x.NotFinite()
	if i < 0 {
		return nil
	}
	var v [1]float32
	x.Read(v[:], i)
	return fmt.Errorf("number %d is %v", i, v[0])
}
