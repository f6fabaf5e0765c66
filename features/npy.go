package features

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/element"
)

// The .npy format: numpy/lib/format.py ("NPY format"), version 1.0 to write,
// 1.0 to 3.0 to read.
//
// Our files hold two arrays, one after the other, as two calls of numpy.save on
// one open file write them: the features, and the bytes of the names file. So
// rows and names come in one step. numpy.load and its mmap_mode read the first
// array and do not look further.

var npyFormat = enter(fileFormat{".npy", writeNPY, readNPY, true, "float32 [N,D], names in FILE.names.txt"})

const npyMagic = "\x93NUMPY"

// maxNPYHeader is numpy's own limit for a header it trusts to parse.
const maxNPYHeader = 10_000

// dtypes are the element types that features are read from.
var dtypes = map[string]element.Type{"<f2": element.F16, "<f4": element.F32, "<f8": element.F64}

// namesPath is the file beside an .npy file with the names of its rows, a line each.
func namesPath(npy string) string { return npy + ".names.txt" }

// namesOf is where the names of an .npy file are: beside the file that path leads
// to, or else beside path.
func namesOf(path string) string {
	if target, err := atomicfile.Resolve(path); err == nil && target != path {
		if _, err := os.Stat(namesPath(target)); err == nil {
			return namesPath(target)
		}
	}
	return namesPath(path)
}

// npyHeader is all that precedes the data, a multiple of 64 bytes.
func npyHeader(descr string, shape ...int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const fixed = len(npyMagic) + 2 + 2 // version, length
	dict += strings.Repeat(" ", 63-(fixed+len(dict))%64) + "\n"
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(b, dict...)
}

// npyDict is the header as numpy writes it, keys in alphabetical order; its
// reader demands exactly these three.
var npyDict = regexp.MustCompile(`^\{\s*'descr'\s*:\s*'([^']*)'\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,\s*'shape'\s*:\s*\(([0-9, ]*)\)\s*,?\s*\}\s*$`)

// parseNPYHeader reads up to the data.
func parseNPYHeader(r io.Reader) (descr string, shape []int, err error) {
	fail := func(format string, a ...any) (string, []int, error) {
		return "", nil, formatErrorf("npy: "+format, a...)
	}
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:6]) != npyMagic {
		return fail("it does not begin as numpy's files do")
	}
	var n int
	switch head[6] {
	case 1:
		var b [2]byte
		_, err = io.ReadFull(r, b[:])
		n = int(binary.LittleEndian.Uint16(b[:]))
	case 2, 3:
		var b [4]byte
		_, err = io.ReadFull(r, b[:])
		n = int(min(binary.LittleEndian.Uint32(b[:]), maxNPYHeader+1))
	default:
		return fail("version %d.%d; 1.0 to 3.0 are known", head[6], head[7])
	}
	if err != nil || n > maxNPYHeader {
		return fail("the header is cut off or too long")
	}
	dict := make([]byte, n)
	if _, err := io.ReadFull(r, dict); err != nil {
		return fail("the header is cut off")
	}
	m := npyDict.FindSubmatch(dict)
	if m == nil {
		return fail("header %q is not that of a plain array", bytes.TrimSpace(dict))
	}
	if string(m[2]) == "True" {
		return fail("the array is in Fortran order; save numpy.ascontiguousarray(a)")
	}
	for _, s := range strings.Split(string(m[3]), ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		d, err := strconv.Atoi(s)
		if err != nil {
			return fail("dimension %s is too large", s)
		}
		shape = append(shape, d)
	}
	return string(m[1]), shape, nil
}

// readFloatArray reads an array of floats, and leaves r behind it.
func readFloatArray(r io.Reader) (shape []int, data []float32, err error) {
	descr, shape, err := parseNPYHeader(r)
	if err != nil {
		return nil, nil, err
	}
	dt, ok := dtypes[descr]
	if !ok {
		return nil, nil, formatErrorf("elements of type %q; save a.astype('float32')", descr)
	}
	n, ok := values(shape)
	if !ok {
		return nil, nil, formatErrorf("shape %v is too large", shape)
	}
	data, err = readValues(r, n, dt)
	return shape, data, err
}

// readEnd checks that nothing is left in r.
func readEnd(r io.Reader) error {
	if n, _ := io.CopyN(io.Discard, r, 1); n > 0 {
		return formatErrorf("more follows than the shape says")
	}
	return nil
}

// readNPY reads the features, and the names if they are inside, as they are not in a
// file of numpy.save.
func readNPY(f *io.SectionReader) (*Set, error) {
	in := bufio.NewReader(f)
	s := new(Set)
	var err error
	if s.Shape, s.Data, err = readFloatArray(in); err != nil {
		return nil, err
	}
	if _, err := in.Peek(1); err == io.EOF {
		return s, nil
	}
	descr, shape, err := parseNPYHeader(in)
	if err != nil || descr != "|u1" || len(shape) != 1 || int64(shape[0]) > f.Size() {
		return nil, formatErrorf("more follows than shape %v has, and it is not the names of the rows", s.Shape)
	}
	names := make([]byte, shape[0])
	if _, err := io.ReadFull(in, names); err != nil {
		return nil, formatErrorf("the names end early")
	}
	s.Names = strings.Split(strings.TrimSuffix(string(names), "\n"), "\n")
	return s, readEnd(in)
}

// takeNames takes the names beside the .npy file at path where it has none inside, and
// compares them where it has; f is the file that was read.
func (s *Set) takeNames(path string, f fs.FileInfo) error {
	file := namesOf(path)
	text, err := readNames(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.Names != nil:
		return nil
	case err != nil:
		return fmt.Errorf("the names of the rows are missing, a line each: %w", err)
	}
	// A file that took the place of f since it was opened has other names.
	now, err := os.Stat(path)
	switch replaced := err != nil || !os.SameFile(f, now); {
	case s.Names == nil && replaced:
		return errors.New("it was replaced while it was read; read it again")
	case s.Names == nil:
		s.Names = lines(text)
	case !replaced && text != strings.Join(s.Names, "\n")+"\n":
		return compareNames(file, s.Names, lines(text))
	}
	return nil
}

// readNames reads a file of names.
func readNames(path string) (string, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if fi.Size() > maxSetBytes {
		return "", formatErrorf("%s has %d bytes", path, fi.Size())
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// compareNames says where the names inside a file and those in path, beside it,
// differ.
func compareNames(path string, inside, beside []string) error {
	if len(inside) != len(beside) {
		return formatErrorf("it holds %d names itself, %s has %d; delete that file if it belongs to other rows", len(inside), path, len(beside))
	}
	for i := range inside {
		if inside[i] != beside[i] {
			return formatErrorf("row %d is %q, but in %s it is %q; delete that file if it belongs to other rows", i, inside[i], path, beside[i])
		}
	}
	return nil
}

// lines splits a text whose last line may lack its end.
func lines(text string) []string {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func writeNPY(out io.Writer, w *Writer) error {
	if err := writeArray(out, w); err != nil {
		return err
	}
	size := 0
	for _, r := range w.rows {
		size += len(r.name) + len("\n")
	}
	if _, err := out.Write(npyHeader("|u1", size)); err != nil {
		return err
	}
	return writeNames(out, w)
}

// writeNames writes the names, a line each.
func writeNames(out io.Writer, w *Writer) error {
	for _, r := range w.rows {
		if _, err := io.WriteString(out, r.name+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// writeArray writes the rows as a float32 array.
func writeArray(out io.Writer, w *Writer) error {
	if _, err := out.Write(npyHeader("<f4", w.shape()...)); err != nil {
		return err
	}
	return writeRows(out, w)
}

// writeRows writes the rows as they are in the journal.
func writeRows(out io.Writer, w *Writer) error {
	return w.each(func(_ string, row []byte) error {
		_, err := out.Write(row)
		return err
	})
}
