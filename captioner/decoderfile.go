package captioner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/safetensors"
	"github.com/onetomany/caption/internal/strictjson"
	"github.com/onetomany/caption/internal/weights"
)

// metadata is what decoder.safetensors holds beside weights: the parts that it was
// trained with, so that a folder mixed from two models is noticed.
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

// encodeDecoder returns the bytes of decoder.safetensors. With half, matrices are
// stored as float16; vectors, which take little memory, stay float32.
func encodeDecoder(d *Decoder, half bool, metadata map[string]string) ([]byte, error) {
	var tensors []safetensors.Tensor
	size := 0
	for _, p := range d.Params() {
		t := safetensors.Tensor{
			Info: safetensors.Info{Name: p.Name, DType: safetensors.F32, Shape: d.Shape(p)},
			Data: d.Weights[p.Name],
		}
		if half && len(t.Shape) == 2 {
			t.DType = safetensors.F16
			for i, x := range t.Data {
				if math.Abs(float64(x)) >= 65520 {
					return nil, fmt.Errorf("%s[%d] is %v, too large for float16", p.Name, i, x)
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

// decodeDecoder reads decoder.safetensors, without a copy of b. It holds exactly the
// weights that the form in c calls for, and was trained with the parts that c names.
// Tasks of p check that they are finite, and finite returns the result; a file that is
// compared with the checksum of a good one is not checked.
func decodeDecoder(b []byte, c *config, compared bool, p *packing.Packer) (values map[string]weights.Data, finite func() error, err error) {
	refuse := func(field, hint string, err error) error {
		return &ModelError{File: decoderFile, Field: field, Err: err, Hint: hint}
	}
	f, err := safetensors.Read(b)
	if err != nil {
		return nil, nil, refuse("", hintRestore, err)
	}
	want, err := c.metadata()
	if err != nil {
		return nil, nil, refuse("", "", err)
	}
	for _, k := range []string{"format", "version", "cell", "entry", "vocab.sha256", "cnn.sha256", "cnn.layer"} {
		if is := f.Metadata[k]; is != want[k] {
			return nil, nil, refuse(k, hintMixed, fmt.Errorf("trained with %q, the folder has %q", is, want[k]))
		}
	}
	// Compared by value: another version may write another text for the same.
	var pre features.Preprocessing
	is := f.Metadata["preprocessing"]
	if err := strictjson.Unmarshal([]byte(is), &pre); err != nil || pre != c.Preprocessing {
		return nil, nil, refuse("preprocessing", hintMixed, fmt.Errorf("trained with %s, the folder has %s", is, want["preprocessing"]))
	}
	form := c.form()
	params := form.Params()
	values = map[string]weights.Data{}
	errs := make([]error, len(params))
	for i, q := range params {
		info, ok := f.Lookup(q.Name)
		switch shape := form.Shape(q); {
		case !ok:
			return nil, nil, refuse(q.Name, hintRestore, errors.New("the tensor is missing"))
		case info.DType != safetensors.F32 && info.DType != safetensors.F16:
			return nil, nil, refuse(q.Name, hintRestore, fmt.Errorf("type %s is neither F32 nor F16", info.DType))
		case !slices.Equal(info.Shape, shape):
			return nil, nil, refuse(q.Name, hintMixed, fmt.Errorf("shape %v, config.json needs %v", info.Shape, shape))
		}
		raw, err := f.Bytes(q.Name)
		if err != nil {
			return nil, nil, refuse(q.Name, hintRestore, err)
		}
		x := weights.Stored(raw, info.DType == safetensors.F16)
		values[q.Name] = x
		if !compared {
			p.Do(func(*weights.Scratch) { errs[i] = form.checkValues(q, x) })
		}
	}
	for _, t := range f.Tensors() {
		if err := form.checkName(t.Name); err != nil {
			return nil, nil, refuse(t.Name, hintMixed, err)
		}
	}
	finite = func() error {
		for i, err := range errs {
			if err != nil {
				return refuse(params[i].Name, hintRestore, err)
			}
		}
		return nil
	}
	return values, finite, nil
}
