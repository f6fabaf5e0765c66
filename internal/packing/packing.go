// Package packing brings weights into the form that the kernels take: read where
// they lie, widened and scaled on the way, on all processors, into memory that is
// allocated once.
package packing

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/onetomany/caption/internal/hugepage"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/mmap"
	"github.com/onetomany/caption/internal/weights"
)

// A Packer collects what is to be packed; Run packs it, on all processors. The zero
// value is ready for use.
type Packer struct {
	size  int // floats, of all that is asked for
	apart int // bytes that tasks allocate
	asked []memory
	tasks []func(*weights.Scratch)
	ones  []float32
}

// A memory is n floats to be allocated, and who gets them.
type memory struct {
	n    int
	take func([]float32)
}

// taskSize is how many numbers are packed in one go, about.
const taskSize = 1 << 16

// Filters returns the matrix of a convolution's filters w, [n][c][taps], as
// matmul.PackedB.Conv takes it, with filter j times scale[j] unless scale is
// nil. With one tap that is the transpose of w. It is filled by Run.
func (p *Packer) Filters(n, c, taps int, w weights.Data, scale []float32) *matmul.PackedB {
	b := matmul.NewPackedB(c*taps, n)
	p.filters(b, n, c*taps, w, scale, func(j int, w, scale []float32) { b.SetFilters(j, w, c, taps, scale) })
	return b
}

// Winograd returns the filters w of a convolution with 3×3 taps, [n][c][3][3], as
// winograd.Filters.Conv takes them, filter j times scale[j] unless scale is nil.
// Tiles have the given rows. They are transformed by Run.
func (p *Packer) Winograd(rows, n, c int, w weights.Data, scale []float32) *winograd.Filters {
	b := winograd.New(rows, c, n)
	p.filters(b, n, c*9, w, scale, b.SetFilters)
	return b
}

// filters has b filled by set, with n filters of k numbers.
func (p *Packer) filters(b interface {
	Size() int
	SetMemory([]float32)
	PanelWidth() int
}, n, k int, w weights.Data, scale []float32, set func(j int, w, scale []float32)) {
	scale = p.factors(n, scale)
	p.ask(b.Size(), b.SetMemory)
	step := b.PanelWidth() * max(1, taskSize/max(1, k*b.PanelWidth()))
	for j := 0; j < n; j += step {
		end := min(j+step, n)
		p.tasks = append(p.tasks, func(s *weights.Scratch) { set(j, w.View(j*k, end*k, s), scale[j:end]) })
	}
}

// Rows returns the matrix w, [k][n], with column j times scale[j] unless scale is
// nil. It is filled by Run.
func (p *Packer) Rows(k, n int, w weights.Data, scale []float32) *matmul.PackedB {
	scale = p.factors(n, scale)
	b := matmul.NewPackedB(k, n)
	p.ask(b.Size(), b.SetMemory)
	step := max(1, taskSize/max(1, n))
	for l := 0; l < k; l += step {
		end := min(l+step, k)
		p.tasks = append(p.tasks, func(s *weights.Scratch) { b.SetRows(l, w.View(l*n, end*n, s), scale) })
	}
	return b
}

// factors returns scale, or n ones.
func (p *Packer) factors(n int, scale []float32) []float32 {
	if scale != nil {
		return scale[:n]
	}
	for len(p.ones) < n {
		p.ones = append(p.ones, 1)
	}
	return p.ones[:n]
}

// Floats makes Run set *dst to n zeros before any task.
func (p *Packer) Floats(dst *[]float32, n int) {
	p.ask(n, func(f []float32) { *dst = f })
}

func (p *Packer) ask(n int, take func([]float32)) {
	p.asked = append(p.asked, memory{n, take})
	p.size += aligned(n)
}

// aligned rounds n floats up to whole cache lines.
func aligned(n int) int { return (n + 15) &^ 15 }

// Do adds a task to Run, with scratch for one View.
func (p *Packer) Do(task func(*weights.Scratch)) { p.tasks = append(p.tasks, task) }

// Apart counts n bytes that tasks allocate themselves and that stay.
func (p *Packer) Apart(n int) { p.apart += n }

// Bytes returns how many bytes stay of what has been asked for so far.
func (p *Packer) Bytes() int64 { return 4*int64(p.size) + int64(p.apart) }

// Run packs everything. The error is one of reading, where a file that is mapped
// into memory ends too early, or what a task panics with.
func (p *Packer) Run() error {
	rest := hugepage.Floats(p.size)
	for _, m := range p.asked {
		m.take(rest[:m.n:m.n])
		rest = rest[aligned(m.n):]
	}
	workers := min(runtime.GOMAXPROCS(0), len(p.tasks))
	errs := make([]error, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = p.work(&next) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// work runs tasks until none is left.
func (p *Packer) work(next *atomic.Int64) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("packing weights: %v", r)
		}
	}()
	return mmap.Guard(func() error {
		var scratch weights.Scratch
		for {
			i := int(next.Add(1)) - 1
			if i >= len(p.tasks) {
				return nil
			}
			p.tasks[i](&scratch)
		}
	})
}
