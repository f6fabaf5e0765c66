package vmath_test

import (
	"testing"

	. "github.com/onetomany/caption/internal/kernels/vmath"

	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

// BenchmarkVector gives nanoseconds per value, from the first-level cache.
func BenchmarkVector(b *testing.B) {
	saved := cpu.Active
	defer func() { cpu.Active = saved }()
	x, y, z := kerneltest.Random(2048), kerneltest.Random(2048), make([]float32, 2048)
	for _, v := range cpu.Available() {
		cpu.Active = v
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"Exp", func() { Exp(z, x) }},
			{"Tanh", func() { Tanh(z, x) }},
			{"Sigmoid", func() { Sigmoid(z, x) }},
			{"SiLU", func() { ActSiLU.Apply(z, x, 0, 0) }},
			{"GELU", func() { ActGELU.Apply(z, x, 0, 0) }},
			{"HardSwish", func() { ActHardSwish.Apply(z, x, 0, 0) }},
			{"Add", func() { Add(z, x, y) }},
			{"Axpy", func() { Axpy(z, 1e-9, x) }},
			{"Dot", func() { Dot(x, y) }},
			{"Max", func() { Max(x) }},
			{"LogSoftmax", func() { LogSoftmax(z, x) }},
		} {
			b.Run(c.name+"/"+v.String(), func(b *testing.B) {
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/value")
			})
		}
	}
}
