package element

import (
	"math"
	"slices"
	"testing"
)

// Each type reads the numbers that its bytes stand for.
func TestTypes(t *testing.T) {
	for typ, c := range map[Type]struct {
		b      string
		floats []float32
		ints   []int64
	}{
		F16:  {b: "\x00\x3e\x00\xfc", floats: []float32{1.5, float32(math.Inf(-1))}},
		BF16: {b: "\xc0\x3f\x80\xff", floats: []float32{1.5, float32(math.Inf(-1))}},
		F32:  {b: "\x00\x00\xc0\x3f\x00\x00\x80\xff", floats: []float32{1.5, float32(math.Inf(-1))}},
		F64:  {b: "\x00\x00\x00\x00\x00\x00\xf8\x3f", floats: []float32{1.5}},
		I4:   {b: "\x7f\x08", ints: []int64{-1, 7, -8}},
		U4:   {b: "\x7f\x08", ints: []int64{15, 7, 8}},
		I8:   {b: "\xff\x7f", ints: []int64{-1, 127}},
		U8:   {b: "\xff\x7f", ints: []int64{255, 127}},
		I16:  {b: "\xfe\xff\x00\x01", ints: []int64{-2, 256}},
		U16:  {b: "\xfe\xff\x00\x01", ints: []int64{65534, 256}},
		I32:  {b: "\xfe\xff\xff\xff", ints: []int64{-2}},
		U32:  {b: "\xfe\xff\xff\xff", ints: []int64{1<<32 - 2}},
		I64:  {b: "\xfe\xff\xff\xff\xff\xff\xff\xff", ints: []int64{-2}},
		U64:  {b: "\xfe\xff\xff\xff\xff\xff\xff\x7f", ints: []int64{math.MaxInt64 - 1}},
	} {
		n := len(c.floats) + len(c.ints)
		if size := typ.Size(int64(n)); size != int64(len(c.b)) {
			t.Errorf("type %d: %d numbers take %d bytes, want %d", typ, n, size, len(c.b))
		}
		floats, ints := make([]float32, len(c.floats)), make([]int64, len(c.ints))
		typ.Floats(floats, []byte(c.b))
		if err := typ.Ints(ints, []byte(c.b)); err != nil {
			t.Errorf("type %d: %v", typ, err)
		}
		if !slices.Equal(floats, c.floats) || !slices.Equal(ints, c.ints) {
			t.Errorf("type %d: %v %v, want %v %v", typ, floats, ints, c.floats, c.ints)
		}
	}
	if err := U64.Ints(make([]int64, 1), []byte("\xff\xff\xff\xff\xff\xff\xff\xff")); err == nil {
		t.Error("2^64-1 as an int64: no error")
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		v    int64
		want int64
	}{
		{I4, 8, -8}, {U4, -1, 15}, {I8, 128, -128}, {U8, -1, 255}, {I16, 1 << 15, -1 << 15}, {U16, 1<<16 + 3, 3},
		{I32, 1 << 31, -1 << 31}, {U32, -1, 1<<32 - 1}, {I64, -5, -5}, {U64, -5, -5},
	} {
		if got := c.typ.Wrap(c.v); got != c.want {
			t.Errorf("type %d: %d becomes %d, want %d", c.typ, c.v, got, c.want)
		}
	}
}
