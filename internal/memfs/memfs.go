// Package memfs is a folder of files in memory, for reading.
package memfs

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// FS maps the names of files, without slashes, to their content, which must not
// change. It implements mmap.Viewer: what reads a file need not copy it.
type FS map[string][]byte

// View returns the content of a file, which must not be changed.
func (m FS) View(name string) ([]byte, error) {
	b, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}

// Open implements fs.FS.
func (m FS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return &folder{rest: m.entries()}, nil
	}
	b, err := m.View(name)
	if err != nil {
		return nil, err
	}
	return &file{bytes.NewReader(b), info{name, int64(len(b))}}, nil
}

// entries lists the files by name.
func (m FS) entries() []fs.DirEntry {
	var list []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fs.FileInfoToDirEntry(info{name, int64(len(m[name]))}))
	}
	return list
}

// file is an open file.
type file struct {
	*bytes.Reader
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// folder is the open root.
type folder struct{ rest []fs.DirEntry }

func (f *folder) Stat() (fs.FileInfo, error) { return info{name: "."}, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	list := f.rest
	if n > 0 {
		if len(list) == 0 {
			return nil, io.EOF
		}
		list = list[:min(n, len(list))]
	}
	f.rest = f.rest[len(list):]
	return list, nil
}

// info describes a file, or the root.
type info struct {
	name string
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.name == "." }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
