package features

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/onetomany/caption/features/internal/photo"
	"github.com/onetomany/caption/internal/message"
)

// Source is a photo to be read.
type Source struct {
	// Name is what results and feature files call the photo, mostly its path.
	Name string

	// Open gives the content. It is called at most once, from any goroutine.
	Open func() (io.ReadCloser, error)

	// Stamp changes when the content does (a file's size and time). An
	// interrupted extraction takes up the features of a photo whose Name and
	// Stamp are the same; with an empty Stamp none.
	Stamp string
}

// extensions of the files that Expand takes from a folder, in lower case.
var extensions = photo.Extensions()

// Expand turns command-line arguments into sources, in order: a file, a folder
// (the files in it and its sub-folders that are photos by their extension,
// sorted, hidden ones left out), a glob for shells that leave it as it is, and
// "-" for one photo from standard input. An argument that comes to nothing (no
// such file, no photo in the folder) is a source too, one that fails with the
// reason: it is reported like any photo that cannot be read, and the others go
// on.
func Expand(args []string) []Source {
	var out []Source
	stdin := false
	for _, arg := range args {
		if arg == "-" {
			src := Source{Name: arg, Open: openStdin}
			if stdin {
				src = broken(arg, errors.New("standard input can be read only once"))
			}
			stdin = true
			out = append(out, src)
			continue
		}
		fi, err := os.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[") {
			out = append(out, expandGlob(arg)...)
			continue
		}
		out = append(out, expandPath(arg, fi, err)...)
	}
	return out
}

func openStdin() (io.ReadCloser, error) { return io.NopCloser(os.Stdin), nil }

// broken is a source that fails with err.
func broken(name string, err error) Source {
	err = message.Cause(err)
	return Source{Name: name, Open: func() (io.ReadCloser, error) { return nil, err }}
}

// FileSource is the file at path.
func FileSource(path string) Source {
	fi, err := os.Stat(path)
	if err != nil {
		return broken(path, err)
	}
	return fileSource(path, fi)
}

func fileSource(path string, fi fs.FileInfo) Source {
	return Source{
		Name:  path,
		Stamp: fmt.Sprintf("%d %d", fi.Size(), fi.ModTime().UnixNano()),
		Open: func() (io.ReadCloser, error) {
			if !fi.Mode().IsRegular() {
				return &lateFile{path: path}, nil
			}
			return openRegular(path)
		},
	}
}

// openRegular opens a file that was a regular one when it was found. If a named
// pipe has taken its place, opening must not wait for its writer.
func openRegular(path string) (io.ReadCloser, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, message.Cause(err)
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, errors.New("no longer a regular file; give it again to read what it is now")
	}
	return f, nil
}

// lateFile is a file that the first Read opens: opening a named pipe waits for
// its writer, which must not hold up cancellation any more than reading it.
type lateFile struct {
	path string
	file atomic.Pointer[os.File]
}

func (l *lateFile) Read(b []byte) (int, error) {
	f := l.file.Load()
	if f == nil {
		var err error
		if f, err = os.Open(l.path); err != nil {
			return 0, message.Cause(err)
		}
		l.file.Store(f)
	}
	return f.Read(b)
}

func (l *lateFile) Close() error {
	if f := l.file.Swap(nil); f != nil {
		return f.Close()
	}
	return nil
}

func expandGlob(pattern string) []Source {
	paths, err := filepath.Glob(pattern) // sorted
	if err != nil {
		return []Source{broken(pattern, errors.New("not a file, and not a valid glob either"))}
	}
	if !strings.HasPrefix(filepath.Base(pattern), ".") { // as shells do
		paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasPrefix(filepath.Base(p), ".") })
	}
	if len(paths) == 0 {
		return []Source{broken(pattern, errors.New("no file matches"))}
	}
	var out []Source
	for _, p := range paths {
		fi, err := os.Stat(p)
		out = append(out, expandPath(p, fi, err)...)
	}
	return out
}

// expandPath takes the outcome of os.Stat(path).
func expandPath(path string, fi fs.FileInfo, err error) []Source {
	switch {
	case err != nil:
		return []Source{broken(path, err)}
	case !fi.IsDir():
		return []Source{fileSource(path, fi)}
	}
	f := folder{seen: map[string]bool{}}
	f.walk(path)
	if len(f.found) == 0 {
		return []Source{broken(path, fmt.Errorf("no photo in this folder (looked for %s)", strings.Join(extensions, " ")))}
	}
	return f.found
}

// folder collects photos below a folder. Symbolic links are followed; seen
// holds the real paths of the folders visited, so links cannot run in circles.
type folder struct {
	seen  map[string]bool
	found []Source
}

func (f *folder) walk(dir string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		f.found = append(f.found, broken(dir, err))
		return
	}
	if f.seen[real] {
		return
	}
	f.seen[real] = true
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		f.found = append(f.found, broken(dir, err))
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		fi, err := os.Stat(path)
		isPhoto := slices.Contains(extensions, strings.ToLower(filepath.Ext(path)))
		switch {
		case err != nil:
			if isPhoto { // a dangling link, say
				f.found = append(f.found, broken(path, err))
			}
		case fi.IsDir():
			f.walk(path)
		case fi.Mode().IsRegular() && isPhoto:
			f.found = append(f.found, fileSource(path, fi))
		}
	}
}
