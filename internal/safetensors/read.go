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

	r       io.ReaderAt
	data    []byte         // all of the file, where it is in memory
	tensors []entry        // in the order of their data
	index   map[string]int // in tensors, by name
}

// entry is a tensor, and where the file has it: in the header, relative to the end of
// the header.
type entry struct {
	Info
	begin, end int64
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
		f.index[e.Name] = len(f.tensors)
		f.tensors = append(f.tensors, entry{e.Info, 8 + int64(n) + e.begin, 8 + int64(n) + e.end})
	}
	if data := size - 8 - int64(n); pos != data {
		return nil, formatError("tensors end at %d, but %d bytes of data follow the header", pos, data)
	}
	return f, nil
}

// Tensors lists the tensors in the order of their data.
func (f *File) Tensors() []Info {
	infos := make([]Info, len(f.tensors))
	for i, t := range f.tensors {
		infos[i] = t.Info
	}
	return infos
}

// Lookup finds a tensor by name.
func (f *File) Lookup(name string) (Info, bool) {
	t, err := f.tensor(name)
	return t.Info, err == nil
}

func (f *File) tensor(name string) (entry, error) {
	i, ok := f.index[name]
	if !ok {
		return entry{}, fmt.Errorf("no tensor %.50q in the file", name)
	}
	return f.tensors[i], nil
}

// Bytes returns the tensor's raw little-endian bytes: of a file in memory those of
// the file itself.
func (f *File) Bytes(name string) ([]byte, error) {
	t, err := f.tensor(name)
	if err != nil {
		return nil, err
	}
	if f.data != nil {
		return f.data[t.begin:t.end], nil
	}
	b := make([]byte, t.end-t.begin)
	return b, readFullAt(f.r, b, t.begin)
}

// Float32s returns the tensor's elements, widened if it is F16 or BF16. Other
// types are refused.
func (f *File) Float32s(name string) ([]float32, error) {
	t, err := f.tensor(name)
	if err != nil {
		return nil, err
	}
	if t.DType != F32 && t.DType != F16 && t.DType != BF16 {
		return nil, fmt.Errorf("tensor %.50q is %s; F32, F16 or BF16 is expected", name, t.DType)
	}
	typ, size := types[t.DType], int64(t.DType.Size())
	out := make([]float32, (t.end-t.begin)/size)
	// By pieces, so that a large tensor is not twice in memory.
	buf := make([]byte, min(t.end-t.begin, 1<<18))
	for at := t.begin; at < t.end; {
		b := buf[:min(int64(len(buf)), t.end-at)]
		if err := readFullAt(f.r, b, at); err != nil {
			return nil, err
		}
		done := (at - t.begin) / size
		typ.Floats(out[done:done+int64(len(b))/size], b)
		at += int64(len(b))
	}
	return out, nil
}

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

// next reads a token, which must be a T; want names that in messages.
func next[T any](h header, what, want string) (v T, err error) {
	t, err := h.dec.Token()
	if err != nil {
		return v, formatError("%s: %v", what, err)
	}
	v, ok := t.(T)
	if !ok {
		return v, formatError("%s: %v where %s is expected", what, t, want)
	}
	return v, nil
}

func (h header) delim(want json.Delim, what string) error {
	t, err := next[json.Delim](h, what, want.String())
	if err == nil && t != want {
		err = formatError("%s: %v where %v is expected", what, t, want)
	}
	return err
}

func (h header) string(what string) (string, error) { return next[string](h, what, "a string") }

// ints reads an array of integers from 0 up.
func (h header) ints(what string) (out []int64, err error) {
	if err := h.delim('[', what); err != nil {
		return nil, err
	}
	for h.dec.More() {
		num, err := next[json.Number](h, what, "a number")
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseUint(num.String(), 10, 63)
		if err != nil {
			return nil, formatError("%s: %s is not an integer from 0 to 2^63-1", what, num)
		}
		out = append(out, int64(v))
	}
	return out, h.delim(']', what)
}
