package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/filelock"
)

// lockWork makes the working folder of a training that writes the model folder
// out, and locks it: two trainings at once would each go on from what the other
// did. Release gives it up.
func lockWork(work, out string) (release func(), err error) {
	path := filepath.Join(work, "lock")
	for {
		if err := os.MkdirAll(work, 0o777); err != nil {
			return nil, atomicfile.CreateError(out, filepath.Dir(out), err)
		}
		f, _, err := filelock.Open(path, os.O_CREATE, 0o644)
		switch {
		case err == nil:
			return func() { os.Remove(path); f.Close() }, nil
		case errors.Is(err, filelock.ErrLocked):
			return nil, fmt.Errorf("another training is writing %s; wait for it or give another -o", out)
		case !errors.Is(err, fs.ErrNotExist): // else a training that ended has removed the folder just now
			return nil, atomicfile.CreateError(path, work, err)
		}
	}
}
