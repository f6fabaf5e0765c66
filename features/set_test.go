package features

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/message"
)

var goldenNames = []string{"a.jpg", "sub/b c.jpg", "naïve-日本-😀.png"}

// Files written by numpy and the Python package safetensors.
func TestReadPythonFiles(t *testing.T) {
	var vectors, maps []float32
	for i := range 12 {
		vectors = append(vectors, (float32(i)-5)/7)
	}
	for i := range 3 * 2 * 2 * 4 {
		maps = append(maps, float32(i)/3)
	}
	for _, c := range []struct {
		file  string
		shape []int
		data  []float32
		tol   float64
	}{
		{"f4.npy", []int{3, 4}, vectors, 0},
		{"f8.npy", []int{3, 4}, vectors, 0},
		{"f2.npy", []int{3, 4}, vectors, 5e-4},
		{"map.npz", []int{3, 2, 2, 4}, maps, 0},
		{"packed.npz", []int{3, 4}, vectors, 0},
		{"x.safetensors", []int{3, 4}, vectors, 0},
		{"x.jsonl", []int{3, 4}, vectors, 0},
	} {
		s, err := ReadFile(filepath.Join("testdata/files", c.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(s.Names, goldenNames) || !slices.Equal(s.Shape, c.shape) {
			t.Errorf("%s: names %q, shape %v", c.file, s.Names, s.Shape)
		}
		for i := range c.data {
			if d := math.Abs(float64(s.Data[i] - c.data[i])); d > c.tol {
				t.Errorf("%s: value %d is %g, want %g", c.file, i, s.Data[i], c.data[i])
				break
			}
		}
		if want := c.file == "x.safetensors"; want != (s.Meta["cnn"] == "test") {
			t.Errorf("%s: meta %v", c.file, s.Meta)
		}
	}
	s, err := ReadFile("testdata/files/bytes.npz")
	if err != nil || !slices.Equal(s.Names, goldenNames) {
		t.Errorf("bytes.npz: %v", err)
	}
}

// testRows is a set of n rows with awkward values.
func testRows(n int, shape ...int) *Set {
	s := &Set{Shape: append([]int{n}, shape...)}
	special := []float32{0, float32(math.Copysign(0, -1)), 1e-45, math.MaxFloat32, -1. / 3, 1e-7, 123456789}
	for i := range n * product(shape) {
		s.Data = append(s.Data, special[i%len(special)]*float32(1-i%2*2))
	}
	for i := range n {
		s.Names = append(s.Names, []string{"p", "ü p,\"q\"", "日本😀"}[i%3]+strings.Repeat("x", i%5))
	}
	return s
}

func (s *Set) writeTo(path string, meta map[string]string) error {
	w, err := Create(path, s.Shape[1:], meta)
	if err != nil {
		return err
	}
	defer w.Close()
	for i, name := range s.Names {
		if err := w.Append(name, s.Row(i)); err != nil {
			return err
		}
	}
	return w.Commit()
}

func bits(v []float32) []uint32 {
	out := make([]uint32, len(v))
	for i, x := range v {
		out[i] = math.Float32bits(x)
	}
	return out
}

// What is written reads back bit for bit, and the same rows give the same bytes.
func TestRoundTrip(t *testing.T) {
	meta := map[string]string{"cnn": "abc", "text": "ü\"\n"}
	for _, f := range fileFormats {
		ext := f.extension
		for _, shape := range [][]int{{5}, {1}, {2, 3, 4}} {
			for _, n := range []int{1, 7} {
				s := testRows(n, shape...)
				path := filepath.Join(t.TempDir(), "f"+ext)
				if err := s.writeTo(path, meta); err != nil {
					t.Fatal(err)
				}
				got, err := ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.Names, s.Names) || !slices.Equal(got.Shape, s.Shape) || !slices.Equal(bits(got.Data), bits(s.Data)) {
					t.Errorf("%s %v: %q %v %v, want %q %v %v", ext, shape, got.Names, got.Shape, got.Data, s.Names, s.Shape, s.Data)
				}
				if keeps := ext == ".npz" || ext == ".safetensors"; keeps && !maps.Equal(got.Meta, meta) {
					t.Errorf("%s: meta %v, want %v", ext, got.Meta, meta)
				}
				if _, err := os.Stat(path + partExt); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: the journal stays: %v", ext, err)
				}
				first, _ := os.ReadFile(path)
				if err := s.writeTo(path, meta); err != nil {
					t.Fatal(err)
				}
				if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
					t.Errorf("%s: the same rows gave other bytes", ext)
				}
			}
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		path  string
		shape []int
		want  string
	}{
		{"f.txt", []int{4}, message.List("or", Extensions())},
		{"f", []int{4}, message.List("or", Extensions())},
		{"f.npy", []int{0}, "shape"},
		{"f.npy", []int{4, 4}, "shape"},
		{"missing/f.npy", []int{4}, "missing"},
	} {
		if _, err := Create(filepath.Join(dir, c.path), c.shape, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q", c.path, c.shape, err, c.want)
		}
	}
	w, err := Create(filepath.Join(dir, "f.npy"), []int{2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"line break":    w.Append("a\nb", []float32{1, 2}),
		"UTF-8":         w.Append("a\xff", []float32{1, 2}),
		"empty":         w.Append("", []float32{1, 2}),
		"3 values":      w.Append("a", []float32{1, 2, 3}),
		"finite number": w.Append("a", []float32{1, float32(math.NaN())}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := w.Commit(); err == nil {
		t.Error("a file without rows was written")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadRefuses(t *testing.T) {
	good := func(ext string) []byte {
		path := filepath.Join(t.TempDir(), "f"+ext)
		if err := testRows(3, 4).writeTo(path, nil); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	own := good(".npy")
	npy := own[:bytes.LastIndex(own, []byte(npyMagic))] // as numpy.save writes it, without names
	replace := func(b []byte, old, new string) []byte {
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("no %q in the file", old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
	names := []byte("a\nb\nc\n")
	for _, c := range []struct {
		ext   string
		data  []byte
		names []byte
		want  string
	}{
		{".npy", npy, nil, "names"},
		{".npy", npy, []byte("a\nb\n"), "2 names for 3 rows"},
		{".npy", npy, []byte("a\n\nc\n"), "empty"},
		{".npy", npy[:len(npy)-1], names, "end early"},
		{".npy", append(slices.Clone(npy), 0), names, "more follows"},
		{".npy", slices.Concat(npy, npy), names, "not the names"},
		{".npy", own[:len(own)-1], nil, "the names end early"},
		{".npy", append(slices.Clone(own), 'x'), nil, "more follows"},
		{".npy", bytes.Replace(own, []byte("\n日"), []byte(" 日"), 1), nil, "2 names for 3 rows"},
		{".npy", own, []byte("a\nb\n"), "holds 3 names itself"},
		{".npy", own, names, `row 0 is "p"`},
		{".npy", npy[:20], names, "cut off"},
		{".npy", []byte("text"), names, "numpy"},
		{".npy", replace(npy, "<f4", "<i4"), names, "astype"},
		{".npy", replace(npy, "<f4", "|O8"), names, "astype"},
		{".npy", replace(npy, "False", "True "), names, "Fortran"},
		{".npy", replace(npy, "(3, 4), }"+strings.Repeat(" ", 18), "(3, 4611686018427387904), }"), names, "too large"},
		{".npy", replace(npy, "(3, 4)", "(3, -)"), names, "plain array"},
		{".npz", good(".npz")[:100], nil, "zip"},
		{".safetensors", good(".safetensors")[:100], nil, "cut off"},
		{".jsonl", []byte("{"), nil, "line 1"},
		{".jsonl", nil, nil, "no line"},
		{".jsonl", []byte("{\"path\":\"a\",\"features\":[1,2]}\n{\"path\":\"b\",\"features\":[1]}\n"), nil, "line 2"},
		{".jsonl", []byte("{\"path\":\"a\",\"features\":[]}\n"), nil, "no values"},
		{".jsonl", []byte("{\"path\":\"a\",\"features\":[1e39]}\n"), nil, "line 1"},
		{".jsonl", []byte("{\"path\":\"a\",\"shape\":[-1,-1,1],\"features\":[1]}\n"), nil, "shape"},
		{".txt", nil, nil, message.List("or", Extensions())},
	} {
		path := filepath.Join(t.TempDir(), "f"+c.ext)
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if c.names != nil {
			if err := os.WriteFile(namesPath(path), c.names, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := ReadFile(path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.ext, err, c.want)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.npy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// FuzzReadFile gives the bytes to every reader.
func FuzzReadFile(f *testing.F) {
	dir := f.TempDir()
	for _, format := range fileFormats {
		path := filepath.Join(dir, "f"+format.extension)
		if err := testRows(3, 4).writeTo(path, map[string]string{"a": "b"}); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, name := range []string{"f2.npy", "map.npz", "packed.npz", "bytes.npz"} {
		b, err := os.ReadFile(filepath.Join("testdata/files", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range fileFormats {
			name := format.extension
			s, err := format.read(section(b))
			if err != nil {
				continue
			}
			if n, ok := values(s.Shape); !ok || n != int64(len(s.Data)) {
				t.Fatalf("%s: %d values for shape %v", name, len(s.Data), s.Shape)
			}
			if s.check() == nil {
				for i := range s.Names {
					s.Row(i)
				}
			}
		}
	})
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{3, 4}, []float32{3, 4}, 0},
		{[]float32{3, 5}, []float32{3, 4}, 0.2},
		{[]float32{0, 0}, []float32{3, 4}, 1},
		{[]float32{3, 4}, []float32{3}, math.Inf(1)},
	} {
		if got := Distance(tt.a, tt.b); math.Abs(got-tt.want) > 1e-15 && got != tt.want {
			t.Errorf("Distance(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
	if got := Distance([]float32{1}, []float32{0}); !(got > 1e100) {
		t.Errorf("the distance from nothing is %v", got)
	}
}
