package features

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onetomany/caption/internal/element"
	"github.com/onetomany/caption/internal/message"
)

// Set is a feature file in memory: row i holds the features of Names[i].
type Set struct {
	Names []string
	Shape []int // [N,D], or [N,H,W,C] for maps
	Data  []float32
	Meta  map[string]string // what the writer noted (.npz, .safetensors), else nil
}

// Row returns the features of Names[i], sharing memory with s; nil where s has
// none.
func (s *Set) Row(i int) []float32 {
	if s == nil || len(s.Shape) == 0 || i < 0 || i >= s.Shape[0] {
		return nil
	}
	n := product(s.Shape[1:])
	if n < 0 || (i+1)*n > len(s.Data) {
		return nil
	}
	return s.Data[i*n : (i+1)*n : (i+1)*n]
}

// Distance is the relative difference of two feature vectors, ‖a−b‖/‖b‖. Those
// of different length are infinitely far apart.
func Distance(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d, n float64
	for i := range b {
		x, y := float64(a[i]), float64(b[i])
		d += (x - y) * (x - y)
		n += y * y
	}
	return math.Sqrt(d / max(n, math.SmallestNonzeroFloat64))
}

// ErrFormat is wrapped by the errors about a feature file's content.
var ErrFormat = errors.New("not a valid feature file")

func formatErrorf(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, a...))
}

// maxSetBytes bounds what a feature file may take in memory: 2 million vectors
// of 2,048. Below it a file takes little more memory than it has bytes; the
// one format with compression, .npz, must not unfold too far either.
const maxSetBytes = 16 << 30

// fileFormat is a format of feature files. Each has a file of its own, which enters it.
type fileFormat struct {
	extension string
	write     func(out io.Writer, w *Writer) error
	read      func(in *io.SectionReader) (*Set, error)
	names     bool   // FILE.names.txt stands beside it
	holds     string // what is in it, for people; "" if that needs no words
}

// fileFormats are all of them, in the order of their extensions.
var fileFormats []fileFormat

// enter adds a format to fileFormats.
func enter(f fileFormat) fileFormat {
	fileFormats = append(fileFormats, f)
	slices.SortFunc(fileFormats, func(a, b fileFormat) int { return strings.Compare(a.extension, b.extension) })
	return f
}

func formatOf(path string) (fileFormat, error) {
	for _, f := range fileFormats {
		if strings.EqualFold(filepath.Ext(path), f.extension) {
			return f, nil
		}
	}
	return fileFormat{}, fmt.Errorf("%s: the extension gives the format of a feature file: %s", path, message.List("or", Extensions()))
}

// Extensions are those of feature files, such as ".npy", in alphabetical order.
func Extensions() []string {
	var all []string
	for _, f := range fileFormats {
		all = append(all, f.extension)
	}
	return all
}

// FileFormats describes the formats of feature files, for people: ".a (what it holds),
// .b or .c".
func FileFormats() string {
	var all []string
	for _, f := range fileFormats {
		format := f.extension
		if f.holds != "" {
			format += " (" + f.holds + ")"
		}
		all = append(all, format)
	}
	return message.List("or", all)
}

// CheckExtension returns what is wrong with path as the name of a feature file, nil
// if nothing.
func CheckExtension(path string) error {
	_, err := formatOf(path)
	return err
}

// ReadFile reads a feature file; the extension gives the format. The content
// is checked: every row has a name, every value is finite. Float16 and float64
// are converted.
func ReadFile(path string) (*Set, error) {
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if fi.Size() > maxSetBytes {
		return nil, fmt.Errorf("%s: %w", path, formatErrorf("%d bytes, above the limit of %d", fi.Size(), int64(maxSetBytes)))
	}
	s, err := format.read(io.NewSectionReader(f, 0, fi.Size()))
	if err == nil && format.names {
		err = s.takeNames(path, fi)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Set) check() error {
	if len(s.Shape) != 2 && len(s.Shape) != 4 {
		return formatErrorf("features of shape %v; [N,D] or [N,H,W,C] is expected", s.Shape)
	}
	n, ok := values(s.Shape)
	if !ok || n != int64(len(s.Data)) {
		return formatErrorf("%d values for shape %v", len(s.Data), s.Shape)
	}
	if product(s.Shape[1:]) == 0 {
		return formatErrorf("features of shape %v hold no values", s.Shape)
	}
	if len(s.Names) != s.Shape[0] {
		return formatErrorf("%d names for %d rows", len(s.Names), s.Shape[0])
	}
	for i, name := range s.Names {
		if err := checkName(name); err != nil {
			return formatErrorf("row %d: %v", i, err)
		}
		if !finite(s.Row(i)) {
			return formatErrorf("row %d (%s) has a value that is not a finite number", i, name)
		}
	}
	return nil
}

// checkName refuses the names that a line of text or a numpy string cannot hold.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a name is empty")
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %q is not UTF-8; rename the file", name)
	case strings.ContainsAny(name, "\n\r\x00"):
		return fmt.Errorf("the name %q has a line break or zero byte; rename the file", name)
	}
	return nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// values is the number of values of a shape from a file, false if a dimension
// is negative or they take more than maxSetBytes as float32.
func values(shape []int) (int64, bool) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d > 0 && n > maxSetBytes/4/int64(d) {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}

// readValues reads n values. It allocates as the data come, so a header that lies
// costs nothing.
func readValues(r io.Reader, n int64, typ element.Type) ([]float32, error) {
	out := make([]float32, 0, min(n, 1<<20))
	buf := make([]byte, 1<<16)
	for rest := n; rest > 0; {
		m := min(rest, int64(len(buf)*8/typ.Bits()))
		b := buf[:typ.Size(m)]
		if _, err := io.ReadFull(r, b); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil, formatErrorf("the data end early: %d values are missing", rest)
			}
			return nil, err
		}
		at := len(out)
		out = slices.Grow(out, int(m))[:at+int(m)]
		typ.Floats(out[at:], b)
		rest -= m
	}
	return out, nil
}
