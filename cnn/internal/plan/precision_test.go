package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// TestBF16Plans holds where conversions stand: with all that can be in bf16, only
// in front of the small layers of a squeeze and excitation, whose average is in
// float32.
func TestBF16Plans(t *testing.T) {
	for name, want := range map[string]string{
		"convnext":     "conv 3, dense 4, mean 1, norm 2, pixels 1",
		"densenet":     "concat 2, conv 3, dense 1, mean 1, pixels 1, pool 1, scale 3",
		"efficientnet": "binary 1, conv 2, convert 1, dense 4, mean 2, pixels 1",
		"inception":    "concat 1, conv 3, dense 3, mean 1, pixels 1, pool 3",
		"mobilenet":    "binary 1, conv 2, convert 1, dense 4, mean 2, pixels 1",
		"resnet":       "conv 6, mean 1, pixels 1",
		"resnext":      "conv 3, dense 1, mean 1, pixels 1",
		"shufflenet":   "concat 1, conv 2, dense 2, mean 1, pixels 1, slice 2, transpose 1",
		"squeezenet":   "conv 1, mean 1, pixels 1",
		"vgg":          "conv 1, dense 1, pixels 1, pool 1, transpose 1",
	} {
		g, err := onnx.Open(filepath.Join("..", "..", "testdata", "mini", name+"-ts.onnx"), onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := compile(g.Graph, plan.Options{BF16: true, BF16All: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := operators(p); got != want {
			t.Errorf("%s: %s; want %s\n%s", name, got, want, dump(p))
		}
	}
}

// TestBF16Default holds what stays in float32 of the default network: up to the
// first matrix product that gains by bf16, and the feature.
func TestBF16Default(t *testing.T) {
	var p [2]*compiled
	for i := range p {
		g, err := onnx.Open(filepath.Join("..", "..", "..", "models", "default", "cnn.onnx"), onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p[i] = withChains(t, g.Graph, math.MaxInt, 0, plan.Options{BF16: i == 1})
	}
	full, half := p[0], p[1]
	var float32s []string
	for _, n := range half.Nodes {
		if !n.BF16 {
			float32s = append(float32s, strings.TrimPrefix(fmt.Sprintf("%T", n.Op), "*plan."))
		}
	}
	if got, want := strings.Join(float32s, " "), "Conv Conv Dense Convert Reshape"; got != want {
		t.Errorf("in float32 are %s, want %s", got, want)
	}
	if half.PeakBytes > full.PeakBytes*6/10 {
		t.Errorf("buffers of %d bytes, in float32 %d", half.PeakBytes, full.PeakBytes)
	}
}

// TestBF16Random compares networks drawn at random with the same in float32, of
// which operators on values that were rounded before give what they may.
func TestBF16Random(t *testing.T) {
	seeds := 300
	if testing.Short() {
		seeds = 50
	}
	var errs []float64
	for seed := range seeds {
		r := rand.New(rand.NewPCG(7, uint64(seed)))
		choices := make([]byte, 40+r.IntN(120))
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		g, _ := network(choices)
		layer := g.Outputs[0].Name
		full, err := compile(g, plan.Options{Layer: layer})
		if err != nil {
			continue
		}
		p, err := compile(g, plan.Options{Layer: layer, BF16: true, BF16All: true})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		const pictures = 6
		x := make([]float32, pictures*p.Channels*p.Height*p.Width)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		want, err := full.features(pictures, x, 1)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var first []float32
		for i, threads := range []int{1, 3, 2} {
			if p.Batchable {
				p.Group = []int{4, 4, 1}[i]
			}
			got, err := p.features(pictures, x, threads)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if first == nil {
				first = got
				errs = append(errs, difference(got, want))
			} else if !slices.EqualFunc(got, first, sameBits) {
				t.Errorf("seed %d: %d threads, groups of %d: another result, by %.3g", seed, threads, p.Group, difference(got, first))
			}
		}
	}
	slices.Sort(errs)
	median, most, largest := errs[len(errs)/2], errs[len(errs)*95/100], errs[len(errs)-1]
	t.Logf("%d networks: relative error %.3g in the median, %.3g in 95%%, %.3g at most", len(errs), median, most, largest)
	if median < 1e-4 || median > 0.005 || most > 0.02 || largest > 0.1 {
		t.Error("bf16 has 8 digits: between 0.0001 and 0.005 is expected in the median, 0.02 in 95%, 0.1 at most")
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
