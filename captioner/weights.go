package captioner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/safetensors"
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
		size += w.size() * t.DType.Size()
		tensors = append(tensors, t)
	}
	b := bytes.NewBuffer(make([]byte, 0, size+1<<13))
	err := safetensors.Write(b, tensors, metadata)
	return b.Bytes(), err
}

// decodeDecoder reads decoder.safetensors. The decoder has exactly the tensors
// that the sizes in c call for, and was trained with the parts that c names.
func decodeDecoder(b []byte, c *config) (*Decoder, error) {
	fail := func(field, hint string, err error) (*Decoder, error) {
		return nil, &ModelError{File: decoderFile, Field: field, Err: err, Hint: hint}
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
	if err := json.Unmarshal([]byte(is), &pre); err != nil || pre != c.Preprocessing {
		return fail("preprocessing", hintMixed, fmt.Errorf("trained with %s, the folder has %s", is, want["preprocessing"]))
	}
	d := c.decoder()
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
	errs := make([]error, len(ws))
	var wg sync.WaitGroup
	for i, w := range ws {
		wg.Go(func() {
			if *w.data, errs[i] = f.Float32s(w.name); errs[i] == nil {
				errs[i] = w.check()
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fail(ws[i].name, hintRestore, err)
		}
	}
	return d, nil
}
