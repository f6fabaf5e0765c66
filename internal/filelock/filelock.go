// Package filelock opens files that only one program at a time may have open.
//
// A lock belongs to the open file: closing it, or the end of the process in
// whatever way, gives it up. It keeps out only those who ask for it as well.
package filelock

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
)

// ErrLocked is wrapped by the error of Open where somebody else, another program
// or another open file of this one, has the lock.
var ErrLocked = errors.New("another program has it open")

// Open opens the file at path for reading and writing and locks it, without
// waiting. Of flag, os.O_CREATE and os.O_EXCL count. The file can be renamed and
// removed while it is open, on Windows too. Anything but a regular file is
// refused; a symbolic link is not followed.
//
// Held says whether the file is locked: it is open without a lock where the file
// system cannot lock.
func Open(path string, flag int, perm fs.FileMode) (f *os.File, held bool, err error) {
	for range 100 {
		f, err := openFile(path, flag&(os.O_CREATE|os.O_EXCL), perm)
		if err != nil {
			// Systems differ in their errors for symbolic links and folders.
			if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
				if fi, e := os.Lstat(path); e == nil {
					err = cmp.Or(check(path, fi), err)
				}
			}
			return nil, false, err
		}
		held, same, err := claim(f, path)
		if err == nil && same {
			return f, held, nil
		}
		f.Close()
		if err != nil {
			return nil, false, err
		}
		// Its holder has renamed or removed it since it was opened.
	}
	return nil, false, &fs.PathError{Op: "lock", Path: path, Err: ErrLocked}
}

// claim locks f, and says whether path still is f.
func claim(f *os.File, path string) (held, same bool, err error) {
	fi, err := f.Stat()
	if err != nil {
		return false, false, err
	}
	if err := check(path, fi); err != nil {
		return false, false, err
	}
	switch err := lock(f); {
	case err == nil:
		held = true
	case !errors.Is(err, errors.ErrUnsupported):
		return false, false, &fs.PathError{Op: "lock", Path: path, Err: err}
	}
	at, err := os.Lstat(path)
	return held, err == nil && os.SameFile(fi, at), nil
}

func check(path string, fi fs.FileInfo) error {
	problem := "not a regular file"
	switch {
	case fi.Mode().IsRegular():
		return nil
	case fi.Mode()&fs.ModeSymlink != 0:
		problem = "a symbolic link, which is not followed"
	case fi.IsDir():
		problem = "a folder"
	}
	return &fs.PathError{Op: "open", Path: path, Err: errors.New(problem)}
}
