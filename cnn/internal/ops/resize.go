package ops

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Resize", Since: 10, Sig: "a f? f? i?", Pictures: resizePictures, Work: 32, Bind: bindResize,
		Attrs: "mode:nearest|linear|bilinear mode@11:nearest|linear|cubic nearest_mode@11:round_prefer_floor|round_prefer_ceil|floor|ceil " +
			"coordinate_transformation_mode@11:half_pixel|half_pixel_symmetric|pytorch_half_pixel|align_corners|asymmetric|tf_half_pixel_for_nn|tf_crop_and_resize " +
			"cubic_coeff_a@11:float=-0.75 extrapolation_value@11:float=0 exclude_outside@11:flag=0 antialias@18:flag=0 axes@18:ints " +
			"keep_aspect_ratio_policy@18:stretch|not_larger|not_smaller"},
	{Name: "Upsample", Since: 7, Until: 9, Sig: "a f?", Attrs: "mode:nearest|linear|bilinear scales-8:floats", Pictures: resizePictures, Work: 32, Bind: bindResize},
})

// resizePictures: pictures lie along an axis that keeps its size.
var resizePictures = op.Along(func(b *op.Binding) (mixed []int) {
	r, axes := resized(b)
	for _, a := range axes {
		if !r.keeps(a) {
			mixed = append(mixed, a.axis)
		}
	}
	return mixed
})

// resizing is how a Resize finds and weighs the elements of the input.
type resizing struct {
	mode, transform, nearest string

	antialias      bool
	excludeOutside bool
	cubicA         float64
	extrapolation  float32
}

// resizedAxis is one axis of a Resize.
type resizedAxis struct {
	axis, in, out int
	scale         float64
	start, end    float64 // region of interest, for tf_crop_and_resize
}

// simple is the transformation of Upsample and of Resize 10, which had no
// choice: asymmetric, and for nearest rounded down, up when downsampling, as
// ONNX Runtime does.
var simple = resizing{transform: "asymmetric", nearest: "simple"}

// resized returns how a node resizes the axes of its first input. The scales of an
// Upsample are an attribute up to opset 8, an input in 9.
func resized(b *op.Binding) (r *resizing, axes []resizedAxis) {
	rank := len(b.Shape())
	if b.Op == "Upsample" || b.Opset < 11 {
		r := simple
		r.mode = b.Word("mode")
		scales := b.Attrs["scales"].Floats
		if b.Op != "Upsample" || b.Opset == 9 {
			scales = b.ConstFloats(1, "scales")
		}
		return &r, scaledAxes(b, scales, tensor.AllAxes(rank), nil)
	}
	r = newResizing(b)
	which := tensor.AllAxes(rank)
	if b.Has("axes") {
		which = op.Try(tensor.Axes(b.Ints("axes"), rank))
	}
	var roi []float32
	if r.transform == "tf_crop_and_resize" {
		roi = b.ConstFloats(1, "roi")
		b.RefuseIf(len(roi) != 2*len(which), "roi has %d values for %d axes", len(roi), len(which))
	}
	scales := b.ConstFloats(2, "scales")
	if sizes := b.X(3); sizes != nil && sizes.Len() > 0 {
		b.RefuseIf(scales != nil, "has both scales and sizes")
		axes = sizedAxes(b, which)
	} else {
		axes = scaledAxes(b, scales, which, roi)
	}
	for i := range axes {
		if roi != nil {
			axes[i].start, axes[i].end = float64(roi[i]), float64(roi[len(axes)+i])
		}
	}
	return r, axes
}

// keeps reports whether the elements along an axis are those of the input.
func (r *resizing) keeps(a resizedAxis) bool {
	return a.in == a.out && a.scale == 1 && r.transform != "tf_crop_and_resize"
}

// newResizing reads the attributes of Resize from opset 11 on.
func newResizing(b *op.Binding) *resizing {
	return &resizing{
		mode:           b.Word("mode"),
		transform:      b.Word("coordinate_transformation_mode"),
		nearest:        b.Word("nearest_mode"),
		antialias:      b.Flag("antialias"),
		excludeOutside: b.Flag("exclude_outside"),
		cubicA:         float64(b.Float("cubic_coeff_a")),
		extrapolation:  b.Float("extrapolation_value"),
	}
}

// scaledAxes computes the output sizes from scales: floor(in · scale), in
// float32 as ONNX Runtime and PyTorch have it.
func scaledAxes(b *op.Binding, scales []float32, axes []int, roi []float32) []resizedAxis {
	b.RefuseIf(len(scales) != len(axes), "%d scales for %d axes", len(scales), len(axes))
	v := make([]resizedAxis, len(axes))
	for i, a := range axes {
		s, in := scales[i], b.Shape()[a]
		out := float32(in) * s
		if roi != nil {
			out = float32(in) * (roi[len(axes)+i] - roi[i]) * s
		}
		b.RefuseIf(!(s > 0) || !(out >= 0 && out <= tensor.MaxElements), "scale %g of axis %d is out of range", s, a)
		v[i] = resizedAxis{axis: a, in: in, out: int(out), scale: float64(s)}
	}
	return v
}

// sizedAxes takes the output sizes from input 3, after keep_aspect_ratio_policy (18).
func sizedAxes(b *op.Binding, axes []int) []resizedAxis {
	sizes := b.ConstInts(3, "sizes")
	b.RefuseIf(len(sizes) != len(axes), "%d sizes for %d axes", len(sizes), len(axes))
	policy := b.Word("keep_aspect_ratio_policy")
	v := make([]resizedAxis, len(axes))
	for i, a := range axes {
		n := b.Shape()[a]
		b.RefuseIf(sizes[i] < 0 || sizes[i] > tensor.MaxElements || n == 0, "size %d for the %d of axis %d is out of range", sizes[i], n, a)
		v[i] = resizedAxis{axis: a, in: n, out: sizes[i], scale: float64(sizes[i]) / float64(n)}
	}
	if policy == "stretch" || len(v) == 0 {
		return v
	}
	common := v[0].scale
	for _, a := range v[1:] {
		if policy == "not_larger" {
			common = min(common, a.scale)
		} else {
			common = max(common, a.scale)
		}
	}
	for i := range v {
		out := math.Floor(common*float64(v[i].in) + 0.5)
		b.RefuseIf(out > tensor.MaxElements, "%w: %g along axis %d", tensor.ErrTooLarge, out, v[i].axis)
		v[i].out, v[i].scale = int(out), common
	}
	return v
}

func bindResize(b *op.Binding) *op.Kernel {
	r, axes := resized(b)
	x := b.In[0]
	if x.Type != graph.Float && r.mode != "nearest" {
		b.Unsupported("%s interpolation of %s", r.mode, x.Type)
	}
	shape := slices.Clone(x.Shape)
	var maps []axisMap
	for _, a := range axes {
		shape[a.axis] = a.out
		b.RefuseIf(a.in == 0 && a.out > 0, "axis %d is empty", a.axis)
		b.RefuseIf(r.antialias && a.scale*float64(2*a.in) < 1, "scale %g of axis %d is out of range", a.scale, a.axis)
		if r.keeps(a) {
			continue
		}
		maps = append(maps, axisMap{a.axis, a.out, func(i int, t []tap) []tap { return r.taps(a, i, t) }})
	}
	fill := graph.Alloc(x.Type, nil)
	if x.Type == graph.Float {
		fill.F[0] = r.extrapolation
	}
	return resampled(b, shape, maps, func(op.Tensors) *graph.Tensor { return fill })
}

// taps appends the elements of the input that make up element i along an axis.
func (r *resizing) taps(a resizedAxis, i int, t []tap) []tap {
	if r.mode == "nearest" {
		// In float32, as ONNX Runtime rounds: at ties a smaller error decides otherwise.
		x := source(r.transform, float32(i), float32(a.in), float32(a.out), float32(a.scale), float32(a.start), float32(a.end))
		if r.outside(float64(x), a.in) {
			return append(t, tap{index: -1})
		}
		return append(t, tap{r.round(float64(x), a), 1})
	}
	x := source(r.transform, float64(i), float64(a.in), float64(a.out), a.scale, a.start, a.end)
	if r.outside(x, a.in) {
		return append(t, tap{index: -1})
	}
	// The elements base+lo to base+hi, with base left of x.
	scale := 1.0
	if r.antialias {
		scale = min(a.scale, 1)
	}
	radius, filter := 1.0, triangle
	if r.mode == "cubic" {
		radius, filter = 2, r.cubic
	}
	base := math.Ceil(x) - 1
	first := int(math.Floor(-radius/scale)) + 1
	last := 1 - first
	start, sum := len(t), 0.0
	for k := first; k <= last; k++ {
		j := base + float64(k)
		w := filter((j - x) * scale)
		if r.excludeOutside && (j < 0 || j >= float64(a.in)) {
			w = 0
		}
		sum += w
		t = append(t, tap{clampIndex(j, a.in), float32(w)})
	}
	if sum == 0 { // far outside
		sum = 1
	}
	for k := range t[start:] {
		t[start+k].weight /= float32(sum)
	}
	return t
}

// outside reports whether tf_crop_and_resize extrapolates at x.
func (r *resizing) outside(x float64, n int) bool {
	return r.transform == "tf_crop_and_resize" && !(x >= 0 && x <= float64(n-1))
}

func triangle(x float64) float64 { return max(0, 1-math.Abs(x)) }

// cubic is Keys' convolution kernel (IEEE ASSP 29, 1981, equation 4).
func (r *resizing) cubic(x float64) float64 {
	a := r.cubicA
	x = math.Abs(x)
	switch {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

// round chooses the nearest element.
func (r *resizing) round(x float64, a resizedAxis) int {
	switch r.nearest {
	case "round_prefer_floor":
		x = math.Ceil(x - 0.5)
	case "round_prefer_ceil":
		x = math.Floor(x + 0.5)
	case "ceil":
		x = math.Ceil(x)
	case "simple":
		if a.scale < 1 {
			x = math.Ceil(x)
		} else {
			x = math.Trunc(x)
		}
	default:
		x = math.Floor(x)
	}
	return clampIndex(x, a.in)
}

// clampIndex returns the element of an axis of n that is nearest to x, which
// may be anything.
func clampIndex(x float64, n int) int {
	switch {
	case !(x > 0):
		return 0
	case x > float64(n-1):
		return n - 1
	}
	return int(x)
}

// source maps an output coordinate to the input after a
// coordinate_transformation_mode. The size that align_corners and others
// divide by is in·scale, which need not be a whole number.
func source[T float32 | float64](transform string, i, in, out, scale, start, end T) T {
	size := in * scale
	switch transform {
	case "half_pixel_symmetric":
		return in/2*(1-out/size) + (i+0.5)/scale - 0.5
	case "pytorch_half_pixel":
		if size == 1 {
			return 0
		}
	case "align_corners":
		if size == 1 {
			return 0
		}
		return i * (in - 1) / (size - 1)
	case "asymmetric":
		return i / scale
	case "tf_half_pixel_for_nn":
		return (i + 0.5) / scale
	case "tf_crop_and_resize":
		if size == 1 {
			return (start + end) * (in - 1) / 2
		}
		return start*(in-1) + i*(end-start)*(in-1)/(size-1)
	}
	return (i+0.5)/scale - 0.5
}
