// Package mmap gives the bytes of files without copying them: mapped into memory
// where the system can do that, or as they are in a file system in memory.
//
// Mapped bytes are the file itself. If another program writes to it, they change; if
// it cuts the file off, reading beyond the new end faults, which would end the program:
// Guard makes an error of that. So code that reads mapped bytes runs in Guard, copies
// what it keeps, and checks what it relies on.
package mmap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime/debug"

	"github.com/onetomany/caption/internal/checkedio"
)

// A File is the content of a file, to be read only.
type File struct {
	Bytes []byte // until Close

	unmap func() error
}

// A Viewer is a file system in memory, which can give the content of a file
// without copying it. Callers only read it.
type Viewer interface {
	View(name string) ([]byte, error)
}

// Open returns the content of the regular file name of fsys, of at most limit
// bytes: from a Viewer as it is, mapped where fsys opens *os.File, else read. A
// file system that breaks the rules of its interfaces, or panics, is an error.
func Open(fsys fs.FS, name string, limit int64) (f *File, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("the file system panics: %v", r)
		}
	}()
	if fsys == nil {
		return nil, errors.New("there is no file system: it is nil")
	}
	return open(fsys, name, limit)
}

func open(fsys fs.FS, name string, limit int64) (*File, error) {
	// Stat before Open: opening a named pipe would wait for its writer.
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if err := check(info, limit); err != nil {
		return nil, err
	}
	if v, ok := fsys.(Viewer); ok {
		b, err := v.View(name)
		if err == nil && int64(len(b)) != info.Size() {
			err = errSize
		}
		if err != nil {
			return nil, err
		}
		return &File{Bytes: b}, nil
	}
	f, err := fsys.Open(name)
	if err == nil && f == nil {
		err = errors.New("the file system opens it as nil")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What was opened may be another file than the one seen before.
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := check(info, limit); err != nil {
		return nil, err
	}
	if f, ok := f.(*os.File); ok && info.Size() > 0 {
		if b, err := mapFile(f, int(info.Size())); err == nil {
			return &File{Bytes: b, unmap: func() error { return unmap(b) }}, nil
		}
		// Some file systems cannot map.
	}
	b, err := read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("reading %d bytes: %w", info.Size(), err)
	}
	return &File{Bytes: b}, nil
}

var errSize = errors.New("the file has another size than its file system says")

// read reads the size bytes of r, and finds that there are no more.
func read(r io.Reader, size int64) ([]byte, error) {
	b, err := checkedio.ReadAll(r, size)
	if err == nil {
		_, err = io.ReadFull(checkedio.Reader(r), make([]byte, 1))
	}
	switch err {
	case io.EOF:
		return b, nil
	case nil, io.ErrUnexpectedEOF:
		return nil, errSize
	}
	return nil, err
}

func check(info fs.FileInfo, limit int64) error {
	switch {
	case info == nil:
		return errors.New("the file system says nothing of it")
	case info.IsDir():
		return errors.New("is a folder")
	case !info.Mode().IsRegular():
		return errors.New("not a regular file")
	case info.Size() < 0:
		return errSize
	case info.Size() > min(limit, math.MaxInt):
		return fmt.Errorf("%d bytes exceed the limit of %d", info.Size(), min(limit, math.MaxInt))
	}
	return nil
}

// Close ends the mapping: Bytes must not be read any more.
func (f *File) Close() error {
	f.Bytes = nil
	if f.unmap == nil {
		return nil
	}
	unmap := f.unmap
	f.unmap = nil
	return unmap()
}

// Guard calls f, which reads mapped bytes on this goroutine, and returns its
// error, or that of a memory fault.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if fault, ok := r.(interface {
			error
			Addr() uintptr
		}); ok {
			err = fmt.Errorf("the file was cut off, or cannot be read any more, while it was in use (%w)", fault)
		} else if r != nil {
			panic(r)
		}
	}()
	return f()
}
