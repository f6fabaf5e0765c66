// Package kerneltest holds what the tests of the kernels share.
package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// EachLevel runs f with every instruction set that this processor has, and with
// several threads also where that is not worth while.
func EachLevel(t *testing.T, f func(t *testing.T)) {
	defer func(v cpu.Level, g int) { cpu.Active, workers.Grain = v, g }(cpu.Active, workers.Grain)
	workers.Grain = 1
	for _, v := range cpu.Available() {
		cpu.Active = v
		t.Run(v.String(), f)
	}
}

// EachUnit runs f with every unit for BF16 that this processor has, and with
// several threads also where that is not worth while. AMX is among them wherever
// there are the instructions that go with it: what surrounds its micro kernel
// is tested with the plain version of that.
func EachUnit(t *testing.T, f func(t *testing.T)) {
	defer func(u cpu.Unit, g int) { cpu.ActiveUnit, workers.Grain = u, g }(cpu.ActiveUnit, workers.Grain)
	workers.Grain = 1
	units := []cpu.Unit{cpu.NoUnit}
	if cpu.BestUnit() != cpu.NoUnit {
		units = append(units, cpu.AVX512BF16, cpu.AMX)
	}
	for _, u := range units {
		cpu.ActiveUnit = u
		t.Run("unit"+u.String(), f)
	}
}

// Random returns n numbers between −1 and 1.
func Random(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = rand.Float32()*2 - 1
	}
	return x
}

// RandomBF16 does so for BF16.
func RandomBF16(n int) []vmath.BF16 {
	x := make([]vmath.BF16, n)
	vmath.ToBF16(x, Random(n))
	return x
}

// Wide gives x as float32.
func Wide(x []vmath.BF16) []float32 {
	y := make([]float32, len(x))
	vmath.FromBF16(y, x)
	return y
}

// Near reports whether got is want, a sum of terms of the given size.
func Near(got float32, want, size float64) bool {
	return math.Abs(float64(got)-want) <= 1e-6*size+1e-7
}

// NearBF16 reports whether got is want, a sum of terms of the given size, rounded
// to BF16 once.
func NearBF16(got vmath.BF16, want, size float64) bool {
	return math.Abs(float64(got.Float32())-want) <= math.Abs(want)/256+1e-6*size+1e-7
}

// ConvAt computes one output value of a convolution by definition, also the sum of
// the terms' sizes; w is [KH, KW, C, n].
func ConvAt(g *kernels.Conv, x, w []float32, n, pixel, j int) (s, size float64) {
	EachTap(g, pixel, 0, func(tap, at int) {
		for c := range g.C {
			p := float64(x[at+c]) * float64(w[(tap*g.C+c)*n+j])
			s += p
			size += math.Abs(p)
		}
	})
	return s, size
}

// EachTap calls f with the position in x of channel c of each tap inside of the
// picture.
func EachTap(g *kernels.Conv, pixel, c int, f func(tap, at int)) {
	img, oy, ox := pixel/(g.OH*g.OW), pixel/g.OW%g.OH, pixel%g.OW
	for ky := range g.KH {
		for kx := range g.KW {
			iy, ix := oy*g.StrideH-g.PadTop+ky*g.DilH, ox*g.StrideW-g.PadLeft+kx*g.DilW
			if iy >= 0 && iy < g.H && ix >= 0 && ix < g.W {
				f(ky*g.KW+kx, ((img*g.H+iy)*g.W+ix)*g.Ld+c)
			}
		}
	}
}
