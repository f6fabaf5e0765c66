// Package atomicfile writes files that are either complete or absent.
//
// A file is written under a temporary name in the folder of its final path,
// synced, renamed onto the path, and the folder is synced. Whatever happens in
// between (an error, a full disk, kill -9, a power cut), a reader of the path
// sees the old content or the new one, never a part of either.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// tempPrefix starts the name of every temporary file; one that stays behind
// after a crash can be deleted.
const tempPrefix = ".tmp-"

// File is a file being written. It is not safe for concurrent use.
type File struct {
	f    *os.File // nil after Commit or Close
	path string   // the final path
	err  error    // first failed write; Commit refuses after it
}

// Create starts writing the file at path, which keeps its old content until
// Commit. A symbolic link is followed. The new file gets the permissions of
// the one it replaces, or 0644 less the umask. Create fails where the folder
// is missing or read-only, or path is anything but a regular file.
func Create(path string) (*File, error) {
	perm, chmod := fs.FileMode(0o644), false
	target := path
	switch fi, err := os.Stat(path); {
	case err == nil && fi.IsDir():
		return nil, fmt.Errorf("cannot write %s: it is a folder; give a file name", path)
	case err == nil && !fi.Mode().IsRegular():
		return nil, fmt.Errorf("cannot write %s: it is not a regular file", path)
	case err == nil:
		perm, chmod = fi.Mode().Perm(), true
		if target, err = filepath.EvalSymlinks(path); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	dir := filepath.Dir(target)
	for range 100 {
		var r [8]byte
		rand.Read(r[:]) // never fails
		temp := filepath.Join(dir, tempPrefix+hex.EncodeToString(r[:]))
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, CreateError(path, dir, err)
		}
		if chmod && runtime.GOOS != "windows" {
			f.Chmod(perm) // what the umask took; a file system without permissions refuses
		}
		return &File{f: f, path: target}, nil
	}
	return nil, fmt.Errorf("cannot write %s: no free temporary name in %s", path, dir)
}

// CreateError says that path could not be written to its folder dir, and what
// would do. err is that of creating a file in dir, under whatever name.
func CreateError(path, dir string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err // the temporary name would only puzzle
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot write %s: folder %s does not exist; create it first: %w", path, dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("cannot write %s: folder %s is not writable; change its permissions or choose another folder: %w", path, dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("cannot write %s: %s is a file, not a folder; choose another folder: %w", path, dir, err)
	}
	return fmt.Errorf("cannot write %s: %w", path, err)
}

// Write appends to the file at its current offset.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, f.note(err)
}

// WriteAt writes at an offset, as to patch a header.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.f.WriteAt(p, off)
	return n, f.note(err)
}

// Seek sets the offset of the next Write.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	n, err := f.f.Seek(offset, whence)
	return n, f.note(err)
}

// note keeps the first error and names the final path in it.
func (f *File) note(err error) error {
	if err == nil {
		return nil
	}
	err = f.wrap(err)
	if f.err == nil {
		f.err = err
	}
	return err
}

func (f *File) wrap(err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Errorf("writing %s: %w", f.path, err)
}

// Commit puts the file in its place. After an error of Commit or of an earlier
// write the old content of the path stays and the temporary file is gone.
func (f *File) Commit() error {
	if f.f == nil {
		return fmt.Errorf("writing %s: %w", f.path, fs.ErrClosed)
	}
	if f.err != nil {
		f.Close()
		return f.err
	}
	if err := f.f.Sync(); err != nil {
		f.Close()
		return f.wrap(err)
	}
	temp := f.f.Name()
	err := f.f.Close()
	f.f = nil
	if err != nil {
		os.Remove(temp)
		return f.wrap(err)
	}
	if err := os.Rename(temp, f.path); err != nil {
		os.Remove(temp)
		var cause *os.LinkError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return f.wrap(err)
	}
	if err := syncDir(filepath.Dir(f.path)); err != nil {
		return f.wrap(err)
	}
	return nil
}

// Close gives up a file that was not committed and removes what was written.
// After Commit it does nothing, so it can be deferred right after Create.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	temp := f.f.Name()
	err := errors.Join(f.f.Close(), os.Remove(temp))
	f.f = nil
	return err
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for syncing there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some network file systems do not sync folders and say so.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// WriteFile replaces the file at path by what write puts out, buffered.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Commit()
}
