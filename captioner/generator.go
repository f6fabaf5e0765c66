package captioner

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/onetomany/caption/captioner/rnn"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
	"github.com/onetomany/caption/vocab"
)

// Generator writes sentences with the weights of a Decoder. It is safe for
// concurrent use.
type Generator struct {
	form  Form
	cell  *rnn.Cell
	gates int // numbers before the activation of a row: G·H

	// The weights by their names. Of the embedding a sentence takes few rows, so it
	// is kept as it is.
	matrices map[string]*matrix
	vectors  map[string][]float32
	embed    weights.Data

	threads int // largest number of goroutines that work on one photo; 0 means 1

	scratch sync.Pool // *scratch
}

// NewGenerator checks and prepares the weights, which must not change while the
// Generator is in use.
func NewGenerator(d *Decoder) (*Generator, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	var p packing.Packer
	g := prepareGenerator(d.Form, d.values(), &p)
	if err := p.Run(); err != nil {
		return nil, fmt.Errorf("captioner: decoder: %w", err)
	}
	return g, nil
}

// values returns the weights of d as prepareGenerator takes them.
func (d *Decoder) values() map[string]weights.Data {
	values := map[string]weights.Data{}
	for name, w := range d.Weights {
		values[name] = weights.Of(w)
	}
	return values
}

// prepareGenerator returns a generator that is ready after p.Run. Matrices of binary16
// numbers are not packed if the processor can multiply with them as they are.
func prepareGenerator(f Form, values map[string]weights.Data, p *packing.Packer) *Generator {
	g := &Generator{form: f, cell: f.Cell.find(), matrices: map[string]*matrix{}, vectors: map[string][]float32{}}
	g.gates = len(g.cell.Gates) * f.H
	for _, q := range f.Params() {
		x, shape := values[q.Name], f.Shape(q)
		switch {
		case q.Lookup:
			g.embed = x
		case len(shape) == 1:
			g.vectors[q.Name] = x.Floats()
		default:
			w := &matrix{n: shape[0], k: shape[1]}
			if b, ok := x.Halves(); ok && matmul.HalfProducts() {
				w.half = matmul.NewHalfMatrix(w.k, w.n, b)
			} else {
				w.packed = p.Filters(w.n, w.k, 1, x, nil)
			}
			g.matrices[q.Name] = w
		}
	}
	g.scratch.New = func() any { return new(scratch) }
	return g
}

// matrix is a weight W [n,k], packed or as the file has it.
type matrix struct {
	packed *matmul.PackedB
	half   *matmul.HalfMatrix
	n, k   int
}

func (w *matrix) product(m int, x, y []float32, e *kernels.Epilogue, team *workers.Team) {
	if w.half != nil {
		w.half.Mul(m, x, w.k, y, w.n, e.Bias, e.Residual != nil, team)
		return
	}
	w.packed.Mul(m, x, w.k, y, w.n, e, team)
}

// mul computes y = x·Wᵀ + bias for the matrix W [n,k] of this name, x [m,k] and
// y [m,n]; bias [n] may be nil.
func (g *Generator) mul(name string, s *scratch, m int, x, y, bias []float32) {
	g.matrices[name].product(m, x, y, &kernels.Epilogue{Bias: bias}, &s.team)
}

// add computes y += x·Wᵀ.
func (g *Generator) add(name string, s *scratch, m int, x, y []float32) {
	w := g.matrices[name]
	w.product(m, x, y, &kernels.Epilogue{Residual: y, LdRes: w.n}, &s.team)
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

// ready checks the arguments of Captions and Batch, and returns opt as the searches
// take it.
func (g *Generator) ready(ctx context.Context, opt *Options) (Options, error) {
	switch {
	case g == nil || g.cell == nil:
		return Options{}, errNotOpen
	case ctx == nil:
		return Options{}, errNoContext
	}
	return opt.checked()
}

// groupSize is the number of photos whose beams share one matrix product in Batch.
const groupSize = 16

// groupOf is groupSize, or less if the logits would take more than 256 MiB. It does
// not depend on the number of workers, and so the results do not either.
func groupOf(o *Options, vocab int) int {
	n := groupSize
	for n > 1 && int64(n)*int64(o.Beam)*int64(vocab) > 1<<26 {
		n /= 2
	}
	return n
}

// Batch writes sentences for many feature vectors, on at most workers goroutines; 0
// means one for each processor, and more are not started. Several photos share each
// product with the weights, so that these are read less often. Result i belongs to
// features[i].
func (g *Generator) Batch(ctx context.Context, features [][]float32, opt *Options, workers int) ([][]Hypothesis, error) {
	o, err := g.ready(ctx, opt)
	if err != nil {
		return nil, err
	}
	size := groupOf(&o, g.form.V)
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

// group runs the searches of several photos step by step together, on at most threads
// goroutines.
func (g *Generator) group(ctx context.Context, features [][]float32, o *Options, threads int) ([][]Hypothesis, error) {
	V := g.form.V
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
	for i := range searches {
		searches[i], live[i] = newSearch(o, V)
		for range live[i] {
			s.next = append(s.next, next{i, vocab.Start, i})
		}
	}
	for len(s.next) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.step(s)

		s.next = s.next[:0]
		row := 0
		for i, n := range live {
			if n == 0 {
				continue
			}
			nx, err := searches[i].advance(s.logits[row*V : (row+n)*V])
			if err != nil {
				return nil, err
			}
			for _, x := range nx {
				s.next = append(s.next, next{row + x.row, x.word, i})
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
	team workers.Team
	next []next // what each row continues; its row is one of h and c

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
	D, E, H, n := g.form.D(), g.form.E, g.form.H, len(features)
	mean, std := g.vectors["feature.mean"], g.vectors["feature.std"]
	s.v = grow(s.v, n*D)
	for i, f := range features {
		if len(f) != D {
			return fmt.Errorf("captioner: %d features given, the decoder takes %d", len(f), D)
		}
		for j, x := range f {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("captioner: feature %d is %v", j, x)
			}
			s.v[i*D+j] = (x - mean[j]) / std[j]
		}
	}
	s.x = grow(s.x, n*E)
	s.img = grow(s.img, n*g.gates)
	g.form.Entry.find().atWords(g, s, n)

	g.mul("image.first.weight", s, n, s.v, s.x, g.vectors["image.first.bias"])
	s.pre = grow(s.pre, n*g.gates)
	g.mul("cell.wx", s, n, s.x, s.pre, g.vectors["cell.b"])
	s.h = grow(s.h, n*H)
	s.c = grow(s.c, n*H)
	clear(s.h)
	clear(s.c)
	g.advance(s, n)
	return nil
}

// step takes the rows of s.next one word further and computes their logits.
func (g *Generator) step(s *scratch) {
	E, H, n := g.form.E, g.form.H, len(s.next)
	s.h, s.h2 = s.h2, s.h
	s.c, s.c2 = s.c2, s.c
	s.h = grow(s.h, n*H)
	s.c = grow(s.c, n*H)
	s.x = grow(s.x, n*E)
	s.pre = grow(s.pre, n*g.gates)
	s.logits = grow(s.logits, n*g.form.V)
	for r, x := range s.next {
		copy(s.h[r*H:(r+1)*H], s.h2[x.row*H:])
		copy(s.c[r*H:(r+1)*H], s.c2[x.row*H:])
		g.embed.Read(s.x[r*E:(r+1)*E], x.word*E)
		copy(s.pre[r*g.gates:(r+1)*g.gates], s.img[x.photo*g.gates:])
	}
	g.add("cell.wx", s, n, s.x, s.pre)
	g.advance(s, n)
	g.mul("out.weight", s, n, s.h, s.logits, g.vectors["out.bias"])
}

// advance takes the states h and c of n rows one step further. On entry s.pre holds
// Wx·x + B and the image's part.
func (g *Generator) advance(s *scratch, n int) {
	H, G := g.form.H, g.gates
	if g.cell.Split {
		s.rec = grow(s.rec, n*G)
		g.mul("cell.wh", s, n, s.h, s.rec, nil)
	} else {
		g.add("cell.wh", s, n, s.h, s.pre)
	}
	for i := range n {
		r := rnn.Row{Pre: s.pre[i*G : (i+1)*G], H: s.h[i*H : (i+1)*H], C: s.c[i*H : (i+1)*H]}
		if g.cell.Split {
			r.Rec = s.rec[i*G : (i+1)*G]
			last := r.Rec[G-H:]
			vmath.Add(last, last, g.vectors["cell.bhn"])
		}
		g.cell.Step(r)
	}
}
