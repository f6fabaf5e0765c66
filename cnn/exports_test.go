package cnn

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExports compares the features of the models in the folder that
// CNN_EXPORTS names with those of ONNX Runtime: NAME.onnx beside its input
// NAME.x.npy and its feature NAME.f.npy (testdata/export.py writes them, 5 GB
// for torchvision's classifiers in four ways each).
func TestExports(t *testing.T) {
	dir := os.Getenv("CNN_EXPORTS")
	if dir == "" {
		t.Skip("CNN_EXPORTS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no models in %s (%v)", dir, err)
	}
	tried := 0
	for _, file := range files {
		base := strings.TrimSuffix(file, ".onnx")
		if _, err := os.Stat(base + ".f.npy"); err != nil {
			continue
		}
		tried++
		t.Run(filepath.Base(base), func(t *testing.T) {
			net, err := Open(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			i := net.Info()
			x := Tensor{Shape: []int{1, i.Channels, i.Height, i.Width}, Data: readNpy(t, base+".x.npy")}
			y, err := net.Run(context.Background(), x)
			if err != nil {
				t.Fatal(err)
			}
			want := readNpy(t, base+".f.npy")
			if d := i.FeatureShape[0]; len(want) > d { // SqueezeNet: the map before the pooling
				want = averages(want, d)
			}
			r := relative(y.Data, want)
			if !(r < tolerance) {
				t.Errorf("relative error %.3g", r)
			}
			t.Logf("%.2g %v, %d M multiply-adds, %d parameters, %d kB", r, i.FeatureShape, i.MultiplyAdds/1e6, i.Parameters, i.PeakBytes>>10)
		})
	}
	if tried == 0 {
		t.Errorf("no model in %s has features beside it, MODEL.f.npy", dir)
	}
}

// averages returns the mean of each of d channels of a map [d,H,W].
func averages(x []float32, d int) []float32 {
	n := len(x) / d
	y := make([]float32, d)
	for i := range y {
		s := 0.0
		for _, v := range x[i*n:][:n] {
			s += float64(v)
		}
		y[i] = float32(s / float64(n))
	}
	return y
}
