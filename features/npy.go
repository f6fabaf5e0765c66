package features

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/float16"
)

// The .npy format: numpy/lib/format.py ("NPY format"), version 1.0 to write,
// 1.0 to 3.0 to read.

const npyMagic = "\x93NUMPY"

// maxNPYHeader is numpy's own limit for a header it trusts to parse.
const maxNPYHeader = 10_000

// dtype is an element type that features are read from.
type dtype struct {
	size  int
	float func(b []byte) float32
}

var dtypes = map[string]dtype{
	"<f2": {2, func(b []byte) float32 { return float16.ToFloat32(binary.LittleEndian.Uint16(b)) }},
	"<f4": {4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
	"<f8": {8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }},
}

// namesPath is the file with the names of the rows of an .npy file, a line each.
func namesPath(npy string) string { return npy + ".names.txt" }

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

// readFloatArray reads a whole .npy stream of floats.
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
	if data, err = readValues(r, n, dt); err != nil {
		return nil, nil, err
	}
	if m, _ := io.CopyN(io.Discard, r, 1); m > 0 {
		return nil, nil, formatErrorf("there are more values than shape %v has", shape)
	}
	return shape, data, nil
}

func readNPY(path string, f *os.File, size int64) (*Set, error) {
	shape, data, err := readFloatArray(bufio.NewReader(f))
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(namesPath(path))
	if err != nil {
		return nil, fmt.Errorf("the names of the rows are missing, a line each: %w", err)
	}
	if fi.Size() > maxSetBytes {
		return nil, formatErrorf("%s has %d bytes", namesPath(path), fi.Size())
	}
	text, err := os.ReadFile(namesPath(path))
	if err != nil {
		return nil, err
	}
	return &Set{Names: lines(string(text)), Shape: shape, Data: data}, nil
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

// writeNPY writes the names first: whoever sees the new array has its names.
func writeNPY(path string, w *Writer) error {
	err := atomicfile.WriteFile(namesPath(path), func(out io.Writer) error {
		for _, name := range w.names() {
			if _, err := io.WriteString(out, name+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, func(out io.Writer) error { return writeArray(out, w) })
}

// writeArray writes the rows as a float32 array.
func writeArray(out io.Writer, w *Writer) error {
	if _, err := out.Write(npyHeader("<f4", w.shape()...)); err != nil {
		return err
	}
	return w.each(func(_ string, row []byte) error {
		_, err := out.Write(row)
		return err
	})
}
