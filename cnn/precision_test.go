package cnn

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// anyMachine lets tests use bf16 on processors without it, where the kernels
// compute the same in plain Go, and for small networks.
func anyMachine(t *testing.T, unit string) {
	was := bf16Unit
	t.Cleanup(func() { bf16Unit, bf16All = was, false })
	bf16Unit, bf16All = func() string { return unit }, true
}

// TestBF16 compares the small networks in bf16 with ONNX Runtime in float32, and
// holds that neither the batch nor the number of threads changes a bit.
func TestBF16(t *testing.T) {
	anyMachine(t, "plain Go")
	x := picture(3, 24, 24)
	for _, name := range mini(t) {
		net := openMini(t, name, &Options{Precision: BF16})
		if p := net.Info().Precision; p != BF16 {
			t.Errorf("%s computes in %v", name, p)
		}
		y := run(t, net, x)
		want := readNpy(t, "testdata/mini/"+strings.Split(name, "-")[0]+".npy")
		if r := relative(y, want); !(r < 0.02 && r > 1e-4) {
			t.Errorf("%s: relative error %.3g", name, r)
		}
		d := len(y) / 3
		for _, threads := range []int{1, 2, 3} {
			net := openMini(t, name, &Options{Precision: BF16, Threads: threads})
			if !slices.Equal(run(t, net, x), y) {
				t.Errorf("%s: %d threads change the result", name, threads)
			}
			for i := range 3 {
				if !slices.Equal(run(t, net, one(x, i)), y[i*d:][:d]) {
					t.Errorf("%s: picture %d alone, on %d threads, has other features", name, i, threads)
				}
			}
		}
	}
}

func TestBF16Refused(t *testing.T) {
	anyMachine(t, "")
	_, err := Open("testdata/mini/resnet-ts.onnx", &Options{Precision: BF16})
	if !errors.Is(err, ErrPrecision) || !strings.Contains(err.Error(), "use float32") {
		t.Errorf("without the instructions: %v", err)
	}
	if _, err := Open("testdata/mini/resnet-ts.onnx", &Options{Precision: 7}); err == nil || errors.Is(err, ErrPrecision) {
		t.Errorf("precision 7: %v", err)
	}
}

func TestPrecisionText(t *testing.T) {
	for _, p := range []Precision{Float32, BF16} {
		text, err := p.MarshalText()
		if err != nil || string(text) != p.String() {
			t.Errorf("%v is written as %q (%v)", p, text, err)
		}
		got := Precision(7)
		if err := got.UnmarshalText(text); err != nil || got != p {
			t.Errorf("%q is read as %v (%v)", text, got, err)
		}
	}
	p := BF16
	if err := p.UnmarshalText([]byte("fp16")); err == nil || p != BF16 || !strings.Contains(err.Error(), "float32 or bf16") {
		t.Errorf("fp16 is read as %v (%v)", p, err)
	}
	if _, err := Precision(7).MarshalText(); err == nil {
		t.Error("precision 7 is written")
	}
}
