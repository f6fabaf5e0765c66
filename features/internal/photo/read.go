package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/onetomany/caption/internal/checkedio"
)

// Budget is the memory that the photos at work may take together. Files and pixels are
// counted separately: whoever holds pixels has its file already, so nobody waits for
// somebody who waits. The zero value has no limit.
type Budget struct{ files, pixels *semaphore.Weighted }

// NewBudget returns the budget of l.Memory.
func NewBudget(l Limits) Budget {
	return Budget{semaphore.NewWeighted(l.files()), semaphore.NewWeighted(l.Decoding())}
}

// acquire waits for n bytes of a part of a budget.
func acquire(ctx context.Context, part *semaphore.Weighted, n int64) (release func(), err error) {
	if part == nil || n == 0 {
		return func() {}, nil
	}
	if err := part.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { part.Release(n) }, nil
}

// ErrNoReader says that there is nothing to read a photo from.
var ErrNoReader = errors.New("no reader to read a photo from: it is nil")

// buffers are what regular files are read into, used again as decoders are.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read reads a whole photo, at most l.bytes(), which are drawn from b until
// release is called; then data may be another photo's.
func read(ctx context.Context, r io.Reader, l Limits, b Budget) (data []byte, release func(), err error) {
	// Only these are taken for regular files: a Read of anything else may block
	// for ever, whatever its Stat says.
	if f, ok := r.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			return readFile(ctx, f, fi.Size(), l.bytes(), b)
		}
	}
	// A Read of a pipe or a terminal may block for ever; ctx must end it. The first
	// bytes are not counted, so that blocked readers do not keep memory from
	// others; beyond these, one reader goes on at a time.
	const uncounted = 1 << 20
	type loaded struct {
		data    []byte
		release func()
	}
	out, err := interruptible(ctx, "reading the photo", func() (loaded, error) {
		limit := l.bytes()
		data, err := readTo(ctx, r, min(limit, uncounted), new(bytes.Buffer), 0)
		if !errors.Is(err, ErrTooLarge) || limit <= uncounted {
			return loaded{data, func() {}}, err
		}
		release, err := acquire(ctx, b.files, limit)
		if err != nil {
			return loaded{}, err
		}
		data, err = readTo(ctx, io.MultiReader(bytes.NewReader(data), r), limit, new(bytes.Buffer), 2*uncounted)
		if err != nil {
			release()
		}
		return loaded{data, release}, err
	})
	return out.data, out.release, err
}

// interruptible calls f on a goroutine of its own, and leaves it behind if ctx ends
// before f does. What names it where f panics.
func interruptible[T any](ctx context.Context, what string, f func() (T, error)) (v T, err error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		defer Rescue(&r.err, what)
		r.v, r.err = f()
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// readFile reads a regular file.
func readFile(ctx context.Context, f *os.File, size, limit int64, b Budget) ([]byte, func(), error) {
	if size > limit {
		return nil, nil, tooManyBytes(size, limit)
	}
	release, err := acquire(ctx, b.files, size)
	if err != nil {
		return nil, nil, err
	}
	buf := buffers.Get().(*bytes.Buffer)
	if int64(buf.Cap()) > 2*size+1<<20 { // more than was drawn
		buf = new(bytes.Buffer)
	}
	done := func() {
		// A decoder that was left behind may still look at the photo.
		if ctx.Err() == nil && buf.Cap() < keepMemory {
			buffers.Put(buf)
		}
		release()
	}
	data, err := readTo(ctx, f, limit, buf, size)
	if err != nil {
		done()
		return nil, nil, err
	}
	return data, done, nil
}

// readTo reads at most limit bytes; about size are expected. With ErrTooLarge it
// returns what it has read.
func readTo(ctx context.Context, r io.Reader, limit int64, buf *bytes.Buffer, size int64) ([]byte, error) {
	buf.Reset()
	buf.Grow(int(size) + bytes.MinRead) // ReadFrom wants spare room to see the end
	n, err := buf.ReadFrom(io.LimitReader(careful{ctx, checkedio.Reader(r)}, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return buf.Bytes(), tooManyBytes(n, limit)
	}
	return buf.Bytes(), nil
}

func tooManyBytes(n, limit int64) error {
	return fmt.Errorf("%w: %d bytes or more, above the limit of %d; make it smaller", ErrTooLarge, n, limit)
}

// careful guards against a reader that panics, and stops between two reads when its
// context is done.
type careful struct {
	ctx context.Context
	io.Reader
}

func (c careful) Read(p []byte) (n int, err error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	defer Rescue(&err, "reading the photo")
	return c.Reader.Read(p)
}

// Rescue turns a panic of what a caller gave into an error: it may come in a
// goroutine of ours, where nobody else could recover.
func Rescue(err *error, what string) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: panic: %v", what, r)
	}
}

// input gives a photo in memory to a decoder, a little at a time and only as
// long as ctx lasts, so that decoding ends with it.
type input struct {
	ctx  context.Context
	data []byte
	pos  int
}

// portion is the most that a decoder is given at once; unfolded a thousandfold it
// takes a millisecond.
const portion = 1 << 10

func (in *input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	if in.pos == len(in.data) && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), portion)], in.data[in.pos:])
	in.pos += n
	return n, nil
}

// ReadAt is what the TIFF decoder reads with.
func (in *input) ReadAt(p []byte, off int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	return bytes.NewReader(in.data).ReadAt(p, off)
}
