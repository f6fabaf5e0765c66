//go:build !darwin && !dragonfly && !freebsd && !illumos && !linux && !netbsd && !openbsd && !windows

package filelock

import (
	"errors"
	"io/fs"
	"os"
)

func openFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	// Nothing here can refuse a link while opening it.
	if fi, err := os.Lstat(path); err == nil {
		if err := check(path, fi); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_RDWR|flag, perm)
}

func lock(*os.File) error { return errors.ErrUnsupported }
