package cnn

import (
	"context"
	"errors"
	"io/fs"
)

// Tensor is a dense float32 array in row-major order.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Layers that Options.Layer names; any other text is the name of a node or value.
const (
	Pooled = "pooled" // the pooled feature vector in front of the classifier
	Map    = "map"    // the last feature map, before pooling
)

// Options configures Open. The zero value, and a nil *Options, mean the defaults.
type Options struct {
	// Layer is the layer that Run returns: Pooled (the default), Map, or the
	// name of a node or value of the model.
	Layer string

	// Height and Width fix the input size of a model that leaves it open.
	// 0 means 224.
	Height, Width int

	// Threads is the largest number of goroutines that one Run uses.
	// 0 means 1.
	Threads int

	// MaxBytes is the largest model, external data included, that Open
	// reads. 0 means 2 GiB.
	MaxBytes int64
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

	FeatureNode  string   // value that Run returns
	FeatureShape []int    // without the batch: [D], or [H,W,C] for a map
	Cut          []string // nodes cut off, from input to output

	MultiplyAdds int64 // of one picture, up to the feature
	Parameters   int64 // up to the feature
	PeakBytes    int64 // buffers of one Run at batch 1
}

// Net is a loaded network. It is immutable and safe for concurrent use.
type Net struct{ info Info }

// Open loads the model file at path. External data is read from the same folder only.
func Open(path string, opt *Options) (*Net, error) { return nil, errors.New("cnn: not built yet") }

// OpenFS is like Open, for a file system such as embed.FS.
func OpenFS(fsys fs.FS, name string, opt *Options) (*Net, error) {
	return nil, errors.New("cnn: not built yet")
}

// Info describes the network.
func (n *Net) Info() Info { return n.info }

// Run computes the features of a batch of pictures, [N,C,H,W] in, [N,D] out
// ([N,H,W,C] for a map).
func (n *Net) Run(ctx context.Context, batch Tensor) (Tensor, error) {
	return Tensor{}, errors.New("cnn: not built yet")
}
