package captioner

import (
	"bytes"
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
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/vocab"
)

// Loader opens model folders. The zero value is what [Open] and [OpenFS] use.
type Loader struct {
	// CNN finds the network of a model that refers to one instead of holding
	// it: it returns a file system in which these files lie, the network
	// first, then its external data. Their hashes are always checked. nil
	// refuses such models.
	CNN func(name string, files []File) (fs.FS, error)

	// Trusted skips the hashes of the files in the folder, for a model that
	// nothing can have changed since it was checked. Everything else is checked
	// all the same. Hashing takes about 1 ms for 2 MB on a processor with SHA
	// instructions, 1 ms for 0.4 MB without. models.Default is never hashed but
	// compared with checksums in the program, of which Trusted skips that of the
	// CNN: it takes 2 to 5 ms, the others nothing, since they save other checks.
	Trusted bool

	compareCNN bool // with its checksum in the program

	// Precision is what the network computes in. Decoders are trained on
	// features of the default, cnn.Float32, unless they were trained
	// otherwise; those of cnn.BF16 are near enough to write nearly the same
	// sentences. Where the processor cannot compute in it, the error wraps
	// cnn.ErrPrecision.
	Precision cnn.Precision

	// Threads is the largest number of goroutines that work on one photo.
	// 0 means 1: the best for many photos at a time.
	Threads int

	// Prepare, unless nil, is called as soon as the preprocessing of the network
	// is known, before the weights are packed. It should start a goroutine and
	// return: the first photo can be read (Preprocessing.Read) while the model is
	// being opened, which may turn out to be damaged afterwards.
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
		return nil, &ModelError{Dir: dir, Err: cause(err), Hint: "give a folder that caption train wrote"}
	}
	return l.open(dir, os.DirFS(dir))
}

// OpenFS opens the model in the root of a file system, like Open.
// What fsys panics with is not recovered from.
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
		if me, ok := errors.AsType[*ModelError](err); ok {
			me.Dir = dir
		}
		return nil, err
	}
	return c, nil
}

// load fills c. The network takes about as long as all the rest, so they go
// side by side.
func (l *Loader) load(c *Captioner) error {
	b, err := readConfig(c.fsys)
	if err != nil {
		return err
	}
	if c.config, err = parseConfig(b); err != nil {
		return err
	}
	if l.Prepare != nil {
		l.Prepare(c.config.Preprocessing)
	}
	netErr := errors.New("opening the network was given up")
	err = together(
		func() error { return l.words(c) },
		func() { netErr = l.network(c) })
	return firstErr(err, netErr)
}

// together calls f, and g on a goroutine of its own, and returns f's error when both
// are done. What either panics with, a file system of the caller's for one, arrives
// at the caller.
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

// firstErr returns the first error, so that the same folder always gives the same.
func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func readConfig(fsys fs.FS) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, &ModelError{File: configFile, Err: cause(err), Hint: "give a folder that caption train wrote"}
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
	return b, nil
}

// Network is what a model says of its CNN.
type Network struct {
	Name          string
	Layer         string
	Files         []File // the network, then its external data
	Preprocessing features.Preprocessing
}

// ReadNetwork reads what the model in the root of a file system says of its CNN,
// without opening that or the model.
func ReadNetwork(fsys fs.FS) (Network, error) {
	b, err := readConfig(fsys)
	if err != nil {
		return Network{}, err
	}
	c, err := parseConfig(b)
	if err != nil {
		return Network{}, err
	}
	return Network{Name: c.CNN.Name, Layer: c.CNN.Layer, Files: c.CNN.Files, Preprocessing: c.Preprocessing}, nil
}

// network opens the CNN and pairs it with its preprocessing.
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
	if want := []int{c.config.Decoder.Features}; !slices.Equal(info.FeatureShape, want) {
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
	compared, whole := sums(c.fsys, c.config.Files, &p)
	d, m, found, err := decodeDecoder(files[decoderFile], c.config, compared[decoderFile], &p)
	if err != nil {
		return err
	}
	g := prepareGenerator(d, m, &p)
	wholeCNN := func() error { return nil }
	if l.compareCNN {
		_, wholeCNN = sums(c.fsys, c.config.CNN.Files, &p)
	}
	if _, ok := c.fsys.(memfs.Program); !ok && g.out.half == nil {
		// The file would stay in memory for the embedding alone.
		g.embed = m.embed.Clone()
	}
	if err := p.Run(); err != nil {
		return &ModelError{File: decoderFile, Err: err, Hint: hintRestore}
	}
	if err := firstErr(wholeCNN(), whole(), found()); err != nil {
		return err
	}
	c.vocab = v
	c.card = string(files[cardFile])
	g.threads = l.Threads
	c.gen = g
	return nil
}
