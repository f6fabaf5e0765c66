package captioner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// readFile reads a file that must have the size of f and, with hash, its
// SHA-256. Nothing is allocated before the size is known to be right.
func readFile(fsys fs.FS, f File, hash bool) ([]byte, error) {
	b, err := readSized(fsys, f)
	if err != nil {
		return nil, err
	}
	if hash {
		if is := sha256.Sum256(b); hex.EncodeToString(is[:]) != f.SHA256 {
			return nil, &ModelError{File: f.Name, Err: fmt.Errorf("the content has sha256 %x, %s says %s", is, configFile, f.SHA256), Hint: hintRestore}
		}
	}
	return b, nil
}

func readSized(fsys fs.FS, f File) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, &ModelError{File: f.Name, Err: cause(err), Hint: hintRestore}
	}
	r, err := openRegular(fsys, f.Name)
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	fi, err := r.Stat()
	if err != nil {
		return fail(err)
	}
	if fi.Size() != f.Bytes {
		return fail(fmt.Errorf("%d bytes, %s says %d", fi.Size(), configFile, f.Bytes))
	}
	b := make([]byte, f.Bytes)
	if _, err := io.ReadFull(r, b); err != nil {
		return fail(err)
	}
	return b, nil
}

// openRegular opens a file that is no folder, pipe or device: opening some of
// those would wait for ever.
func openRegular(fsys fs.FS, name string) (fs.File, error) {
	fi, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return fsys.Open(name)
}

// cause takes the path off an error that is reported with it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// memFS is a folder in memory: what was hashed is what is parsed, whatever
// happens to the files meanwhile.
type memFS map[string][]byte

func (m memFS) Open(name string) (fs.File, error) {
	b, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{bytes.NewReader(b), name}, nil
}

// ReadFile returns the content without copying it; it must not be changed.
func (m memFS) ReadFile(name string) ([]byte, error) {
	b, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}

// memFile is an open file of a memFS, and its own fs.FileInfo.
type memFile struct {
	*bytes.Reader
	name string
}

func (f *memFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *memFile) Close() error               { return nil }
func (f *memFile) Name() string               { return f.name }
func (f *memFile) Mode() fs.FileMode          { return 0o444 }
func (f *memFile) ModTime() time.Time         { return time.Time{} }
func (f *memFile) IsDir() bool                { return false }
func (f *memFile) Sys() any                   { return nil }
