package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// Limits bound what Read takes from a file. A zero field means its default.
type Limits struct {
	Bytes   int64 // model file and external data together; 2 GiB
	Memory  int64 // tensors once decoded (integers take 8 bytes each); 4 GiB
	Graph   int64 // bytes of the nodes: names and attributes without tensors; 16 MiB
	Nodes   int   // 100,000
	Tensors int   // initialisers and tensors in attributes; 100,000
	Rank    int   // dimensions of a tensor; 16
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Bytes:   cmp.Or(l.Bytes, 2<<30),
		Memory:  cmp.Or(l.Memory, 4<<30),
		Graph:   cmp.Or(l.Graph, 16<<20),
		Nodes:   cmp.Or(l.Nodes, 100_000),
		Tensors: cmp.Or(l.Tensors, 100_000),
		Rank:    cmp.Or(l.Rank, 16),
	}
}

// Open reads the model file name. The model itself may be a symbolic link
// to anywhere; external data are read from the folder of name and below, and
// no link leads out of it.
func Open(name string, lim Limits) (*graph.Graph, error) {
	lim = lim.withDefaults()
	dir := filepath.Dir(name)
	buf, err := readFile(os.DirFS(dir), filepath.Base(name), lim.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	g, err := decode(buf, root.FS(), lim)
	return g, wrap(name, err)
}

// Read reads the model file name of fsys, and its external data, which lie in
// the same folder or below. It fails with a *FormatError where the file is not
// an ONNX model, damaged or over the limits, with a *graph.UnsupportedError
// where it is a model that the engine cannot run.
//
// Where symbolic links lead is the business of fsys: os.Root keeps them inside
// (see Open), os.DirFS does not.
func Read(fsys fs.FS, name string, lim Limits) (*graph.Graph, error) {
	lim = lim.withDefaults()
	buf, err := readFile(fsys, name, lim.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	dir, err := folder(fsys, name)
	if err != nil {
		return nil, err
	}
	g, err := decode(buf, dir, lim)
	return g, wrap(name, err)
}

// decode makes a graph of a model file's bytes. It moves bytes within buf, and
// keeps parts of it. dir holds the external data.
func decode(buf []byte, dir fs.FS, lim Limits) (*graph.Graph, error) {
	m := newModel(lim, external{fsys: dir, left: lim.Bytes - int64(len(buf))})
	if err := m.parse(buf); err != nil {
		return nil, explain(buf, err, m.hasGraph)
	}
	g, err := m.graph()
	if err != nil {
		return nil, err
	}
	g.External = slices.Sorted(maps.Keys(m.ext.files))
	return g, nil
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

// folder returns the folder of name in fsys.
func folder(fsys fs.FS, name string) (fs.FS, error) {
	dir := path.Dir(name)
	if dir == "." {
		return fsys, nil
	}
	return fs.Sub(fsys, dir)
}

// readFile reads a regular file of at most limit bytes. Its errors do not
// name the file.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	// Stat before Open: opening a named pipe would wait for its writer.
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, cause(err)
	}
	if info.IsDir() {
		return nil, errors.New("is a folder")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	size := info.Size()
	if size > min(limit, math.MaxInt) {
		return nil, fmt.Errorf("%d bytes exceed the limit of %d", size, min(limit, math.MaxInt))
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	buf := make([]byte, size)
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("reading %d bytes: %w", size, cause(err))
	}
	return buf, nil
}

// cause strips the file name and the system call from err.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
