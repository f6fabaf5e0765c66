package captioner

import (
	"context"
	"image"
	"io"
	"io/fs"
	"slices"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/vocab"
)

// Captioner writes captions for photos: a CNN, a decoder and a vocabulary that
// belong together. It is immutable and safe for concurrent use.
type Captioner struct {
	dir    string // for messages
	fsys   fs.FS
	cnnFS  fs.FS // holds the files of the CNN
	config *config
	card   string

	net       *cnn.Net
	extractor *features.Extractor
	vocab     *vocab.Vocab
	gen       *Generator
}

// Caption is a sentence.
type Caption struct {
	Text    string  `json:"text"`
	LogProb float64 `json:"logprob"` // see Hypothesis
	Words   []Word  `json:"words"`
}

// Word is a word of a Caption.
type Word struct {
	Text    string  `json:"word"`
	LogProb float64 `json:"logprob"`
}

// Caption says what is in the photo that it reads from r, best caption first. The
// photo may have any format that package features reads, within its default Limits;
// for other limits use Extractor().Read and CaptionFeatures. A nil opt means
// Defaults. A nil ctx is an error, here and everywhere in this package.
func (c *Captioner) Caption(ctx context.Context, r io.Reader, opt *Options) ([]Caption, error) {
	return c.caption(ctx, opt, func(x *features.Extractor) ([]float32, error) { return x.Read(ctx, r, nil) })
}

// CaptionImage is Caption for a picture that is decoded already. For a file use
// Caption: it decodes a large JPEG at a fraction of its size, which takes a tenth of
// the time. Since the two reduce the photo differently, log-probabilities differ in
// the third digit.
func (c *Captioner) CaptionImage(ctx context.Context, img image.Image, opt *Options) ([]Caption, error) {
	return c.caption(ctx, opt, func(x *features.Extractor) ([]float32, error) { return x.Image(ctx, img) })
}

func (c *Captioner) caption(ctx context.Context, opt *Options, read func(*features.Extractor) ([]float32, error)) ([]Caption, error) {
	switch {
	case c.Extractor() == nil:
		return nil, errNotOpen
	case ctx == nil:
		return nil, errNoContext
	}
	f, err := read(c.extractor)
	if err != nil {
		return nil, err
	}
	return c.CaptionFeatures(ctx, f, opt)
}

// CaptionFeatures is Caption for the features of a photo, as [Captioner.Extractor]
// computes them.
func (c *Captioner) CaptionFeatures(ctx context.Context, features []float32, opt *Options) ([]Caption, error) {
	hyps, err := c.Generator().Captions(ctx, features, opt)
	if err != nil {
		return nil, err
	}
	return c.captions(hyps), nil
}

// CaptionBatch is CaptionFeatures for many photos; see [Generator.Batch].
func (c *Captioner) CaptionBatch(ctx context.Context, features [][]float32, opt *Options, workers int) ([][]Caption, error) {
	hyps, err := c.Generator().Batch(ctx, features, opt, workers)
	if err != nil {
		return nil, err
	}
	out := make([][]Caption, len(hyps))
	for i, h := range hyps {
		out[i] = c.captions(h)
	}
	return out, nil
}

func (c *Captioner) captions(hyps []Hypothesis) []Caption {
	out := make([]Caption, len(hyps))
	for i, h := range hyps {
		out[i] = Caption{Text: c.vocab.Decode(h.IDs), LogProb: h.LogProb, Words: make([]Word, len(h.IDs))}
		for j, id := range h.IDs {
			out[i].Words[j] = Word{c.vocab.Word(id), h.LogProbs[j]}
		}
	}
	return out
}

// Extractor turns photos into the features that the decoder was trained with. It
// is nil if c was not opened.
func (c *Captioner) Extractor() *features.Extractor { return c.parts().extractor }

// Generator writes sentences as word ids. It is nil if c was not opened.
func (c *Captioner) Generator() *Generator { return c.parts().gen }

// Vocab gives the words of the ids. It is nil if c was not opened.
func (c *Captioner) Vocab() *vocab.Vocab { return c.parts().vocab }

// parts is c, or an empty Captioner for nil.
func (c *Captioner) parts() *Captioner {
	if c == nil {
		return new(Captioner)
	}
	return c
}

// Info describes a model.
type Info struct {
	Name string // "" where the model has none
	Dir  string // "" for a file system

	Cell       Cell
	Entry      Entry
	Features   int // size of the feature vector
	Embedding  int
	Hidden     int
	Vocabulary int
	Parameters int // of the decoder

	CNNName       string
	CNNLayer      string
	CNNReference  bool   // the CNN is not in the folder
	CNNFiles      []File // the network, then its external data
	CNN           cnn.Info
	Preprocessing features.Preprocessing

	Training Training
	Rights   string
	Card     string // README.md
	Files    []File // of the folder, but for config.json and the CNN
}

// Info describes the model; it is empty if c was not opened.
func (c *Captioner) Info() Info {
	if c.parts().config == nil {
		return Info{}
	}
	g := c.config
	return Info{
		Name:          g.Name,
		Dir:           c.dir,
		Cell:          g.Decoder.Cell,
		Entry:         g.Decoder.Entry,
		Features:      g.Decoder.Features,
		Embedding:     g.Decoder.Embedding,
		Hidden:        g.Decoder.Hidden,
		Vocabulary:    g.Decoder.Vocabulary,
		Parameters:    int(c.gen.form.Parameters()),
		CNNName:       g.CNN.Name,
		CNNLayer:      g.CNN.Layer,
		CNNReference:  g.CNN.Reference,
		CNNFiles:      slices.Clone(g.CNN.Files),
		CNN:           c.net.Info(),
		Preprocessing: g.Preprocessing,
		Training:      g.Training,
		Rights:        g.Rights,
		Card:          c.card,
		Files:         slices.Clone(g.Files),
	}
}
