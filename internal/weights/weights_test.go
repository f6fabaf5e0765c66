package weights

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/float16"
)

// numbers returns n that binary16 holds exactly.
func numbers(n int) []float32 {
	f := make([]float32, n)
	for i := range f {
		f[i] = float16.ToFloat32(float16.FromFloat32(rand.Float32()*2 - 1))
	}
	return f
}

// forms gives f in each form, those of a file at an odd address.
func forms(f []float32) map[string]Data {
	single, half := []byte{0}, []byte{0}
	for _, v := range f {
		single = binary.LittleEndian.AppendUint32(single, math.Float32bits(v))
		half = binary.LittleEndian.AppendUint16(half, float16.FromFloat32(v))
	}
	return map[string]Data{"slice": Of(f), "float32": Stored(single[1:], false), "float16": Stored(half[1:], true)}
}

func TestData(t *testing.T) {
	f := numbers(1000)
	for name, d := range forms(f) {
		if d.Len() != len(f) || !slices.Equal(d.Floats(), f) {
			t.Errorf("%s: Len or Floats differ", name)
		}
		var scratch Scratch
		for _, r := range [][2]int{{0, 1000}, {0, 0}, {1000, 1000}, {3, 700}, {999, 1000}} {
			if !slices.Equal(d.View(r[0], r[1], &scratch), f[r[0]:r[1]]) {
				t.Errorf("%s: View of %v differs", name, r)
			}
			part := d.Part(r[0], r[1])
			if part.Len() != r[1]-r[0] || !slices.Equal(part.View(0, part.Len(), &scratch), f[r[0]:r[1]]) {
				t.Errorf("%s: Part of %v differs", name, r)
			}
		}
	}
	for name, d := range forms(f) {
		got := make([]float32, 10)
		d.Read(got, 33)
		if c := d.Clone(); !slices.Equal(got, f[33:43]) || c.Len() != d.Len() || !slices.Equal(c.Floats(), f) {
			t.Errorf("%s: Read or Clone differ", name)
		}
	}
	if new(Data).Len() != 0 || len(new(Data).Floats()) != 0 {
		t.Error("the zero value has numbers")
	}
}

func TestNotFinite(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 5, 255, 256, 257, 1000} {
		f := numbers(n)
		if n > 2 {
			f[1], f[2] = 65504, -0x1p-24 // the largest and the smallest of binary16
		}
		for name, d := range forms(f) {
			if i := d.NotFinite(); i != -1 {
				t.Errorf("%s: %v of %d is not finite", name, f[i], n)
			}
		}
		for range 20 {
			if n == 0 {
				break
			}
			g, i := slices.Clone(f), rand.IntN(n)
			g[i] = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}[rand.IntN(3)]
			for name, d := range forms(g) {
				if j := d.NotFinite(); j != i {
					t.Errorf("%s: number %d of %d is %v, found %d", name, i, n, g[i], j)
				}
			}
		}
	}
}

func BenchmarkNotFinite(b *testing.B) {
	for name, d := range forms(numbers(1 << 20)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(d.Len()))
			for b.Loop() {
				if d.NotFinite() >= 0 {
					b.Fatal("all are finite")
				}
			}
		})
	}
}
