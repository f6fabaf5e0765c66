package cnn

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"testing"
)

// A script is what a fuzzer steers a hostile caller with.
type script []byte

func (s *script) pick(n int) int {
	if len(*s) == 0 {
		return 0
	}
	c := int((*s)[0])
	*s = (*s)[1:]
	return c % n
}

// size returns a number of any kind, of which right is one.
func (s *script) size(right int) int {
	return []int{right, right, right, right + 1, right - 1, 0, 1, 2, -1, math.MinInt, math.MaxInt, 1 << 30, 1 << (math.MaxInt>>63&30 + 20), -right}[s.pick(14)]
}

// hostile makes a file system of data; honest reports whether it does as it should.
func (s *script) hostile(data []byte) (fsys fs.FS, honest bool) {
	h := &hostile{data: data}
	switch s.pick(8) {
	case 0: // honest, in small pieces
		size := 1 + s.pick(200)
		at := 0
		h.read = func(p []byte) (int, error) {
			if at >= len(data) {
				at = 0
				return 0, io.EOF
			}
			n := copy(p[:min(len(p), size)], data[at:])
			at += n
			return n, nil
		}
		return h, true
	case 1:
		h.after = s.pick(256) * len(data) / 256
		n, err := s.size(1), []error{nil, io.EOF, errors.New("\x1b")}[s.pick(3)]
		h.read = func(p []byte) (int, error) { return n, err }
		return h, false
	case 2:
		size := s.size(len(data))
		h.stat = func() (fs.FileInfo, error) { return fileInfo{size: int64(size)}, nil }
		return h, size == len(data)
	case 3:
		h.open = func() (fs.File, error) { return nil, nil }
		return h, false
	case 4:
		return nil, false
	case 5:
		cut := s.pick(256) * len(data) / 256
		return &viewer{*h, func() ([]byte, error) { return data[:cut], nil }}, cut == len(data)
	}
	return h, true
}

// FuzzAPI calls what this package exports as a hostile program would: file systems
// that lie, options, contexts and tensors that make no sense, models that are
// damaged, methods of zero values. Calls that are right must give the right result,
// all others an error that can be shown.
func FuzzAPI(f *testing.F) {
	model, err := os.ReadFile("testdata/mini/vgg-ts.onnx")
	if err != nil {
		f.Fatal(err)
	}
	x := picture(3, 24, 24)
	good := openMini(f, "vgg-ts", nil)
	want := run(f, good, x)
	feature := len(want) / 3
	for i := range 8 {
		for j := range 14 {
			f.Add([]byte{0, byte(i), byte(j), byte(16 * j), 0, 0, 0, byte(j)}, []byte{byte(j), byte(i), byte(j), 0, 3, 0, byte(i)}, []byte{})
		}
	}
	f.Add([]byte{0, 7}, []byte{1, 0, 0, 0, 0, 0, 0, 0}, []byte{100, 3, 200, 5})
	f.Add([]byte{1}, []byte{}, []byte{})
	f.Add([]byte{2}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, opening, running, damage []byte) {
		s, data := script(opening), model
		if len(damage) > 0 {
			data = slices.Clone(model)
			for len(damage) >= 3 {
				data[(int(damage[0])<<8|int(damage[1]))%len(data)] = damage[2]
				damage = damage[3:]
			}
		}
		var net *Net
		whole := slices.Equal(data, model)
		right := false // that the net is that of the model
		switch s.pick(8) {
		case 1:
		case 2:
			net = new(Net)
		default:
			fsys, honest := s.hostile(data)
			opt := &Options{Threads: []int{0, 1, 2, 1e6, math.MaxInt, -1}[s.pick(6)], MaxBytes: []int64{0, 1 << 20, 1 << 62, 1, -1}[s.pick(5)],
				MaxMemory: []int64{0, 64 << 20, 1 << 62, 1, -1}[s.pick(5)], Height: s.size(24), Width: s.size(24)}
			sound := opt.Threads >= 0 && opt.MaxBytes != 1 && opt.MaxBytes >= 0 && opt.MaxMemory != 1 && opt.MaxMemory >= 0 && opt.Height >= 0 && opt.Width >= 0
			var err error
			net, err = OpenFS(fsys, "m.onnx", opt)
			checkMessage(t, err)
			switch {
			case (err == nil) != (net != nil):
				t.Fatalf("both a net and an error, or neither: %v", err)
			case err == nil && !(honest && sound):
				t.Fatal("it opens")
			case err != nil && honest && sound && whole:
				t.Fatalf("it does not open: %v", err)
			}
			right = net != nil && whole
			// Float16 keeps to the rules of the file system, too.
			if half, err := Float16(fsys, "m.onnx"); err == nil && !honest {
				t.Fatal("Float16 reads it")
			} else if err != nil && honest && whole {
				t.Fatalf("Float16: %v", err)
			} else if err == nil {
				if _, err := openBytes(t, half, nil); err != nil && whole {
					t.Fatalf("after Float16: %v", err)
				}
			} else {
				checkMessage(t, err)
			}
		}

		i := net.Info()
		if net != nil && net.plan != nil && (i.WeightBytes <= 0 || i.PeakBytes <= 0 || len(i.FeatureShape) == 0) {
			t.Fatalf("%+v", i)
		}
		if !right && net != nil && net.plan != nil && i.MultiplyAdds > 1<<27 {
			return // damaged to a large one
		}
		r := script(running)
		ctx := []context.Context{context.Background(), nil, cancelled}[[]int{0, 0, 0, 0, 1, 2}[r.pick(6)]]
		n := r.size(1 + r.pick(3))
		y := Tensor{Shape: []int{n, r.size(3), r.size(24), r.size(24)}, Data: x.Data[:r.pick(4)*3*24*24]}
		if r.pick(8) == 1 {
			y.Shape = y.Shape[:r.pick(4)]
		}
		if r.pick(8) == 1 {
			y.Data = y.Data[:max(len(y.Data)-1, 0)]
		}
		fits := net != nil && net.plan != nil && len(y.Shape) == 4 && slices.Equal(y.Shape[1:], []int{i.Channels, i.Height, i.Width}) &&
			n >= 0 && n <= 3 && len(y.Data) == n*i.Channels*i.Height*i.Width
		got, err := net.Run(ctx, y)
		checkMessage(t, err)
		into := make([]float32, 3*feature)
		err2 := net.RunInto(ctx, into, y)
		checkMessage(t, err2)
		if (err == nil || err2 == nil) && (!fits || ctx == nil || ctx == cancelled) {
			t.Fatalf("it runs: %v, %v", err, err2)
		}
		if !right || !fits || ctx != context.Background() {
			return
		}
		if err != nil || err2 != nil {
			t.Fatalf("%v, %v", err, err2)
		}
		if !slices.Equal(got.Data, want[:n*feature]) || !slices.Equal(into[:n*feature], got.Data) {
			t.Fatalf("another result: %v, %v, not %v", got.Data, into, want)
		}
		// And the next caller gets what is right.
		if !slices.Equal(run(t, good, x), want) {
			t.Fatal("another result of another net")
		}
	})
}

var cancelled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
