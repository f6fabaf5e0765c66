package features

import (
	"bufio"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onetomany/caption/cnn"
)

// cosine returns that of the angle between two vectors.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab += x * y
		aa += x * x
		bb += y * y
	}
	return ab / math.Sqrt(aa*bb)
}

// TestBF16Features holds how far features in bf16 are from those in float32, on
// photos of Flickr8k's dev split: 40 of them, all 1,000 with BF16_PHOTOS=all.
// CNN_EXPORTS, as for package cnn, adds ResNet-50 (with random weights).
func TestBF16Features(t *testing.T) {
	list, folder := shared(t, "flickr8k", "Flickr_8k.devImages.txt"), shared(t, "flickr8k", "images")
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var sources []Source
	for s := bufio.NewScanner(f); s.Scan() && (len(sources) < 40 || os.Getenv("BF16_PHOTOS") == "all"); {
		sources = append(sources, FileSource(filepath.Join(folder, s.Text())))
	}
	for _, m := range []struct {
		name, file string
		pre        Preprocessing
	}{
		{"default", filepath.Join("..", "models", "default", "cnn.onnx"), Lite(260)},
		{"mobilenetv2", filepath.Join("..", "..", "shared", "models", "mobilenetv2.onnx"), ImageNet(224)},
		{"resnet50", filepath.Join(os.Getenv("CNN_EXPORTS"), "resnet50-ts.onnx"), ImageNet(224)},
	} {
		t.Run(m.name, func(t *testing.T) {
			if _, err := os.Stat(m.file); err != nil {
				t.Skip("not here:", m.file)
			}
			var extractors [2]*Extractor
			for i, p := range []cnn.Precision{cnn.BF16, cnn.Float32} {
				net, err := cnn.Open(m.file, &cnn.Options{Precision: p})
				if errors.Is(err, cnn.ErrPrecision) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				if extractors[i], err = NewExtractor(net, m.pre); err != nil {
					t.Fatal(err)
				}
			}
			var rows [2][][]float32
			for i, x := range extractors {
				for r := range x.Stream(t.Context(), slices.Values(sources), nil) {
					if r.Err != nil {
						t.Fatal(r.Name, r.Err)
					}
					rows[i] = append(rows[i], r.Features)
				}
			}
			var errs, cosines []float64
			for i, want := range rows[1] {
				errs = append(errs, Distance(rows[0][i], want))
				cosines = append(cosines, cosine(rows[0][i], want))
			}
			slices.Sort(errs)
			slices.Sort(cosines)
			median, most := errs[len(errs)/2], errs[len(errs)-1]
			cosine, least := cosines[len(cosines)/2], cosines[0]
			t.Logf("%d photos: relative error %.4f in the median, %.4f at most; cosine %.6f in the median, %.6f at least", len(errs), median, most, cosine, least)
			if !(most <= 0.05 && cosine >= 0.9995 && least >= 0.998) {
				t.Error("want a relative error of at most 0.05, a cosine of 0.9995 in the median and of 0.998 at least")
			}
			if most == 0 {
				t.Error("the features are those of float32")
			}
		})
	}
}
