package captioner

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/leaktest"
	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/vocab"
)

// hostileFS is a folder that breaks the rules of package fs in the given ways.
type hostileFS struct {
	files map[string][]byte
	bad   string // the file that is bad; the others are as they should be
	how   hostility
}

type hostility byte

const (
	behaves    hostility = iota
	opensNil             // Open returns nil, nil
	statsNil             // Stat returns nil, nil
	statFails            //
	sizeLess             // Stat gives another size than there is
	sizeMore             //
	sizeHuge             //
	notRegular           //
	negative             // Read returns −1
	tooMany              // Read returns more than it was asked for
	nothing              // Read returns 0, nil for ever
	fails                // Read returns an error
	cutOff               // Read ends early
	panics               // Read panics
	hostilities
)

var errHostile = errors.New("hostile")

func (h *hostileFS) Open(name string) (fs.File, error) {
	b, ok := h.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if name != h.bad {
		return memfs.FS(h.files).Open(name)
	}
	if h.how == opensNil {
		return nil, nil
	}
	f := &hostileFile{how: h.how, rest: b, size: int64(len(b))}
	if h.how == cutOff {
		f.rest = b[:len(b)/2]
	}
	return f, nil
}

type hostileFile struct {
	how  hostility
	rest []byte
	size int64
}

func (f *hostileFile) Stat() (fs.FileInfo, error) {
	switch f.how {
	case statsNil:
		return nil, nil
	case statFails:
		return nil, errHostile
	}
	return f, nil
}

func (f *hostileFile) Read(p []byte) (int, error) {
	switch f.how {
	case negative:
		return -1, nil
	case tooMany:
		return len(p) + 1, nil
	case nothing:
		return 0, nil
	case fails:
		return 0, errHostile
	case panics:
		panic(errHostile)
	}
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *hostileFile) Close() error       { return nil }
func (f *hostileFile) Name() string       { return "x" }
func (f *hostileFile) ModTime() time.Time { return time.Time{} }
func (f *hostileFile) IsDir() bool        { return false }
func (f *hostileFile) Sys() any           { return nil }

func (f *hostileFile) Mode() fs.FileMode {
	if f.how == notRegular {
		return fs.ModeNamedPipe
	}
	return 0o444
}

func (f *hostileFile) Size() int64 {
	switch f.how {
	case sizeLess:
		return f.size - 1
	case sizeMore:
		return f.size + 1
	case sizeHuge:
		return math.MaxInt64
	}
	return f.size
}

// call returns what f panics with.
func call(f func() error) (err error, panicked any) {
	defer func() { panicked = recover() }()
	return f(), nil
}

// Whatever a file system does with whatever file, the error names it. What it
// panics with arrives where the model is opened, and nothing is left behind.
func TestHostileFS(t *testing.T) {
	files := tinyFiles(t)
	ended := leaktest.Start(t)
	for name := range files {
		for how := behaves; how < hostilities; how++ {
			for _, trusted := range []bool{false, true} {
				l := &Loader{Trusted: trusted}
				err, panicked := call(func() error {
					_, err := l.OpenFS(&hostileFS{files, name, how})
					return err
				})
				unread := trusted && (name == proofFile || name == "verify.jpg")
				harmless := how == behaves || name == configFile && (how == sizeLess || how == sizeMore || how == sizeHuge)
				if unread || harmless {
					if err != nil || panicked != nil {
						t.Errorf("%s, %d: %v, panic %v", name, how, err, panicked)
					}
					continue
				}
				if how == panics {
					if panicked != errHostile {
						t.Errorf("%s: panics with %v, error %v", name, panicked, err)
					}
					continue
				}
				me, ok := errors.AsType[*ModelError](err)
				if panicked != nil || !ok || me.File != name {
					t.Errorf("%s, %d, trusted %v: error %v, panic %v", name, how, trusted, err, panicked)
				}
			}
		}
	}
	ended()
}

// A network in a file system that the caller brings along.
func TestHostileReference(t *testing.T) {
	m := tinyModel(t)
	m.CNN.Reference = true
	files, err := m.files()
	if err != nil {
		t.Fatal(err)
	}
	for name, cnn := range map[string]func(string, []File) (fs.FS, error){
		"nil":  func(string, []File) (fs.FS, error) { return nil, nil },
		"file": func(string, []File) (fs.FS, error) { return &hostileFS{files, "tiny.onnx", opensNil}, nil },
	} {
		err, panicked := call(func() error { _, err := (&Loader{CNN: cnn}).OpenFS(files); return err })
		if _, ok := errors.AsType[*ModelError](err); !ok || panicked != nil {
			t.Errorf("%s: %v, panic %v", name, err, panicked)
		}
	}
	ended := leaktest.Start(t)
	for name, l := range map[string]*Loader{
		"CNN":     {CNN: func(string, []File) (fs.FS, error) { panic(errHostile) }},
		"Prepare": {Prepare: func(features.Preprocessing) { panic(errHostile) }},
		"exits":   {CNN: func(string, []File) (fs.FS, error) { runtime.Goexit(); return nil, nil }},
	} {
		err, panicked := call(func() error { _, err := l.OpenFS(files); return err })
		if name == "exits" && err == nil || name != "exits" && panicked != errHostile {
			t.Errorf("%s: %v, panic %v", name, err, panicked)
		}
	}
	ended()
}

// Zero values, nil pointers and nil arguments give errors.
func TestNothing(t *testing.T) {
	ctx := context.Background()
	open, err := OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	f := make([]float32, 6)
	var noCtx context.Context
	for name, f := range map[string]func() error{
		"OpenFS nil":      func() error { _, err := OpenFS(nil); return err },
		"Loader nil":      func() error { _, err := (*Loader)(nil).OpenFS(nil); return err },
		"Loader nil Open": func() error { _, err := (*Loader)(nil).Open("nothing"); return err },
		"Open nothing":    func() error { _, err := Open(""); return err },
		"ReadNetwork nil": func() error { _, err := ReadNetwork(nil); return err },
		"Save nil":        func() error { return Save(filepath.Join(t.TempDir(), "m"), nil) },
		"Save zero":       func() error { return Save(filepath.Join(t.TempDir(), "m"), new(Model)) },
		"Save zero parts": func() error {
			return Save(filepath.Join(t.TempDir(), "m"), &Model{Decoder: new(Decoder), Vocab: new(vocab.Vocab)})
		},
		"Captioner zero":    func() error { _, err := new(Captioner).CaptionImage(ctx, picture(1), nil); return err },
		"Captioner read":    func() error { _, err := new(Captioner).Caption(ctx, strings.NewReader("x"), nil); return err },
		"Captioner nil":     func() error { _, err := (*Captioner)(nil).CaptionImage(ctx, picture(1), nil); return err },
		"features zero":     func() error { _, err := new(Captioner).CaptionFeatures(ctx, f, nil); return err },
		"batch zero":        func() error { _, err := new(Captioner).CaptionBatch(ctx, [][]float32{f}, nil, 1); return err },
		"verify zero":       func() error { _, err := new(Captioner).Verify(ctx); return err },
		"verify nil":        func() error { _, err := (*Captioner)(nil).Verify(ctx); return err },
		"Generator zero":    func() error { _, err := new(Generator).Captions(ctx, f, nil); return err },
		"Generator nil":     func() error { _, err := (*Generator)(nil).Captions(ctx, f, nil); return err },
		"Generator batch":   func() error { _, err := new(Generator).Batch(ctx, [][]float32{f}, nil, 0); return err },
		"NewGenerator nil":  func() error { _, err := NewGenerator(nil); return err },
		"NewGenerator zero": func() error { _, err := NewGenerator(new(Decoder)); return err },
		"Decoder nil":       func() error { return (*Decoder)(nil).Validate() },
		"Decoder zero":      func() error { return new(Decoder).Validate() },
		"Form zero":         func() error { return Form{}.Validate() },
		"no reader":         func() error { _, err := open.Caption(ctx, nil, nil); return err },
		"no image":          func() error { _, err := open.CaptionImage(ctx, nil, nil); return err },
		"no context":        func() error { _, err := open.CaptionImage(noCtx, picture(1), nil); return err },
		"no ctx, features":  func() error { _, err := open.CaptionFeatures(noCtx, f, nil); return err },
		"no ctx, batch":     func() error { _, err := open.CaptionBatch(noCtx, [][]float32{f}, nil, 0); return err },
		"no ctx, empty":     func() error { _, err := open.CaptionBatch(noCtx, nil, nil, 0); return err },
		"no ctx, verify":    func() error { _, err := open.Verify(noCtx); return err },
		"no features":       func() error { _, err := open.CaptionFeatures(ctx, nil, nil); return err },
		"too many features": func() error { _, err := open.CaptionFeatures(ctx, make([]float32, 7), nil); return err },
		"NaN": func() error {
			_, err := open.CaptionFeatures(ctx, []float32{0, 0, float32(nan()), 0, 0, 0}, nil)
			return err
		},
		"largest": func() error {
			_, err := open.CaptionFeatures(ctx, slices.Repeat([]float32{math.MaxFloat32}, 6), with(Options{Beam: -1}))
			return err
		},
		"batch with nil":     func() error { _, err := open.CaptionBatch(ctx, [][]float32{f, nil}, nil, 1e6); return err },
		"ModelError zero":    func() error { return errors.New(new(ModelError).Error()) },
		"OptionError zero":   func() error { return errors.New(new(OptionError).Error()) },
		"Options zero":       func() error { return new(Options).Validate() },
		"Options out of sum": func() error { return with(Options{Beam: math.MaxInt}).Validate() },
	} {
		if err, panicked := call(f); err == nil || panicked != nil || err.Error() == "" {
			t.Errorf("%s: error %v, panic %v", name, err, panicked)
		}
	}
	for _, c := range []*Captioner{nil, new(Captioner)} {
		if c.Extractor() != nil || c.Generator() != nil || c.Vocab() != nil || c.Info().Name != "" {
			t.Error("a Captioner that was not opened has parts")
		}
	}
	if n := (Form{}).Parameters(); n != 0 {
		t.Errorf("no decoder has %d parameters", n)
	}
	if err := (*Options)(nil).Validate(); err != nil {
		t.Error(err)
	}
}

// The sizes of a decoder are held to their limits without overflow, on 32 bits too.
func TestDecoderSizes(t *testing.T) {
	for _, f := range []Form{
		{LSTM, Every, []int{1 << 16}, 1 << 16, 1 << 16, 1 << 18},
		{RNN, Init, []int{1}, 1 << 16, 1 << 16, 5},
		{RNN, Init, []int{5}, 1, 1 << 14, 5},
		{LSTM, Init, []int{math.MaxInt}, math.MaxInt, math.MaxInt, math.MaxInt},
		{LSTM, Init, []int{-1}, -1, -1, -1},
		{LSTM, Init, nil, 5, 4, 7},
		{LSTM, Init, []int{2, 2, 6}, 5, 4, 7},
	} {
		if err := f.Validate(); err == nil {
			t.Errorf("%+v is valid", f)
		}
		if err := (&Decoder{Form: f}).Validate(); err == nil {
			t.Errorf("%+v is valid", f)
		}
		f.Parameters()
	}
	if err := (Form{GRU, Every, []int{6}, 5, 4, 7}).Validate(); err != nil {
		t.Error(err)
	}
}

// A batch takes no more memory with a wide beam and a large vocabulary than one photo.
func TestBatchGroups(t *testing.T) {
	for _, c := range []struct{ beam, vocab, want int }{{3, 2957, 16}, {1024, 2957, 16}, {1024, 1 << 18, 1}, {64, 1 << 18, 4}} {
		if got := groupOf(&Options{Beam: c.beam}, c.vocab); got != c.want {
			t.Errorf("beam %d, %d words: groups of %d, want %d", c.beam, c.vocab, got, c.want)
		}
	}
}

// No error is long or has a line break in it, whatever the names in the folder.
func TestErrorsAreShort(t *testing.T) {
	files := tinyFiles(t)
	evil := "\x1b]0;x\a\n\u202e" + strings.Repeat("é", 3000)
	for name, change := range map[string]func(c *config, files memfs.FS){
		"format":     func(c *config, _ memfs.FS) { c.Format = evil },
		"cell":       func(c *config, _ memfs.FS) { c.Decoder.Cell = Cell(evil) },
		"entry":      func(c *config, _ memfs.FS) { c.Decoder.Entry = Entry(evil) },
		"resize":     func(c *config, _ memfs.FS) { c.Preprocessing.Resize = evil },
		"layer":      func(c *config, _ memfs.FS) { c.CNN.Layer = evil },
		"cnn name":   func(c *config, _ memfs.FS) { c.CNN.Name = evil; c.CNN.Reference = true },
		"file":       func(c *config, _ memfs.FS) { c.Files[0].Name = evil },
		"cnn file":   func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = evil },
		"bidi file":  func(c *config, f memfs.FS) { f["a\u202eb"] = f["tiny.onnx"]; c.CNN.Files[0].Name = "a\u202eb" },
		"long file":  func(c *config, f memfs.FS) { c.CNN.Files[0].Name = strings.Repeat("é", 120) },
		"hash":       func(c *config, f memfs.FS) { delete(f, vocabFile); c.Files[0].SHA256 = evil },
		"photo":      func(c *config, _ memfs.FS) { c.Verify.Photo = evil },
		"vocabulary": func(c *config, f memfs.FS) { f[vocabFile] = []byte(evil + "\n") },
		"word":       func(c *config, f memfs.FS) { f[vocabFile] = append(slices.Clone(f[vocabFile]), "\x1b[31m\u202e\n"...) },
		"layer node": func(c *config, f memfs.FS) { c.CNN.Layer = evil },
		"tensor": func(c *config, f memfs.FS) {
			f[decoderFile] = slices.Clone(f[decoderFile])
			f[decoderFile] = []byte(strings.Replace(string(f[decoderFile]), "image.first.bias", "image.first.\u202e\u0085", 1))
		},
	} {
		bad := reseal(t, files, change)
		_, err := OpenFS(bad)
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		checkMessage(t, name, err)
	}
	raw := maps.Clone(files)
	raw[configFile] = []byte(strings.Replace(string(raw[configFile]), `"name":`, `"`+strings.Repeat(`\u202e`, 900)+`": 1, "name":`, 1))
	if says, is, err := checksum(raw[configFile]); err == nil {
		raw[configFile] = []byte(strings.Replace(string(raw[configFile]), says, is, 1))
	}
	_, err := OpenFS(raw)
	checkMessage(t, "key", err)
	_, err = Open(filepath.Join(t.TempDir(), strings.Repeat("a\x1b\n", 1000)))
	checkMessage(t, "folder", err)
}

func checkMessage(t *testing.T, what string, err error) {
	t.Helper()
	s := err.Error()
	if len(s) > 500 {
		t.Errorf("%s: %d bytes: %s", what, len(s), s)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }); i >= 0 {
		t.Errorf("%s: %q at byte %d of %q", what, s[i:min(len(s), i+3)], i, s)
	}
}
