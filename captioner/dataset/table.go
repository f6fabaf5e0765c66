package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onetomany/caption/internal/strictjson"
)

// Names of the columns, and of the fields in JSON: the documented one first, then
// others in use.
var (
	imageNames   = []string{"image", "file_name", "filename", "path"}
	captionNames = []string{"caption", "text"}
)

// columns are the indices of the columns; split is -1 if there is none.
type columns struct {
	image, caption, split int
	n                     int    // columns in all
	hint                  string // for the error of a row with more or less
}

// header finds the columns.
func header(fields []string) (columns, error) {
	for i := range fields {
		fields[i] = strings.ToLower(strings.TrimSpace(fields[i]))
	}
	find := func(names ...string) int {
		return slices.IndexFunc(fields, func(f string) bool { return slices.Contains(names, f) })
	}
	c := columns{image: find(imageNames...), caption: find(captionNames...), split: find("split"), n: len(fields)}
	for _, i := range []int{c.image, c.caption, c.split} {
		if i >= 0 && slices.Contains(fields[i+1:], fields[i]) {
			return c, fmt.Errorf("the first line names the column %q twice", fields[i])
		}
	}
	if c.image < 0 || c.caption < 0 {
		return c, fmt.Errorf("the first line must name the columns image, caption and, if wanted, split; it is %.100q", fields)
	}
	return c, nil
}

// row adds the photo of a row.
func (c columns) row(b *builder, fields []string) error {
	if len(fields) != c.n {
		return fmt.Errorf("%d fields; %d as in the first line are expected%s", len(fields), c.n, c.hint)
	}
	split := ""
	if c.split >= 0 {
		split = fields[c.split]
	}
	return b.add(fields[c.image], split, fields[c.caption])
}

// parseTSV reads lines of fields between tabs, without quoting.
func parseTSV(b *builder, data []byte) error {
	var cols columns
	return b.lines(data, func(line int, text string) (err error) {
		text = strings.TrimRight(text, "\r\n")
		fields := strings.Split(text, "\t")
		switch {
		case line == 1:
			cols, err = header(fields)
		case text != "":
			err = cols.row(b, fields)
		}
		return err
	})
}

// parseCSV reads RFC 4180 CSV.
func parseCSV(b *builder, data []byte) error {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1 // checked in row, with a better message
	var cols columns
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok { // there are no others
			return b.errorf(pe.StartLine, "%w", pe.Err)
		}
		line, _ := r.FieldPos(0)
		if first {
			cols, err = header(fields)
			cols.hint = "; put captions with commas into double quotes"
		} else {
			err = cols.row(b, fields)
		}
		if err != nil {
			return b.errorf(line, "%w", err)
		}
	}
}

// record is a photo in JSON: {"image", "caption" or "captions", "split"}.
type record struct {
	Image, Split string
	Captions     []string
}

// UnmarshalJSON takes the names of tables, and one caption or several.
func (r *record) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := strictjson.UnmarshalKnown(data, &fields); err != nil {
		return fmt.Errorf("an object with image and caption is expected: %w", err)
	}
	get := func(v any, names ...string) error {
		for _, n := range names {
			if raw, ok := fields[n]; ok {
				if err := json.Unmarshal(raw, v); err != nil {
					return fmt.Errorf("field %q: %w", n, err)
				}
				return nil
			}
		}
		return fmt.Errorf("no field %q", names[0])
	}
	if err := get(&r.Image, imageNames...); err != nil {
		return err
	}
	if fields["split"] != nil {
		if err := get(&r.Split, "split"); err != nil {
			return err
		}
	}
	var one string
	if get(&one, captionNames...) == nil {
		r.Captions = []string{one}
		return nil
	}
	return get(&r.Captions, "captions", "caption", "text")
}

// parseJSONL reads a record a line.
func parseJSONL(b *builder, data []byte) error {
	return b.lines(data, func(_ int, text string) error {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		var r record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		return b.add(r.Image, r.Split, r.Captions...)
	})
}
