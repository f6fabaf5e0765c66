package memfs

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"
)

// The checksum is that of the files in models.Default: it must not change.
func TestSum(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want uint32
	}{
		{nil, 0},
		{[]byte("123456789"), 0x55a059d9},
		{bytes.Repeat([]byte("0123456789abcdef"), 20<<10), 0x22690a5a},
	} {
		if is := Sum(c.data); is != c.want {
			t.Errorf("%d bytes: %#08x, want %#08x", len(c.data), is, c.want)
		}
	}
}

// A file of a program that is not what it was built with is not given.
func TestProgramDamaged(t *testing.T) {
	a := bytes.Repeat([]byte("0123456789abcdef"), 20<<10) // several blocks
	p := Program{FS: FS{"a": a, "b": []byte("other")}, Sums: map[string]uint32{"a": Sum(a), "gone": 1}}
	for _, name := range []string{"a", "b"} {
		if b, err := p.View(name); err != nil || !bytes.Equal(b, p.FS[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, at := range []int{0, blockSize - 1, blockSize, len(a) / 2, len(a) - 1} {
		p.FS["a"] = bytes.Clone(a)
		p.FS["a"][at] ^= 4
		if b, err := p.View("a"); !errors.Is(err, ErrDamaged) || b != nil {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	for _, b := range [][]byte{nil, a[:len(a)-1], a[:blockSize], append(bytes.Clone(a), 0)} {
		p.FS["a"] = b
		if _, err := p.View("a"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes instead of %d: %v", len(b), len(a), err)
		}
	}
	p.FS["b"] = nil
	if _, err := p.View("b"); err != nil {
		t.Errorf("a file without sum: %v", err)
	}
	for _, name := range []string{"c", "gone"} {
		if _, err := p.View(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no file %s: %v", name, err)
		}
	}
}
