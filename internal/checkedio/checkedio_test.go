package checkedio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

type reads func(p []byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

func TestReader(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		r    io.Reader
		says string
	}{
		"nil":      {nil, "no reader"},
		"negative": {reads(func(p []byte) (int, error) { return -1, nil }), "read -1 bytes"},
		"too many": {reads(func(p []byte) (int, error) { return len(p) + 1, nil }), "bytes of"},
		"nothing":  {reads(func(p []byte) (int, error) { return 0, nil }), io.ErrNoProgress.Error()},
		"error":    {iotest.ErrReader(boom), "boom"},
	} {
		for _, read := range []func(io.Reader) error{
			func(r io.Reader) error { _, err := io.ReadAll(r); return err },
			func(r io.Reader) error { _, err := bufio.NewReaderSize(r, 16).ReadString('\n'); return err },
			func(r io.Reader) error { _, err := ReadAll(r, 5); return err },
		} {
			if err := read(Reader(c.r)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want %q", name, err, c.says)
			}
		}
	}
	if err := iotest.TestReader(Reader(strings.NewReader("some text")), []byte("some text")); err != nil {
		t.Error(err)
	}
}

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, 1000} {
		data := bytes.Repeat([]byte("x"), size)
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
			if b, err := ReadAll(r, int64(size)); err != nil || !bytes.Equal(b, data) {
				t.Errorf("%d bytes: %d, %v", size, len(b), err)
			}
		}
		if _, err := ReadAll(bytes.NewReader(data), int64(size)+1); err != io.ErrUnexpectedEOF {
			t.Errorf("one byte less than %d: %v", size+1, err)
		}
	}
	// What is not there takes no memory.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := ReadAll(strings.NewReader("short"), 1<<31-1); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 70<<20 {
		t.Errorf("%d MB for five bytes", got>>20)
	}
	// More than is taken at once.
	if b, err := ReadAll(io.LimitReader(reads(func(p []byte) (int, error) { return len(p), nil }), 1<<30), 150<<20); err != nil || len(b) != 150<<20 {
		t.Errorf("150 MiB: %d, %v", len(b), err)
	}
}
