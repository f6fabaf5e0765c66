package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/internal/mmap"
)

// Limits bound what Read takes from a file. A zero field means its default.
type Limits struct {
	Bytes  int64 // model file and external data together; 2 GiB
	Memory int64 // of Graph.Budget: tensors once decoded (integers take 8 bytes each), and all that is made of them; see graph.NewBudget
}

func (l Limits) withDefaults() Limits {
	l.Bytes = cmp.Or(l.Bytes, 2<<30)
	return l
}

// Limits of every model.
const (
	maxGraph   = 16 << 20 // bytes of the nodes: names and attributes without tensors
	maxNodes   = 20_000
	maxEdges   = 8 * maxNodes // pairs of an input and an output of a node; DenseNet-201 has some 4 a node
	maxTensors = 100_000      // initialisers, and tensors in attributes
	maxOutputs = 1000         // of the graph
)

// Open reads the model file name. The model itself may be a symbolic link
// to anywhere; external data are read from the folder of name and below, and
// no link leads out of it. The files are mapped into memory: the caller reads
// what is Stored in mmap.Guard, and closes the model when it has what it needs.
func Open(name string, lim Limits) (m *Model, err error) {
	defer calm(&err)
	lim = lim.withDefaults()
	dir := filepath.Dir(name)
	f, err := readFile(os.DirFS(dir), filepath.Base(name), lim.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		f.Close()
		return nil, err
	}
	defer root.Close()
	m, err = decode(f, root.FS(), lim)
	return m, wrap(name, err)
}

// Read reads the model file name of fsys, and its external data, which lie in
// the same folder or below. It fails with a *FormatError where the file is not
// an ONNX model, damaged or over the limits, with a *graph.UnsupportedError
// where it is a model that the engine cannot run.
//
// Where symbolic links lead is up to fsys: os.Root keeps them inside (see Open),
// os.DirFS does not. Files of the operating system are mapped, as by Open. A file
// system that panics is an error.
func Read(fsys fs.FS, name string, lim Limits) (m *Model, err error) {
	defer calm(&err)
	lim = lim.withDefaults()
	f, dir, err := openModel(fsys, name, lim.Bytes)
	if err != nil {
		return nil, err
	}
	m, err = decode(f, dir, lim)
	return m, wrap(name, err)
}

// calm turns a panic into an error: of a file system, or because of a file that is
// damaged in an unforeseen way.
func calm(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("reading a model panics: %v", r)
	}
}

// decode reads a model file, which it closes unless the model keeps it. dir holds
// the external data.
func decode(f *mmap.File, dir fs.FS, lim Limits) (*Model, error) {
	d := newDecoder(lim, dir, f)
	err := mmap.Guard(func() error {
		if err := d.parse(f.Bytes); err != nil {
			return explain(f.Bytes, err, d.hasGraph)
		}
		return d.graph()
	})
	if err != nil {
		d.out.Close()
		return nil, err
	}
	d.out.External = slices.Sorted(maps.Keys(d.ext.files))
	return d.out, nil
}

// wrap puts the file's name before err.
func wrap(name string, err error) error {
	var unsupported *graph.UnsupportedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unsupported):
		return fmt.Errorf("%s: %w", name, err)
	}
	return &FormatError{File: name, Err: err}
}

// openModel opens a model file, and its folder.
func openModel(fsys fs.FS, name string, limit int64) (f *mmap.File, dir fs.FS, err error) {
	if f, err = readFile(fsys, name, limit); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if dir, err = fs.Sub(fsys, path.Dir(name)); err == nil && dir == nil {
		err = fmt.Errorf("the file system has nil for the folder of %s", name)
	}
	if err != nil {
		f.Close()
	}
	return f, dir, err
}

// readFile opens a regular file of at most limit bytes. Its errors do not name
// the file.
func readFile(fsys fs.FS, name string, limit int64) (*mmap.File, error) {
	f, err := mmap.Open(fsys, name, limit)
	return f, message.Cause(err)
}
