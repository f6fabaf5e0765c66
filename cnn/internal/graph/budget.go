package graph

import (
	"fmt"
	"math"
	"runtime"
)

// A Budget is the memory that a model may take beside its files, from reading it
// to a run of one picture: whoever is about to make something of it takes the
// bytes first. It is not safe for concurrent use.
type Budget struct {
	limit   int64
	byFiles bool  // limit is that of the files read so far
	files   int64 // their bytes
	taken   int64
	garbage int64 // given back, but perhaps not collected yet
}

// What a model may take that gives no limit of its own: numbers take up to 8 times
// the bytes that the file has for them when they are widened (of INT8), then 4 for
// each that is computed of them, and up to 16 where Winograd's filters are made.
const (
	freeBytes = 256 << 20
	perByte   = 32
	mostBytes = 4 << 30
)

// NewBudget returns a budget of limit bytes; 0 means 256 MiB and 32 times the size
// of the model's files, at most 4 GiB.
func NewBudget(limit int64) *Budget {
	if limit > 0 {
		return &Budget{limit: min(limit, math.MaxInt)}
	}
	return &Budget{limit: freeBytes, byFiles: true}
}

// Read says that a file of n bytes is read.
func (b *Budget) Read(n int64) {
	b.files += n
	if b.byFiles {
		b.limit = min(freeBytes+perByte*min(b.files, mostBytes/perByte), mostBytes, math.MaxInt)
	}
}

// Files returns how many bytes have been read.
func (b *Budget) Files() int64 { return b.files }

// Take takes n bytes for what, which the error, a *MemoryError, names. What has
// been given back is collected as garbage before new memory would exceed the limit
// together with it.
func (b *Budget) Take(n int64, what string) error {
	if n < 0 || n > b.limit-b.taken {
		return &MemoryError{What: what, Bytes: n, Taken: b.taken, Limit: b.limit}
	}
	b.taken += n
	if b.garbage > 0 && b.taken+b.garbage > b.limit {
		runtime.GC()
		b.garbage = 0
	}
	return nil
}

// Give gives back n bytes that nothing refers to any more.
func (b *Budget) Give(n int64) {
	b.taken -= n
	b.garbage += n
}

// Left returns how many bytes there are to take.
func (b *Budget) Left() int64 { return b.limit - b.taken }

// MemoryError says that a model would take more memory than it may.
type MemoryError struct {
	What  string // what of the model was to be made
	Bytes int64  // what that takes; negative beyond all numbers
	Taken int64  // what was there before
	Limit int64  // of all together
}

func (e *MemoryError) Error() string {
	takes := "more"
	if e.Bytes >= 0 {
		takes = megabytes(e.Bytes)
	}
	return fmt.Sprintf("%s takes %s of memory with %s taken before, and the limit is %s: if the model is to be trusted, raise MaxMemory in cnn.Options; a smaller picture takes less", e.What, takes, megabytes(e.Taken), megabytes(e.Limit))
}

func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
