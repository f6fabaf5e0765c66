package features

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/onetomany/caption/internal/element"
)

var _ = enter(fileFormat{".jsonl", writeJSONL, readJSONL, false, ""})

// jsonRow is a line of a .jsonl file. Shape is there for maps only.
type jsonRow struct {
	Path     string    `json:"path"`
	Shape    []int     `json:"shape,omitempty"`
	Features []float32 `json:"features"`
}

// maxLine is the largest line; a map of 14×14×2,048 takes 5 MB.
const maxLine = 64 << 20

func writeJSONL(out io.Writer, w *Writer) error {
	enc := json.NewEncoder(out) // shortest decimals that read back the same
	enc.SetEscapeHTML(false)
	row := jsonRow{Features: make([]float32, product(w.row))}
	if len(w.row) > 1 {
		row.Shape = w.row
	}
	return w.each(func(name string, b []byte) error {
		row.Path = name
		element.F32.Floats(row.Features, b)
		return enc.Encode(&row)
	})
}

func readJSONL(f *io.SectionReader) (*Set, error) {
	s := new(Set)
	var rowShape []int
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 1<<16), maxLine)
	line := 1
	for ; in.Scan(); line++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		var row jsonRow
		if err := json.Unmarshal(in.Bytes(), &row); err != nil {
			return nil, formatErrorf("line %d: %v", line, err)
		}
		shape := row.Shape
		if shape == nil {
			shape = []int{len(row.Features)}
		}
		if n, ok := values(shape); !ok || n != int64(len(row.Features)) {
			return nil, formatErrorf("line %d: %d features for shape %v", line, len(row.Features), shape)
		}
		if rowShape == nil {
			rowShape = shape
		}
		if !slices.Equal(shape, rowShape) {
			return nil, formatErrorf("line %d: features of shape %v, %v before", line, shape, rowShape)
		}
		s.Names = append(s.Names, row.Path)
		s.Data = append(s.Data, row.Features...)
	}
	if err := in.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, formatErrorf("line %d is longer than %d bytes", line, maxLine)
		}
		return nil, err
	}
	if rowShape == nil {
		return nil, formatErrorf("no line has features")
	}
	s.Shape = append([]int{len(s.Names)}, rowShape...)
	return s, nil
}
