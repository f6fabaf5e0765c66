package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// File is an opened safetensors file. It is safe for concurrent use if its
// reader is (os.File, bytes.Reader are).
type File struct {
	Metadata map[string]string // nil if the file has none

	r     io.ReaderAt
	data  []byte         // all of the file, where it is in memory
	infos []Info         // in the order of their data
	index map[string]int // name -> index in infos
	begin []int64        // offset of each tensor in r
	sizes []int64        // bytes of each tensor
}

// entry is a tensor as the header has it.
type entry struct {
	Info
	begin, end int64 // relative to the end of the header
}

// Read opens a file in memory. The data must not change while File is in use.
func Read(data []byte) (*File, error) {
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		f.data = data
	}
	return f, err
}

// Open reads and checks the header of a file of the given size; the tensors
// are read when asked for. Its own memory is bounded by the file's size.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var prefix [8]byte
	if size < 8 {
		return nil, formatError("%d bytes; the header length alone takes 8", size)
	}
	if err := readFullAt(r, prefix[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case n > MaxHeader:
		return nil, formatError("header length %d, above the limit of %d", n, MaxHeader)
	case int64(n) > size-8:
		return nil, formatError("header length %d, but only %d bytes follow: the file is cut off", n, size-8)
	}
	header := make([]byte, n)
	if err := readFullAt(r, header, 8); err != nil {
		return nil, err
	}
	entries, meta, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: meta, r: r, index: make(map[string]int, len(entries))}
	// Empty tensors share their offset with a neighbour, hence the second key.
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var pos int64
	for _, e := range entries {
		want, ok := e.bytes()
		switch {
		case !ok:
			return nil, formatError("tensor %q: type %q with shape %v has no valid size", e.Name, e.DType, e.Shape)
		case e.begin != pos:
			return nil, formatError("tensor %q begins at %d where %d is expected: data must follow without gap or overlap", e.Name, e.begin, pos)
		case e.end < e.begin || e.end-e.begin != want:
			return nil, formatError("tensor %q: %d..%d is not the %d bytes of %s%v", e.Name, e.begin, e.end, want, e.DType, e.Shape)
		}
		pos = e.end
		f.index[e.Name] = len(f.infos)
		f.infos = append(f.infos, e.Info)
		f.begin = append(f.begin, 8+int64(n)+e.begin)
		f.sizes = append(f.sizes, want)
	}
	if data := size - 8 - int64(n); pos != data {
		return nil, formatError("tensors end at %d, but %d bytes of data follow the header", pos, data)
	}
	return f, nil
}

// Tensors lists the tensors in the order of their data.
func (f *File) Tensors() []Info { return slices.Clone(f.infos) }

// Lookup finds a tensor by name.
func (f *File) Lookup(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	return f.infos[i], true
}

// Bytes returns the tensor's raw little-endian bytes: of a file in memory those of
// the file itself.
func (f *File) Bytes(name string) ([]byte, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, missing(name)
	}
	if f.data != nil {
		return f.data[f.begin[i] : f.begin[i]+f.sizes[i]], nil
	}
	b := make([]byte, f.sizes[i])
	return b, readFullAt(f.r, b, f.begin[i])
}

// Float32s returns the tensor's elements, widened if it is F16 or BF16. Other
// types are refused.
func (f *File) Float32s(name string) ([]float32, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, missing(name)
	}
	dt := f.infos[i].DType
	if dt != F32 && dt != F16 && dt != BF16 {
		return nil, fmt.Errorf("tensor %.50q is %s; F32, F16 or BF16 is expected", name, dt)
	}
	out := make([]float32, f.sizes[i]/int64(dt.Size()))
	// By pieces, so that a large tensor is not twice in memory.
	buf := make([]byte, min(f.sizes[i], 1<<18))
	at := f.begin[i]
	for rest := out; len(rest) > 0; {
		b := buf[:min(len(buf), len(rest)*dt.Size())]
		if err := readFullAt(f.r, b, at); err != nil {
			return nil, err
		}
		at += int64(len(b))
		n := len(b) / dt.Size()
		types[dt].Floats(rest[:n], b)
		rest = rest[n:]
	}
	return out, nil
}

func missing(name string) error { return fmt.Errorf("no tensor %.50q in the file", name) }

// readFullAt fills b. ReadAt may return io.EOF with a full buffer.
func readFullAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF || err == nil {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading safetensors: %w", err)
}

// parseHeader reads the JSON header token by token: encoding/json itself would
// take duplicate keys, keys in another case and unknown keys.
func parseHeader(b []byte) ([]entry, map[string]string, error) {
	if len(b) == 0 || b[0] != '{' {
		return nil, nil, formatError("the header does not start with '{'")
	}
	if !utf8.Valid(b) {
		return nil, nil, formatError("the header is not UTF-8")
	}
	h := header{dec: json.NewDecoder(bytes.NewReader(b))}
	h.dec.UseNumber()
	var entries []entry
	var meta map[string]string
	err := h.object("header", func(key string) error {
		if key == "__metadata__" {
			var err error
			meta, err = h.metadata()
			return err
		}
		e, err := h.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if rest := bytes.TrimLeft(b[h.dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, nil, formatError("the header goes on after its object")
	}
	return entries, meta, nil
}

type header struct{ dec *json.Decoder }

// object reads an object and calls value after each key, which must be new.
func (h header) object(what string, value func(key string) error) error {
	if err := h.delim('{', what); err != nil {
		return err
	}
	seen := map[string]bool{}
	for h.dec.More() {
		key, err := h.string(what)
		if err != nil {
			return err
		}
		if seen[key] {
			return formatError("%s has key %q twice", what, key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return h.delim('}', what)
}

func (h header) metadata() (map[string]string, error) {
	meta := map[string]string{}
	err := h.object("__metadata__", func(key string) (err error) {
		meta[key], err = h.string("__metadata__")
		return err
	})
	return meta, err
}

func (h header) entry(name string) (entry, error) {
	e := entry{Info: Info{Name: name}}
	what := fmt.Sprintf("tensor %q", name)
	var fields []string
	err := h.object(what, func(key string) error {
		fields = append(fields, key)
		switch key {
		case "dtype":
			s, err := h.string(what)
			e.DType = DType(s)
			return err
		case "shape":
			dims, err := h.ints(what)
			e.Shape = make([]int, len(dims))
			for i, d := range dims {
				if int64(int(d)) != d { // 32-bit machines
					return formatError("%s: dimension %d has no valid size on this machine", what, d)
				}
				e.Shape[i] = int(d)
			}
			return err
		case "data_offsets":
			offs, err := h.ints(what)
			if err == nil && len(offs) != 2 {
				err = formatError("%s: data_offsets has %d numbers, not 2", what, len(offs))
			}
			if err == nil {
				e.begin, e.end = offs[0], offs[1]
			}
			return err
		}
		return formatError("%s: unknown key %q", what, key)
	})
	if err == nil && len(fields) != 3 {
		slices.Sort(fields)
		err = formatError("%s has keys %q; dtype, shape and data_offsets are expected", what, fields)
	}
	return e, err
}

func (h header) delim(want json.Delim, what string) error {
	t, err := h.dec.Token()
	if err != nil {
		return formatError("%s: %v", what, err)
	}
	if t != want {
		return formatError("%s: %v where %v is expected", what, t, want)
	}
	return nil
}

func (h header) string(what string) (string, error) {
	t, err := h.dec.Token()
	if err != nil {
		return "", formatError("%s: %v", what, err)
	}
	s, ok := t.(string)
	if !ok {
		return "", formatError("%s: %v where a string is expected", what, t)
	}
	return s, nil
}

// ints reads an array of integers from 0 up.
func (h header) ints(what string) ([]int64, error) {
	if err := h.delim('[', what); err != nil {
		return nil, err
	}
	var out []int64
	for h.dec.More() {
		t, err := h.dec.Token()
		if err != nil {
			return nil, formatError("%s: %v", what, err)
		}
		num, ok := t.(json.Number)
		if !ok {
			return nil, formatError("%s: %v where a number is expected", what, t)
		}
		v, err := strconv.ParseUint(num.String(), 10, 63)
		if err != nil {
			return nil, formatError("%s: %s is not an integer from 0 to 2^63-1", what, num)
		}
		out = append(out, int64(v))
	}
	return out, h.delim(']', what)
}
