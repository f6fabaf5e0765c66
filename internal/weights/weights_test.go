package weights

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/kernels"
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
		var room Room
		for _, r := range [][2]int{{0, 1000}, {0, 0}, {1000, 1000}, {3, 700}, {999, 1000}} {
			if !slices.Equal(d.View(r[0], r[1], &room), f[r[0]:r[1]]) {
				t.Errorf("%s: View of %v differs", name, r)
			}
			part := d.Part(r[0], r[1])
			if part.Len() != r[1]-r[0] || !slices.Equal(part.View(0, part.Len(), &room), f[r[0]:r[1]]) {
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

// matrixOf multiplies the unit matrix with b.
func matrixOf(b *kernels.PackedB) []float32 {
	k, n := b.K(), b.N()
	eye, out := make([]float32, k*k), make([]float32, k*n)
	for i := range k {
		eye[i*k+i] = 1
	}
	b.Mul(k, eye, k, out, n, nil, nil)
	return out
}

// Matrices in several tasks, from every form, with and without factors.
func TestPacker(t *testing.T) {
	const n, c, taps = 301, 37, 9
	const k = c * taps
	w, scale := numbers(n*k), numbers(n)
	filters, rows := make([]float32, k*n), make([]float32, k*n)
	for i := range n {
		for ch := range c {
			for tap := range taps {
				filters[(tap*c+ch)*n+i] = w[i*k+ch*taps+tap]
			}
		}
		for l := range k {
			rows[l*n+i] = w[l*n+i] * scale[i]
		}
	}
	for name, d := range forms(w) {
		var p Packer
		a := p.Filters(n, c, taps, d, nil)
		b := p.Rows(k, n, d, scale)
		var f []float32
		p.Floats(&f, 5)
		p.Do(func(r *Room) { copy(f, d.View(10, 15, r)) })
		if len(p.tasks) < 4 {
			t.Fatalf("%d tasks test little", len(p.tasks))
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(matrixOf(a), filters) {
			t.Errorf("%s: filters differ", name)
		}
		if !slices.Equal(matrixOf(b), rows) {
			t.Errorf("%s: rows differ", name)
		}
		if !slices.Equal(f, w[10:15]) {
			t.Errorf("%s: what a task writes differs", name)
		}
	}
}

// A convolution by Winograd with filters packed in several tasks.
func TestPackerWinograd(t *testing.T) {
	const n, c = 200, 70
	w, scale := numbers(n*c*9), numbers(n)
	x := numbers(8 * 8 * c)
	g := kernels.Conv{H: 8, W: 8, C: c, KH: 3, KW: 3, OH: 6, OW: 6}
	want, got := make([]float32, 36*n), make([]float32, 36*n)
	for name, d := range forms(w) {
		var p Packer
		direct, wino := p.Filters(n, c, 9, d, scale), p.Winograd(4, n, c, d, scale)
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		direct.Conv(&g, 1, x, want, n, nil, nil)
		wino.Conv(&g, 1, x, got, n, nil, nil)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-3 {
				t.Fatalf("%s: output %d is %v instead of %v", name, i, got[i], want[i])
			}
		}
	}
}

func TestPackerNothing(t *testing.T) {
	if err := new(Packer).Run(); err != nil {
		t.Error(err)
	}
}

func TestPackerPanic(t *testing.T) {
	var p Packer
	p.Do(func(*Room) { panic("of this task") })
	if err := p.Run(); err == nil || !strings.Contains(err.Error(), "of this task") {
		t.Errorf("error %v instead of what the task panics with", err)
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
