package graph

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestBudget(t *testing.T) {
	b := NewBudget(100)
	b.Read(1 << 40) // a limit that is given stays
	for _, c := range []struct {
		take int64
		ok   bool
	}{{60, true}, {41, false}, {-1, false}, {math.MaxInt64, false}, {40, true}, {1, false}, {0, true}} {
		err := b.Take(c.take, `node "n"`)
		var e *MemoryError
		if (err == nil) != c.ok || err != nil && (!errors.As(err, &e) || e.Limit != 100 || e.Bytes != c.take || !strings.Contains(err.Error(), `node "n" takes`)) {
			t.Errorf("%d: %v", c.take, err)
		}
	}
	b.Give(50)
	if b.Left() != 50 {
		t.Errorf("%d left", b.Left())
	}
	if err := b.Take(50, ""); err != nil {
		t.Error(err)
	}
	if b.garbage != 0 {
		t.Errorf("%d bytes of garbage are left beside all that may be taken", b.garbage)
	}
}

// TestDefaultBudget holds what a model may take by default: small files little,
// VGG-16 (528 MB) and ConvNeXt-Large (791 MB) several times their weights.
func TestDefaultBudget(t *testing.T) {
	for _, c := range []struct{ file, least, most int64 }{
		{0, 256 << 20, 256 << 20},
		{2 << 20, 256 << 20, 320 << 20},
		{31 << 20, 1000 << 20, 1300 << 20},
		{528e6, min(3<<30, math.MaxInt), 4 << 30},
		{791e6, min(4<<30, math.MaxInt), 4 << 30},
		{math.MaxInt64, min(4<<30, math.MaxInt), 4 << 30},
	} {
		b := NewBudget(0)
		b.Read(c.file)
		if n := b.Left(); n < c.least || n > c.most {
			t.Errorf("a file of %d bytes: %d, want %d to %d", c.file, n, c.least, c.most)
		}
	}
}
