package ops_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// TestRows: no operator lacks a part. TestTable holds that it is in OPERATORS.md,
// TestPictures that its rule for batches is right.
func TestRows(t *testing.T) {
	tested := map[string]bool{}
	for _, s := range sampleNodes(t) {
		tested[s.node.Op] = true
	}
	for _, o := range op.All() {
		switch {
		case o.Since < 1 || o.Last() < o.Since || o.Last() > op.NewestOpset:
			t.Errorf("%s: opsets %d to %d", o.Name, o.Since, o.Last())
		case o.Pictures == nil:
			t.Errorf("%s: no rule for the pictures of a batch", o.Name)
		case o.Bind == nil:
			t.Errorf("%s: cannot be bound", o.Name)
		case !tested[o.Name]:
			t.Errorf("%s: no node test", o.Name)
		}
	}
	if _, err := op.Lookup("Relu", 13); err != nil || !op.Get("Relu").Elementwise() || op.Get("STFT").Elementwise() {
		t.Error("Relu is not element by element, or STFT is")
	}
}

// TestPictures computes the node tests again for each index of an axis along which
// pictures may lie, and the rest of their inputs the same: what comes out must be the
// part of the whole that Pictures says it is. Rules that no node test meets are bad.
func TestPictures(t *testing.T) {
	met := map[string]bool{}
	for _, s := range sampleNodes(t) {
		if _, err := op.Bind(s.node, s.opset, s.in); err != nil {
			continue // of those that skipped lists
		}
		for _, axes := range s.assignments() {
			s := s.two(axes)
			axis, ok := op.Pictures(s.node, s.opset, s.in, axes)
			if !ok {
				continue
			}
			whole, err := op.Eval(s.node, s.opset, s.in)
			if err != nil {
				continue // a constant holds the number of pictures, as exporters fix it
			}
			what := fmt.Sprintf("%s of opset %d on %s, pictures along %v", s.node.Op, s.opset, describeAll(s.in), axes)
			if axis < 0 || axis >= len(whole[0].Shape) {
				t.Errorf("%s: they come out along axis %d of %v", what, axis, whole[0].Shape)
				continue
			}
			if s.apart(t, what, whole, axes, axis) {
				met[s.node.Op] = true
			}
		}
	}
	for _, o := range op.All() {
		if o.Pictures != op.Unknown && !met[o.Name] {
			t.Errorf("%s: no node test meets its rule for batches", o.Name)
		}
	}
}

// assignments lists axes that pictures may lie along: of one input, of two, or of all
// inputs alike, counted from the first axis or from the last.
func (s *sample) assignments() (all [][]int) {
	none := slices.Repeat([]int{-1}, len(s.in))
	for i, x := range s.in {
		if x == nil {
			continue
		}
		for a := range x.Shape {
			one := slices.Clone(none)
			one[i] = a
			all = append(all, one)
			front, back := slices.Clone(one), slices.Clone(one)
			for j, y := range s.in {
				if y == nil || j == i {
					continue
				}
				if a < len(y.Shape) {
					front[j] = a
				}
				if b := a - len(x.Shape) + len(y.Shape); b >= 0 {
					back[j] = b
				}
				for b := range y.Shape {
					two := slices.Clone(one)
					two[j] = b
					all = append(all, two)
				}
			}
			all = append(all, front, back)
		}
	}
	return all
}

// two returns s with a second index, of the elements in reverse, along axes of a single
// one.
func (s sample) two(axes []int) *sample {
	s.in = slices.Clone(s.in)
	for i, a := range axes {
		if a < 0 || s.in[i].Shape[a] != 1 {
			continue
		}
		x := s.in[i]
		shape := slices.Clone(x.Shape)
		shape[a] = 2
		y, st := graph.Alloc(x.Type, shape), tensor.Strides(shape)
		w := tensor.NewWalk(x.Shape, st)
		back := graph.Alloc(x.Type, x.Shape)
		graph.Assign(back, x)
		slices.Reverse(back.F)
		slices.Reverse(back.I)
		slices.Reverse(back.B)
		y.Data().Scatter(x.Data(), 0, &w)
		y.Data().Scatter(back.Data(), st[a], &w)
		s.in[i] = y
	}
	return &s
}

// apart reports whether the node could be computed for each index, and complains of
// results that differ from the part of the whole.
func (s *sample) apart(t *testing.T, what string, whole []*graph.Tensor, axes []int, axis int) bool {
	n := 0
	for i, a := range axes {
		if a >= 0 {
			n = s.in[i].Shape[a]
		}
	}
	for i, a := range axes {
		if a >= 0 && s.in[i].Shape[a] != n {
			return false // several indices a picture, of one of them
		}
	}
	if n < 2 || whole[0].Shape[axis] != n {
		return false
	}
	for k := range n {
		in := slices.Clone(s.in)
		for i, a := range axes {
			if a >= 0 {
				in[i] = part(in[i], a, k)
			}
		}
		out, err := op.Eval(s.node, s.opset, in)
		if err != nil || !slices.Equal(out[0].Shape, part(whole[0], axis, k).Shape) {
			return false // a constant holds the number of pictures, as exporters fix it
		}
		for i, o := range out {
			if s.node.Outputs[i] != "" {
				compareTensors(t, what, o, part(whole[i], axis, k), 1e-5)
			}
		}
	}
	return true
}

// part returns index k of an axis of t, which is kept.
func part(t *graph.Tensor, axis, k int) *graph.Tensor {
	shape := slices.Clone(t.Shape)
	shape[axis] = 1
	p := graph.Alloc(t.Type, shape)
	st := tensor.Strides(t.Shape)
	w := tensor.NewWalk(shape, st)
	p.Data().Gather(t.Data(), k*st[axis], &w)
	return p
}

// TestInPlace: what is computed element by element can overwrite its first input.
func TestInPlace(t *testing.T) {
	for _, s := range sampleNodes(t) {
		k, err := op.Bind(s.node, s.opset, s.in)
		if err != nil || !op.Get(s.node.Op).Elementwise() {
			continue
		}
		out := graph.Alloc(k.Out[0].Type, k.Out[0].Shape)
		if err := k.Run(s.in, []*graph.Tensor{out}, workers.Threads(1)); err != nil {
			t.Fatal(err)
		}
		if x := s.in[0]; x.Type != out.Type || !slices.Equal(x.Shape, out.Shape) || slices.Contains(s.in[1:], x) {
			continue
		}
		in := slices.Clone(s.in)
		in[0] = graph.Alloc(out.Type, out.Shape)
		graph.Assign(in[0], s.in[0])
		if err := k.Run(in, []*graph.Tensor{in[0]}, workers.Threads(1)); err != nil {
			t.Fatal(err)
		}
		compareTensors(t, s.node.Op+" in place", in[0], out, 0)
	}
}
