package captioner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/onetomany/caption/internal/checkedio"
	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/internal/mmap"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
)

// readFile returns the content of a file that must have the size of f and, with hash,
// its SHA-256. No memory is taken before the size is known to be right. From a file
// system in memory it is the content itself, which must not be changed; else a copy,
// so that what was hashed is what is parsed, whatever happens to the file.
func readFile(fsys fs.FS, f File, hash bool) ([]byte, error) {
	b, err := content(fsys, f)
	if err == nil && int64(len(b)) != f.Bytes {
		err = fmt.Errorf("%d bytes, %s says %d", len(b), configFile, f.Bytes)
	}
	if err == nil && hash {
		if is := sha256.Sum256(b); hex.EncodeToString(is[:]) != f.SHA256 {
			err = fmt.Errorf("the content has sha256 %x, %s says %s", is, configFile, f.SHA256)
		}
	}
	if err != nil {
		return nil, &ModelError{File: f.Name, Err: message.Cause(err), Hint: hintRestore}
	}
	return b, nil
}

// content reads a file if it has the size of f.
func content(fsys fs.FS, f File) ([]byte, error) {
	if p, ok := fsys.(memfs.Program); ok {
		fsys = p.FS // see sums
	}
	if v, ok := fsys.(mmap.Viewer); ok {
		return v.View(f.Name)
	}
	r, size, err := openRegular(fsys, f.Name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size != f.Bytes {
		return nil, fmt.Errorf("%d bytes, %s says %d", size, configFile, f.Bytes)
	}
	return checkedio.ReadAll(r, size)
}

// sums adds tasks to p that compare files with the checksums that the program has of
// them, if they are part of it. compared tells which have one, and intact returns the
// result.
func sums(fsys fs.FS, files []File, p *packing.Packer) (compared map[string]bool, intact func() error) {
	program, _ := fsys.(memfs.Program)
	compared = map[string]bool{}
	checks := make([]*memfs.Check, len(files))
	for i, f := range files {
		c := program.Check(f.Name)
		for b := range c.Blocks() {
			p.Do(func(*weights.Scratch) { c.Block(b) })
		}
		checks[i] = c
		compared[f.Name] = c.Blocks() > 0
	}
	return compared, func() error {
		for i, c := range checks {
			if err := c.Err(); err != nil {
				return &ModelError{File: files[i].Name, Err: err, Hint: hintReinstall}
			}
		}
		return nil
	}
}

// openRegular opens a regular file and returns its size. A pipe or a device is refused
// before it is opened, which could block for ever.
func openRegular(fsys fs.FS, name string) (fs.File, int64, error) {
	if fsys == nil {
		return nil, 0, errors.New("there is no file system")
	}
	if s, ok := fsys.(fs.StatFS); ok {
		if _, err := regular(s.Stat(name)); err != nil {
			return nil, 0, err
		}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, err
	}
	if f == nil {
		return nil, 0, errNothing
	}
	size, err := regular(f.Stat())
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

var errNothing = errors.New("the file system gives nothing for it, and no error")

// regular returns the size of a regular file.
func regular(fi fs.FileInfo, err error) (int64, error) {
	switch {
	case err != nil:
		return 0, err
	case fi == nil:
		return 0, errNothing
	case !fi.Mode().IsRegular():
		return 0, errors.New("not a regular file")
	}
	return fi.Size(), nil
}
