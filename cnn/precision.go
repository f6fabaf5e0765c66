package cnn

import (
	"errors"
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/cpu"
)

// A Precision is how weights and activations are stored while a network runs.
type Precision uint8

const (
	// Float32 is what models are exported in; it runs everywhere.
	Float32 Precision = iota

	// BF16 stores weights and activations as bfloat16, the upper half of a
	// float32, where that is of use, and adds up in float32. It takes less
	// time, on processors with AMX or AVX512_BF16 only. Features keep about
	// two digits: they are near those of Float32, but not to be mixed with
	// them.
	BF16
)

var precisions = [...]string{Float32: "float32", BF16: "bf16"}

// ErrPrecision is wrapped by the error of Open where the processor lacks the
// instructions for Options.Precision.
var ErrPrecision = errors.New("this machine cannot compute in bf16")

// String returns float32 or bf16.
func (p Precision) String() string {
	if int(p) < len(precisions) {
		return precisions[p]
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// MarshalText returns String's name.
func (p Precision) MarshalText() ([]byte, error) {
	if int(p) >= len(precisions) {
		return nil, fmt.Errorf("cnn: no such precision: %v", p)
	}
	return []byte(p.String()), nil
}

// UnmarshalText sets p to the precision of that name.
func (p *Precision) UnmarshalText(name []byte) error {
	for i, s := range precisions {
		if s == string(name) {
			*p = Precision(i)
			return nil
		}
	}
	return fmt.Errorf("%s: want float32 or bf16", graph.Name(string(name)))
}

// bf16Unit names the instructions for bf16, "" where there are none. Tests
// replace it.
var bf16Unit = cpu.BF16Unit

// bf16All is set by tests, whose networks are small.
var bf16All = false

// check returns an error where networks cannot run in p here.
func (p Precision) check() error {
	switch {
	case int(p) >= len(precisions):
		return fmt.Errorf("cnn: no such precision: %v", p)
	case p == BF16 && bf16Unit() == "":
		return fmt.Errorf("%w: that takes a processor with AMX or AVX512_BF16 (and CAPTION_CPU not set to less); use float32", ErrPrecision)
	}
	return nil
}
