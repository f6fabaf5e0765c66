package captioner

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
)

// TestManyGoroutines holds that 64 goroutines with one Captioner write the same
// captions as one, with every strategy, bit for bit.
func TestManyGoroutines(t *testing.T) {
	c, err := OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	const goroutines, pictures = 64, 8
	options := []*Options{nil, with(Options{Beam: 1}), with(Options{Num: 5}), with(Options{Sample: true, Num: 3, TopK: -1, TopP: 0.9, Seed: 3})}
	run := func(i int) ([]Caption, error) {
		return c.CaptionImage(context.Background(), picture(uint64(i%pictures)), options[i%len(options)])
	}
	var want [goroutines][]Caption
	for i := range want {
		if want[i], err = run(i); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, goroutines)
	for i := range goroutines {
		wg.Go(func() {
			for j := range goroutines / 4 {
				k := (i + j) % goroutines
				got, err := run(k)
				if err != nil {
					errs[i] = err
				} else if !reflect.DeepEqual(got, want[k]) {
					errs[i] = fmt.Errorf("picture %d: %v, alone %v", k%pictures, got, want[k])
				}
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("goroutine %d: %v", i, err)
		}
	}
}

// TestCaptionBatch holds that a batch gives what single calls give.
func TestCaptionBatch(t *testing.T) {
	c, err := OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	var f [][]float32
	var want [][]Caption
	for i := range uint64(40) {
		x, err := c.Extractor().Image(context.Background(), picture(i))
		if err != nil {
			t.Fatal(err)
		}
		caps, err := c.CaptionFeatures(context.Background(), x, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, want = append(f, x), append(want, caps)
	}
	for _, workers := range []int{0, 1, 3} {
		got, err := c.CaptionBatch(context.Background(), f, nil, workers)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers: other captions than one at a time", workers)
		}
	}
}
