package features

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An .npz file is a ZIP archive of .npy files. Ours has features, names and meta,
// a JSON object in a string array without dimensions.

var _ = enter(fileFormat{".npz", writeNPZ, readNPZ, false, "features, names"})

func writeNPZ(out io.Writer, w *Writer) error {
	z := zip.NewWriter(out)
	// The floats of a network do not compress; names do.
	f, err := z.CreateHeader(&zip.FileHeader{Name: "features.npy", Method: zip.Store})
	if err != nil {
		return err
	}
	if err := writeArray(f, w); err != nil {
		return err
	}
	names := w.names()
	if err := addStrings(z, "names.npy", names, len(names)); err != nil {
		return err
	}
	if len(w.meta) > 0 {
		meta, err := json.Marshal(w.meta)
		if err != nil {
			return err
		}
		if err := addStrings(z, "meta.npy", []string{string(meta)}); err != nil {
			return err
		}
	}
	return z.Close()
}

// addStrings adds an array of numpy's fixed-width UCS-4 strings.
func addStrings(z *zip.Writer, name string, text []string, shape ...int) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	width := 1
	for _, s := range text {
		width = max(width, utf8.RuneCountInString(s))
	}
	b := bufio.NewWriter(f)
	b.Write(npyHeader("<U"+strconv.Itoa(width), shape...))
	var ch [4]byte
	for _, s := range text {
		n := 0
		for _, r := range s {
			binary.LittleEndian.PutUint32(ch[:], uint32(r))
			b.Write(ch[:])
			n++
		}
		clear(ch[:])
		for ; n < width; n++ {
			b.Write(ch[:])
		}
	}
	return b.Flush()
}

func readNPZ(f *io.SectionReader) (*Set, error) {
	z, err := zip.NewReader(f, f.Size())
	if err != nil {
		return nil, formatErrorf("npz: %v", err)
	}
	s := new(Set)
	var meta []string
	for _, a := range []struct {
		name     string
		optional bool
		read     func(in io.Reader) error
	}{
		{"features", false, func(in io.Reader) (err error) {
			if s.Shape, s.Data, err = readFloatArray(in); err == nil {
				err = readEnd(in)
			}
			return err
		}},
		{"names", false, func(in io.Reader) (err error) { s.Names, err = readStrings(in, 1); return err }},
		{"meta", true, func(in io.Reader) (err error) { meta, err = readStrings(in, 0); return err }}, // numpy's own files have none
	} {
		in, err := openArray(z, a.name)
		switch {
		case err != nil && a.optional:
			continue
		case err != nil:
			return nil, err
		}
		err = a.read(bufio.NewReader(in))
		in.Close()
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", a.name, err)
		}
	}
	if meta != nil {
		if err := json.Unmarshal([]byte(meta[0]), &s.Meta); err != nil {
			return nil, formatErrorf("npz: array \"meta\": %v", err)
		}
	}
	return s, nil
}

// openArray finds an array by its name.
func openArray(z *zip.Reader, name string) (io.ReadCloser, error) {
	for _, f := range z.File {
		if f.Name != name+".npy" {
			continue
		}
		// Floats shrink little and file names some ten times; a bomb a thousand times.
		const ratio, free = 200, 1 << 20
		if f.UncompressedSize64 > maxSetBytes || f.UncompressedSize64 > free && f.UncompressedSize64/ratio > f.CompressedSize64 {
			return nil, formatErrorf("npz: %s unfolds from %d to %d bytes; save it uncompressed", f.Name, f.CompressedSize64, f.UncompressedSize64)
		}
		rc, err := f.Open()
		if err != nil {
			return nil, formatErrorf("npz: %s: %v", f.Name, err)
		}
		return rc, nil
	}
	return nil, formatErrorf("npz: no array %q; \"features\" and \"names\" are expected", name)
}

// readStrings reads an array of fixed-width strings, Unicode or bytes, of the
// given number of dimensions, 0 or 1.
func readStrings(r io.Reader, dims int) ([]string, error) {
	descr, shape, err := parseNPYHeader(r)
	if err != nil {
		return nil, err
	}
	unit := 4
	width, ok := strings.CutPrefix(descr, "<U")
	if !ok {
		unit = 1
		width, ok = strings.CutPrefix(descr, "|S")
	}
	chars, err := strconv.Atoi(width)
	if !ok || err != nil || chars < 0 || chars > 1<<24 || len(shape) != dims {
		return nil, formatErrorf("elements of type %q and shape %v; save numpy.array(names)", descr, shape)
	}
	n, ok := values(shape)
	if total, fits := values(append(shape, chars, unit)); !ok || !fits || total > maxSetBytes {
		return nil, formatErrorf("shape %v is too large", shape)
	}
	if chars == 0 && n > 0 {
		return nil, formatErrorf("the strings are empty")
	}
	var out []string
	buf := make([]byte, chars*unit)
	var text strings.Builder
	for range n {
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil, formatErrorf("the strings are cut off: %v", err)
		}
		text.Reset()
		if unit == 1 {
			text.Write(buf)
		} else {
			for b := buf; len(b) > 0; b = b[4:] {
				c := binary.LittleEndian.Uint32(b)
				if c > utf8.MaxRune {
					return nil, formatErrorf("character %#x", c)
				}
				text.WriteRune(rune(c))
			}
		}
		out = append(out, strings.TrimRight(text.String(), "\x00")) // numpy's padding
	}
	return out, nil
}
