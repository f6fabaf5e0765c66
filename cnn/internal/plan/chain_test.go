package plan_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// withChains compiles g with other bounds for chains.
func withChains(t testing.TB, g *graph.Graph, floats, room int, opt plan.Options) *compiled {
	t.Helper()
	defer plan.SetChains(floats, room)()
	p, err := compile(g, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestChains compares chains with the same operators one after the other, which
// give the same to the last bit, for bands of any height.
func TestChains(t *testing.T) {
	g := build(t, `a = Conv x w:8,3,3,3 b:8 strides=2,2 pads=1,1,1,1
		b = Relu a
		c = Conv b w:8,1,3,3 group=8 pads=1,1,1,1
		d = Relu c
		e = Conv d w:6,8,1,1 b:6
		f = Conv e w:24,6,1,1 b:24
		g = Relu f
		h = Conv g w:24,1,5,5 b:24 group=24 pads=2,2,2,2
		i = Relu h
		j = Conv i w:6,24,1,1
		k = Add j e
		l = Conv k w:40,6,1,1
		m = Conv l w:40,1,3,3 group=40 strides=2,2 pads=0,0,1,1
		n = Conv m w:9,40,1,1
		o = Conv n w:32,9,1,1
		p = Conv o w:32,1,3,3 group=32 dilations=2,2 pads=2,2,2,2
		q = GlobalAveragePool p
		r = Mul p q
		rr = Relu r
		s = Conv rr w:33,32,1,1
		t = Conv s w:33,1,7,7 group=33 strides=3,2 pads=3,3,3,3
		u = GlobalAveragePool t
		v = Flatten u`, []int{-1, 3, 45, 38}, "v")
	plain := withChains(t, g, math.MaxInt, 0, plan.Options{})
	if s := operators(plain); strings.Contains(s, "chain") {
		t.Fatal(s)
	}
	const n = 3
	x := make([]float32, n*3*45*38)
	for i := range x {
		x[i] = rand.Float32() - 0.5
	}
	want, err := plain.features(n, x, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, 3000, 6000, 1 << 20} {
		p := withChains(t, g, 0, room, plan.Options{})
		if got, want := operators(p), "binary 1, chain 5, mean 2"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if p.MultiplyAdds != plain.MultiplyAdds {
			t.Errorf("%d multiply-adds, without chains %d", p.MultiplyAdds, plain.MultiplyAdds)
		}
		if p.Arena >= plain.Arena {
			t.Errorf("buffers of %d floats, without chains %d", p.Arena, plain.Arena)
		}
		for threads := 1; threads <= 4; threads++ {
			for _, k := range []int{1, n} {
				got, err := p.features(k, x[:k*len(x)/n], threads)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want[:len(got)]) {
					t.Fatalf("room %d, %d threads, %d pictures: another result, by %.2g", room, threads, k, difference(got, want[:len(got)]))
				}
			}
		}
	}
}

// TestGates multiplies maps by a number for each channel: alone, before a product
// that takes the numbers in, and before one that is too large for that.
func TestGates(t *testing.T) {
	g := build(t, `a = Conv x w:12,3,3,3 b:12
		b = GlobalAveragePool a
		c = Conv b w:12,12,1,1
		d = Sigmoid c
		e = Mul a d
		f = Conv e w:8,12,1,1 b:8
		g = GlobalAveragePool f
		h = Mul g f
		i = Conv h w:40,8,1,1
		j = GlobalAveragePool i
		k = Mul i j
		l = Relu k
		m = GlobalAveragePool l
		n = Flatten m`, []int{-1, 3, 8, 9}, "n")
	p, err := compile(g, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := operators(p), "binary 1, conv 1, dense 3, gate 1, mean 4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	const n = 3
	x := make([]float32, n*3*8*9)
	for i := range x {
		x[i] = rand.Float32() - 0.5
	}
	for k := 1; k <= n; k++ {
		y, err := p.features(k, x[:k*len(x)/n], k)
		if err != nil {
			t.Fatal(err)
		}
		want := reference(t, g, "n", []int{k, 3, 8, 9}, x[:k*len(x)/n])
		if d := difference(y, want.F); !(d < 1e-5) {
			t.Errorf("%d pictures: difference %.2g", k, d)
		}
	}
}
