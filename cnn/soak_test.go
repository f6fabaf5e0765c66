package cnn

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSoak checks that memory stays flat: 8 goroutines share one network for as
// many runs as CNN_SOAK says, of one to three pictures, every tenth of them
// cancelled, and the mean of the process's memory over the first and the last
// tenth of the runs, after a fifth more to begin with, must be within 2 %.
// CNN_MODEL names another model than a small one.
//
//	CNN_SOAK=200000 go test -run Soak -v ./cnn
func TestSoak(t *testing.T) {
	total, err := strconv.ParseInt(os.Getenv("CNN_SOAK"), 10, 64)
	if err != nil {
		t.Skip("set CNN_SOAK to a number of runs, say 200000")
	}
	net := openMini(t, "efficientnet-ts", &Options{Threads: 2})
	if path := os.Getenv("CNN_MODEL"); path != "" {
		if net, err = Open(path, &Options{Threads: 2}); err != nil {
			t.Fatal(err)
		}
	}
	i := net.Info()
	x := picture(3, i.Height, i.Width)
	want := run(t, net, x)
	var parts [3]Tensor // of one to three pictures
	for n := range parts {
		parts[n] = Tensor{Shape: []int{n + 1, 3, i.Height, i.Width}, Data: x.Data[:(n+1)*len(x.Data)/3]}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	// The test allocates nothing itself while it runs.
	const samples = 200
	var resident, heap [samples]float64
	var next, most atomic.Int64
	next.Store(-total / 5) // the runtime has its own tables to grow
	var wg sync.WaitGroup
	before := int64(runtime.NumGoroutine())
	for range 8 {
		wg.Go(func() {
			gauge, err := newGauge()
			if err != nil {
				t.Error(err)
				return
			}
			defer gauge.close()
			dst := make([]float32, len(want))
			for r := next.Add(1) - 1; r < total; r = next.Add(1) - 1 {
				if at := r * samples / total; r == 0 || r > 0 && at != (r-1)*samples/total {
					resident[at], heap[at] = gauge.read()
					most.Store(max(most.Load(), int64(runtime.NumGoroutine())))
				}
				n := int(r+total) % 3
				got := dst[:(n+1)*len(want)/3]
				ctx := context.Background()
				if (r+total)%10 == 9 {
					ctx = cancelled
				}
				err := net.RunInto(ctx, got, parts[n])
				if err != ctx.Err() || err == nil && !slices.Equal(got, want[:len(got)]) {
					t.Errorf("run %d: another result (%v)", r, err)
				}
			}
		})
	}
	wg.Wait()
	for name, s := range map[string][]float64{"resident": resident[:], "heap in use": heap[:]} {
		first, last := mean(s[:samples/10]), mean(s[samples-samples/10:])
		t.Logf("%s: %.2f MB in the first tenth of %d runs, %.2f MB in the last", name, first/1e6, total, last/1e6)
		if first > 0 && math.Abs(last/first-1) > 0.02 {
			t.Errorf("%s: not flat: %.0f kB", name, scaled(s, 1e-3))
		}
	}
	// Each of the eight has one helper.
	if n := most.Load(); n > before+2*8 {
		t.Errorf("%d goroutines at a time, %d before", n, before)
	}
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

func scaled(x []float64, f float64) []float64 {
	y := slices.Clone(x)
	for i := range y {
		y[i] *= f
	}
	return y
}

// A gauge reads how much memory the process has, without allocating any.
type gauge struct {
	statm *os.File // nil where there is none
	text  [128]byte
	stats runtime.MemStats
}

func newGauge() (*gauge, error) {
	f, err := os.Open("/proc/self/statm")
	if errors.Is(err, fs.ErrNotExist) {
		return new(gauge), nil
	}
	return &gauge{statm: f}, err
}

func (g *gauge) close() {
	if g.statm != nil {
		g.statm.Close()
	}
}

// read returns the bytes that are resident, 0 where there is no telling, and
// those of the heap in use.
func (g *gauge) read() (resident, heap float64) {
	if g.statm != nil {
		n, _ := g.statm.ReadAt(g.text[:], 0)
		field, pages := 0, 0
		for _, c := range g.text[:n] {
			switch {
			case c == ' ':
				field++
			case field == 1:
				pages = 10*pages + int(c-'0')
			}
		}
		resident = float64(pages * os.Getpagesize())
	}
	runtime.ReadMemStats(&g.stats)
	return resident, float64(g.stats.HeapInuse)
}
