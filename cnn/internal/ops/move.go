package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Operators that only move elements.
var moveOps = []Op{
	{Name: "Concat", Since: 4, Sig: "a =*", bind: bindConcat},
	{Name: "Split", Since: 2, Sig: "a i?", bind: bindSplit},
	{Name: "Slice", Since: 1, Sig: "a i? i? i? i?", bind: bindSlice},
	{Name: "Transpose", Since: 1, Sig: "a", bind: bindTranspose},
	{Name: "Expand", Since: 8, Sig: "a i", bind: bindExpand},
	{Name: "Tile", Since: 6, Sig: "a i", bind: bindTile},
	{Name: "DepthToSpace", Since: 1, Sig: "a", bind: bindDepthToSpace},
	{Name: "SpaceToDepth", Since: 1, Sig: "a", bind: bindSpaceToDepth},
}

// view is a strided window on the elements of a tensor.
type view struct {
	offset  int
	strides []int
}

// transfer is a copy between two windows of the same shape, planned once.
type transfer struct {
	l        *loops
	to, from int // offsets
}

func newTransfer(shape []int, to, from view) *transfer {
	return &transfer{newLoops(shape, to.strides, from.strides), to.offset, from.offset}
}

// run copies from src to dst, tensors of the same type.
func (t *transfer) run(dst, src *graph.Tensor) {
	switch dst.Type {
	case graph.Float:
		copyRows(t, dst.F, src.F)
	case graph.Int:
		copyRows(t, dst.I, src.I)
	case graph.Bool:
		copyRows(t, dst.B, src.B)
	}
}

func copyRows[T any](t *transfer, dst, src []T) {
	n, sd, ss := t.l.n, t.l.step[0], t.l.step[1]
	if t.transposes() {
		copyTransposed(t, dst, src)
		return
	}
	t.l.rows(func(_ int, off []int) {
		d, s := t.to+off[0], t.from+off[1]
		if sd == 1 && ss == 1 {
			copy(dst[d:d+n], src[s:s+n])
			return
		}
		for range n {
			dst[d] = src[s]
			d += sd
			s += ss
		}
	})
}

// transposes reports whether the rows of dst are columns of src: the elements
// of src lie side by side along the last of the outer dimensions.
func (t *transfer) transposes() bool {
	last := len(t.l.dims) - 1
	return last >= 0 && t.l.step[0] == 1 && t.l.step[1] > 1 && t.l.outer[1][last] == 1
}

// copyTransposed copies some rows at a time, so that each line of the cache
// that is read gives an element to all of them.
func copyTransposed[T any](t *transfer, dst, src []T) {
	const rows = 16
	last := len(t.l.dims) - 1
	height, stride := t.l.dims[last], t.l.outer[0][last]
	planes := &loops{dims: t.l.dims[:last], outer: t.l.outer, n: 1, step: t.l.step}
	planes.rows(func(_ int, off []int) {
		for i := 0; i < height; i += rows {
			d, s := t.to+off[0]+i*stride, t.from+off[1]+i
			for j := range t.l.n {
				for k, v := range src[s : s+min(rows, height-i)] {
					dst[d+k*stride+j] = v
				}
				s += t.l.step[1]
			}
		}
	})
}

// assign copies src, a tensor of the same type and number of elements.
func assign(dst, src *graph.Tensor) {
	copy(dst.F, src.F)
	copy(dst.I, src.I)
	copy(dst.B, src.B)
}

// expand fills dst with src, which broadcasts to its shape.
func expand(dst, src *graph.Tensor) {
	newTransfer(dst.Shape, view{strides: strides(dst.Shape)}, view{strides: stretch(src.Shape, dst.Shape)}).run(dst, src)
}

// strided binds a node whose only output is a view of its first input.
func (b *binding) strided(shape []int, from view) (*Kernel, error) {
	if _, err := count(shape); err != nil {
		return nil, err
	}
	t := newTransfer(shape, view{strides: strides(shape)}, from)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		t.run(out[0], in[0])
		return nil
	}
	return b.kernel(run, like(b.in[0], shape))
}

func bindConcat(b *binding) (*Kernel, error) {
	first := b.in[0].Shape
	if !b.has("axis") {
		return nil, fmt.Errorf("axis is missing")
	}
	axis, err := b.axis("axis", 0, len(first))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(first)
	shape[axis] = 0
	starts := make([]int, len(b.in))
	for i, t := range b.in {
		if len(t.Shape) != len(shape) {
			return nil, fmt.Errorf("shapes %v and %v do not join along axis %d", first, t.Shape, axis)
		}
		for d, n := range t.Shape {
			if d != axis && n != first[d] {
				return nil, fmt.Errorf("shapes %v and %v do not join along axis %d", first, t.Shape, axis)
			}
		}
		if starts[i] = shape[axis]; t.Shape[axis] > MaxElements-starts[i] {
			return nil, fmt.Errorf("%w: more than %d along axis %d", ErrTooLarge, MaxElements, axis)
		}
		shape[axis] += t.Shape[axis]
	}
	if _, err := count(shape); err != nil {
		return nil, err
	}
	st := strides(shape)
	parts := make([]*transfer, len(b.in))
	for i, t := range b.in {
		parts[i] = newTransfer(t.Shape, view{starts[i] * st[axis], st}, view{strides: strides(t.Shape)})
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		for i, p := range parts {
			p.run(out[0], in[i])
		}
		return nil
	}
	return b.kernel(run, like(b.in[0], shape))
}

// bindSplit: the sizes are an attribute up to opset 12, an input from then on.
// Without them the parts are equal; from opset 18 on, with num_outputs, the
// last may be smaller.
func bindSplit(b *binding) (*Kernel, error) {
	x := b.in[0]
	axis, err := b.axis("axis", 0, len(x.Shape))
	if err != nil {
		return nil, err
	}
	sizes, err := b.attrOrInput("split", 12, 1)
	if err != nil {
		return nil, err
	}
	if sizes == nil {
		if sizes, err = b.equalParts(x.Shape[axis]); err != nil {
			return nil, err
		}
	}
	if len(sizes) != len(b.Outputs) {
		return nil, fmt.Errorf("%d sizes for %d outputs", len(sizes), len(b.Outputs))
	}
	st := strides(x.Shape)
	parts := make([]*transfer, len(sizes))
	outs := make([]graph.Tensor, len(sizes))
	sum := 0
	for i, n := range sizes {
		if n < 0 || n > x.Shape[axis]-sum {
			return nil, fmt.Errorf("sizes %v do not divide the %d of axis %d", sizes, x.Shape[axis], axis)
		}
		shape := slices.Clone(x.Shape)
		shape[axis] = n
		outs[i] = like(x, shape)
		parts[i] = newTransfer(shape, view{strides: strides(shape)}, view{sum * st[axis], st})
		sum += n
	}
	if sum != x.Shape[axis] {
		return nil, fmt.Errorf("sizes %v do not divide the %d of axis %d", sizes, x.Shape[axis], axis)
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		for i, p := range parts {
			p.run(out[i], in[0])
		}
		return nil
	}
	return b.kernel(run, outs...)
}

// equalParts divides n among the outputs.
func (b *binding) equalParts(n int) ([]int, error) {
	parts := len(b.Outputs)
	if b.opset >= 18 && b.Int("num_outputs", parts) != parts {
		return nil, fmt.Errorf("num_outputs is %d with %d outputs", b.Int("num_outputs", 0), parts)
	}
	if parts == 0 {
		return nil, fmt.Errorf("has no outputs")
	}
	if b.opset < 18 && n%parts != 0 {
		return nil, fmt.Errorf("%d does not divide into %d equal parts", n, parts)
	}
	size := (n + parts - 1) / parts
	v := make([]int, parts)
	for i := range v {
		v[i] = min(size, n)
		n -= v[i]
	}
	return v, nil
}

// bindSlice: starts, ends and axes are attributes up to opset 9, inputs from then on.
func bindSlice(b *binding) (*Kernel, error) {
	shape := slices.Clone(b.in[0].Shape)
	var p [4][]int // starts, ends, axes, steps
	for i, name := range [...]string{"starts", "ends", "axes", "steps"} {
		var err error
		if p[i], err = b.attrOrInput(name, 9, i+1); err != nil {
			return nil, err
		}
	}
	starts, ends, axes, steps := p[0], p[1], p[2], p[3]
	if b.opset < 10 {
		steps = nil
	}
	if axes == nil {
		for d := range starts {
			axes = append(axes, d)
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, fmt.Errorf("starts, ends, axes and steps differ in length: %d, %d, %d, %d", len(starts), len(ends), len(axes), len(steps))
	}
	axes, err := axesOf(axes, len(shape))
	if err != nil {
		return nil, err
	}
	from := view{strides: strides(shape)}
	for i, a := range axes {
		step := 1
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			return nil, fmt.Errorf("step of axis %d is 0", a)
		}
		start, n := sliceRange(starts[i], ends[i], step, shape[a])
		from.offset += start * from.strides[a]
		// A step longer than the axis takes one element at most.
		from.strides[a] *= max(-shape[a]-1, min(step, shape[a]+1))
		shape[a] = n
	}
	if product(shape) == 0 {
		from.offset = 0
	}
	return b.strided(shape, from)
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

func bindTranspose(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	perm := b.Ints("perm")
	if perm == nil {
		for d := range x {
			perm = append(perm, len(x)-1-d)
		}
	}
	if len(perm) != len(x) {
		return nil, fmt.Errorf("perm %v does not order %d dimensions", perm, len(x))
	}
	for _, p := range perm {
		if p < 0 {
			return nil, fmt.Errorf("perm %v does not order %d dimensions", perm, len(x))
		}
	}
	if _, err := axesOf(perm, len(x)); err != nil {
		return nil, fmt.Errorf("perm: %w", err)
	}
	st := strides(x)
	shape := make([]int, len(x))
	from := view{strides: make([]int, len(x))}
	for i, p := range perm {
		shape[i], from.strides[i] = x[p], st[p]
	}
	return b.strided(shape, from)
}

// bindExpand broadcasts both ways: a 1 in the wanted shape leaves the dimension as it is.
func bindExpand(b *binding) (*Kernel, error) {
	want, err := b.constInts(1, "shape")
	if err != nil {
		return nil, err
	}
	if _, err := count(want); err != nil {
		return nil, err
	}
	shape, err := broadcast(b.in[0].Shape, want)
	if err != nil {
		return nil, err
	}
	return b.strided(shape, view{strides: stretch(b.in[0].Shape, shape)})
}

func bindTile(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	repeats, err := b.constInts(1, "repeats")
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x) {
		return nil, fmt.Errorf("%d repeats for %d dimensions", len(repeats), len(x))
	}
	// As a window: each dimension becomes two, the repeats with stride 0 and the dimension.
	st := strides(x)
	var pairs, from, shape []int
	for d, r := range repeats {
		if r < 0 || r > MaxElements {
			return nil, fmt.Errorf("repeats %v are out of range", repeats)
		}
		if r > 0 && x[d] > MaxElements/r {
			return nil, fmt.Errorf("%w: %d times %d along axis %d", ErrTooLarge, r, x[d], d)
		}
		pairs = append(pairs, r, x[d])
		from = append(from, 0, st[d])
		shape = append(shape, r*x[d])
	}
	if _, err := count(shape); err != nil {
		return nil, err
	}
	t := newTransfer(pairs, view{strides: strides(pairs)}, view{strides: from})
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		t.run(out[0], in[0])
		return nil
	}
	return b.kernel(run, like(b.in[0], shape))
}

// rearrange binds a node that reads the input as shape split, permutes the
// dimensions, and calls the result shape.
func (b *binding) rearrange(split, perm, shape []int) (*Kernel, error) {
	st := strides(split)
	permuted := make([]int, len(split))
	from := view{strides: make([]int, len(split))}
	for i, p := range perm {
		permuted[i], from.strides[i] = split[p], st[p]
	}
	k, err := b.strided(permuted, from)
	if err != nil {
		return nil, err
	}
	k.Out[0].Shape = shape
	return k, nil
}

// blocks returns the input's dimensions and the block size of DepthToSpace and SpaceToDepth.
func (b *binding) blocks() (n, c, h, w, size int, err error) {
	x := b.in[0].Shape
	if len(x) != 4 {
		return 0, 0, 0, 0, 0, fmt.Errorf("shape %v is not [N,C,H,W]", x)
	}
	size = b.Int("blocksize", 0)
	if size < 1 || size > 1<<15 {
		return 0, 0, 0, 0, 0, fmt.Errorf("blocksize %d is out of range", size)
	}
	return x[0], x[1], x[2], x[3], size, nil
}

// blockMode returns whether the elements of a block lie in front of the
// channels (DCR) or behind (CRD).
func (b *binding) blockMode(since int) (string, error) {
	if b.opset < since {
		return "DCR", nil
	}
	return b.oneOf("mode", "DCR", "CRD")
}

func bindDepthToSpace(b *binding) (*Kernel, error) {
	n, c, h, w, s, err := b.blocks()
	if err != nil {
		return nil, err
	}
	if c%(s*s) != 0 {
		return nil, fmt.Errorf("%d channels do not divide into blocks of %d×%d", c, s, s)
	}
	mode, err := b.blockMode(11)
	if err != nil {
		return nil, err
	}
	c /= s * s
	shape := []int{n, c, h * s, w * s}
	if mode == "CRD" {
		return b.rearrange([]int{n, c, s, s, h, w}, []int{0, 1, 4, 2, 5, 3}, shape)
	}
	return b.rearrange([]int{n, s, s, c, h, w}, []int{0, 3, 4, 1, 5, 2}, shape)
}

func bindSpaceToDepth(b *binding) (*Kernel, error) {
	n, c, h, w, s, err := b.blocks()
	if err != nil {
		return nil, err
	}
	if h%s != 0 || w%s != 0 {
		return nil, fmt.Errorf("%d×%d does not divide into blocks of %d×%d", h, w, s, s)
	}
	mode, err := b.blockMode(28)
	if err != nil {
		return nil, err
	}
	h, w = h/s, w/s
	perm := []int{0, 3, 5, 1, 2, 4}
	if mode == "CRD" {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	return b.rearrange([]int{n, c, h, s, w, s}, perm, []int{n, c * s * s, h, w})
}
