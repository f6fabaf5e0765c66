package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that only move elements.
var _ = register(
	Op{Name: "Concat", Since: 4, Sig: "a =*", Attrs: "axis:int=0", Pictures: concatPictures, Work: 1, bind: bindConcat},
	Op{Name: "Split", Since: 2, Sig: "a i?", Attrs: "axis:int=0 split-12:ints num_outputs@18:int=0", Pictures: alongOthers, Work: 1, bind: bindSplit},
	Op{Name: "Slice", Since: 1, Sig: "a i? i? i? i?", Attrs: "starts-9:ints ends-9:ints axes-9:ints", Pictures: slicePictures, Work: 1, bind: bindSlice},
	Op{Name: "Transpose", Since: 1, Sig: "a", Attrs: "perm:ints", Pictures: transposePictures, Work: 1, Head: Permutes, bind: bindTranspose},
	Op{Name: "Expand", Since: 8, Sig: "a i", Pictures: expandPictures, Work: 1, bind: bindExpand},
	Op{Name: "Tile", Since: 6, Sig: "a i", Pictures: tilePictures, Work: 1, bind: bindTile},
	Op{Name: "DepthToSpace", Since: 1, Sig: "a", Attrs: "blocksize:int=0 mode@11:DCR|CRD", Pictures: alongFirst, bind: bindDepthToSpace},
	Op{Name: "SpaceToDepth", Since: 1, Sig: "a", Attrs: "blocksize:int=0 mode@28:DCR|CRD", Pictures: alongFirst, bind: bindSpaceToDepth},
)

// gathered binds a node whose output has the elements of its first input that w
// walks over, counted from base.
func (b *binding) gathered(shape []int, base int, w tensor.Walk) *Kernel {
	return b.computes(func(in, out tensors) { data(out[0]).gather(data(in[0]), base, &w) }, like(b.in[0], shape))
}

// concatPictures: the pictures lie along the same axis of all inputs, another than that
// of the node, and in the same way.
var concatPictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	for _, a := range axes {
		if a != axes[0] {
			return 0, false
		}
	}
	return axes[0], axes[0] != b.axis()
}}

func bindConcat(b *binding) *Kernel {
	first := b.shape()
	b.refuseIf(!b.has("axis"), "axis is missing")
	axis := b.axis()
	shape := slices.Clone(first)
	shape[axis] = 0
	for _, t := range b.in {
		b.refuseIf(len(t.Shape) != len(shape), "shapes %v and %v do not join along axis %d", first, t.Shape, axis)
		for d, n := range t.Shape {
			b.refuseIf(d != axis && n != first[d], "shapes %v and %v do not join along axis %d", first, t.Shape, axis)
		}
		b.refuseIf(t.Shape[axis] > tensor.MaxElements-shape[axis], "%w: more than %d along axis %d", tensor.ErrTooLarge, tensor.MaxElements, axis)
		shape[axis] += t.Shape[axis]
	}
	try(tensor.Count(shape))
	outer := tensor.Size(shape[:axis])
	return b.computes(func(in, out tensors) {
		to, at := data(out[0]), 0
		for o := range outer {
			for _, t := range in {
				n := t.Len() / outer
				to.copy(at, data(t), o*n, n)
				at += n
			}
		}
	}, like(b.in[0], shape))
}

// bindSplit: the sizes are an attribute up to opset 12, an input from then on.
// Without them the parts are equal; from opset 18 on, with num_outputs, the
// last may be smaller.
func bindSplit(b *binding) *Kernel {
	x := b.in[0]
	axis, outer, length, inner := b.around()
	sizes := b.attrOrInput("split", 1)
	if sizes == nil {
		sizes = b.equalParts(length)
	}
	b.refuseIf(len(sizes) != len(b.Outputs), "%d sizes for %d outputs", len(sizes), len(b.Outputs))
	outs := make([]graph.Tensor, len(sizes))
	left := length
	for i, n := range sizes {
		b.refuseIf(n < 0 || n > left, "sizes %v do not divide the %d of axis %d", sizes, length, axis)
		left -= n
		shape := slices.Clone(x.Shape)
		shape[axis] = n
		outs[i] = like(x, shape)
	}
	b.refuseIf(left != 0, "sizes %v do not divide the %d of axis %d", sizes, length, axis)
	return b.computes(func(in, out tensors) {
		from, at := data(in[0]), 0
		for o := range outer {
			for i, t := range out {
				n := sizes[i] * inner
				data(t).copy(o*n, from, at, n)
				at += n
			}
		}
	}, outs...)
}

// equalParts divides n among the outputs.
func (b *binding) equalParts(n int) []int {
	parts := len(b.Outputs)
	b.refuseIf(b.has("num_outputs") && b.Int("num_outputs") != parts, "num_outputs is %d with %d outputs", b.Int("num_outputs"), parts)
	b.refuseIf(parts == 0, "has no outputs")
	b.refuseIf(b.opset < 18 && n%parts != 0, "%d does not divide into %d equal parts", n, parts)
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
func (b *binding) slicing() (starts, ends, axes, steps []int) {
	starts, ends, axes = b.attrOrInput("starts", 1), b.attrOrInput("ends", 2), b.attrOrInput("axes", 3)
	if b.x(4) != nil && b.opset > 9 {
		steps = b.constInts(4, "steps")
	} else {
		steps = slices.Repeat([]int{1}, len(starts))
	}
	if axes == nil {
		axes = tensor.AllAxes(len(starts))
	}
	b.refuseIf(len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts),
		"starts, ends, axes and steps differ in length: %d, %d, %d, %d", len(starts), len(ends), len(axes), len(steps))
	return starts, ends, try(tensor.Axes(axes, len(b.shape()))), steps
}

// slicePictures: pictures may lie along the axes that are not cut.
var slicePictures = along(func(b *binding) []int {
	_, _, axes, _ := b.slicing()
	return axes
})

func bindSlice(b *binding) *Kernel {
	starts, ends, axes, steps := b.slicing()
	shape := slices.Clone(b.shape())
	from, base := tensor.Strides(shape), 0
	for i, a := range axes {
		step := steps[i]
		b.refuseIf(step == 0, "step of axis %d is 0", a)
		start, n := sliceRange(starts[i], ends[i], step, shape[a])
		base += start * from[a]
		// A step longer than the axis takes one element at most.
		from[a] *= max(-shape[a]-1, min(step, shape[a]+1))
		shape[a] = n
	}
	return b.gathered(shape, base, tensor.NewWalk(shape, from))
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
func (b *binding) perm() []int {
	rank := len(b.shape())
	perm := b.Ints("perm")
	if perm == nil {
		perm = tensor.AllAxes(rank)
		slices.Reverse(perm)
	}
	b.refuseIf(len(perm) != rank || rank > 0 && slices.Min(perm) < 0, "perm %v does not order %d dimensions", perm, rank)
	_, err := tensor.Axes(perm, rank)
	b.refuseIf(err != nil, "perm: %w", err)
	return perm
}

// transposePictures: the axis goes where perm puts it.
var transposePictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	return slices.Index(b.perm(), axes[0]), true
}}

func bindTranspose(b *binding) *Kernel {
	perm := b.perm()
	return b.rearrange(b.shape(), perm, tensor.Permuted(b.shape(), perm))
}

// rearrange binds a node that reads the input as shape split, permutes the
// dimensions, and calls the result shape.
func (b *binding) rearrange(split, perm, shape []int) *Kernel {
	try(tensor.Count(shape))
	w := tensor.Transposition(split, perm)
	return b.computes(func(in, out tensors) { data(out[0]).transpose(data(in[0]), &w) }, like(b.in[0], shape))
}

// expandPictures: pictures may lie along any axis that holds more than one index.
var expandPictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	rank := len(b.op.bind(b).Out[0].Shape)
	return axes[0] + rank - len(b.shape()), onlyFirst(axes) && b.shape()[axes[0]] != 1
}}

// bindExpand broadcasts both ways: a 1 in the wanted shape leaves the dimension as it is.
func bindExpand(b *binding) *Kernel {
	want := b.constInts(1, "shape")
	try(tensor.Count(want))
	shape := try(tensor.Broadcast(b.shape(), want))
	try(tensor.Count(shape))
	return b.gathered(shape, 0, tensor.BroadcastWalk(shape, b.shape()))
}

// tilePictures: pictures may lie along the axes that are not repeated.
var tilePictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	return axes[0], onlyFirst(axes) && b.constInts(1, "repeats")[axes[0]] == 1
}}

func bindTile(b *binding) *Kernel {
	x := b.shape()
	repeats := b.constInts(1, "repeats")
	b.refuseIf(len(repeats) != len(x), "%d repeats for %d dimensions", len(repeats), len(x))
	// Each dimension becomes two: the repeats, with stride 0, and the dimension.
	st := tensor.Strides(x)
	var w tensor.Walk
	var shape []int
	for d, r := range repeats {
		b.refuseIf(r < 0 || r > tensor.MaxElements, "repeats %v are out of range", repeats)
		b.refuseIf(r > 0 && x[d] > tensor.MaxElements/r, "%w: %d times %d along axis %d", tensor.ErrTooLarge, r, x[d], d)
		shape = append(shape, r*x[d])
	}
	try(tensor.Count(shape))
	for d, r := range repeats {
		w.Dim(r, 0, 0, 0)
		w.Dim(x[d], st[d], 0, 0)
	}
	return b.gathered(shape, 0, w)
}

// blocks returns the input's dimensions and the block size of DepthToSpace and SpaceToDepth.
func (b *binding) blocks() (n, c, h, w, size int) {
	x := b.shape()
	b.refuseIf(len(x) != 4, "shape %v is not [N,C,H,W]", x)
	size = b.Int("blocksize")
	b.refuseIf(size < 1 || size > 1<<15, "blocksize %d is out of range", size)
	return x[0], x[1], x[2], x[3], size
}

// bindDepthToSpace: the elements of a block lie in front of the channels (mode DCR)
// or behind (CRD).
func bindDepthToSpace(b *binding) *Kernel {
	n, c, h, w, s := b.blocks()
	b.refuseIf(c%(s*s) != 0, "%d channels do not divide into blocks of %d×%d", c, s, s)
	c /= s * s
	shape := []int{n, c, h * s, w * s}
	if b.word("mode") == "CRD" {
		return b.rearrange([]int{n, c, s, s, h, w}, []int{0, 1, 4, 2, 5, 3}, shape)
	}
	return b.rearrange([]int{n, s, s, c, h, w}, []int{0, 3, 4, 1, 5, 2}, shape)
}

func bindSpaceToDepth(b *binding) *Kernel {
	n, c, h, w, s := b.blocks()
	b.refuseIf(h%s != 0 || w%s != 0, "%d×%d does not divide into blocks of %d×%d", h, w, s, s)
	h, w = h/s, w/s
	perm := []int{0, 3, 5, 1, 2, 4}
	if b.word("mode") == "CRD" {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	return b.rearrange([]int{n, c, h, s, w, s}, perm, []int{n, c * s * s, h, w})
}
