package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// FuzzRead reads any model with any external data, within small limits. What
// is read must keep the promises of graph.Graph; what is not must be refused
// with one of the two error types. Neither may take more memory than the limits
// stand for.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no models in testdata: %v", err)
	}
	data, err := os.ReadFile("testdata/dyn.onnx.data")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, data)
		f.Add(b[:len(b)/2], data)
	}
	w := []int64{2}
	for _, init := range [][]byte{
		initOf("w", typeFloat, w, raw("\x00\x00\x80\x3f\x00\x00\x00\x40")),
		initOf("w", typeFloat, w, str(fieldFloatData, "\x00\x00\x80\x3f\x00\x00\x00\x40")),
		initOf("w", typeInt8, w, num(fieldInt32Data, -1), num(fieldInt32Data, 1)),
		initOf("w", typeFloat16, []int64{16, 16}, outside("location", "dyn.onnx.data", "offset", "0", "length", "512")),
		initOf("w", typeFloat, []int64{1 << 30, 1 << 30}, outside("location", "dyn.onnx.data", "offset", "9223372036854775807")),
		initOf("w", typeFloat, w, outside("location", "../../etc/passwd")),
	} {
		f.Add(addW(init), make([]byte, 512))
	}
	lim := Limits{Bytes: 1 << 20, Memory: 4 << 20, Graph: 1 << 18, Nodes: 1000, Tensors: 1000, Rank: 8}
	const most = 96 << 20 // bytes allocated; some 8 copies of a graph of lim.Graph bytes in tiny pieces, and the tensors

	f.Fuzz(func(t *testing.T, model, data []byte) {
		fsys := files("m.onnx", string(model), "dyn.onnx.data", string(data))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g, err := Read(fsys, "m.onnx", lim)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%d bytes allocated for a file of %d", n, len(model))
		}
		if err != nil {
			var format *FormatError
			var unsupported *graph.UnsupportedError
			if !errors.As(err, &format) && !errors.As(err, &unsupported) && int64(len(model)) <= lim.Bytes {
				t.Errorf("error %v of type %T", err, err)
			}
			return
		}
		checkOrder(t, g)
		total := 0
		for name, v := range g.Init {
			if n := max(len(v.F), len(v.I), len(v.B)); n != v.Len() || !v.Known() {
				t.Errorf("initialiser %q has shape %v and %d elements", name, v.Shape, n)
			}
			total += 4*len(v.F) + 8*len(v.I) + len(v.B)
		}
		if int64(total) > lim.Memory {
			t.Errorf("%d bytes of tensors", total)
		}
		// Rewriting fails for opsets without Cast, for overflows and for
		// constants with external data; what it gives reads again.
		if out, err := Float16(fsys, "m.onnx", lim); err == nil {
			if _, err := Read(files("h.onnx", string(out)), "h.onnx", Limits{}); err != nil {
				t.Errorf("after Float16: %v", err)
			}
		}
	})
}
