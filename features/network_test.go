package features

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/internal/float16"
)

// shared is the folder of models and photos beside the repository.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above this folder")
		}
		dir = filepath.Dir(dir)
	}
	p := filepath.Join(append([]string{dir, "..", "shared"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skip("not here:", p)
	}
	return p
}

// From photo to features, the outcome is that of Pillow and ONNX Runtime; and
// the number of jobs and the batch do not change a bit of it.
func TestEqualsPillowAndONNXRuntime(t *testing.T) {
	model, folder := shared(t, "default-cnn", "efficientnet-lite0.onnx"), shared(t, "photos")
	b, err := os.ReadFile("testdata/lite0.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string][]byte // float16; encoding/json reads base64
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	net, err := cnn.Open(model, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewExtractor(net, Lite(224))
	if err != nil {
		t.Fatal(err)
	}
	sources := Expand([]string{folder})
	if len(sources) != len(golden) {
		t.Fatalf("%d photos, %d golden ones", len(sources), len(golden))
	}
	var rows [][]float32
	for r := range x.Stream(t.Context(), slices.Values(sources), nil) {
		if r.Err != nil {
			t.Fatal(r.Name, r.Err)
		}
		rows = append(rows, r.Features)
		want := golden[filepath.Base(r.Name)]
		if len(want) != 2*len(r.Features) {
			t.Fatalf("%s: %d features, %d bytes golden", r.Name, len(r.Features), len(want))
		}
		var dot, got2, want2 float64
		for i, v := range r.Features {
			w := float64(float16.ToFloat32(binary.LittleEndian.Uint16(want[2*i:])))
			dot, got2, want2 = dot+float64(v)*w, got2+float64(v)*float64(v), want2+w*w
		}
		cos, length := dot/math.Sqrt(got2*want2), math.Sqrt(got2/want2)
		t.Logf("%s: cosine %.6f, length %.4f", filepath.Base(r.Name), cos, length)
		if cos < 0.9999 || math.Abs(length-1) > 0.01 {
			t.Errorf("%s: cosine %.6f, length %.4f of the golden one", filepath.Base(r.Name), cos, length)
		}
	}
	for _, opt := range []StreamOptions{{Jobs: 1, Batch: 5}, {Jobs: 2, Batch: 2}} {
		i := 0
		for r := range x.Stream(t.Context(), slices.Values(sources), &opt) {
			if !slices.Equal(bits(r.Features), bits(rows[i])) {
				t.Errorf("%+v: %s has other features", opt, r.Name)
			}
			i++
		}
	}
}
