package tensor

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// each calls f for the indices of all elements of a shape, in order.
func each(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for i := range Size(shape) {
		for d := len(shape) - 1; d >= 0; d-- {
			index[d] = i % shape[d]
			i /= shape[d]
		}
		f(index)
	}
}

func dot(a, b []int) (s int) {
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

func randomShape(r *rand.Rand) []int {
	shape := make([]int, r.IntN(6))
	for d := range shape {
		shape[d] = r.IntN(5)
		if r.IntN(3) > 0 {
			shape[d] = 1 + r.IntN(3)
		}
	}
	return shape
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		shape []int
		n     int
		ok    bool
	}{
		{nil, 1, true}, {[]int{2, 3}, 6, true}, {[]int{2, 0, 3}, 0, true}, {[]int{-1}, 0, false},
		{[]int{1 << 16, 1 << 15}, 0, false}, {[]int{0, 1 << 16, 1 << 15}, 0, false}, {[]int{MaxElements}, MaxElements, true},
		{make([]int, MaxRank+1), 0, false},
	} {
		if n, err := Count(c.shape); n != c.n || err == nil != c.ok {
			t.Errorf("%v: %d, %v", c.shape, n, err)
		}
	}
	if _, err := Count([]int{1 << 16, 1 << 15}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestAxes(t *testing.T) {
	if a, err := Axes([]int{-1, 0}, 3); err != nil || !slices.Equal(a, []int{2, 0}) {
		t.Error(a, err)
	}
	for _, bad := range [][]int{{3}, {-4}, {1, -2}} {
		if _, err := Axes(bad, 3); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
	perm := []int{2, 0, 3, 1}
	if p := Permuted(Permuted([]int{5, 6, 7, 8}, perm), Inverse(perm)); !slices.Equal(p, []int{5, 6, 7, 8}) {
		t.Error(p)
	}
}

// TestWalk compares the ways of walking over broadcast inputs with indices.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		shape := randomShape(r)
		in := make([][]int, 1+r.IntN(3))
		strides := make([][]int, len(in))
		for i := range in {
			in[i] = slices.Clone(shape[r.IntN(len(shape)+1):])
			for d := range in[i] {
				if r.IntN(3) == 0 {
					in[i][d] = 1
				}
			}
			strides[i] = Stretch(in[i], shape)
			if !BroadcastsTo(in[i], shape) {
				t.Fatalf("%v does not stretch to %v", in[i], shape)
			}
		}
		var want [][3]int
		each(shape, func(index []int) {
			var at [3]int
			for i := range in {
				at[i] = dot(index, strides[i])
			}
			want = append(want, at)
		})
		for _, w := range []Walk{BroadcastWalk(shape, in...), NewWalk(shape, strides...)} {
			var got [][3]int
			w.Elements(func(out int, at [3]int) {
				if out != len(got) {
					t.Fatalf("%v: element %d comes as number %d", shape, out, len(got))
				}
				got = append(got, at)
			})
			if !slices.Equal(got, want) {
				t.Fatalf("%v from %v: %v, want %v", shape, in, got, want)
			}
			if len(want) == 0 {
				continue
			}
			lo := r.IntN(len(want))
			hi := lo + r.IntN(len(want)-lo+1)
			_, step := w.Row()
			next := lo
			w.Span(lo, hi, func(out, k int, at [3]int) {
				for i := range k {
					for j := range at {
						at[j] += min(i, 1) * step[j]
					}
					if out+i != next || at != want[next] {
						t.Fatalf("%v from %v: element %d is %v, want %v", shape, in, next, at, want[next])
					}
					next++
				}
			})
			if next != hi {
				t.Fatalf("%v: ends at %d instead of %d", shape, next, hi)
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		shape := randomShape(r)
		if r.IntN(4) == 0 && len(shape) > 0 {
			shape[r.IntN(len(shape))] = 3 + 30*r.IntN(2)
		}
		perm := r.Perm(len(shape))
		x := make([]int, Size(shape))
		for i := range x {
			x[i] = i
		}
		var want []int
		st := Permuted(Strides(shape), perm)
		each(Permuted(shape, perm), func(index []int) { want = append(want, dot(index, st)) })
		y := make([]int, len(x))
		w := Transposition(shape, perm)
		for lo, n := 0, w.Parts(); lo < n; {
			hi := lo + 1 + r.IntN(n-lo)
			Transpose(y, x, &w, lo, hi)
			lo = hi
		}
		if !slices.Equal(y, want) {
			t.Fatalf("%v by %v: %v, want %v", shape, perm, y, want)
		}
	}
}

func TestVectors(t *testing.T) {
	in := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // [2,3,2]
	out := make([]int, len(in))
	MapVectors(out, in, 3, 2, func(out, in []int) {
		first := in[0] // out may be in
		for i := range in {
			out[i] = 100*first + in[i]
		}
	})
	if want := []int{101, 202, 103, 204, 105, 206, 707, 808, 709, 810, 711, 812}; !slices.Equal(out, want) {
		t.Errorf("%v, want %v", out, want)
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		in, out []int
		axis    int
		want    int // -1 where the pictures are not apart
	}{
		{[]int{2, 3, 4}, []int{2, 12}, 0, 0},
		{[]int{2, 3, 4}, []int{6, 4}, 0, 0},
		{[]int{2, 3, 4}, []int{6, 4}, 1, -1},
		{[]int{2, 3, 4}, []int{6, 4}, 2, 1},
		{[]int{6, 4}, []int{2, 3, 4}, 0, 0},
		{[]int{1, 3, 4}, []int{12}, 1, 0},
		{[]int{2, 3}, []int{3, 2}, 1, -1},
		{[]int{2, 3}, []int{5}, 0, -1},
	} {
		axis, ok := ReshapedAxis(c.in, c.out, c.axis)
		if !ok {
			axis = -1
		}
		if axis != c.want {
			t.Errorf("%v to %v: %d goes to %d, want %d", c.in, c.out, c.axis, axis, c.want)
		}
	}
}

// TestWindow compares with the elements counted one by one.
func TestWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 3000 {
		one := [3]int{1, 1, 1}
		w := Window{In: one, Out: one, Kernel: one, Stride: one, Dilation: one}
		for a := range w.In {
			w.In[a], w.Kernel[a], w.Stride[a], w.Dilation[a] = 1+r.IntN(5), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(2)
			w.Begin[a], w.End[a] = r.IntN(w.Reach(a)), r.IntN(w.Reach(a))
		}
		pad := []Padding{Explicit, SameUpper, SameLower, Valid}[r.IntN(4)]
		if pad == Valid {
			w.Begin, w.End = [3]int{}, [3]int{}
		}
		if w.Slide(pad, r.IntN(2) == 0) != nil {
			continue
		}
		for a := range w.In {
			for o := range w.Out[a] {
				first, n, padded := -1, 0, 0
				for k := range w.Kernel[a] {
					i := o*w.Stride[a] - w.Begin[a] + k*w.Dilation[a]
					if i >= 0 && i < w.In[a] {
						if n++; first < 0 {
							first = i
						}
					}
					if i < w.In[a]+w.End[a] {
						padded++
					}
				}
				f, m := w.Span(a, o)
				if m != n || n > 0 && f != first || w.PaddedSpan(a, o) != padded {
					t.Fatalf("%+v at %d of axis %d: %d from %d (%d), want %d from %d (%d)", w, o, a, m, f, w.PaddedSpan(a, o), n, first, padded)
				}
			}
		}
		// Im2col by the definition, and Col2im as its adjoint.
		x, n := make([]float32, 2*Size(w.In[:])), Size(w.Out[:])
		for i := range x {
			x[i] = float32(r.IntN(9))
		}
		taps := Size(w.Kernel[:])
		col := make([]float32, 2*taps*n)
		p := r.IntN(n)
		w.Im2col(col, x, 2, p, n-p)
		var got, want float64
		back := make([]float32, len(x))
		w.Col2im(back, col, 2, p, n-p)
		for i, v := range x {
			got += float64(v) * float64(back[i])
		}
		for _, v := range col[:2*taps*(n-p)] {
			want += float64(v) * float64(v)
		}
		if got != want {
			t.Fatalf("%+v: Col2im is not the adjoint of Im2col: %g and %g", w, got, want)
		}
		q := 0
		each([]int{2, w.Kernel[0], w.Kernel[1], w.Kernel[2], n - p}, func(i []int) {
			o, in, v := i[4]+p, [3]int{}, float32(0)
			for a := 2; a >= 0; a-- {
				in[a] = o%w.Out[a]*w.Stride[a] - w.Begin[a] + i[1+a]*w.Dilation[a]
				o /= w.Out[a]
			}
			if min(in[0], in[1], in[2]) >= 0 && in[0] < w.In[0] && in[1] < w.In[1] && in[2] < w.In[2] {
				v = x[((i[0]*w.In[0]+in[0])*w.In[1]+in[1])*w.In[2]+in[2]]
			}
			if col[q] != v {
				t.Fatalf("%+v: column %v is %g, want %g", w, i, col[q], v)
			}
			q++
		})
		// The input's size comes back from the output's.
		size := w.In
		for a := range w.In {
			extra := size[a] - ((w.Out[a]-1)*w.Stride[a] + w.Reach(a) - w.Begin[a] - w.End[a])
			if pad == Explicit && extra >= 0 && (!w.Unslide(pad, a, extra, false) || w.In[a] != size[a]) {
				t.Fatalf("%+v: axis %d becomes %d instead of %d", w, a, w.In[a], size[a])
			}
		}
	}
}
