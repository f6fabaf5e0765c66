package cnn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/onetomany/caption/cnn/internal/exec"
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/message"
)

// Tensor is a dense float32 array in row-major order.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Layers that Options.Layer names; any other text is the name of a node or value.
const (
	Pooled = plan.Pooled // "pooled": the pooled feature vector in front of the classifier
	Map    = plan.Map    // "map": the last feature map, before pooling
)

// Options configures Open. The zero value, and a nil *Options, mean the defaults.
type Options struct {
	// Layer is the layer that Run returns: Pooled (the default), Map, or the
	// name of a node or value of the model.
	Layer string

	// Height and Width fix the input size of a model that leaves it open.
	// 0 means 224.
	Height, Width int

	// Threads is the largest number of goroutines that one Run uses, at most one
	// for each processor. 0 means 1.
	Threads int

	// Precision is Float32 (the default) or BF16. Where the processor cannot
	// compute in it, Open's error wraps ErrPrecision.
	Precision Precision

	// MaxBytes is the largest model, external data included, that Open
	// reads. 0 means 2 GiB.
	MaxBytes int64

	// MaxMemory is how many bytes the network may take beside its file: what
	// is computed of constants, weights as they are packed, and a run of one
	// picture on one thread. 0 means 256 MiB and 32 times the size of the
	// model, external data included, at most 4 GiB. Above it, Open's error is
	// a *MemoryError.
	MaxMemory int64
}

// Info describes a loaded network.
type Info struct {
	Producer string
	IR       int // ONNX IR version
	Opset    int // version of the default ONNX operator set

	InputName               string
	Channels, Height, Width int  // of the input picture
	NHWC                    bool // the model's input is [N,H,W,C]; Run takes [N,C,H,W] all the same
	Batch                   int  // batch size fixed by the exporter, 0 where open

	// Preprocessing is what the model's metadata says of it, nil where silent.
	Preprocessing map[string]string

	ExternalData []string // files of external data that were read, relative to the model's folder

	FeatureNode  string   // value that Run returns
	FeatureShape []int    // without the batch: [D], or [H,W,C] for a map
	Cut          []string // nodes cut off, from input to output

	Precision    Precision
	MultiplyAdds int64 // of one picture, up to the feature
	Parameters   int64 // up to the feature
	WeightBytes  int64 // what the Net keeps in memory: packed weights and other constants
	PeakBytes    int64 // what one Run of one picture takes besides on one thread: buffers, workspace of operators, result
}

// A FormatError says that a file is not an ONNX model, or a damaged one, or
// beyond the limits. Open returns it wrapped or as it is: use errors.As.
type FormatError = onnx.FormatError

// A MemoryError says that a network would take more memory than Options.MaxMemory,
// and what of it does. Open returns it wrapped: use errors.As.
type MemoryError = graph.MemoryError

// An UnsupportedError says that a model is valid but uses an operator, or a form
// of one, that the engine does not have; it names operator, node and opset. Open
// returns it wrapped: use errors.As.
type UnsupportedError = graph.UnsupportedError

// errNoNet is what the methods of a Net return that Open has not made.
var errNoNet = errors.New("cnn: this Net is not from Open or OpenFS")

// errContext is what a nil context gives.
var errContext = errors.New("cnn: the context is nil; use context.Background")

// A ShapeError says that the tensor given to Run is not a batch of pictures of
// the network's size.
type ShapeError struct {
	Got, Want []int // -1 in Want stands for any number
	Len       int   // elements given
}

func (e *ShapeError) Error() string {
	if !fits(e.Got, e.Want) {
		return message.Clean(fmt.Sprintf("cnn: input of shape %v; the network takes %s", e.Got, shapeText(e.Want)), message.Max)
	}
	return fmt.Sprintf("cnn: input of shape %v with %d elements", e.Got, e.Len)
}

func shapeText(shape []int) string {
	if len(shape) != 4 {
		return fmt.Sprint(shape)
	}
	return fmt.Sprintf("[N %d %d %d]", shape[1], shape[2], shape[3])
}

func fits(got, want []int) bool {
	return len(got) == 4 && len(want) == 4 && got[0] >= 0 && slices.Equal(got[1:], want[1:])
}

// Net is a loaded network. It is immutable and safe for concurrent use.
type Net struct {
	info    Info
	size    int // elements of the feature of one picture
	plan    *plan.Plan
	program *exec.Program
	threads int
}

// Open loads the model file at path and plans it up to the layer that opt names.
// External data is read from the same folder only. The errors of files that are
// no good are *FormatError and *UnsupportedError.
//
// Where the system can, files are mapped into memory while Open packs the weights
// from them, on all processors; afterwards the Net has nothing to do with them.
// They should not be written to meanwhile: a file cut off is an error.
func Open(path string, opt *Options) (*Net, error) {
	return open(path, opt, func(l onnx.Limits) (*onnx.Model, error) { return onnx.Open(path, l) })
}

// OpenFS is like Open, for a file system such as embed.FS.
func OpenFS(fsys fs.FS, name string, opt *Options) (*Net, error) {
	return open(name, opt, func(l onnx.Limits) (*onnx.Model, error) { return onnx.Read(fsys, name, l) })
}

func open(name string, opt *Options, read func(onnx.Limits) (*onnx.Model, error)) (*Net, error) {
	if opt == nil {
		opt = &Options{}
	}
	if opt.Height < 0 || opt.Width < 0 || opt.Threads < 0 || opt.MaxBytes < 0 || opt.MaxMemory < 0 {
		return nil, errors.New("cnn: negative value in Options")
	}
	if err := opt.Precision.check(); err != nil {
		return nil, err
	}
	g, err := read(onnx.Limits{Bytes: opt.MaxBytes, Memory: opt.MaxMemory})
	if err != nil {
		return nil, message.Error(err)
	}
	defer g.Close() // what the plan needs of the weights is packed then
	p, err := plan.Compile(g.Graph, plan.Options{Layer: opt.Layer, Height: opt.Height, Width: opt.Width, BF16: opt.Precision == BF16, BF16All: bf16All})
	var x *exec.Program
	if err == nil {
		x, err = exec.Prepare(p)
	}
	if err != nil {
		return nil, message.Error(fmt.Errorf("%s: %w", name, err))
	}
	n := &Net{plan: p, program: x, size: tensor.Size(p.FeatureShape), threads: max(opt.Threads, 1), info: Info{
		Producer:     g.Producer,
		IR:           g.IR,
		Opset:        g.Opset,
		ExternalData: g.External,
		InputName:    p.InputName,
		Channels:     p.Channels,
		Height:       p.Height,
		Width:        p.Width,
		NHWC:         p.NHWC,
		Batch:        p.Batch,
		FeatureNode:  p.Feature,
		FeatureShape: p.FeatureShape,
		Cut:          p.Cut,
		Precision:    opt.Precision,
		MultiplyAdds: p.MultiplyAdds,
		Parameters:   p.Parameters,
		WeightBytes:  x.WeightBytes,
		PeakBytes:    p.PeakBytes,
	}}
	if len(g.Metadata) > 0 {
		n.info.Preprocessing = g.Metadata
	}
	return n, nil
}

// Info describes the network. That of a Net that Open has not made is empty.
func (n *Net) Info() Info {
	if n == nil {
		return Info{}
	}
	i := n.info
	i.Preprocessing = maps.Clone(i.Preprocessing)
	i.FeatureShape = slices.Clone(i.FeatureShape)
	i.Cut = slices.Clone(i.Cut)
	i.ExternalData = slices.Clone(i.ExternalData)
	return i
}

// A Step describes one operator of a planned network to people.
type Step = plan.Step

// Plan describes the operators that Run computes, in order: what the model's nodes
// became, with shapes, memory, cost and kernel. The caller must not change the steps.
// A Net that Open has not made has none.
func (n *Net) Plan() []Step {
	if n == nil || n.plan == nil {
		return nil
	}
	return slices.Clone(n.plan.Steps)
}

// Run computes the features of a batch of pictures, [N,C,H,W] in, [N,D] out
// ([N,H,W,C] for a map). N may be any number, whatever batch size the model was
// exported with. Run checks ctx between operators. The error for a tensor of another shape
// is a *ShapeError.
func (n *Net) Run(ctx context.Context, batch Tensor) (Tensor, error) {
	if err := n.check(ctx, batch); err != nil {
		return Tensor{}, err
	}
	y := Tensor{
		Shape: slices.Concat(batch.Shape[:1], n.info.FeatureShape),
		Data:  make([]float32, batch.Shape[0]*n.size),
	}
	if err := n.program.Run(ctx, batch.Shape[0], batch.Data, y.Data, n.threads); err != nil {
		return Tensor{}, err
	}
	return y, nil
}

// RunInto is Run with the features written into dst, which must have room for as
// many elements as the result has: N times the product of Info().FeatureShape.
// What dst holds after an error is not defined. RunInto allocates nothing once earlier
// runs of as many pictures have made the buffers.
func (n *Net) RunInto(ctx context.Context, dst []float32, batch Tensor) error {
	if err := n.check(ctx, batch); err != nil {
		return err
	}
	size := batch.Shape[0] * n.size
	if len(dst) < size {
		return fmt.Errorf("cnn: room for %d elements; the features of %d pictures have %d", len(dst), batch.Shape[0], size)
	}
	return n.program.Run(ctx, batch.Shape[0], batch.Data, dst[:size], n.threads)
}

// check makes sure that there is a network, and that batch is one of its pictures.
func (n *Net) check(ctx context.Context, batch Tensor) error {
	switch {
	case n == nil || n.plan == nil:
		return errNoNet
	case ctx == nil:
		return errContext
	}
	i, s := &n.info, batch.Shape
	if len(s) == 4 && s[0] >= 0 && s[1] == i.Channels && s[2] == i.Height && s[3] == i.Width {
		// No product with s[0], which may be anything.
		if picture := s[1] * s[2] * s[3]; len(batch.Data)/picture == s[0] && len(batch.Data)%picture == 0 {
			return nil
		}
	}
	return &ShapeError{Got: slices.Clone(s), Want: []int{-1, i.Channels, i.Height, i.Width}, Len: len(batch.Data)}
}
