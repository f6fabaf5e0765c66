package cnn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A hostile file system breaks the promises of its interfaces as its fields say.
// The zero value but for data is a good one.
type hostile struct {
	data []byte

	stat  func() (fs.FileInfo, error) // instead of the file's Stat
	open  func() (fs.File, error)     // instead of Open
	read  func(p []byte) (int, error) // instead of Read
	after int                         // bytes that are read as they should be before
}

func (h *hostile) Open(name string) (fs.File, error) {
	if h.open != nil {
		return h.open()
	}
	return &hostileFile{h: h, r: bytes.NewReader(h.data)}, nil
}

type hostileFile struct {
	h *hostile
	r *bytes.Reader
}

func (f *hostileFile) Close() error { return nil }

func (f *hostileFile) Stat() (fs.FileInfo, error) {
	if f.h.stat != nil {
		return f.h.stat()
	}
	return fileInfo{size: int64(len(f.h.data))}, nil
}

func (f *hostileFile) Read(p []byte) (int, error) {
	if done := len(f.h.data) - f.r.Len(); f.h.read != nil && done >= f.h.after {
		return f.h.read(p)
	} else if f.h.read != nil {
		p = p[:min(len(p), f.h.after-done)]
	}
	return f.r.Read(p)
}

type fileInfo struct {
	size int64
	mode fs.FileMode
}

func (i fileInfo) Name() string       { return "m.onnx" }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

// viewer is a hostile file system that gives its files' content.
type viewer struct {
	hostile
	view func() ([]byte, error)
}

func (v *viewer) View(string) ([]byte, error) { return v.view() }

// misbehaving is file systems with a model, none of which may be opened.
func misbehaving(model []byte) map[string]fs.FS {
	stat := func(i fs.FileInfo, err error) *hostile {
		return &hostile{data: model, stat: func() (fs.FileInfo, error) { return i, err }}
	}
	open := func(f fs.File, err error) *hostile {
		return &hostile{data: model, open: func() (fs.File, error) { return f, err }}
	}
	read := func(after int, f func(p []byte) (int, error)) *hostile {
		return &hostile{data: model, after: after, read: f}
	}
	size := int64(len(model))
	m := map[string]fs.FS{
		"nil":             nil,
		"nil pointer":     (*hostile)(nil),
		"no file":         open(nil, nil),
		"nil file":        open((*hostileFile)(nil), nil),
		"nil os.File":     open((*os.File)(nil), nil),
		"Open panics":     &hostile{open: func() (fs.File, error) { panic("Open") }},
		"no info":         stat(nil, nil),
		"Stat fails":      stat(nil, errors.New("no stat")),
		"Stat panics":     &hostile{data: model, stat: func() (fs.FileInfo, error) { panic(errors.New("Stat")) }},
		"negative size":   stat(fileInfo{size: -1}, nil),
		"least size":      stat(fileInfo{size: math.MinInt64}, nil),
		"one more byte":   stat(fileInfo{size: size + 1}, nil),
		"one byte less":   stat(fileInfo{size: size - 1}, nil),
		"2 GiB":           stat(fileInfo{size: 2 << 30}, nil),
		"largest size":    stat(fileInfo{size: math.MaxInt64}, nil),
		"a folder":        stat(fileInfo{size: size, mode: fs.ModeDir}, nil),
		"a pipe":          stat(fileInfo{size: size, mode: fs.ModeNamedPipe}, nil),
		"viewer panics":   &viewer{hostile{data: model}, func() ([]byte, error) { panic("View") }},
		"viewer of other": &viewer{hostile{data: model}, func() ([]byte, error) { return make([]byte, 3<<20), nil }},
		"viewer of none":  &viewer{hostile{data: model}, func() ([]byte, error) { return nil, nil }},
	}
	for at, after := range map[string]int{"": 0, " in the middle": len(model) / 2} {
		m["nothing for ever"+at] = read(after, func([]byte) (int, error) { return 0, nil })
		m["too much"+at] = read(after, func(p []byte) (int, error) { return len(p) + 1, nil })
		m["far too much"+at] = read(after, func(p []byte) (int, error) { return math.MaxInt, nil })
		m["less than nothing"+at] = read(after, func(p []byte) (int, error) { return -1, nil })
		m["least"+at] = read(after, func(p []byte) (int, error) { return math.MinInt, nil })
		m["less than nothing at the end"+at] = read(after, func(p []byte) (int, error) { return -1, io.EOF })
		m["end"+at] = read(after, func(p []byte) (int, error) { return 0, io.EOF })
		m["panic"+at] = read(after, func(p []byte) (int, error) { panic(42) })
		m["nil panic"+at] = read(after, func(p []byte) (int, error) { panic(nil) })
		m["long error"+at] = read(after, func(p []byte) (int, error) { return 0, errors.New(strings.Repeat("\x1b[2J", 1000)) })
	}
	return m
}

func TestHostileFS(t *testing.T) {
	model, err := os.ReadFile("testdata/mini/resnet-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFS(&hostile{data: model}, "m.onnx", nil); err != nil {
		t.Fatalf("a good file system: %v", err)
	}
	for name, fsys := range misbehaving(model) {
		t.Run(name, func(t *testing.T) {
			opt := &Options{MaxBytes: 2 << 20}
			if name == "2 GiB" {
				opt = nil
			}
			start := time.Now()
			net, err := OpenFS(fsys, "m.onnx", opt)
			checkMessage(t, err)
			if err == nil || net != nil {
				t.Error("it opens")
			}
			if _, err := Float16(fsys, "m.onnx"); err == nil && name != "viewer of other" {
				t.Error("Float16 reads it")
			} else {
				checkMessage(t, err)
			}
			if d := time.Since(start); d > 2*slow*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
	for _, name := range []string{"", "/", "..", "../m.onnx", "m.onnx/", "\x00", "\xff", strings.Repeat("a\n", 5000)} {
		_, err := OpenFS(os.DirFS("testdata"), name, nil)
		checkMessage(t, err)
		if err == nil {
			t.Errorf("%q opens", name)
		}
		if _, err := Open(name, nil); err == nil {
			t.Errorf("%q opens", name)
		}
	}
}

// checkMessage makes sure that an error can be shown on a line.
func checkMessage(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if len(text) > 500 {
		t.Errorf("an error of %d bytes: %.100q…", len(text), text)
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\u202e' || r == '\ufffd' {
			t.Errorf("the error holds %q: %q", r, text)
			break
		}
	}
}

// TestHostileOptions opens with values that make no sense, or more than there is.
func TestHostileOptions(t *testing.T) {
	for name, c := range map[string]struct {
		opt Options
		ok  bool
	}{
		"threads":           {Options{Threads: 1e6}, true},
		"most threads":      {Options{Threads: math.MaxInt}, true},
		"negative threads":  {Options{Threads: -1}, false},
		"least threads":     {Options{Threads: math.MinInt}, false},
		"height":            {Options{Height: math.MaxInt}, true}, // the model's is fixed
		"negative height":   {Options{Height: -1}, false},
		"negative width":    {Options{Width: math.MinInt}, false},
		"bytes":             {Options{MaxBytes: math.MaxInt64}, true},
		"negative bytes":    {Options{MaxBytes: math.MinInt64}, false},
		"one byte":          {Options{MaxBytes: 1}, false},
		"memory":            {Options{MaxMemory: math.MaxInt64}, true},
		"negative memory":   {Options{MaxMemory: -1}, false},
		"a byte of memory":  {Options{MaxMemory: 1}, false},
		"precision":         {Options{Precision: 77}, false},
		"layer":             {Options{Layer: strings.Repeat("\x1b\n", 5000)}, false},
		"layer as the file": {Options{Layer: "x"}, false},
	} {
		net, err := OpenFS(os.DirFS("testdata/mini"), "resnet-ts.onnx", &c.opt)
		checkMessage(t, err)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		want := run(t, openMini(t, "resnet-ts", nil), picture(3, 24, 24))
		if got := run(t, net, picture(3, 24, 24)); !slices.Equal(got, want) {
			t.Errorf("%s: another result", name)
		}
	}
	// A picture of any size that the model leaves open.
	for _, size := range []int{1, 2, 1 << 13, 1 << 20, math.MaxInt/2 + 1, math.MaxInt} {
		_, err := openBytes(t, new(builder).input(1, 3, -1, -1).node("y = GlobalAveragePool x").model("y"), &Options{Height: size, Width: size})
		checkMessage(t, err)
		if (err == nil) != (size < 1<<13) {
			t.Errorf("pictures of %d: %v", size, err)
		}
	}
}

// TestHostileTensors runs on tensors that are none.
func TestHostileTensors(t *testing.T) {
	net := openMini(t, "resnet-ts", nil)
	const picture = 3 * 24 * 24
	const half = math.MaxInt/2 + 1 // 1<<62 on most machines: times 4 it is 0
	for _, n := range []int{-1, half, half / 2, half + 1, half/picture*4 + 1, math.MaxInt, math.MinInt, math.MinInt / 8} {
		for _, data := range [][]float32{nil, make([]float32, picture), make([]float32, 7)} {
			for _, shape := range [][]int{{n, 3, 24, 24}, {1, n, 24, 24}, {1, 3, n, 24}, {n, n, n, n}, {n}, {n, 3, 24, 24, 1}} {
				x := Tensor{Shape: shape, Data: data}
				var want *ShapeError
				if _, err := net.Run(context.Background(), x); !errors.As(err, &want) {
					t.Errorf("Run of %v with %d: %v", shape, len(data), err)
				} else {
					checkMessage(t, err)
				}
				if err := net.RunInto(context.Background(), nil, x); !errors.As(err, &want) {
					t.Errorf("RunInto of %v with %d: %v", shape, len(data), err)
				}
			}
		}
	}
	huge := Tensor{Shape: slices.Repeat([]int{math.MinInt}, 10_000)}
	_, err := net.Run(context.Background(), huge)
	checkMessage(t, err)
}

// TestZeroValues calls the methods of what nobody has made.
func TestZeroValues(t *testing.T) {
	good := openMini(t, "resnet-ts", nil)
	ctx := context.Background()
	x := picture(1, 24, 24)
	for name, net := range map[string]*Net{"nil": nil, "zero": new(Net)} {
		for _, x := range []Tensor{{}, x, {Shape: []int{0, 0, 0, 0}}, {Shape: []int{1, 0, 0, 0}}} {
			if _, err := net.Run(ctx, x); !errors.Is(err, errNoNet) {
				t.Errorf("%s: Run: %v", name, err)
			}
			if err := net.RunInto(ctx, nil, x); !errors.Is(err, errNoNet) {
				t.Errorf("%s: RunInto: %v", name, err)
			}
		}
		if i := net.Info(); i.InputName != "" || i.FeatureShape != nil {
			t.Errorf("%s: %+v", name, i)
		}
	}
	var none context.Context
	if _, err := good.Run(none, x); !errors.Is(err, errContext) {
		t.Errorf("nil context: %v", err)
	}
	if err := good.RunInto(none, make([]float32, 6), x); !errors.Is(err, errContext) {
		t.Errorf("nil context: %v", err)
	}
	for _, err := range []error{
		new(ShapeError), &ShapeError{Got: []int{1}}, &ShapeError{Want: []int{1}}, &ShapeError{Got: []int{1, 2, 3, 4}, Want: []int{1, 2}},
		new(FormatError), new(UnsupportedError), new(MemoryError),
	} {
		checkMessage(t, err)
		_ = errors.Is(err, io.EOF)
	}
	if s := Precision(9).String(); s == "" {
		t.Error("a precision without a name")
	}
	if err := new(Precision).UnmarshalText([]byte(strings.Repeat("\x1b", 1000))); err == nil {
		t.Error("that is a precision")
	} else {
		checkMessage(t, err)
	}
	if _, err := OpenFS(nil, "m.onnx", nil); err == nil {
		t.Error("no file system")
	}
	// After errors the net is as good as before, and nobody changes it by what Info gives.
	i := good.Info()
	i.FeatureShape[0], i.Cut = 1000, append(i.Cut[:0], "nothing")
	for range 3 {
		run(t, good, x)
	}
}

// TestHostileNames opens models whose names are long and hold escapes: errors can be
// shown, and say what is wrong all the same.
func TestHostileNames(t *testing.T) {
	bad := "\x1b[2J\r\n\u202e" + strings.Repeat("name", 20_000)
	quoted := `"\x1b[2J\r\n\u202ename`
	node := func(op, in, out, name string) []byte {
		return slices.Concat(text(1, in), text(2, out), text(4, op), text(3, name))
	}
	for want, model := range map[string][]byte{
		"which nothing produces":       new(builder).input(1, 3, 8, 8).add(node("Relu", bad, "y", bad)).model("y"),
		"has no outputs":               new(builder).input(1, 3, 8, 8).add(node("Relu", "x", "", bad)).model("y"),
		"nothing produces the graph's": new(builder).input(1, 3, 8, 8).add(node("Relu", "x", "y", bad)).model(bad),
		"operator is not supported":    new(builder).input(1, 3, 8, 8).add(node(bad, "x", "y", bad)).model("y"),
		"two initialisers":             new(builder).input(1, 3, 8, 8).floats(bad, 1, 1).floats(bad, 1, 1).add(node("Relu", "x", "y", bad)).model("y"),
		"is missing":                   new(builder).input(1, 3, 8, 8).add(node("Conv", "x", "y", bad)).model("y"),
		"takes 4":                      new(builder).input(1, 3, 8, 8).tensor(bad, 1, []int64{1}, nil).add(node("Relu", "x", "y", bad)).model("y"),
		"60 dimensions":                new(builder).input(1, 3, 8, 8).ints("s", slices.Repeat([]int64{1 << 20}, 60)...).add(slices.Concat(text(1, "x"), text(1, "s"), text(2, "y"), text(4, "Reshape"), text(3, bad))).model("y"),
	} {
		_, err := openBytes(t, model, nil)
		checkMessage(t, err)
		switch {
		case err == nil:
			t.Errorf("%s: it opens", want)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%q, want %q", err, want)
		case !strings.Contains(err.Error(), quoted):
			t.Errorf("%q does not quote the name", err)
		}
	}
}
