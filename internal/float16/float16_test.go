package float16

import (
	"math"
	"testing"
)

// Values rounded by numpy (np.float16): ties, limits, subnormals.
func TestFromFloat32(t *testing.T) {
	for _, c := range []struct {
		f float64
		h uint16
	}{
		{1.00048828125, 0x3c00},
		{1.00146484375, 0x3c02},
		{65519.99609375, 0x7bff},
		{65520.0, 0x7c00},
		{2.9802322387695312e-08, 0x0000},
		{2.9805303114471826e-08, 0x0001},
		{8.940696716308594e-08, 0x0002},
		{6.1005353927612305e-05, 0x0400},
		{6.102025508880615e-05, 0x0400},
		{0.10000000149011612, 0x2e66},
		{-0.3333333432674408, 0xb555},
		{9.99999993922529e-09, 0x0000},
		{1000000000.0, 0x7c00},
		{2047.5, 0x6800},
		{2048.5, 0x6800},
		{2049.0, 0x6800},
		{2051.0, 0x6802},
		{math.NaN(), 0x7e00},
		{math.Inf(-1), 0xfc00},
		{math.Copysign(0, -1), 0x8000},
	} {
		if got := FromFloat32(float32(c.f)); got != c.h {
			t.Errorf("FromFloat32(%v) = %#04x, want %#04x", c.f, got, c.h)
		}
	}
}

// halfValue computes a half from its definition.
func halfValue(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	v := math.Ldexp(1+frac/1024, exp-15)
	switch {
	case exp == 0:
		v = math.Ldexp(frac, -24)
	case exp == 31 && frac != 0:
		return math.NaN()
	case exp == 31:
		v = math.Inf(1)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return v
}

// Every half survives the way to float and back; between neighbours the middle
// goes to the even one and what is beside it to the nearer one.
func TestAllHalves(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f, want := ToFloat32(h), halfValue(h)
		if math.IsNaN(want) {
			if !math.IsNaN(float64(f)) || FromFloat32(f)&0x7c00 != 0x7c00 || FromFloat32(f)&0x3ff == 0 {
				t.Errorf("%#04x: NaN became %v and %#04x", h, f, FromFloat32(f))
			}
			continue
		}
		if math.Float64bits(float64(f)) != math.Float64bits(want) {
			t.Fatalf("ToFloat32(%#04x) = %v, want %v", h, f, want)
		}
		if got := FromFloat32(f); got != h {
			t.Fatalf("%#04x became %#04x", h, got)
		}
		if h&0x7fff >= 0x7bff {
			continue // no larger finite neighbour
		}
		next := h + 1 // away from zero
		mid := float32((halfValue(h) + halfValue(next)) / 2)
		even := h
		if h&1 == 1 {
			even = next
		}
		big := float32(math.Inf(1))
		if mid < 0 {
			big = -big
		}
		for _, c := range []struct {
			f    float32
			want uint16
		}{{mid, even}, {math.Nextafter32(mid, 0), h}, {math.Nextafter32(mid, big), next}} {
			if got := FromFloat32(c.f); got != c.want {
				t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", c.f, got, c.want)
			}
		}
	}
}

func TestOverflows(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		f    float32
		want bool
	}{
		{0, false}, {-65504, false}, {math.Nextafter32(65520, 0), false},
		{65520, true}, {-65520, true}, {math.MaxFloat32, true},
		{inf, false}, {-inf, false}, {float32(math.NaN()), false},
	} {
		if got := Overflows(c.f); got != c.want {
			t.Errorf("Overflows(%v) = %v", c.f, got)
		}
	}
}
