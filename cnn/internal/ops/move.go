package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that only move elements.
var _ = op.Register([]op.Row{
	{Name: "Concat", Since: 4, Sig: "a =*", Attrs: "axis:int=0", Pictures: concatPictures, Work: 1, Bind: bindConcat},
	{Name: "Split", Since: 2, Sig: "a i?", Attrs: "axis:int=0 split-12:ints num_outputs@18:int=0", Pictures: op.AlongOthers, Work: 1, Bind: bindSplit},
	{Name: "Slice", Since: 1, Sig: "a i? i? i? i?", Attrs: "starts-9:ints ends-9:ints axes-9:ints", Pictures: slicePictures, Work: 1, Bind: bindSlice},
	{Name: "Transpose", Since: 1, Sig: "a", Attrs: "perm:ints", Pictures: transposePictures, Work: 1, Head: op.Permutes, Bind: bindTranspose},
	{Name: "Expand", Since: 8, Sig: "a i", Pictures: expandPictures, Work: 1, Bind: bindExpand},
	{Name: "Tile", Since: 6, Sig: "a i", Pictures: tilePictures, Work: 1, Bind: bindTile},
	{Name: "DepthToSpace", Since: 1, Sig: "a", Attrs: "blocksize:int=0 mode@11:DCR|CRD", Pictures: op.AlongFirst, Bind: bindDepthToSpace},
	{Name: "SpaceToDepth", Since: 1, Sig: "a", Attrs: "blocksize:int=0 mode@28:DCR|CRD", Pictures: op.AlongFirst, Bind: bindSpaceToDepth},
})

// gathered binds a node whose output has the elements of its first input that w
// walks over, counted from base.
func gathered(b *op.Binding, shape []int, base int, w tensor.Walk) *op.Kernel {
	return b.Computes(func(in, out op.Tensors) { out[0].Data().Gather(in[0].Data(), base, &w) }, op.Like(b.In[0], shape))
}

// concatPictures: the pictures lie along the same axis of all inputs, another than that
// of the node, and in the same way.
var concatPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	for _, a := range axes {
		if a != axes[0] {
			return 0, false
		}
	}
	return axes[0], axes[0] != b.Axis()
})

func bindConcat(b *op.Binding) *op.Kernel {
	first := b.Shape()
	b.RefuseIf(!b.Has("axis"), "axis is missing")
	axis := b.Axis()
	shape := slices.Clone(first)
	shape[axis] = 0
	for _, t := range b.In {
		b.RefuseIf(len(t.Shape) != len(shape), "shapes %v and %v do not join along axis %d", first, t.Shape, axis)
		for d, n := range t.Shape {
			b.RefuseIf(d != axis && n != first[d], "shapes %v and %v do not join along axis %d", first, t.Shape, axis)
		}
		b.RefuseIf(t.Shape[axis] > tensor.MaxElements-shape[axis], "%w: more than %d along axis %d", tensor.ErrTooLarge, tensor.MaxElements, axis)
		shape[axis] += t.Shape[axis]
	}
	op.Try(tensor.Count(shape))
	outer := tensor.Size(shape[:axis])
	return b.Computes(func(in, out op.Tensors) {
		to, at := out[0].Data(), 0
		for o := range outer {
			for _, t := range in {
				n := t.Len() / outer
				to.Copy(at, t.Data(), o*n, n)
				at += n
			}
		}
	}, op.Like(b.In[0], shape))
}

// bindSplit: the sizes are an attribute up to opset 12, an input from then on.
// Without them the parts are equal; from opset 18 on, with num_outputs, the
// last may be smaller.
func bindSplit(b *op.Binding) *op.Kernel {
	x := b.In[0]
	axis, outer, length, inner := b.Around()
	sizes := b.AttrOrInput("split", 1)
	if sizes == nil {
		sizes = equalParts(b, length)
	}
	b.RefuseIf(len(sizes) != len(b.Outputs), "%d sizes for %d outputs", len(sizes), len(b.Outputs))
	outs := make([]graph.Tensor, len(sizes))
	left := length
	for i, n := range sizes {
		b.RefuseIf(n < 0 || n > left, "sizes %v do not divide the %d of axis %d", sizes, length, axis)
		left -= n
		shape := slices.Clone(x.Shape)
		shape[axis] = n
		outs[i] = op.Like(x, shape)
	}
	b.RefuseIf(left != 0, "sizes %v do not divide the %d of axis %d", sizes, length, axis)
	return b.Computes(func(in, out op.Tensors) {
		from, at := in[0].Data(), 0
		for o := range outer {
			for i, t := range out {
				n := sizes[i] * inner
				t.Data().Copy(o*n, from, at, n)
				at += n
			}
		}
	}, outs...)
}

// equalParts divides n among the outputs.
func equalParts(b *op.Binding, n int) []int {
	parts := len(b.Outputs)
	b.RefuseIf(b.Has("num_outputs") && b.Int("num_outputs") != parts, "num_outputs is %d with %d outputs", b.Int("num_outputs"), parts)
	b.RefuseIf(parts == 0, "has no outputs")
	b.RefuseIf(b.Opset < 18 && n%parts != 0, "%d does not divide into %d equal parts", n, parts)
	size := (n + parts - 1) / parts
	v := make([]int, parts)
	for i := range v {
		v[i] = min(size, n)
		n -= v[i]
	}
	return v
}

// slicing returns the start, end and step of each axis of a Slice: starts, ends and
// axes are attributes up to opset 9, inputs from then on.
func slicing(b *op.Binding) (starts, ends, axes, steps []int) {
	starts, ends, axes = b.AttrOrInput("starts", 1), b.AttrOrInput("ends", 2), b.AttrOrInput("axes", 3)
	if b.X(4) != nil && b.Opset > 9 {
		steps = b.ConstInts(4, "steps")
	} else {
		steps = slices.Repeat([]int{1}, len(starts))
	}
	if axes == nil {
		axes = tensor.AllAxes(len(starts))
	}
	b.RefuseIf(len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts),
		"starts, ends, axes and steps differ in length: %d, %d, %d, %d", len(starts), len(ends), len(axes), len(steps))
	return starts, ends, op.Try(tensor.Axes(axes, len(b.Shape()))), steps
}

// slicePictures: pictures may lie along the axes that are not cut.
var slicePictures = op.Along(func(b *op.Binding) []int {
	_, _, axes, _ := slicing(b)
	return axes
})

func bindSlice(b *op.Binding) *op.Kernel {
	starts, ends, axes, steps := slicing(b)
	shape := slices.Clone(b.Shape())
	from, base := tensor.Strides(shape), 0
	for i, a := range axes {
		step := steps[i]
		b.RefuseIf(step == 0, "step of axis %d is 0", a)
		start, n := sliceRange(starts[i], ends[i], step, shape[a])
		base += start * from[a]
		// A step longer than the axis takes one element at most.
		from[a] *= max(-shape[a]-1, min(step, shape[a]+1))
		shape[a] = n
	}
	return gathered(b, shape, base, tensor.NewWalk(shape, from))
}

// sliceRange resolves one axis of a slice after the rules of the Slice
// operator, and returns the first index and the number of elements.
func sliceRange(start, end, step, dim int) (first, n int) {
	if start < 0 {
		start += dim
	}
	if end < 0 {
		end += dim
	}
	if step > 0 {
		start, end = max(0, min(start, dim)), max(0, min(end, dim))
		if end <= start {
			return 0, 0
		}
		return start, (end-start-1)/step + 1
	}
	start, end = max(-1, min(start, dim-1)), max(-1, min(end, dim-1))
	if start <= end {
		return 0, 0
	}
	return start, (end-start+1)/step + 1
}

// perm returns the order of the dimensions that a Transpose gives.
func perm(b *op.Binding) []int {
	rank := len(b.Shape())
	perm := b.Ints("perm")
	if perm == nil {
		perm = tensor.AllAxes(rank)
		slices.Reverse(perm)
	}
	b.RefuseIf(len(perm) != rank || rank > 0 && slices.Min(perm) < 0, "perm %v does not order %d dimensions", perm, rank)
	_, err := tensor.Axes(perm, rank)
	b.RefuseIf(err != nil, "perm: %w", err)
	return perm
}

// transposePictures: the axis goes where perm puts it.
var transposePictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	return slices.Index(perm(b), axes[0]), true
})

func bindTranspose(b *op.Binding) *op.Kernel {
	perm := perm(b)
	return rearrange(b, b.Shape(), perm, tensor.Permuted(b.Shape(), perm))
}

// rearrange binds a node that reads the input as shape split, permutes the
// dimensions, and calls the result shape.
func rearrange(b *op.Binding, split, perm, shape []int) *op.Kernel {
	op.Try(tensor.Count(shape))
	w := tensor.Transposition(split, perm)
	return b.Computes(func(in, out op.Tensors) { out[0].Data().Transpose(in[0].Data(), &w) }, op.Like(b.In[0], shape))
}

// expandPictures: pictures may lie along any axis that holds more than one index.
var expandPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	rank := len(b.OutShape())
	return axes[0] + rank - len(b.Shape()), op.OnlyFirst(axes) && b.Shape()[axes[0]] != 1
})

// bindExpand broadcasts both ways: a 1 in the wanted shape leaves the dimension as it is.
func bindExpand(b *op.Binding) *op.Kernel {
	want := b.ConstInts(1, "shape")
	op.Try(tensor.Count(want))
	shape := op.Try(tensor.Broadcast(b.Shape(), want))
	op.Try(tensor.Count(shape))
	return gathered(b, shape, 0, tensor.BroadcastWalk(shape, b.Shape()))
}

// tilePictures: pictures may lie along the axes that are not repeated.
var tilePictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	return axes[0], op.OnlyFirst(axes) && b.ConstInts(1, "repeats")[axes[0]] == 1
})

func bindTile(b *op.Binding) *op.Kernel {
	x := b.Shape()
	repeats := b.ConstInts(1, "repeats")
	b.RefuseIf(len(repeats) != len(x), "%d repeats for %d dimensions", len(repeats), len(x))
	// Each dimension becomes two: the repeats, with stride 0, and the dimension.
	st := tensor.Strides(x)
	var w tensor.Walk
	var shape []int
	for d, r := range repeats {
		b.RefuseIf(r < 0 || r > tensor.MaxElements, "repeats %v are out of range", repeats)
		b.RefuseIf(r > 0 && x[d] > tensor.MaxElements/r, "%w: %d times %d along axis %d", tensor.ErrTooLarge, r, x[d], d)
		shape = append(shape, r*x[d])
	}
	op.Try(tensor.Count(shape))
	for d, r := range repeats {
		w.Dim(r, 0, 0, 0)
		w.Dim(x[d], st[d], 0, 0)
	}
	return gathered(b, shape, 0, w)
}

// blocks returns the input's dimensions and the block size of DepthToSpace and SpaceToDepth.
func blocks(b *op.Binding) (n, c, h, w, size int) {
	x := b.Shape()
	b.RefuseIf(len(x) != 4, "shape %v is not [N,C,H,W]", x)
	size = b.Int("blocksize")
	b.RefuseIf(size < 1 || size > 1<<15, "blocksize %d is out of range", size)
	return x[0], x[1], x[2], x[3], size
}

// bindDepthToSpace: the elements of a block lie in front of the channels (mode DCR)
// or behind (CRD).
func bindDepthToSpace(b *op.Binding) *op.Kernel {
	n, c, h, w, s := blocks(b)
	b.RefuseIf(c%(s*s) != 0, "%d channels do not divide into blocks of %d×%d", c, s, s)
	c /= s * s
	shape := []int{n, c, h * s, w * s}
	if b.Word("mode") == "CRD" {
		return rearrange(b, []int{n, c, s, s, h, w}, []int{0, 1, 4, 2, 5, 3}, shape)
	}
	return rearrange(b, []int{n, s, s, c, h, w}, []int{0, 3, 4, 1, 5, 2}, shape)
}

func bindSpaceToDepth(b *op.Binding) *op.Kernel {
	n, c, h, w, s := blocks(b)
	b.RefuseIf(h%s != 0 || w%s != 0, "%d×%d does not divide into blocks of %d×%d", h, w, s, s)
	h, w = h/s, w/s
	perm := []int{0, 3, 5, 1, 2, 4}
	if b.Word("mode") == "CRD" {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	return rearrange(b, []int{n, c, h, s, w, s}, perm, []int{n, c * s * s, h, w})
}
