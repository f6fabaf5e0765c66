// Package checkedio reads from readers that may break the rules of io.Reader, which
// io and bufio answer with a panic or an endless loop.
package checkedio

import (
	"errors"
	"fmt"
	"io"
)

// maxEmpty is how many reads in a row may give nothing, as in bufio.
const maxEmpty = 100

// Reader returns a reader of what r gives. A nil r, a count that is not in
// 0…len(p), and a hundred reads without anything are errors.
func Reader(r io.Reader) io.Reader { return &reader{r: r} }

type reader struct {
	r     io.Reader
	empty int
	err   error // for ever
}

func (c *reader) Read(p []byte) (int, error) {
	if c.r == nil {
		c.err = errors.New("no reader")
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	switch {
	case n < 0 || n > len(p):
		c.err = fmt.Errorf("the reader says that it read %d bytes of %d", n, len(p))
		return 0, c.err
	case n > 0 || err != nil || len(p) == 0:
		c.empty = 0
	default:
		if c.empty++; c.empty >= maxEmpty {
			c.err = io.ErrNoProgress
			return 0, c.err
		}
	}
	return n, err
}

// ReadAll reads size bytes of r, or fails with io.ErrUnexpectedEOF. Memory grows with
// what is read, not with what size promises.
func ReadAll(r io.Reader, size int64) ([]byte, error) {
	r = Reader(r)
	const trusted = 64 << 20 // at once
	b := make([]byte, min(size, trusted))
	for n := 0; ; {
		m, err := io.ReadFull(r, b[n:])
		if n += m; err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if int64(n) == size {
			return b, nil
		}
		b = append(b, make([]byte, min(size-int64(n), int64(n)))...)
	}
}
