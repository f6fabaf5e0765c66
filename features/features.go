package features

import (
	"context"
	"errors"
	"image"

	"github.com/onetomany/caption/cnn"
)

// Preprocessing says how a picture becomes the input of a CNN. It is stored in
// the config.json of a model folder.
type Preprocessing struct {
	Width  int        `json:"width"`
	Height int        `json:"height"`
	Resize string     `json:"resize"`   // "squash" (default) or "crop"
	Mean   [3]float32 `json:"mean"`     // of R, G, B, on values 0..1
	Std    [3]float32 `json:"std"`      // of R, G, B, on values 0..1
	Order  string     `json:"channels"` // "rgb" (default) or "bgr"
}

// Extractor turns pictures into feature vectors. It is safe for concurrent use.
type Extractor struct{}

// NewExtractor pairs a network with its preprocessing.
func NewExtractor(net *cnn.Net, pre Preprocessing) (*Extractor, error) {
	return nil, errors.New("features: not built yet")
}

// Image returns the features of one picture.
func (x *Extractor) Image(ctx context.Context, img image.Image) ([]float32, error) {
	return nil, errors.New("features: not built yet")
}

// Set is a feature file in memory: row i holds the features of Names[i].
type Set struct {
	Names []string
	Shape []int // [N,D], or [N,H,W,C] for maps
	Data  []float32
}

// ReadFile reads a feature file; the extension gives the format.
func ReadFile(path string) (*Set, error) { return nil, errors.New("features: not built yet") }
