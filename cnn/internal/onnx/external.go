package onnx

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/mmap"
)

// location is where the external data of a tensor are.
type location struct {
	file     string // relative to the model's folder
	offset   int64
	length   int64  // -1 where not given
	checksum string // SHA-1 of the whole file in hexadecimal; "" where not given
}

// set takes an entry of external_data.
func (l *location) set(key, value string) (err error) {
	switch key {
	case "location":
		l.file = value
	case "offset":
		l.offset, err = parseSize(value)
	case "length":
		l.length, err = parseSize(value)
	case "checksum":
		l.checksum = value
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = errors.New("negative")
	}
	if err != nil {
		return 0, fmt.Errorf("%s is not a number of bytes", graph.Name(s))
	}
	return n, nil
}

// external reads the files of external data, each once.
type external struct {
	fsys  fs.FS
	left  int64  // bytes that may still be read
	model *Model // which has the files until it is closed
	files map[string]*mmap.File
	sums  map[string]string // SHA-1 of those that a tensor gives one for
}

// data returns the n bytes at l.
func (x *external) data(l location, n int64) ([]byte, error) {
	b, err := x.file(l)
	if err != nil {
		return nil, fmt.Errorf("external data %s: %w", graph.Name(l.file), err)
	}
	size := int64(len(b))
	switch {
	case l.length >= 0 && l.length != n:
		return nil, fmt.Errorf("external data %s: the tensor takes %d bytes, its length is given as %d", graph.Name(l.file), n, l.length)
	case l.offset > size || n > size-l.offset:
		err := fmt.Errorf("%d bytes at offset %d end beyond the file's %d", n, l.offset, size)
		if what := sniff(b); what != "" {
			err = fmt.Errorf("%w: it is %s", err, what)
		} else {
			err = fmt.Errorf("%w: it is cut off, or of another model; copy or download it again", err)
		}
		return nil, fmt.Errorf("external data %s: %w", graph.Name(l.file), err)
	}
	return b[l.offset : l.offset+n : l.offset+n], nil
}

func (x *external) file(l location) ([]byte, error) {
	name, err := local(l.file)
	if err != nil {
		return nil, err
	}
	f, ok := x.files[name]
	if !ok {
		if x.fsys == nil {
			return nil, errors.New("there is no folder to read it from")
		}
		if f, err = readFile(x.fsys, name, x.left); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%w: it belongs beside the model, which holds no weights without it", err)
			} else if fi, lerr := fs.Lstat(x.fsys, name); lerr == nil && fi.Mode()&fs.ModeSymlink != 0 {
				err = fmt.Errorf("%w: it is a link; put the file itself beside the model", err)
			}
			return nil, err
		}
		if x.files == nil {
			x.files = map[string]*mmap.File{}
		}
		x.files[name] = f
		x.left -= int64(len(f.Bytes))
		x.model.files = append(x.model.files, f)
		x.model.Budget.Read(int64(len(f.Bytes)))
	}
	return f.Bytes, x.check(name, l.checksum)
}

// local returns the path of external data in the model's folder, and refuses
// those outside on any operating system.
func local(name string) (string, error) {
	if name == "" {
		return "", errors.New("no location is given")
	}
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || clean == "." || strings.ContainsAny(clean, "\\:\x00") {
		return "", errors.New("refused: external data must lie in the model's folder")
	}
	return clean, nil
}

// check compares the file's hash with the one that a tensor asks for, "" for none.
func (x *external) check(name, want string) error {
	if want == "" {
		return nil
	}
	if x.sums == nil {
		x.sums = map[string]string{}
	}
	if x.sums[name] == "" {
		x.sums[name] = fmt.Sprintf("%x", sha1.Sum(x.files[name].Bytes))
	}
	if got := x.sums[name]; !strings.EqualFold(got, want) {
		return fmt.Errorf("the file has SHA-1 %s, the model asks for %s", got, want)
	}
	return nil
}
