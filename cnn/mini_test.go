package cnn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mini lists the small networks of testdata/mini.py, without their extension.
func mini(t testing.TB) []string {
	files, err := filepath.Glob("testdata/mini/*.onnx")
	if err != nil || len(files) == 0 {
		t.Fatalf("no models in testdata/mini (%v)", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".onnx")
	}
	return files
}

func openMini(t testing.TB, name string, opt *Options) *Net {
	t.Helper()
	net, err := OpenFS(os.DirFS("testdata/mini"), name+".onnx", opt)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func run(t testing.TB, net *Net, x Tensor) []float32 {
	t.Helper()
	y, err := net.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if want := append([]int{x.Shape[0]}, net.Info().FeatureShape...); !slices.Equal(y.Shape, want) {
		t.Fatalf("result of shape %v, want %v", y.Shape, want)
	}
	return y.Data
}

// one returns picture i of x.
func one(x Tensor, i int) Tensor {
	n := len(x.Data) / x.Shape[0]
	return Tensor{Shape: append([]int{1}, x.Shape[1:]...), Data: x.Data[i*n:][:n]}
}

// TestMini compares the features of the building blocks of today's classifiers,
// exported in three ways, two of them for one picture at a time, with those of
// ONNX Runtime: of single pictures, of a batch, and of more than go together.
func TestMini(t *testing.T) {
	x := picture(3, 24, 24)
	for _, name := range mini(t) {
		t.Run(name, func(t *testing.T) {
			net := openMini(t, name, nil)
			want := readNpy(t, "testdata/mini/"+strings.Split(name, "-")[0]+".npy")
			if r := relative(run(t, net, x), want); !(r < 1e-5) {
				t.Errorf("batch of 3: relative error %.3g", r)
			}
			d := net.Info().FeatureShape[0]
			for i := range 3 {
				if r := relative(run(t, net, one(x, i)), want[i*d:][:d]); !(r < 1e-5) {
					t.Errorf("picture %d: relative error %.3g", i, r)
				}
			}
			many := Tensor{Shape: []int{9, 3, 24, 24}, Data: slices.Concat(x.Data, x.Data, x.Data)}
			if r := relative(run(t, net, many), slices.Concat(want, want, want)); !(r < 1e-5) {
				t.Errorf("batch of 9: relative error %.3g", r)
			}
		})
	}
}

// TestMiniBatches checks that all of the small networks take whole batches:
// the fallback, batches of the exporter's size, gives the same but is slower.
func TestMiniBatches(t *testing.T) {
	for _, name := range mini(t) {
		if !openMini(t, name, nil).plan.Batchable {
			t.Errorf("%s goes through picture by picture", name)
		}
	}
}

// TestThreads checks that neither the number of threads nor the size of a batch
// changes a bit.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	x := picture(5, 24, 24)
	for _, name := range mini(t) {
		single := run(t, openMini(t, name, nil), x)
		for _, threads := range []int{2, 3, 8} {
			net := openMini(t, name, &Options{Threads: threads})
			if !slices.Equal(run(t, net, x), single) {
				t.Errorf("%s: %d threads change the result of a batch", name, threads)
			}
			for i := range 5 {
				d := len(single) / 5
				if !slices.Equal(run(t, net, one(x, i)), single[i*d:][:d]) {
					t.Errorf("%s: %d threads change the result of picture %d", name, threads, i)
				}
			}
		}
	}
}

// TestConcurrent runs one Net on many goroutines with batches of several sizes.
func TestConcurrent(t *testing.T) {
	x := picture(16, 24, 24)
	for _, name := range []string{"mobilenet-ts", "shufflenet-dyn", "convnext-tsbn"} {
		net := openMini(t, name, &Options{Threads: 2})
		d := net.Info().FeatureShape[0]
		want := run(t, net, x)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				n := i%3 + 1
				part := Tensor{Shape: []int{n, 3, 24, 24}, Data: x.Data[max(0, i-n+1)*3*24*24:][:n*3*24*24]}
				for range 10 {
					y, err := net.Run(context.Background(), part)
					if err != nil || !slices.Equal(y.Data, want[max(0, i-n+1)*d:][:n*d]) {
						t.Errorf("%s: goroutine %d: other result (%v)", name, i, err)
						return
					}
				}
			}()
		}
		wg.Wait()
	}
}

// TestBusy checks that a run that waits for others can be cancelled, and
// that one picture gets its turn beside long batches.
func TestBusy(t *testing.T) {
	net := openMini(t, "resnet-ts", &Options{Threads: 2})
	long, end := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			x := picture(2000, 24, 24)
			for long.Err() == nil {
				if _, err := net.Run(long, x); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*50*time.Microsecond)
		if _, err := net.Run(ctx, picture(1, 24, 24)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		if _, err := net.Run(context.Background(), picture(1, 24, 24)); err != nil {
			t.Error(err)
		}
	}
	end()
	wg.Wait()
}

func TestCancel(t *testing.T) {
	net := openMini(t, "resnet-ts", nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := net.Run(ctx, picture(2, 24, 24)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := net.Run(ctx, picture(4000, 24, 24)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled during the run: %v", err)
	}
	if _, err := net.Run(context.Background(), picture(2, 24, 24)); err != nil {
		t.Errorf("after a cancelled run: %v", err)
	}
}

// TestRunInto checks that RunInto gives what Run gives, and touches nothing else.
func TestRunInto(t *testing.T) {
	net := openMini(t, "resnet-ts", &Options{Threads: 2})
	for n := range 4 {
		x := picture(n, 24, 24)
		want := run(t, net, x)
		got := slices.Repeat([]float32{7}, len(want)+2)
		if err := net.RunInto(context.Background(), got, x); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[:len(want)], want) || got[len(want)] != 7 || got[len(want)+1] != 7 {
			t.Errorf("%d pictures: %v, want %v and two sevens", n, got, want)
		}
		if n > 0 {
			if err := net.RunInto(context.Background(), got[:len(want)-1], x); err == nil {
				t.Errorf("%d pictures: too little room is not refused", n)
			}
		}
	}
	var shape *ShapeError
	if err := net.RunInto(context.Background(), make([]float32, 100), picture(1, 24, 23)); !errors.As(err, &shape) {
		t.Errorf("another size: %v", err)
	}
}

func TestRunShape(t *testing.T) {
	net := openMini(t, "resnet-ts", nil)
	for _, x := range []Tensor{
		{}, {Shape: []int{1, 3, 24}}, picture(1, 24, 23), {Shape: []int{1, 24, 24, 3}, Data: make([]float32, 3*24*24)},
		{Shape: []int{-1, 3, 24, 24}}, {Shape: []int{2, 3, 24, 24}, Data: make([]float32, 7)},
	} {
		_, err := net.Run(context.Background(), x)
		var shape *ShapeError
		if !errors.As(err, &shape) {
			t.Errorf("%v: %v", x.Shape, err)
		}
	}
	y, err := net.Run(context.Background(), Tensor{Shape: []int{0, 3, 24, 24}})
	if err != nil || !slices.Equal(y.Shape, []int{0, 6}) {
		t.Errorf("no pictures: %v, %v", y.Shape, err)
	}
}
