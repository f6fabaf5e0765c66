package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
	lim := Limits{Bytes: 1 << 18, Memory: 4 << 20}
	const most = 96 << 20 // bytes allocated; some 8 copies of a graph in tiny pieces, and the tensors

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
			if text := err.Error(); len(text) > 500 || strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
				t.Errorf("an error that cannot be shown: %q", text)
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
			h, err := Read(files("h.onnx", string(out)), "h.onnx", Limits{})
			if err != nil {
				t.Fatalf("after Float16: %v", err)
			}
			sameButHalved(t, g, h)
		}
		// Reading depends on nothing else, and what is read is of the file.
		again, err := Read(files("m.onnx", string(model), "dyn.onnx.data", string(data)), "m.onnx", lim)
		if err != nil {
			t.Fatalf("the second time: %v", err)
		}
		if a, b := outline(g), outline(again); a != b {
			t.Errorf("read twice:\n%s\n%s", a, b)
		}
	})
}

// sameButHalved checks that h, what Float16 made of g, has the same nodes, besides
// Casts, and the same numbers, rounded.
func sameButHalved(t *testing.T, g, h *Model) {
	t.Helper()
	values := maps.Clone(h.Init)
	for _, n := range h.Nodes[:len(h.Nodes)-len(g.Nodes)] {
		if n.Op != "Cast" || len(n.Inputs) != 1 || values[n.Inputs[0]] == nil {
			t.Fatalf("an additional node %+v", n)
		}
		values[n.Outputs[0]] = values[n.Inputs[0]]
	}
	for i, n := range h.Nodes[len(h.Nodes)-len(g.Nodes):] {
		if m := g.Nodes[i]; n.Op != m.Op || !slices.Equal(n.Inputs, m.Inputs) || !slices.Equal(n.Outputs, m.Outputs) {
			t.Errorf("node %d is %+v, not %+v", i, n, m)
		}
	}
	for name, a := range g.Init {
		b := values[name]
		if b == nil || a.Type != b.Type || !slices.Equal(a.Shape, b.Shape) || !slices.Equal(a.I, b.I) || !slices.Equal(a.B, b.B) {
			t.Errorf("constant %q is %v, not %v", name, b, a)
			continue
		}
		x, y := a.Floats(), b.Floats()
		for i := range x {
			if d := math.Abs(float64(x[i] - y[i])); d > math.Abs(float64(x[i]))/1024+1e-7 {
				t.Fatalf("constant %q: element %d is %v, not %v", name, i, y[i], x[i])
			}
		}
	}
}

// outline describes a graph.
func outline(g *Model) string {
	var b strings.Builder
	fmt.Fprintln(&b, g.Opset, g.IR, g.Producer, g.Metadata, g.Inputs, g.Outputs, g.External)
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%q %s %q %q", n.Name, n.Op, n.Inputs, n.Outputs)
		for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
			a := n.Attrs[name]
			if a.T != nil {
				fmt.Fprint(&b, a.T.Shape, sum(a.T))
			}
			a.T = nil
			fmt.Fprintf(&b, " %q=%v", name, a)
		}
		fmt.Fprintln(&b)
	}
	for _, name := range slices.Sorted(maps.Keys(g.Init)) {
		fmt.Fprintln(&b, name, g.Init[name].Shape, sum(g.Init[name]))
	}
	return b.String()
}

// sum returns a hash of a tensor's elements.
func sum(t *graph.Tensor) uint64 {
	h := fnv.New64a()
	binary.Write(h, binary.LittleEndian, t.Floats())
	binary.Write(h, binary.LittleEndian, t.I)
	binary.Write(h, binary.LittleEndian, t.B)
	return h.Sum64()
}
