package depthwise

import "github.com/onetomany/caption/internal/kernels/cpu"

// A strip is the job of the kernels that work channel by channel: depthwise
// convolution and pooling. It is output pixels at equal distances, along a row or
// down a column, whose windows have the same taps within the picture. The taps
// outside are left out: kh and kw count those inside. Down a column the two change
// places: rows of taps are columns then.
//
// The assembly reads the fields by the names in go_asm.h; of a slice it takes
// the address only. Distances are in floats.
type strip struct {
	x      []float32 // first tap of the first window
	xRow   int       // from a row of taps to the next
	xCol   int       // from a tap to the next
	xPix   int       // from a window to the next
	kh, kw int

	w    []float32 // first weight; depthwise only
	wRow int
	wCol int

	y    []float32
	yPix int

	pixels   int // one only for the pools
	channels int

	bias   []float32 // nil for none
	scale  float32   // for the sum
	clamp  bool      // limit to lo…hi
	lo, hi float32
}

// A kernel is what an instruction set has for strips of at least least channels.
// Where their number is no multiple of the vectors, the last ones overlap those
// before.
type kernel struct {
	least     int
	depthwise func(*strip) // there is a tap
	maxPool   func(*strip) // one pixel
	sumPool   func(*strip)

	// The activations of short rows, of a few channels, are as fast as those of
	// long ones.
	shortRows bool
}

// levels holds the kernels by instruction set; kernels_amd64.go and
// kernels_arm64.go enter theirs.
var levels = [cpu.Levels]kernel{cpu.Generic: {depthwise: depthwiseGeneric, maxPool: maxPoolGeneric, sumPool: sumPoolGeneric}}

// kernel returns what computes t.
func (t *strip) kernel() *kernel {
	k := &levels[cpu.Active]
	if t.channels < k.least {
		return &levels[cpu.Generic]
	}
	return k
}

// depthwiseGeneric computes y = clamp(Σ x·w + bias).
func depthwiseGeneric(t *strip) {
	for p := range t.pixels {
		y := t.y[p*t.yPix:][:t.channels]
		if t.bias != nil {
			copy(y, t.bias)
		} else {
			clear(y)
		}
		for ky := range t.kh {
			for kx := range t.kw {
				x := t.x[ky*t.xRow+kx*t.xCol+p*t.xPix:][:len(y)]
				w := t.w[ky*t.wRow+kx*t.wCol:][:len(y)]
				for c, v := range x {
					y[c] += v * w[c]
				}
			}
		}
		if t.clamp {
			for c, v := range y {
				y[c] = min(max(v, t.lo), t.hi)
			}
		}
	}
}

// maxPoolGeneric computes the largest value of a window, which has at least one tap.
func maxPoolGeneric(t *strip) {
	y := t.y[:t.channels]
	copy(y, t.x)
	for ky := range t.kh {
		for kx := range t.kw {
			for c, v := range t.x[ky*t.xRow+kx*t.xCol:][:len(y)] {
				y[c] = max(y[c], v)
			}
		}
	}
}

// sumPoolGeneric computes scale times the sum of a window, which has at least one
// tap. Rows are added up on their own, for exactness.
func sumPoolGeneric(t *strip) {
	const block = 16
	for c0 := 0; c0 < t.channels; c0 += block {
		y := t.y[c0:min(c0+block, t.channels)]
		var total [block]float32
		for ky := range t.kh {
			var row [block]float32
			for kx := range t.kw {
				for c, v := range t.x[ky*t.xRow+kx*t.xCol+c0:][:len(y)] {
					row[c] += v
				}
			}
			for c, v := range row {
				total[c] += v
			}
		}
		for c := range y {
			y[c] = total[c] * t.scale
		}
	}
}
