// Package atomicfile writes files that are either complete or absent.
//
// A file is written under a temporary name in the folder of its final path,
// synced, renamed onto the path, and the folder is synced. Whatever happens in
// between (an error, a full disk, kill -9, a power cut), a reader of the path
// sees the old content or the new one, never a part of either.
//
// A killed process leaves its temporary file. It is named after its path and locked
// while its process writes it, so the next Create of the path finds and removes it.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"github.com/onetomany/caption/internal/filelock"
	"github.com/onetomany/caption/internal/message"
)

// A temporary file is called tempPrefix, the name of its path, a dash and the
// first number below slots that is free; withdrawnExt is for CommitLabelled.
// Where all numbers are taken, by as many programs at once, it gets a random name,
// which nobody cleans up.
const (
	tempPrefix   = ".tmp-"
	slots        = 8
	withdrawnExt = ".old"

	// maxName is the limit of most file systems, in bytes.
	maxName = 255
)

// File is a file being written. It is not safe for concurrent use.
type File struct {
	f    *os.File // nil after Commit or Close
	path string   // the final path
	err  error    // first failed write; Commit refuses after it
}

// Step, if not nil, is called before each step that changes the disk, and its error
// replaces that step. Tests make steps fail with it, and look at what a process killed
// there would leave.
var Step func(step, path string) error

func step(name, path string) error {
	if Step == nil {
		return nil
	}
	return Step(name, path)
}

// Create starts writing the file at path, which keeps its old content until
// Commit. A symbolic link is followed. The new file gets the permissions of
// the one it replaces, or 0644 less the umask. Create fails where the folder
// is missing or read-only, or path is anything but a regular file.
//
// It removes the temporary files of path that killed processes have left, whether or
// not anything is committed later. For that it tries a handful of names, which takes
// some tens of microseconds, however many files the folder has.
func Create(path string) (*File, error) {
	target, err := Resolve(path)
	if err != nil {
		return nil, CreateError(path, filepath.Dir(path), err)
	}
	perm, chmod := fs.FileMode(0o644), false
	switch fi, err := os.Stat(target); {
	case err == nil && fi.IsDir():
		return nil, fmt.Errorf("cannot write %s: it is a folder; give a file name", path)
	case err == nil && !fi.Mode().IsRegular():
		return nil, fmt.Errorf("cannot write %s: it is not a regular file", path)
	case err == nil:
		perm, chmod = fi.Mode().Perm(), true
	}
	f, err := createTemp(target, perm)
	if err != nil {
		return nil, CreateError(path, filepath.Dir(target), err)
	}
	if chmod && runtime.GOOS != "windows" {
		f.Chmod(perm) // what the umask took; a file system without permissions refuses
	}
	return &File{f: f, path: target}, nil
}

// Resolve follows path as long as it is a symbolic link; what it leads to need
// not exist. Files that are written beside a file belong beside its resolved
// path, where all who write it by whatever link find them.
func Resolve(path string) (string, error) {
	for range 40 { // as Linux
		if fi, err := os.Lstat(path); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
			return path, nil // if something is wrong, opening it will say so
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			// No Join: what ".." means depends on the links before it.
			to = filepath.Dir(path) + string(filepath.Separator) + to
		}
		dir, name := filepath.Split(to)
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return "", err
		}
		path = filepath.Join(dir, name)
	}
	return "", &fs.PathError{Op: "open", Path: path, Err: errors.New("too many symbolic links, or a circle of them")}
}

// createTemp creates a temporary file for target, locked, and removes those that
// nobody has locked. perm is what the umask leaves of it.
func createTemp(target string, perm fs.FileMode) (*os.File, error) {
	create := func(name string) (*os.File, error) {
		f, _, err := filelock.Open(name, os.O_CREATE|os.O_EXCL, perm)
		return f, err
	}
	var mine *os.File
	for n := range slots {
		name := tempName(target, strconv.Itoa(n))
		removeStale(name)
		if mine != nil {
			continue
		}
		f, err := create(name)
		switch {
		case err == nil:
			mine = f
		case !errors.Is(err, fs.ErrExist) && !errors.Is(err, filelock.ErrLocked):
			return nil, err
		}
	}
	if mine != nil {
		return mine, nil
	}
	var r [8]byte
	rand.Read(r[:]) // never fails
	return create(tempName(target, hex.EncodeToString(r[:])))
}

// tempName is the name of a temporary file for target.
func tempName(target, id string) string {
	dir, name := filepath.Split(target)
	if len(tempPrefix)+len(name)+len("-")+len(id)+len(withdrawnExt) > maxName {
		h := fnv.New128a()
		io.WriteString(h, name)
		name = hex.EncodeToString(h.Sum(nil))
	}
	return dir + tempPrefix + name + "-" + id
}

// removeStale removes a temporary file whose process has ended. On file systems without
// locks it cannot tell and removes none.
func removeStale(name string) {
	f, held, err := filelock.Open(name, 0, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if held {
		os.Remove(name + withdrawnExt)
		os.Remove(name)
	}
}

// CreateError returns the error that path cannot be created in its folder dir, and says
// what would help. err is that of creating a file in dir, under whatever name.
func CreateError(path, dir string, err error) error {
	err = message.Cause(err) // the temporary name would only puzzle
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
	if err := step("write", f.path); err != nil {
		return 0, f.note(err)
	}
	n, err := f.f.Write(p)
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
	return fmt.Errorf("writing %s: %w", f.path, message.Cause(err))
}

// Fill writes the output of write, buffered.
func (f *File) Fill(write func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

// Sync brings what was written to the disk, so that little but renaming is left
// to Commit. A caller with several files that belong together syncs all of them
// before the first Commit: a disk that is too small is found in time.
func (f *File) Sync() error {
	switch {
	case f.f == nil:
		return fmt.Errorf("writing %s: %w", f.path, fs.ErrClosed)
	case f.err != nil:
		return f.err
	}
	if err := step("sync", f.path); err != nil {
		return f.note(err)
	}
	return f.note(f.f.Sync())
}

// Commit puts the file in its place. After an error of Commit or of an earlier
// write the temporary file is gone and the old content of the path stays; only
// if the very last step fails, syncing the folder, it is the new content.
func (f *File) Commit() error {
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.rename(); err != nil {
		f.Close()
		return err
	}
	return f.syncDir()
}

// rename puts a synced file in its place. The file stays open, and so locked,
// until it is there.
func (f *File) rename() error {
	err := step("rename", f.path)
	if err == nil {
		err = os.Rename(f.f.Name(), f.path)
	}
	if err != nil {
		return f.wrap(err)
	}
	f.f.Close() // after Sync there is nothing left to fail
	f.f = nil
	return nil
}

// Close gives up a file that was not committed and removes what was written.
// After Commit it does nothing, so it can be deferred right after Create.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(os.Remove(f.f.Name()), f.f.Close())
	f.f = nil
	return err
}

// syncDir makes what happened to the name of f durable.
func (f *File) syncDir() error {
	dir := filepath.Dir(f.path)
	if err := step("sync folder", dir); err != nil {
		return f.wrap(err)
	}
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for syncing there
	}
	d, err := os.Open(dir)
	if err != nil {
		return f.wrap(err)
	}
	defer d.Close()
	// Some network file systems do not sync folders and say so.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return f.wrap(err)
	}
	return nil
}

// CommitLabelled commits data and a label: a file that says what is in data, such as
// the names of its rows, and would mislead beside any other. At no time does a label
// stand beside data that it was not written for, whatever fails and whenever the
// process is killed or the machine stops. Both are brought to the disk first; then the
// old label is taken away, data is put in place, and the new label is.
//
// After an error both have their old content; or, if a step after the renaming of data
// fails, data is new and the label is missing or new.
func CommitLabelled(data, label *File) error {
	defer data.Close()
	defer label.Close()
	if err := data.Sync(); err != nil {
		return err
	}
	if err := label.Sync(); err != nil {
		return err
	}
	if err := replaceLabelled(data, label); err != nil {
		return err
	}
	// The folder of data is synced before the new label stands in it.
	if err := data.syncDir(); err != nil {
		return err
	}
	if err := label.rename(); err != nil {
		return err
	}
	return label.syncDir()
}

// replaceLabelled puts data in place, with no label beside it. The old label is kept
// until that is done, and comes back if it fails.
func replaceLabelled(data, label *File) (err error) {
	old := label.f.Name() + withdrawnExt
	err = step("withdraw", label.path)
	if err == nil {
		err = os.Rename(label.path, old)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return data.rename()
	case err != nil:
		return label.wrap(err)
	}
	if err = label.syncDir(); err == nil {
		err = data.rename()
	}
	if err == nil {
		os.Remove(old)
	} else if e := os.Rename(old, label.path); e != nil {
		err = errors.Join(err, label.wrap(e))
	}
	return err
}

// WriteFile replaces the file at path by the output of write, buffered.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Fill(write); err != nil {
		return err
	}
	return f.Commit()
}
