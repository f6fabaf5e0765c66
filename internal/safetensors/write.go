package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/onetomany/caption/internal/float16"
)

// Tensor is a tensor to write. DType is F32, or F16 to round the data to half
// precision.
type Tensor struct {
	Info
	Data []float32
}

// Write writes a whole file. Tensors of wider types come first, as in the
// reference implementation, so that each is aligned to its type; else their
// order stays. The same input gives the same bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return cmp.Compare(b.DType.Size(), a.DType.Size()) })
	infos := make([]Info, len(tensors))
	for i, t := range tensors {
		infos[i] = t.Info
		n, ok := t.bytes()
		if !ok || t.DType != F32 && t.DType != F16 || n/int64(t.DType.Size()) != int64(len(t.Data)) {
			return fmt.Errorf("writing safetensors: tensor %q has %d values for %s%v", t.Name, len(t.Data), t.DType, t.Shape)
		}
	}
	if err := WriteHeader(w, infos, metadata); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := WriteFloats(w, t.DType, t.Data); err != nil {
			return err
		}
	}
	return nil
}

// WriteHeader writes the header of a file whose data follow, in this order and
// without gaps: for tensors too large to have in memory.
func WriteHeader(w io.Writer, infos []Info, metadata map[string]string) error {
	var text []string // that must be UTF-8
	for k, v := range metadata {
		text = append(text, k, v)
	}
	b := bytes.NewBuffer(make([]byte, 8)) // the length, known below
	sep := byte('{')
	add := func(key string, value any) {
		b.WriteByte(sep)
		sep = ','
		writeJSON(b, key)
		b.WriteByte(':')
		writeJSON(b, value)
	}
	if len(metadata) > 0 {
		add("__metadata__", metadata)
	}
	seen := map[string]bool{"__metadata__": true}
	var pos int64
	for _, t := range infos {
		if seen[t.Name] {
			return fmt.Errorf("writing safetensors: the name %q is taken", t.Name)
		}
		seen[t.Name] = true
		text = append(text, t.Name)
		n, ok := t.bytes()
		if !ok || n > math.MaxInt64-pos {
			return fmt.Errorf("writing safetensors: tensor %q: %s%v has no valid size", t.Name, t.DType, t.Shape)
		}
		add(t.Name, struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{pos, pos + n}}) // [], never null
		pos += n
	}
	for _, s := range text {
		if !utf8.ValidString(s) {
			return fmt.Errorf("writing safetensors: %q is not UTF-8", s)
		}
	}
	if sep == '{' {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > MaxHeader {
		return fmt.Errorf("writing safetensors: the header takes %d bytes, above the limit of %d", b.Len()-8, MaxHeader)
	}
	out := b.Bytes()
	binary.LittleEndian.PutUint64(out, uint64(len(out)-8))
	_, err := w.Write(out)
	return err
}

// writeJSON writes strings and numbers, without HTML escapes.
func writeJSON(b *bytes.Buffer, v any) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.Encode(v)
	b.Truncate(b.Len() - 1) // the line end that Encode adds
}

// WriteFloats writes values as F32 or F16, the latter rounded to nearest even.
func WriteFloats(w io.Writer, dt DType, v []float32) error {
	if dt != F32 && dt != F16 {
		return fmt.Errorf("writing safetensors: floats as %q; F32 or F16 is expected", dt)
	}
	buf := make([]byte, 0, min(len(v)*dt.Size(), 1<<16))
	for len(v) > 0 {
		n := min(len(v), cap(buf)/dt.Size())
		buf = buf[:0]
		for _, x := range v[:n] {
			if dt == F32 {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
			} else {
				buf = binary.LittleEndian.AppendUint16(buf, float16.FromFloat32(x))
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		v = v[n:]
	}
	return nil
}
