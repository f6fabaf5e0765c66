package dataset

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

// featureFile writes rows of one value each, numbered from 1.
func featureFile(t *testing.T, name string, meta map[string]string, row []int, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	w, err := features.Create(path, row, meta)
	if err != nil {
		t.Fatal(err)
	}
	size := 1
	for _, n := range row {
		size *= n
	}
	for i, name := range names {
		v := make([]float32, size)
		v[0] = float32(i + 1)
		if err := w.Append(name, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAttach(t *testing.T) {
	file := featureFile(t, "f.npz", map[string]string{features.MetaPrecision: "bf16"}, []int{2},
		"d/a.jpg", "./d/b.jpg", "x/c.jpg", "y/c.jpg", "e.jpg", "d/e.jpg")
	f, err := ReadFeatures(file)
	if err != nil || f.Size != 2 || f.Precision != "bf16" {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, c := range []struct {
		photo Photo
		want  float32 // 0 is none
	}{
		{Photo{Name: "a.jpg", Path: "d/a.jpg"}, 1},
		{Photo{Name: "a.jpg"}, 1},
		{Photo{Name: "elsewhere/a.jpg"}, 1},
		{Photo{Name: "d/b.jpg"}, 2},
		{Photo{Name: "x/c.jpg"}, 3},
		{Photo{Name: "c.jpg", Path: "y/c.jpg"}, 4},
		{Photo{Name: "c.jpg"}, 0}, // two photos
		{Photo{Name: "e.jpg", Path: "d/e.jpg"}, 6},
		{Photo{Name: "e.jpg"}, 0},
		{Photo{Name: "f.jpg"}, 0},
	} {
		s := &Set{Name: "s", Photos: []Photo{c.photo, {Name: "d/b.jpg"}}}
		without, err := f.Attach(s)
		switch {
		case err != nil:
			t.Error(err)
		case c.want == 0 && (!slices.Equal(without, []string{c.photo.Name}) || len(s.Photos) != 1):
			t.Errorf("%+v has features: %+v, without %q", c.photo, s.Photos, without)
		case c.want > 0 && (len(without) > 0 || s.Photos[0].Features[0] != c.want):
			t.Errorf("%+v: %+v, want %v", c.photo, s.Photos, c.want)
		}
	}
	if _, err := f.Attach(&Set{Name: "s", Photos: []Photo{{Name: "no.jpg"}}}); err == nil || !strings.Contains(err.Error(), "s: no features for any of its 1 photo, such as no.jpg") {
		t.Errorf("nothing left: %v", err)
	}
}

func TestReadFeaturesErrors(t *testing.T) {
	two := featureFile(t, "two.npz", map[string]string{features.MetaPrecision: "bf16"}, []int{2}, "a")
	for _, c := range []struct{ file, want string }{
		{featureFile(t, "three.npz", nil, []int{3}, "a"), "vectors of 3 values, other files have 2"},
		{featureFile(t, "map.npz", nil, []int{1, 1, 2}, "a"), "feature maps"},
		{featureFile(t, "float.npz", map[string]string{features.MetaPrecision: "float32"}, []int{2}, "b"), "computed in float32, other files in bf16"},
		{"none.npz", "none.npz"},
	} {
		if _, err := ReadFeatures(two, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.file, err, c.want)
		}
	}
}

// Photos that fail are left out; the features are those that the photos have alone.
func TestExtract(t *testing.T) {
	net, err := cnn.Open("../testdata/tiny.onnx", nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := features.NewExtractor(net, features.ImageNet(16))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Open("testdata/colours")
	if err != nil {
		t.Fatal(err)
	}
	trains, val := set.Split(Train), set.Split(Val)
	trains.Photos[1].Path = "features_test.go"
	var reported []string
	report := func(r features.Result) error {
		reported = append(reported, filepath.Base(r.Name))
		return nil
	}
	failed, err := Extract(t.Context(), x, nil, report, trains, val)
	if got := strings.Join(reported, " "); err != nil || failed != 1 || got != "red1.png features_test.go blue1.png blue2.png red3.png blue3.png" {
		t.Fatalf("%d failed, %v; reported %s", failed, err, got)
	}
	if len(trains.Photos) != 3 || trains.Photos[1].Name != "blue1.png" || len(val.Photos) != 2 {
		t.Errorf("%+v and %+v are left", trains.Photos, val.Photos)
	}
	if d, photo, err := Distance(t.Context(), x, nil, val); d != 0 || photo != "red3.png" || err != nil {
		t.Errorf("the features of %q are %v from themselves, %v", photo, d, err)
	}
	val.Photos[0].Features = val.Photos[1].Features
	if d, _, err := Distance(t.Context(), x, nil, val); !(d > 0.1) || err != nil {
		t.Errorf("the features of another photo are %v from those of the first, %v", d, err)
	}

	stop := errors.New("enough")
	if _, err := Extract(t.Context(), x, nil, func(features.Result) error { return stop }, val); err != stop {
		t.Errorf("error %v, want that of report", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Extract(ctx, x, nil, report, val); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	val.Photos = []Photo{{Name: "a", Path: "features_test.go"}}
	if failed, err := Extract(t.Context(), x, nil, report, val); failed != 1 || err == nil || !strings.Contains(err.Error(), "none of its photos could be read") {
		t.Errorf("%d failed, %v", failed, err)
	}
}
