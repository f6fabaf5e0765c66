package captioner

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/workers"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
	"github.com/onetomany/caption/vocab"
)

// Generator writes sentences with the weights of a Decoder. It is safe for
// concurrent use.
type Generator struct {
	d     Decoder // without the matrices
	gates int     // rows of Wx and Wh: G·H

	first, every, wx, wh, out *matrix
	embed                     weights.Data

	threads int // goroutines that work on one photo, at most; 0 counts as 1

	scratch sync.Pool // *scratch
}

// NewGenerator checks and prepares the weights, which must not change while the
// Generator is in use.
func NewGenerator(d *Decoder) (*Generator, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	var p packing.Packer
	g := prepareGenerator(d, d.matrices(), &p)
	if err := p.Run(); err != nil {
		return nil, fmt.Errorf("captioner: decoder: %w", err)
	}
	return g, nil
}

// prepareGenerator returns a generator that is ready after p.Run. It keeps
// m.embed, of which a sentence takes few rows, and matrices of binary16 numbers
// where the processor can multiply with them as they are.
func prepareGenerator(d *Decoder, m *matrices, p *packing.Packer) *Generator {
	n := d.Cell.gates() * d.H
	pack := func(n, k int, w weights.Data) *matrix {
		if b, ok := w.Halves(); ok && matmul.HalfProducts() {
			return &matrix{half: matmul.NewHalfMatrix(k, n, b)}
		}
		return &matrix{packed: p.Filters(n, k, 1, w, nil)}
	}
	g := &Generator{d: *d, gates: n, embed: m.embed}
	g.first = pack(d.E, d.D, m.first)
	g.wx = pack(n, d.E, m.wx)
	g.wh = pack(n, d.H, m.wh)
	g.out = pack(d.V, d.H, m.out)
	if d.Entry == Every {
		g.every = pack(d.E, d.D, m.every)
	}
	// Packed they are; who opened the model need not keep them twice.
	g.d.FirstW, g.d.EveryW, g.d.Embed, g.d.Wx, g.d.Wh, g.d.OutW = nil, nil, nil, nil, nil, nil
	g.scratch.New = func() any { return new(scratch) }
	return g
}

// matrix is a weight W [n,k] as a map from k to n numbers: packed, or as the file
// has it.
type matrix struct {
	packed *matmul.PackedB
	half   *matmul.HalfMatrix
}

// mul computes y = x·Wᵀ + bias for x [m,k] and y [m,n]; bias [n] may be nil.
func (w *matrix) mul(s *scratch, m int, x, y, bias []float32) {
	if w.half != nil {
		w.half.Mul(m, x, w.half.K(), y, w.half.N(), bias, false, &s.team)
		return
	}
	w.packed.Mul(m, x, w.packed.K(), y, w.packed.N(), &kernels.Epilogue{Bias: bias}, &s.team)
}

// add computes y += x·Wᵀ.
func (w *matrix) add(s *scratch, m int, x, y []float32) {
	if w.half != nil {
		w.half.Mul(m, x, w.half.K(), y, w.half.N(), nil, true, &s.team)
		return
	}
	n := w.packed.N()
	w.packed.Mul(m, x, w.packed.K(), y, n, &kernels.Epilogue{Residual: y, LdRes: n}, &s.team)
}

// Captions writes sentences for one feature vector of length D.
func (g *Generator) Captions(ctx context.Context, features []float32, opt *Options) ([]Hypothesis, error) {
	o, err := g.ready(ctx, opt)
	if err != nil {
		return nil, err
	}
	out, err := g.group(ctx, [][]float32{features}, &o, g.threads)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// ready checks what Captions and Batch are called with, and returns opt with its
// defaults.
func (g *Generator) ready(ctx context.Context, opt *Options) (Options, error) {
	switch {
	case g == nil || g.first == nil:
		return Options{}, errNotOpen
	case ctx == nil:
		return Options{}, errNoContext
	}
	return opt.withDefaults()
}

// groupSize is the number of photos whose beams share one matrix product in Batch.
const groupSize = 16

// groupOf is groupSize, or less where the logits would take more than 256 MiB. It does
// not depend on the number of workers, so that results do not either.
func groupOf(o *Options, vocab int) int {
	n := groupSize
	for n > 1 && int64(n)*int64(o.Beam)*int64(vocab) > 1<<26 {
		n /= 2
	}
	return n
}

// Batch writes sentences for many feature vectors, several at a time so that
// the weights are read less often, on at most workers goroutines (0 means one a
// processor, and more than that are not started). Result i belongs to features[i].
func (g *Generator) Batch(ctx context.Context, features [][]float32, opt *Options, workers int) ([][]Hypothesis, error) {
	o, err := g.ready(ctx, opt)
	if err != nil {
		return nil, err
	}
	size := groupOf(&o, g.d.V)
	if procs := runtime.GOMAXPROCS(0); workers <= 0 || workers > procs {
		workers = procs
	}
	out := make([][]Hypothesis, len(features))
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(workers)
	for i := 0; i < len(features); i += size {
		eg.Go(func() error {
			n := min(size, len(features)-i)
			h, err := g.group(ctx, features[i:i+n], &o, 1)
			copy(out[i:], h)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// next says how a branch goes on: it takes the state of row, one of the rows
// whose logits its search has just seen, and its next input is word.
type next struct{ row, word int }

// search chooses the sentences of one photo.
type search interface {
	// start returns the number of branches that begin with <start>.
	start() int
	// advance takes the logits of the live branches, one row of length V
	// each, which it may change, and returns the branches of the next step;
	// none at the end. It keeps nothing of logits.
	advance(logits []float32) ([]next, error)
	// captions returns the sentences after the last step.
	captions() []Hypothesis
}

// group runs the searches of several photos in step, on up to threads goroutines.
func (g *Generator) group(ctx context.Context, features [][]float32, o *Options, threads int) ([][]Hypothesis, error) {
	d := &g.d
	s := g.scratch.Get().(*scratch)
	defer g.scratch.Put(s)
	s.team.Start(threads)
	defer s.team.Stop()

	if err := g.image(s, features); err != nil {
		return nil, err
	}
	searches := make([]search, len(features))
	live := make([]int, len(features)) // branches of each photo
	s.next = s.next[:0]
	s.owner = s.owner[:0]
	for i := range searches {
		searches[i] = newSearch(o, d.V)
		live[i] = searches[i].start()
		for range live[i] {
			s.next = append(s.next, next{i, vocab.Start})
			s.owner = append(s.owner, i)
		}
	}
	for len(s.next) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.step(s)

		s.next = s.next[:0]
		s.owner = s.owner[:0]
		row := 0
		for i, n := range live {
			if n == 0 {
				continue
			}
			nx, err := searches[i].advance(s.logits[row*d.V : (row+n)*d.V])
			if err != nil {
				return nil, err
			}
			for _, x := range nx {
				s.next = append(s.next, next{row + x.row, x.word})
				s.owner = append(s.owner, i)
			}
			row += n
			live[i] = len(nx)
		}
	}
	out := make([][]Hypothesis, len(searches))
	for i, x := range searches {
		out[i] = x.captions()
	}
	return out, nil
}

// scratch is the memory of one run. The number of rows is len(next).
type scratch struct {
	team  workers.Team
	next  []next // what each row continues, an index into h and c
	owner []int  // photo of each row

	img    []float32 // [photos, G·H]: what the image adds to the gates, with B
	v, x   []float32 // [rows, D], [rows, E]: inputs
	pre    []float32 // [rows, G·H]: gates before activation
	rec    []float32 // [rows, G·H]: the recurrent part of pre, for GRU
	h, c   []float32 // [rows, H]: states
	h2, c2 []float32 // [rows, H]: states of the step before
	logits []float32 // [rows, V]
}

// grow returns s with length n, its contents undefined.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n, n+n/2)
	}
	return s[:n]
}

// image standardises the features and computes what each photo contributes: the
// state after x₀ in h and c, and img.
func (g *Generator) image(s *scratch, features [][]float32) error {
	d, n := &g.d, len(features)
	s.v = grow(s.v, n*d.D)
	for i, f := range features {
		if len(f) != d.D {
			return fmt.Errorf("captioner: %d features given, the decoder takes %d", len(f), d.D)
		}
		for j, x := range f {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("captioner: feature %d is %v", j, x)
			}
			s.v[i*d.D+j] = (x - d.Mean[j]) / d.Std[j]
		}
	}
	s.x = grow(s.x, n*d.E)
	s.img = grow(s.img, n*g.gates)
	if d.Entry == Every {
		g.every.mul(s, n, s.v, s.x, d.EveryB)
		g.wx.mul(s, n, s.x, s.img, d.B)
	} else {
		for i := range n {
			copy(s.img[i*g.gates:], d.B)
		}
	}

	g.first.mul(s, n, s.v, s.x, d.FirstB)
	s.pre = grow(s.pre, n*g.gates)
	g.wx.mul(s, n, s.x, s.pre, d.B)
	s.h = grow(s.h, n*d.H)
	s.c = grow(s.c, n*d.H)
	clear(s.h)
	clear(s.c)
	g.cell(s, n)
	return nil
}

// step takes the rows of s.next one word further and computes their logits.
func (g *Generator) step(s *scratch) {
	d, n := &g.d, len(s.next)
	s.h, s.h2 = s.h2, s.h
	s.c, s.c2 = s.c2, s.c
	s.h = grow(s.h, n*d.H)
	s.c = grow(s.c, n*d.H)
	s.x = grow(s.x, n*d.E)
	s.pre = grow(s.pre, n*g.gates)
	s.logits = grow(s.logits, n*d.V)
	for r, x := range s.next {
		copy(s.h[r*d.H:(r+1)*d.H], s.h2[x.row*d.H:])
		copy(s.c[r*d.H:(r+1)*d.H], s.c2[x.row*d.H:])
		g.embed.Read(s.x[r*d.E:(r+1)*d.E], x.word*d.E)
		copy(s.pre[r*g.gates:(r+1)*g.gates], s.img[s.owner[r]*g.gates:])
	}
	g.wx.add(s, n, s.x, s.pre)
	g.cell(s, n)
	g.out.mul(s, n, s.h, s.logits, d.OutB)
}
