package cnn

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// benchmarks lists the models to time: those of the folder shared beside the
// repository and, from the folder that CNN_EXPORTS names, torchvision's.
var benchmarks = []string{
	"default-cnn/efficientnet-lite0", "default-cnn/efficientnet-lite2", "models/mobilenetv2", "models/squeezenet1.1",
	"resnet50-ts", "vgg16-ts", "mobilenet_v2-ts", "efficientnet_b0-ts", "densenet121-ts", "convnext_tiny-ts", "regnet_y_400mf-ts",
	"shufflenet_v2_x1_0-ts", "inception_v3-ts", "mobilenet_v3_large-ts",
}

// benchmarkFile returns the path of a model of the list, or skips.
func benchmarkFile(b *testing.B, name string) string {
	if filepath.Dir(name) != "." {
		return shared(b, name+".onnx")
	}
	path := filepath.Join(os.Getenv("CNN_EXPORTS"), name+".onnx")
	if _, err := os.Stat(path); err != nil {
		b.Skipf("%s is not there: set CNN_EXPORTS", path)
	}
	return path
}

// BenchmarkRun times one picture on one thread, warm. bench/bench.py does
// the same with ONNX Runtime beside it.
func BenchmarkRun(b *testing.B) {
	for _, name := range benchmarks {
		b.Run(filepath.Base(name), func(b *testing.B) { benchmarkRun(b, benchmarkFile(b, name)) })
	}
}

// BenchmarkModel is BenchmarkRun for the model file that CNN_MODEL names.
func BenchmarkModel(b *testing.B) {
	path := os.Getenv("CNN_MODEL")
	if path == "" {
		b.Skip("set CNN_MODEL to a model file")
	}
	benchmarkRun(b, path)
}

func benchmarkRun(b *testing.B, path string) {
	net, err := Open(path, nil)
	if err != nil {
		b.Fatal(err)
	}
	i := net.Info()
	x := picture(1, i.Height, i.Width)
	if _, err := net.Run(context.Background(), x); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := net.Run(context.Background(), x); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(i.MultiplyAdds)*2/1e9/(b.Elapsed().Seconds()/float64(b.N)), "GFLOP/s")
}

// BenchmarkOpen times opening a model that is in the file cache.
func BenchmarkOpen(b *testing.B) {
	for _, name := range benchmarks[:5] {
		b.Run(filepath.Base(name), func(b *testing.B) {
			path := benchmarkFile(b, name)
			for b.Loop() {
				if _, err := Open(path, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpenModel opens the model file that CNN_MODEL names once in a fresh
// process, as testdata/open.py runs it, and tells what the first run takes
// longer than later ones: what opening has put off.
func BenchmarkOpenModel(b *testing.B) {
	path := os.Getenv("CNN_MODEL")
	if path == "" {
		b.Skip("set CNN_MODEL to a model file")
	}
	net, err := Open(path, nil)
	if err != nil {
		b.Fatal(err)
	}
	opened := b.Elapsed()
	i := net.Info()
	x := picture(1, i.Height, i.Width)
	var runs []time.Duration
	for range 4 {
		start := time.Now()
		if _, err := net.Run(context.Background(), x); err != nil {
			b.Fatal(err)
		}
		runs = append(runs, time.Since(start))
	}
	b.ReportMetric(1e3*opened.Seconds(), "open-ms")
	b.ReportMetric(1e3*(runs[0]-slices.Min(runs[1:])).Seconds(), "surplus-ms")
}
