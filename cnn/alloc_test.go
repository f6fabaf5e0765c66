//go:build !race

// Under the race detector sync.Pool drops values at random.

package cnn

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
)

// allocations returns how many allocations ten calls of f make, or want, once it
// has been called often enough: it may be that only the fifth run has two
// goroutines at work at a time, and each core keeps the remains of goroutines for
// new ones only after some.
func allocations(want uint64, f func()) uint64 {
	mallocs := want + 1
	for i := 0; mallocs > want && i < 40; i++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			f()
		}
		runtime.ReadMemStats(&after)
		mallocs = after.Mallocs - before.Mallocs
	}
	return mallocs
}

// TestAllocations checks that RunInto allocates nothing, for one picture and for
// several, on one thread and on two, in both precisions, and Run the result only.
func TestAllocations(t *testing.T) {
	ctx := context.Background()
	anyMachine(t, "plain Go")
	for _, name := range mini(t) {
		for _, opt := range []Options{{Threads: 1}, {Threads: 2}, {Threads: 2, Precision: BF16}} {
			net := openMini(t, name, &opt)
			threads := fmt.Sprint(opt.Precision, ", ", opt.Threads)
			for _, pictures := range []int{1, 3, 8} {
				x := picture(pictures, 24, 24)
				y := run(t, net, x)
				if n := allocations(0, func() {
					if err := net.RunInto(ctx, y, x); err != nil {
						t.Fatal(err)
					}
				}); n != 0 {
					t.Errorf("%s, %s threads, %d pictures: %d allocations in 10 runs", name, threads, pictures, n)
				}
				if n := allocations(20, func() {
					if _, err := net.Run(ctx, x); err != nil {
						t.Fatal(err)
					}
				}); n > 20 {
					t.Errorf("%s, %s threads, %d pictures: %d allocations in 10 runs that make a tensor", name, threads, pictures, n)
				}
			}
		}
	}
}

// TestBuffersStay checks that the buffers of a run, most of its memory, are there
// for the next one after garbage collections.
func TestBuffersStay(t *testing.T) {
	net, err := Open(shared(t, "default-cnn/efficientnet-lite0.onnx"), nil)
	if err != nil {
		t.Fatal(err)
	}
	x := picture(1, net.Info().Height, net.Info().Width)
	y := run(t, net, x)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		runtime.GC()
		runtime.GC()
		if err := net.RunInto(context.Background(), y, x); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 5*uint64(net.Info().PeakBytes) {
		t.Errorf("%d bytes allocated in 10 runs with buffers of %d", n, net.Info().PeakBytes)
	}
}

// TestPeakBytes compares what Info says with what the first run allocates.
func TestPeakBytes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, name := range []string{"default-cnn/efficientnet-lite0", "default-cnn/efficientnet-lite2", "models/mobilenetv2", "models/squeezenet1.1"} {
		net, err := Open(shared(t, name+".onnx"), nil)
		if err != nil {
			t.Fatal(err)
		}
		x := picture(1, net.Info().Height, net.Info().Width)
		// What other runs have left is given up.
		for range 3 {
			runtime.GC()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := net.Run(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		got, want := float64(after.TotalAlloc-before.TotalAlloc), float64(net.Info().PeakBytes)
		// Large buffers have up to 2 MiB beside them that are never touched.
		if got < 0.8*want || got > 1.2*want+2<<20 {
			t.Errorf("%s: the first run allocates %.0f bytes; PeakBytes is %.0f", name, got, want)
		}
	}
}
