package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var resizeOps = []Op{
	{Name: "Pad", Since: 2, Sig: "a i? a? i?", bind: bindPad},
	{Name: "Resize", Since: 10, Sig: "a f? f? i?", bind: bindResize},
	{Name: "Upsample", Since: 7, Until: 9, Sig: "a f?", bind: bindUpsample},
}

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

// bindUpsample: the scales are an attribute up to opset 8, an input in 9.
func bindUpsample(b *binding) (*Kernel, error) {
	var scales []float32
	if b.opset < 9 {
		scales = b.Attrs["scales"].Floats
	} else {
		var err error
		if scales, err = b.constFloats(1, "scales"); err != nil {
			return nil, err
		}
	}
	return b.resizeSimple(scales)
}

func (b *binding) resizeSimple(scales []float32) (*Kernel, error) {
	r := simple
	var err error
	if r.mode, err = b.oneOf("mode", "nearest", "linear", "bilinear"); err != nil {
		return nil, err
	}
	axes, err := b.scaledAxes(scales, allAxes(len(b.in[0].Shape)), nil)
	if err != nil {
		return nil, err
	}
	return b.resize(&r, axes)
}

// constFloats returns the data of input i, a constant vector of floats; nil
// where the input is left out or empty.
func (b *binding) constFloats(i int, what string) ([]float32, error) {
	t := b.x(i)
	if t == nil || product(t.Shape) == 0 {
		return nil, nil
	}
	if t.Type != graph.Float || len(t.Shape) != 1 {
		return nil, fmt.Errorf("input %d (%s) is %s, not a vector of floats", i, what, describe(t))
	}
	if !t.Known() {
		return nil, fmt.Errorf("input %d (%s) %w", i, what, ErrNotConstant)
	}
	return t.F, nil
}

func bindResize(b *binding) (*Kernel, error) {
	if b.opset < 11 {
		scales, err := b.constFloats(1, "scales")
		if err != nil {
			return nil, err
		}
		return b.resizeSimple(scales)
	}
	r, err := b.resizing()
	if err != nil {
		return nil, err
	}
	axes := allAxes(len(b.in[0].Shape))
	if b.opset >= 18 && b.has("axes") {
		if axes, err = axesOf(b.Ints("axes"), len(axes)); err != nil {
			return nil, err
		}
	}
	var roi []float32
	if r.transform == "tf_crop_and_resize" {
		if roi, err = b.constFloats(1, "roi"); err != nil {
			return nil, err
		}
		if len(roi) != 2*len(axes) {
			return nil, fmt.Errorf("roi has %d values for %d axes", len(roi), len(axes))
		}
	}
	scales, err := b.constFloats(2, "scales")
	if err != nil {
		return nil, err
	}
	var resized []resizedAxis
	if sizes := b.x(3); sizes != nil && product(sizes.Shape) > 0 {
		if scales != nil {
			return nil, fmt.Errorf("has both scales and sizes")
		}
		resized, err = b.sizedAxes(axes)
	} else {
		resized, err = b.scaledAxes(scales, axes, roi)
	}
	if err != nil {
		return nil, err
	}
	for i := range resized {
		if roi != nil {
			resized[i].start, resized[i].end = float64(roi[i]), float64(roi[len(axes)+i])
		}
	}
	return b.resize(r, resized)
}

// resizing reads the attributes of Resize from opset 11 on.
func (b *binding) resizing() (*resizing, error) {
	r := &resizing{cubicA: float64(b.Float("cubic_coeff_a", -0.75)), extrapolation: b.Float("extrapolation_value", 0)}
	var err error
	if r.mode, err = b.oneOf("mode", "nearest", "linear", "cubic"); err != nil {
		return nil, err
	}
	if r.transform, err = b.oneOf("coordinate_transformation_mode", "half_pixel", "half_pixel_symmetric",
		"pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"); err != nil {
		return nil, err
	}
	if r.nearest, err = b.oneOf("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"); err != nil {
		return nil, err
	}
	if r.excludeOutside, err = b.flag("exclude_outside", 0); err != nil {
		return nil, err
	}
	if b.opset >= 18 {
		if r.antialias, err = b.flag("antialias", 0); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// scaledAxes computes the output sizes from scales: floor(in · scale), in
// float32 as ONNX Runtime and PyTorch have it.
func (b *binding) scaledAxes(scales []float32, axes []int, roi []float32) ([]resizedAxis, error) {
	if len(scales) != len(axes) {
		return nil, fmt.Errorf("%d scales for %d axes", len(scales), len(axes))
	}
	v := make([]resizedAxis, len(axes))
	for i, a := range axes {
		s, in := scales[i], b.in[0].Shape[a]
		out := float32(in) * s
		if roi != nil {
			out = float32(in) * (roi[len(axes)+i] - roi[i]) * s
		}
		if !(s > 0) || !(out >= 0 && out <= MaxElements) {
			return nil, fmt.Errorf("scale %g of axis %d is out of range", s, a)
		}
		v[i] = resizedAxis{axis: a, in: in, out: int(out), scale: float64(s)}
	}
	return v, nil
}

// sizedAxes takes the output sizes from input 3, after keep_aspect_ratio_policy (18).
func (b *binding) sizedAxes(axes []int) ([]resizedAxis, error) {
	sizes, err := b.constInts(3, "sizes")
	if err != nil {
		return nil, err
	}
	if len(sizes) != len(axes) {
		return nil, fmt.Errorf("%d sizes for %d axes", len(sizes), len(axes))
	}
	policy := "stretch"
	if b.opset >= 18 {
		if policy, err = b.oneOf("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller"); err != nil {
			return nil, err
		}
	}
	v := make([]resizedAxis, len(axes))
	for i, a := range axes {
		n := b.in[0].Shape[a]
		if sizes[i] < 0 || sizes[i] > MaxElements || n == 0 {
			return nil, fmt.Errorf("size %d for the %d of axis %d is out of range", sizes[i], n, a)
		}
		v[i] = resizedAxis{axis: a, in: n, out: sizes[i], scale: float64(sizes[i]) / float64(n)}
	}
	if policy == "stretch" || len(v) == 0 {
		return v, nil
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
		if out > MaxElements {
			return nil, fmt.Errorf("%w: %g along axis %d", ErrTooLarge, out, v[i].axis)
		}
		v[i].out, v[i].scale = int(out), common
	}
	return v, nil
}

func (b *binding) resize(r *resizing, axes []resizedAxis) (*Kernel, error) {
	x := b.in[0]
	if x.Type != graph.Float && r.mode != "nearest" {
		return nil, b.unsupported("%s interpolation of %s", r.mode, typeName(x.Type))
	}
	shape := slices.Clone(x.Shape)
	var maps []axisMap
	for _, a := range axes {
		shape[a.axis] = a.out
		if a.in == 0 && a.out > 0 {
			return nil, fmt.Errorf("axis %d is empty", a.axis)
		}
		if r.antialias && a.scale*float64(2*a.in) < 1 {
			return nil, fmt.Errorf("scale %g of axis %d is out of range", a.scale, a.axis)
		}
		if a.in == a.out && a.scale == 1 && r.transform != "tf_crop_and_resize" {
			continue
		}
		maps = append(maps, axisMap{a.axis, a.out, func(i int, t []tap) []tap { return r.taps(a, i, t) }})
	}
	fill := Alloc(x.Type, nil)
	if x.Type == graph.Float {
		fill.F[0] = r.extrapolation
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		resample(out[0], in[0], maps, fill)
		return nil
	}
	return &Kernel{Out: []graph.Tensor{like(x, shape)}, Room: resampleRoom(maps, x, shape), run: run}, nil
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
