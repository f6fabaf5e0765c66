package packing

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/weights"
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
func forms(f []float32) map[string]weights.Data {
	single, half := []byte{0}, []byte{0}
	for _, v := range f {
		single = binary.LittleEndian.AppendUint32(single, math.Float32bits(v))
		half = binary.LittleEndian.AppendUint16(half, float16.FromFloat32(v))
	}
	return map[string]weights.Data{"slice": weights.Of(f), "float32": weights.Stored(single[1:], false), "float16": weights.Stored(half[1:], true)}
}

// matrixOf multiplies the unit matrix with b.
func matrixOf(b *matmul.PackedB) []float32 {
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
		p.Do(func(r *weights.Scratch) { copy(f, d.View(10, 15, r)) })
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
	p.Do(func(*weights.Scratch) { panic("of this task") })
	if err := p.Run(); err == nil || !strings.Contains(err.Error(), "of this task") {
		t.Errorf("error %v instead of what the task panics with", err)
	}
}
