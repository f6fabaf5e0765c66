package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/internal/leaktest"
)

// toy is a network whose features are the means of the three planes and the
// first value.
type toy struct {
	size   int
	in     cnn.Precision
	fail   error
	calls  atomic.Int64
	during func() // called in every Run
}

func (n *toy) Info() cnn.Info {
	return cnn.Info{Channels: 3, Height: n.size, Width: n.size, FeatureShape: []int{4}, FeatureNode: "mean", Precision: n.in}
}

func (n *toy) Run(ctx context.Context, batch cnn.Tensor) (cnn.Tensor, error) {
	n.calls.Add(1)
	if n.during != nil {
		n.during()
	}
	if n.fail != nil {
		return cnn.Tensor{}, n.fail
	}
	out := cnn.Tensor{Shape: []int{batch.Shape[0], 4}}
	plane := n.size * n.size
	for i := range batch.Shape[0] {
		x := batch.Data[i*3*plane:]
		for c := range 3 {
			var sum float32
			for _, v := range x[c*plane : (c+1)*plane] {
				sum += v
			}
			out.Data = append(out.Data, sum/float32(plane))
		}
		out.Data = append(out.Data, x[0])
	}
	return out, ctx.Err()
}

func toyExtractor(t testing.TB, net *toy) *Extractor {
	t.Helper()
	net.size = 8
	x, err := newExtractor(net, ImageNet(8))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// photos makes n sources of different pictures; those whose index is in broken
// are not pictures.
func photos(t testing.TB, n int, broken ...int) []Source {
	t.Helper()
	var out []Source
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 5+i%7, 3+i%5))
		for j := range img.Pix {
			img.Pix[j] = uint8(i*31 + j*7)
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, img); err != nil {
			t.Fatal(err)
		}
		data := buf.Bytes()
		if slices.Contains(broken, i) {
			data = []byte("text")
		}
		out = append(out, Source{
			Name:  fmt.Sprintf("photo%d.png", i),
			Stamp: "1",
			Open:  func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		})
	}
	return out
}

func TestNewExtractorRefuses(t *testing.T) {
	if _, err := NewExtractor(nil, ImageNet(8)); err == nil {
		t.Error("no network: no error")
	}
	if _, err := newExtractor(&toy{size: 9}, ImageNet(8)); err == nil {
		t.Error("another size: no error")
	}
	if _, err := newExtractor(&toy{size: 8}, Preprocessing{Width: 8, Height: 8}); err == nil {
		t.Error("std 0: no error")
	}
}

// A photo that is prepared first has the features that Read gives.
func TestPrepared(t *testing.T) {
	x, ctx := toyExtractor(t, new(toy)), t.Context()
	var want, picture []float32
	for _, read := range []func(io.Reader) error{
		func(r io.Reader) (err error) { want, err = x.Read(ctx, r, nil); return err },
		func(r io.Reader) (err error) { picture, err = x.Preprocessing().Read(ctx, r, nil); return err },
	} {
		r, err := photos(t, 1)[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := read(r); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := x.Prepared(ctx, picture); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v instead of %v", got, err, want)
	}
	if _, err := x.Prepared(ctx, picture[1:]); err == nil {
		t.Error("a picture of another size: no error")
	}
	if _, err := x.Preprocessing().Read(ctx, strings.NewReader("text"), nil); err == nil {
		t.Error("no photo: no error")
	}
	if _, err := new(Preprocessing).Read(ctx, strings.NewReader("text"), nil); err == nil {
		t.Error("no preprocessing: no error")
	}
}

// Results come in order, equal to one photo at a time, whatever the number of
// jobs and the batch; failures stand among them.
func TestStream(t *testing.T) {
	x := toyExtractor(t, new(toy))
	const n = 50
	broken := []int{0, 7, 8, 9, 31, 49}
	sources := photos(t, n, broken...)
	var want [][]float32
	for i, s := range sources {
		var row []float32
		if !slices.Contains(broken, i) {
			r, _ := s.Open()
			img, err := Decode(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if row, err = x.Image(t.Context(), img); err != nil {
				t.Fatal(err)
			}
			r, _ = s.Open()
			if again, err := x.Read(t.Context(), r, nil); err != nil || !slices.Equal(again, row) {
				t.Fatalf("Read: %v, %v; want %v", again, err, row)
			}
		}
		want = append(want, row)
	}
	for _, jobs := range []int{0, 1, 2, 5, 64} {
		for _, batch := range []int{0, 1, 3, 8, 100} {
			i := 0
			for r := range x.Stream(t.Context(), slices.Values(sources), &StreamOptions{Jobs: jobs, Batch: batch}) {
				if r.Name != sources[i].Name {
					t.Fatalf("result %d is of %s", i, r.Name)
				}
				if bad := slices.Contains(broken, i); bad != errors.Is(r.Err, ErrNotImage) {
					t.Fatalf("%s: error %v", r.Name, r.Err)
				}
				if !slices.Equal(bits(r.Features), bits(want[i])) {
					t.Fatalf("jobs %d, batch %d: %s has features %v, want %v", jobs, batch, r.Name, r.Features, want[i])
				}
				i++
			}
			if i != n {
				t.Errorf("jobs %d, batch %d: %d results, want %d", jobs, batch, i, n)
			}
		}
	}
	for r := range x.Stream(t.Context(), slices.Values([]Source(nil)), nil) {
		t.Errorf("no sources gave %v", r)
	}
}

// Breaking off, or a cancelled context, ends everything; only a bounded number
// of sources is drawn ahead.
func TestStreamEnds(t *testing.T) {
	ended := leaktest.Start(t)
	x := toyExtractor(t, new(toy))
	source := photos(t, 1)[0]
	drawn := 0
	forever := func(yield func(Source) bool) {
		for yield(source) {
			drawn++
		}
	}
	seen := 0
	for range x.Stream(t.Context(), forever, &StreamOptions{Jobs: 3, Batch: 2}) {
		if seen++; seen == 20 {
			break
		}
	}
	if limit := 20 + 2*3*2; drawn > limit {
		t.Errorf("%d sources drawn for 20 results, want at most %d", drawn, limit)
	}
	ended()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen = 0
	for r := range x.Stream(ctx, forever, &StreamOptions{Jobs: 3, Batch: 2}) {
		if r.Err != nil {
			t.Errorf("a cancelled photo is reported: %v", r.Err)
		}
		if seen++; seen == 20 {
			cancel()
		}
		if seen > 100 {
			t.Fatal("the stream goes on after cancellation")
		}
	}
	ended()
}

// A Read that does not return, as of a terminal, does not hold up cancellation.
func TestStreamBlockedRead(t *testing.T) {
	ended := leaktest.Start(t)
	r, w := io.Pipe()
	src := Source{Name: "-", Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	for res := range toyExtractor(t, new(toy)).Stream(ctx, slices.Values([]Source{src}), nil) {
		t.Errorf("result %v", res)
	}
	w.Close() // now it returns
	ended()
}

func TestStreamNetworkFails(t *testing.T) {
	boom := errors.New("boom")
	x := toyExtractor(t, &toy{fail: boom})
	for r := range x.Stream(t.Context(), slices.Values(photos(t, 3)), nil) {
		if !errors.Is(r.Err, boom) || r.Features != nil {
			t.Errorf("%s: %v, %v", r.Name, r.Features, r.Err)
		}
	}
}

// What the network must not give.
func TestNotFinite(t *testing.T) {
	x := toyExtractor(t, new(toy))
	x.pre.Std = [3]float32{1e-45, 1e-45, 1e-45}
	img := noise(8, 8)
	if _, err := x.Image(t.Context(), img); !errors.Is(err, errNotFinite) {
		t.Errorf("%v, want %v", err, errNotFinite)
	}
}
