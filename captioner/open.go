package captioner

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/checkedio"
	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/vocab"
)

// Loader opens model folders. The zero value is what [Open] and [OpenFS] use.
type Loader struct {
	// CNN finds the CNN of a model whose folder does not hold it: it returns a
	// file system with these files, the ONNX file first, then its external data.
	// Their hashes are always checked. nil refuses such models.
	CNN func(name string, files []File) (fs.FS, error)

	// Trusted skips the hashes of the files, for a model that cannot have changed
	// since it was checked; all other checks remain. Hashing takes about 1 ms for
	// 2 MB on a processor with SHA instructions, and for 0.4 MB without.
	// models.Default is never hashed but compared with checksums in the program.
	// Trusted skips that of the CNN, which takes 2 to 5 ms; the others cost
	// nothing, since they save other checks.
	Trusted bool

	compareCNN bool // with its checksum in the program

	// Precision is what the CNN computes in. The default is cnn.Float32. With
	// features in cnn.BF16, a decoder that was trained on float32 writes nearly
	// the same sentences. If the processor cannot compute in it, the error wraps
	// cnn.ErrPrecision.
	Precision cnn.Precision

	// Threads is the largest number of goroutines that work on one photo.
	// 0 means 1, which is best where many photos are captioned at a time.
	Threads int

	// Prepare, unless nil, is called as soon as the preprocessing is known, before
	// the weights are packed. It should start a goroutine and return: the first
	// photo can be read (Preprocessing.Read) while the model is being opened,
	// which may still fail.
	Prepare func(features.Preprocessing)
}

// Open opens the model in a folder: shorthand for new(Loader).Open(dir).
func Open(dir string) (*Captioner, error) { return new(Loader).Open(dir) }

// OpenFS opens the model in the root of a file system, such as models.Default:
// shorthand for new(Loader).OpenFS(fsys).
func OpenFS(fsys fs.FS) (*Captioner, error) { return new(Loader).OpenFS(fsys) }

// Open opens the model in a folder. Every file of it is checked against its
// hash, and every part against the others; a *ModelError says what is wrong.
func (l *Loader) Open(dir string) (*Captioner, error) {
	fi, err := os.Stat(dir)
	if err == nil && !fi.IsDir() {
		err = errors.New("not a folder")
	}
	if err != nil {
		return nil, &ModelError{Dir: dir, Err: message.Cause(err), Hint: "give a folder that caption train wrote"}
	}
	return l.open(dir, os.DirFS(dir))
}

// OpenFS opens the model in the root of a file system, like Open. It does not recover
// from a panic of fsys.
func (l *Loader) OpenFS(fsys fs.FS) (*Captioner, error) { return l.open("", fsys) }

func (l *Loader) open(dir string, fsys fs.FS) (*Captioner, error) {
	if l == nil {
		l = new(Loader)
	}
	if _, ok := fsys.(memfs.Program); ok && !l.Trusted {
		trusting := *l
		trusting.Trusted, trusting.compareCNN = true, true // see sums
		l = &trusting
	}
	c := &Captioner{fsys: fsys, cnnFS: fsys, dir: dir}
	if err := l.load(c); err != nil {
		return nil, inDir(err, dir)
	}
	return c, nil
}

// load fills c. Opening the CNN takes about as long as all the rest, so both are done
// at the same time.
func (l *Loader) load(c *Captioner) error {
	var err error
	if c.config, err = readConfig(c.fsys); err != nil {
		return err
	}
	if l.Prepare != nil {
		l.Prepare(c.config.Preprocessing)
	}
	netErr := errors.New("the network was not opened") // if l.CNN calls runtime.Goexit
	err = together(
		func() error { return l.words(c) },
		func() { netErr = l.network(c) })
	return cmp.Or(err, netErr) // in this order, so that a folder always gives the same
}

// together calls f, and g on a goroutine of its own, and returns f's error when both
// are done. If either panics, as a file system of the user's may, together does.
func together(f func() error, g func()) error {
	var panicked any
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() { panicked = recover() }()
		g()
	})
	defer func() {
		wg.Wait()
		if panicked != nil {
			panic(panicked)
		}
	}()
	return f()
}

func readConfig(fsys fs.FS) (*config, error) {
	fail := func(err error) (*config, error) {
		return nil, &ModelError{File: configFile, Err: message.Cause(err), Hint: "give a folder that caption train wrote"}
	}
	f, _, err := openRegular(fsys, configFile)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(checkedio.Reader(f), maxConfig+1))
	if err != nil {
		return fail(err)
	}
	if len(b) > maxConfig {
		return fail(fmt.Errorf("larger than the limit of %d bytes", maxConfig))
	}
	return parseConfig(b)
}

// Network describes the CNN of a model.
type Network struct {
	Name          string
	Layer         string
	Files         []File // the network, then its external data
	Preprocessing features.Preprocessing
}

// ReadNetwork reads the description of a model's CNN, without opening either. The
// model is in the root of fsys.
func ReadNetwork(fsys fs.FS) (Network, error) {
	c, err := readConfig(fsys)
	if err != nil {
		return Network{}, err
	}
	return Network{Name: c.CNN.Name, Layer: c.CNN.Layer, Files: c.CNN.Files, Preprocessing: c.Preprocessing}, nil
}

// network opens the CNN and joins it with its preprocessing.
func (l *Loader) network(c *Captioner) error {
	cfg := &c.config.CNN
	if cfg.Reference {
		if l.CNN == nil {
			return &ModelError{File: configFile, Field: "cnn", Err: fmt.Errorf("the network %s is not in the folder", cfg.Name), Hint: "fetch it first, or set Loader.CNN"}
		}
		fsys, err := l.CNN(cfg.Name, slices.Clone(cfg.Files))
		if err != nil {
			return &ModelError{File: configFile, Field: "cnn", Err: fmt.Errorf("the network %s was not found: %w", cfg.Name, err)}
		}
		c.cnnFS = fsys
	}
	mem := memfs.FS{}
	var size int64
	for _, f := range cfg.Files {
		b, err := readFile(c.cnnFS, f, cfg.Reference || !l.Trusted)
		if err != nil {
			return err
		}
		mem[f.Name] = b
		size += f.Bytes
	}
	fail := func(field string, err error) error {
		return &ModelError{File: cfg.Files[0].Name, Field: field, Err: err, Hint: hintMixed}
	}
	pre := c.config.Preprocessing
	net, err := cnn.OpenFS(mem, cfg.Files[0].Name, &cnn.Options{
		Layer: cfg.Layer, Height: pre.Height, Width: pre.Width, Precision: l.Precision, Threads: l.Threads, MaxBytes: size,
	})
	if errors.Is(err, cnn.ErrPrecision) {
		return err // the folder is right
	}
	if err != nil {
		return fail("", err)
	}
	info := net.Info()
	if want := c.config.form().Features; !slices.Equal(info.FeatureShape, want) {
		return fail(info.FeatureNode, fmt.Errorf("the network gives features of shape %v, the decoder takes %v", info.FeatureShape, want))
	}
	if info.Height != pre.Height || info.Width != pre.Width {
		return fail(info.InputName, fmt.Errorf("the network takes pictures of %d×%d, the decoder was trained with %d×%d", info.Width, info.Height, pre.Width, pre.Height))
	}
	c.extractor, err = features.NewExtractor(net, pre)
	if err != nil {
		return &ModelError{File: configFile, Field: "preprocessing", Err: err, Hint: hintMixed}
	}
	c.net = net
	return nil
}

// words opens everything but the CNN.
func (l *Loader) words(c *Captioner) error {
	files := map[string][]byte{}
	for _, f := range c.config.Files {
		if l.Trusted && f.Name != decoderFile && f.Name != vocabFile && f.Name != cardFile {
			continue // Verify reads it
		}
		b, err := readFile(c.fsys, f, !l.Trusted)
		if err != nil {
			return err
		}
		files[f.Name] = b
	}
	v, err := vocab.Read(bytes.NewReader(files[vocabFile]))
	if err != nil {
		return &ModelError{File: vocabFile, Err: err, Hint: hintRestore}
	}
	if v.Len() != c.config.Decoder.Vocabulary {
		return &ModelError{File: vocabFile, Err: fmt.Errorf("%d words, the decoder has %d", v.Len(), c.config.Decoder.Vocabulary), Hint: hintMixed}
	}
	var p packing.Packer
	compared, intact := sums(c.fsys, c.config.Files, &p)
	values, finite, err := decodeDecoder(files[decoderFile], c.config, compared[decoderFile], &p)
	if err != nil {
		return err
	}
	g := prepareGenerator(c.config.form(), values, &p)
	intactCNN := func() error { return nil }
	if l.compareCNN {
		_, intactCNN = sums(c.fsys, c.config.CNN.Files, &p)
	}
	if _, ok := c.fsys.(memfs.Program); !ok && g.matrices["out.weight"].half == nil {
		// Else the whole file would stay in memory for the embedding.
		g.embed = g.embed.Clone()
	}
	if err := p.Run(); err != nil {
		return &ModelError{File: decoderFile, Err: err, Hint: hintRestore}
	}
	if err := cmp.Or(intactCNN(), intact(), finite()); err != nil {
		return err
	}
	c.vocab = v
	c.card = string(files[cardFile])
	g.threads = l.Threads
	c.gen = g
	return nil
}
