package features

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"iter"
	"runtime"
	"slices"
	"sync"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features/internal/photo"
)

// network is what an Extractor needs of a *cnn.Net.
type network interface {
	Info() cnn.Info
	Run(ctx context.Context, batch cnn.Tensor) (cnn.Tensor, error)
}

// Extractor turns pictures into feature vectors. It is safe for concurrent use.
type Extractor struct {
	net    network
	pre    Preprocessing
	shape  []int     // of one picture's features
	inputs sync.Pool // *[]float32, pictures prepared for the network
}

// NewExtractor pairs a network with its preprocessing.
func NewExtractor(net *cnn.Net, pre Preprocessing) (*Extractor, error) {
	if net == nil {
		return nil, errors.New("features: no network")
	}
	return newExtractor(net, pre)
}

func newExtractor(net network, pre Preprocessing) (*Extractor, error) {
	if err := pre.Validate(); err != nil {
		return nil, err
	}
	info := net.Info()
	if info.Channels != 3 {
		return nil, fmt.Errorf("the CNN takes %d colour channels; 3 are expected", info.Channels)
	}
	if info.Width != pre.Width || info.Height != pre.Height {
		return nil, fmt.Errorf("preprocessing: size %d×%d, but the CNN takes %d×%d", pre.Width, pre.Height, info.Width, info.Height)
	}
	return &Extractor{net: net, pre: pre, shape: slices.Clone(info.FeatureShape)}, nil
}

// Preprocessing is how x prepares a picture.
func (x *Extractor) Preprocessing() Preprocessing {
	if x == nil {
		return Preprocessing{}
	}
	return x.pre
}

// Shape is the shape of one picture's features: [D], or [H,W,C] for a map.
func (x *Extractor) Shape() []int {
	if x == nil {
		return nil
	}
	return slices.Clone(x.shape)
}

// Read returns the features of the photo in r, the same as Stream yields. A
// large JPEG is decoded no larger than it needs to be, which is several times
// faster than Decode and Image. lim may be nil.
func (x *Extractor) Read(ctx context.Context, r io.Reader, lim *Limits) ([]float32, error) {
	return x.prepared(ctx, func(dst []float32) error {
		return x.pre.read(ctx, dst, r, lim.withDefaults(), photo.Budget{})
	})
}

// Prepared returns the features of one picture that Preprocessing.Read or
// Preprocessing.Tensor prepared.
func (x *Extractor) Prepared(ctx context.Context, picture []float32) ([]float32, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	if len(picture) != x.pre.Size() {
		return nil, fmt.Errorf("a prepared picture of %d numbers; the CNN takes %d", len(picture), x.pre.Size())
	}
	return x.one(ctx, picture)
}

// Image returns the features of one picture, within the default Limits of sides
// and pixels.
func (x *Extractor) Image(ctx context.Context, img image.Image) ([]float32, error) {
	return x.prepared(ctx, func(dst []float32) error { return x.pre.image(ctx, dst, img) })
}

// prepared returns the features of the picture that prepare puts into its argument.
func (x *Extractor) prepared(ctx context.Context, prepare func([]float32) error) ([]float32, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	in := x.input(1)
	defer x.inputs.Put(in)
	if err := prepare(*in); err != nil {
		return nil, err
	}
	return x.one(ctx, *in)
}

// one computes the features of one prepared picture.
func (x *Extractor) one(ctx context.Context, data []float32) ([]float32, error) {
	rows, err := x.run(ctx, data, 1)
	switch {
	case err != nil:
		return nil, err
	case !finite(rows[0]):
		return nil, errNotFinite
	}
	return rows[0], nil
}

var (
	errNoContext = errors.New("the context is nil; give context.Background()")
	errZero      = errors.New("features: an Extractor that NewExtractor did not make")
)

// usable checks the receiver and the context of a method.
func (x *Extractor) usable(ctx context.Context) error {
	switch {
	case x == nil || x.net == nil:
		return errZero
	case ctx == nil:
		return errNoContext
	}
	return nil
}

var errNotFinite = errors.New("the CNN gave a value that is not a finite number; is the model damaged, or made for another preprocessing?")

// input is scratch memory for n prepared pictures.
func (x *Extractor) input(n int) *[]float32 {
	p, _ := x.inputs.Get().(*[]float32)
	if p == nil {
		p = new([]float32)
	}
	*p = slices.Grow((*p)[:0], n*x.pre.Size())[:n*x.pre.Size()]
	return p
}

// run computes the features of the n prepared pictures in data.
func (x *Extractor) run(ctx context.Context, data []float32, n int) ([][]float32, error) {
	out, err := x.net.Run(ctx, cnn.Tensor{Shape: []int{n, 3, x.pre.Height, x.pre.Width}, Data: data[:n*x.pre.Size()]})
	if err != nil {
		return nil, err
	}
	d := product(x.shape)
	if len(out.Data) != n*d {
		return nil, fmt.Errorf("the CNN gave %d values for %d pictures; %v each is expected", len(out.Data), n, x.shape)
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = out.Data[i*d : (i+1)*d : (i+1)*d]
	}
	return rows, nil
}

// Result is the outcome for one Source.
type Result struct {
	Name     string
	Features []float32 // Extractor.Shape(), row-major; nil if Err is not
	Err      error     // why this photo failed, without its name
}

// StreamOptions configures Stream. The zero value, and a nil pointer, mean the
// defaults. Results do not depend on Jobs and Batch.
type StreamOptions struct {
	// Jobs is the number of photos (or batches) worked on at the same time.
	// 0 means runtime.GOMAXPROCS; more than 1,024 count as 1,024.
	Jobs int

	// Batch is the number of pictures that go through the network together.
	// 0 means 1; more than 1,024 count as 1,024.
	Batch int

	// Limits of each photo. Their MaxMemory holds for all photos that are read
	// and decoded at any time together, over all Jobs. nil means the defaults.
	Limits *Limits
}

// maxJobs and maxBatch bound Jobs and Batch, whose goroutines and memory are
// allocated before the first photo is read.
const (
	maxJobs  = 1 << 10
	maxBatch = 1 << 10
)

// Stream computes the features of many photos. It yields one Result for each
// source, in the order of the sources. Sources are drawn as they are needed,
// in the goroutine that ranges over the results; a few more than the results
// seen so far. When ctx is done the sequence ends early, without results for
// the photos at work: ask ctx.Err() after the loop. No goroutine outlives it,
// except one whose Read of a pipe or terminal never returns.
//
// Decoding and the network run in Jobs goroutines, each of which takes a batch
// from file to features, so all cores stay busy with cnn.Options.Threads at 1.
func (x *Extractor) Stream(ctx context.Context, sources iter.Seq[Source], opt *StreamOptions) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		if sources == nil {
			return
		}
		if err := x.usable(ctx); err != nil {
			for src := range sources {
				if !yield(Result{Name: src.Name, Err: err}) {
					return
				}
			}
			return
		}
		s := newStream(ctx, x, opt)
		defer s.stop()
		next, done := iter.Pull(sources)
		defer done()
		s.run(next, yield)
	}
}

// stream is one run of Extractor.Stream.
type stream struct {
	x      *Extractor
	ctx    context.Context
	cancel context.CancelFunc
	jobs   int
	batch  int
	limits photo.Limits
	budget photo.Budget
	work   chan *chunk
	wg     sync.WaitGroup
}

// chunk is a batch on its way: sources in, results out.
type chunk struct {
	sources []Source
	results []Result
	done    chan struct{} // closed when the results are there
}

func newStream(ctx context.Context, x *Extractor, opt *StreamOptions) *stream {
	if opt == nil {
		opt = new(StreamOptions)
	}
	s := &stream{x: x, jobs: opt.Jobs, batch: min(max(1, opt.Batch), maxBatch), limits: opt.Limits.withDefaults()}
	if s.jobs <= 0 {
		s.jobs = runtime.GOMAXPROCS(0)
	}
	s.jobs = min(s.jobs, maxJobs)
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.budget = photo.NewBudget(s.limits)
	s.work = make(chan *chunk, s.window())
	for range s.jobs {
		s.wg.Go(func() {
			for c := range s.work {
				s.process(c)
				close(c.done)
			}
		})
	}
	return s
}

// window is the number of chunks between the sources and the consumer: one at
// work and one ready for each job.
func (s *stream) window() int { return 2 * s.jobs }

func (s *stream) stop() {
	s.cancel()
	close(s.work)
	s.wg.Wait()
}

// run feeds the workers and yields in order.
func (s *stream) run(next func() (Source, bool), yield func(Result) bool) {
	var queue []*chunk
	more := true
	for {
		for more && len(queue) < s.window() {
			c := &chunk{done: make(chan struct{})}
			for len(c.sources) < s.batch {
				var src Source
				if src, more = next(); !more {
					break
				}
				c.sources = append(c.sources, src)
			}
			if len(c.sources) > 0 {
				queue = append(queue, c)
				s.work <- c // never blocks: the window fits
			}
		}
		if len(queue) == 0 {
			return
		}
		c := queue[0]
		queue = queue[1:]
		<-c.done
		if s.ctx.Err() != nil {
			return
		}
		for _, r := range c.results {
			if !yield(r) {
				return
			}
		}
	}
}

// process decodes the photos of a chunk and runs the network on those that
// could be read.
func (s *stream) process(c *chunk) {
	x := s.x
	in := x.input(len(c.sources))
	defer x.inputs.Put(in)
	c.results = make([]Result, len(c.sources))
	var good []int // indices of the prepared photos
	for i, src := range c.sources {
		if s.ctx.Err() != nil {
			return
		}
		c.results[i].Name = src.Name
		dst := (*in)[len(good)*x.pre.Size():][:x.pre.Size()]
		if err := s.prepare(src, dst); err != nil {
			c.results[i].Err = err
		} else {
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return
	}
	rows, err := x.run(s.ctx, *in, len(good))
	for j, i := range good {
		switch {
		case err != nil:
			c.results[i].Err = err
		case !finite(rows[j]):
			c.results[i].Err = errNotFinite
		default:
			c.results[i].Features = rows[j]
		}
	}
}

// prepare reads and decodes a photo into dst.
func (s *stream) prepare(src Source, dst []float32) (err error) {
	defer photo.Rescue(&err, "opening the photo")
	if src.Open == nil {
		return photo.ErrNoReader
	}
	r, err := src.Open()
	switch {
	case err != nil:
		return err
	case r == nil:
		return photo.ErrNoReader
	}
	defer r.Close()
	return s.x.pre.read(s.ctx, dst, r, s.limits, s.budget)
}
