package cnn

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// shared returns the path of a file of the folder shared beside the repository,
// which holds models too large for it. Without it the test is skipped.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: it is not part of the repository", path)
	}
	return path
}

// picture makes n pictures; testdata/golden.py has the same formula.
func picture(n, height, width int) Tensor {
	x := Tensor{Shape: []int{n, 3, height, width}, Data: make([]float32, n*3*height*width)}
	for i := range x.Data {
		x.Data[i] = float32(float64(i*7919%1009)/504.5 - 1)
	}
	return x
}

// readNpy reads a file of little-endian float32 as numpy writes it.
func readNpy(t testing.TB, path string) []float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("\x93NUMPY\x01\x00")) || !bytes.Contains(b[:128], []byte("'<f4'")) {
		t.Fatalf("%s: not float32 in npy format 1.0", path)
	}
	b = b[10+int(binary.LittleEndian.Uint16(b[8:])):]
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

// relative returns ‖a−b‖/‖b‖.
func relative(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d, n float64
	for i := range a {
		d += math.Pow(float64(a[i])-float64(b[i]), 2)
		n += math.Pow(float64(b[i]), 2)
	}
	return math.Sqrt(d / n)
}

const tolerance = 1e-4

// TestGolden compares features with those of ONNX Runtime (testdata/golden.py).
func TestGolden(t *testing.T) {
	for _, name := range []string{
		"default-cnn/efficientnet-lite0", "default-cnn/efficientnet-lite2",
		"models/mobilenetv2", "models/squeezenet1.1",
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			net, err := Open(shared(t, name+".onnx"), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := readNpy(t, filepath.Join("testdata", filepath.Base(name)+".npy"))
			y, err := net.Run(context.Background(), picture(1, net.Info().Height, net.Info().Width))
			if err != nil {
				t.Fatal(err)
			}
			if r := relative(y.Data, want); !(r < tolerance) {
				t.Errorf("relative error %.3g", r)
			} else {
				t.Logf("relative error %.3g", r)
			}
		})
	}
}
