package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// golden.safetensors was written by the Python package (testdata/golden.py).
func TestReadGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"format": "np", "quote": "a \"b\" <c> & ünï\n"}; !reflect.DeepEqual(f.Metadata, want) {
		t.Errorf("metadata %q, want %q", f.Metadata, want)
	}
	inf := float32(math.Inf(1))
	floats := map[string][]float32{
		"f32":    {0, 1.5, -2, math.Pi, 1e-30, inf},
		"f16":    {0, float32(math.Copysign(0, -1)), 1, 65504, 1.0 / (1 << 24), 0.333251953125, -inf},
		"empty":  {},
		"wörter": {7},
	}
	for name, want := range floats {
		got, err := f.Float32s(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	for name, want := range map[string][]byte{"i8": {0x80, 0x7f}, "i64": {0xfb, 255, 255, 255, 255, 255, 255, 255}} {
		got, err := f.Bytes(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
		if _, err := f.Float32s(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s read as floats: %v", name, err)
		}
	}
	if i, ok := f.Lookup("f32"); !ok || i.DType != F32 || !reflect.DeepEqual(i.Shape, []int{2, 3}) {
		t.Errorf("Lookup(f32) = %v, %v", i, ok)
	}
	if _, ok := f.Lookup("none"); ok {
		t.Error("found a tensor that is not there")
	}
	if _, err := f.Float32s("none"); err == nil {
		t.Error("read a tensor that is not there")
	}
	if n := len(f.Tensors()); n != 6 {
		t.Errorf("%d tensors, want 6", n)
	}
}

// ours is a file with what is particular about writing; the Python package
// reads it (testdata/golden.py checks).
func ours(t testing.TB) []byte {
	var b bytes.Buffer
	err := Write(&b, []Tensor{
		{Info{"h", F16, []int{3}}, []float32{1, -0.1, 1e9}},
		{Info{"b", F32, []int{2, 2}}, []float32{1, 2, 3, -math.MaxFloat32}},
		{Info{"a<b>", F32, nil}, []float32{math.Pi}},
		{Info{"none", F32, []int{0}}, nil},
	}, map[string]string{"z": "\"ü\"\n", "a": "<&>", "": ""})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	got := ours(t)
	want, err := os.ReadFile("testdata/ours.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the written bytes changed:\n%q\nwant\n%q", got, want)
	}
	if n := binary.LittleEndian.Uint64(got); n%8 != 0 {
		t.Errorf("header length %d is not a multiple of 8", n)
	}
	f, err := Read(got)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, i := range f.Tensors() {
		order = append(order, i.Name)
	}
	// By width, the order of the caller within; an empty tensor may stand
	// before the one that begins where it ends.
	if s := strings.Join(order, " "); s != "b a<b> none h" {
		t.Errorf("order %s", s)
	}
	if v, err := f.Float32s("h"); err != nil || !reflect.DeepEqual(v, []float32{1, -0.0999755859375, float32(math.Inf(1))}) {
		t.Errorf("h = %v, %v", v, err)
	}
	if f.Metadata["z"] != "\"ü\"\n" || len(f.Metadata) != 3 {
		t.Errorf("metadata %q", f.Metadata)
	}
}

func TestLargeTensor(t *testing.T) {
	v := make([]float32, 300_001) // more than one piece
	for i := range v {
		v[i] = float32(i % 2000)
	}
	for _, dt := range []DType{F32, F16} {
		var b bytes.Buffer
		if err := Write(&b, []Tensor{{Info{"v", dt, []int{len(v)}}, v}}, nil); err != nil {
			t.Fatal(err)
		}
		f, err := Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Float32s("v"); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: values changed, %v", dt, err)
		}
	}
}

// Rows may be written one by one behind a header.
func TestStream(t *testing.T) {
	rows := [][]float32{{1, 2}, {3, 4}, {5, 6}}
	var b bytes.Buffer
	if err := WriteHeader(&b, []Info{{"rows", F32, []int{3, 2}}}, map[string]string{"names": "[]"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := WriteFloats(&b, F32, r); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Float32s("rows"); err != nil || !reflect.DeepEqual(v, []float32{1, 2, 3, 4, 5, 6}) {
		t.Errorf("rows = %v, %v", v, err)
	}
}

func TestWriteErrors(t *testing.T) {
	one := []float32{1}
	for what, ts := range map[string][]Tensor{
		"wrong length":   {{Info{"a", F32, []int{2}}, one}},
		"negative":       {{Info{"a", F32, []int{-1, -1}}, one}},
		"overflow":       {{Info{"a", F32, []int{math.MaxInt32, math.MaxInt32, 4}}, one}},
		"type":           {{Info{"a", I8, []int{1}}, one}},
		"unknown type":   {{Info{"a", "F8", []int{1}}, one}},
		"duplicate":      {{Info{"a", F32, []int{1}}, one}, {Info{"a", F16, []int{1}}, one}},
		"reserved":       {{Info{"__metadata__", F32, []int{1}}, one}},
		"name not UTF-8": {{Info{"\xff", F32, []int{1}}, one}},
	} {
		if err := Write(io.Discard, ts, nil); err == nil {
			t.Errorf("%s: written", what)
		}
	}
	if err := Write(io.Discard, nil, map[string]string{"k": "\xff"}); err == nil {
		t.Error("metadata not UTF-8: written")
	}
	if err := WriteFloats(io.Discard, I8, one); err == nil {
		t.Error("floats as I8: written")
	}
}

// file puts a header and data bytes together.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, data)...)
}

func TestReadErrors(t *testing.T) {
	const a = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	for _, c := range []struct {
		what string
		data []byte
		says string
	}{
		{"empty", nil, "0 bytes"},
		{"short", make([]byte, 7), "7 bytes"},
		{"huge header", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "limit"},
		{"over the limit", binary.LittleEndian.AppendUint64(nil, MaxHeader+1), "limit"},
		{"cut header", file(`{`+a+`}`, 8)[:30], "cut off"},
		{"no header", file("", 0), "'{'"},
		{"leading space", file(" {}", 0), "'{'"},
		{"array", file("[]", 0), "'{'"},
		{"not UTF-8", file("{\"\xff\":1}", 0), "UTF-8"},
		{"open", file(`{`+a, 8), "header"},
		{"trailing", file(`{`+a+`} {}`, 8), "goes on"},
		{"trailing NUL", file("{}\x00", 0), "goes on"},
		{"duplicate tensor", file(`{`+a+`,`+a+`}`, 8), "twice"},
		{"duplicate by escape", file(`{`+a+`,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16), "twice"},
		{"duplicate field", file(`{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}`, 8), "twice"},
		{"duplicate metadata", file(`{"__metadata__":{"k":"1","k":"2"}}`, 0), "twice"},
		{"metadata number", file(`{"__metadata__":{"k":1}}`, 0), "string"},
		{"metadata string", file(`{"__metadata__":"k"}`, 0), "{ is expected"},
		{"missing field", file(`{"a":{"dtype":"F32","shape":[2]}}`, 8), "data_offsets"},
		{"unknown field", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), "unknown key"},
		{"field in another case", file(`{"a":{"DType":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), "unknown key"},
		{"unknown type", file(`{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}`, 8), "F31"},
		{"negative dimension", file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "-2"},
		{"fraction", file(`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8), "2.0"},
		{"exponent", file(`{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}`, 8), "2e0"},
		{"null shape", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}}`, 8), "[ is expected"},
		{"huge dimension", file(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}`, 8), "integer"},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}`, 8), "no valid size"},
		{"overflow to the right size", file(fmt.Sprintf(`{"a":{"dtype":"F32","shape":[%d],"data_offsets":[0,8]}}`, math.MaxInt/2+3), 8), "no valid size"},
		{"more than int has", file(`{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}`, 8), "integer"},
		{"wrong size", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "12 bytes"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}`, 8), "not 2"},
		{"backwards", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "8"},
		{"hole", file(`{`+a+`,"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}`, 20), "gap"},
		{"hole at the start", file(`{"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "gap"},
		{"overlap", file(`{`+a+`,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "overlap"},
		{"cut data", file(`{`+a+`}`, 7), "tensors end at 8, but 7"},
		{"more data", file(`{`+a+`}`, 9), "tensors end at 8, but 9"},
	} {
		_, err := Read(c.data)
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v", c.what, err)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %q does not say %q", c.what, err, c.says)
		}
	}
}

func TestReadValid(t *testing.T) {
	for what, data := range map[string][]byte{
		"nothing":     file("{}", 0),
		"padded":      file("{}      ", 0),
		"any order":   file(`{"b":{"data_offsets":[4,8],"shape":[],"dtype":"F32"},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}`, 8),
		"empties":     file(`{"b":{"data_offsets":[4,4],"shape":[0],"dtype":"F32"},"c":{"data_offsets":[0,0],"shape":[0,9],"dtype":"F32"},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}`, 4),
		"no metadata": file(`{"__metadata__":{}}`, 0),
	} {
		if _, err := Read(data); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	data := file(`{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, 0)
	f, err := Read(append(data, 0xc0, 0x3f, 0x80, 0xff))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Float32s("a"); err != nil || v[0] != 1.5 || !math.IsInf(float64(v[1]), -1) {
		t.Errorf("BF16: %v, %v", v, err)
	}
}

// failing fails to read past n bytes.
type failing struct {
	io.ReaderAt
	n int64
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.n {
		return 0, io.EOF
	}
	return f.ReaderAt.ReadAt(b, off)
}

func TestReaderErrors(t *testing.T) {
	data := ours(t)
	for n := range len(data) {
		f, err := Open(failing{bytes.NewReader(data), int64(n)}, int64(len(data)))
		if err == nil {
			_, err = f.Float32s("h") // the last tensor
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("with %d readable bytes: %v", n, err)
		}
	}
}

// Whatever opens can be read in full, written again and is then the same.
func FuzzRead(f *testing.F) {
	golden, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add(ours(f))
	f.Add(file("{}", 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
				t.Fatalf("not a format error on one line: %q", err)
			}
			return
		}
		var b bytes.Buffer
		if err := WriteHeader(&b, x.Tensors(), x.Metadata); err != nil {
			t.Fatal(err)
		}
		for _, i := range x.Tensors() {
			raw, err := x.Bytes(i.Name)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(raw)
			if v, err := x.Float32s(i.Name); err == nil && len(v)*i.DType.Size() != len(raw) {
				t.Fatalf("%v: %d floats of %d bytes", i, len(v), len(raw))
			}
		}
		y, err := Read(b.Bytes())
		if err != nil {
			t.Fatalf("what was written does not open: %v", err)
		}
		if !reflect.DeepEqual(x.Tensors(), y.Tensors()) || !maps.Equal(x.Metadata, y.Metadata) {
			t.Fatal("what was written reads differently")
		}
		for _, i := range x.Tensors() {
			a, _ := x.Bytes(i.Name)
			b, err := y.Bytes(i.Name)
			if err != nil || !bytes.Equal(a, b) {
				t.Fatalf("tensor %q: other data, %v", i.Name, err)
			}
		}
	})
}
