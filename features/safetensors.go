package features

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"github.com/onetomany/caption/internal/safetensors"
)

// A .safetensors file has one tensor, features; the metadata key names holds
// the names as a JSON array.

var _ = enter(fileFormat{".safetensors", writeSafetensors, readSafetensors, false, "features, names in the metadata"})

const (
	featuresKey = "features"
	namesKey    = "names"
)

func writeSafetensors(out io.Writer, w *Writer) error {
	names, err := json.Marshal(w.names())
	if err != nil {
		return err
	}
	meta := maps.Clone(w.meta)
	if meta == nil {
		meta = map[string]string{}
	}
	meta[namesKey] = string(names)
	info := safetensors.Info{Name: featuresKey, DType: safetensors.F32, Shape: w.shape()}
	if err := safetensors.WriteHeader(out, []safetensors.Info{info}, meta); err != nil {
		return err
	}
	return writeRows(out, w)
}

func readSafetensors(in *io.SectionReader) (*Set, error) {
	f, err := safetensors.Open(in, in.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	info, ok := f.Lookup(featuresKey)
	if !ok {
		return nil, formatErrorf("no tensor %q", featuresKey)
	}
	s := &Set{Shape: info.Shape, Meta: maps.Clone(f.Metadata)}
	if err := json.Unmarshal([]byte(s.Meta[namesKey]), &s.Names); err != nil {
		return nil, formatErrorf("the metadata has no %q, a JSON array of the rows' names: %v", namesKey, err)
	}
	delete(s.Meta, namesKey)
	if s.Data, err = f.Float32s(featuresKey); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return s, nil
}
