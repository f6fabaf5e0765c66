package captioner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/vocab"
)

// Model is what Save writes into a model folder.
type Model struct {
	Name    string // such as "default"; may be empty
	Decoder *Decoder
	Vocab   *vocab.Vocab

	CNN           CNN
	Preprocessing features.Preprocessing

	// Float16 stores the matrices of the decoder in half the bytes.
	Float16 bool

	// Photo is an encoded photo that is stored with its features and its sentence,
	// for Verify. nil omits that check. PhotoName is its name in the folder; ""
	// means verify.jpg.
	Photo     []byte
	PhotoName string

	Training Training
	Rights   string // what the data allow, in one or two sentences

	// Card is the text of README.md; "" means a short one made from the fields above.
	Card string
}

// CNN is the network that the decoder was trained with.
type CNN struct {
	Name  string // such as "efficientnet-lite2"
	Layer string // layer that gives the features; "" means cnn.Pooled

	// FS holds Files: the ONNX file, then its external data if it has any.
	// External data must keep the names that the ONNX file knows them by.
	FS    fs.FS
	Files []string

	// Reference omits the files from the folder, which then holds their hashes
	// only. To open it, Loader.CNN must find them.
	Reference bool
}

// Save writes a model folder. Before it writes anything, it puts the model together
// in memory, opens it from there and captions Photo: what Save writes opens. In an
// existing folder, files that are not part of a model are kept.
//
// All files are on the disk under temporary names before the first is renamed;
// config.json is the last. A file that is there already is not written again. After a
// crash in between, Open refuses the folder and Save repairs it.
func Save(dir string, m *Model) error {
	if m == nil {
		return &ModelError{Dir: dir, Err: errors.New("there is no model to save")}
	}
	files, err := m.files()
	if err != nil {
		if _, ok := errors.AsType[*ModelError](err); !ok {
			err = &ModelError{Err: err}
		}
		return inDir(err, dir)
	}
	if err := writeFolder(dir, files); err != nil {
		return fmt.Errorf("saving model %s: %w", dir, err)
	}
	return nil
}

// files returns the content of the folder.
func (m *Model) files() (memfs.FS, error) {
	if m.Decoder == nil || m.Vocab == nil {
		return nil, errors.New("a model needs a decoder and a vocabulary")
	}
	if err := m.Decoder.Validate(); err != nil {
		return nil, err
	}
	if m.Vocab.Len() != m.Decoder.V {
		return nil, fmt.Errorf("the vocabulary has %d words, the decoder %d", m.Vocab.Len(), m.Decoder.V)
	}
	files, err := m.CNN.read()
	if err != nil {
		return nil, err
	}
	d := m.Decoder
	c := &config{
		Format:        modelFormat,
		Version:       modelVersion,
		Name:          m.Name,
		Decoder:       decoderConfig{Cell: d.Cell, Entry: d.Entry, Features: d.D(), Embedding: d.E, Hidden: d.H, Vocabulary: d.V},
		CNN:           cnnConfig{Name: m.CNN.Name, Layer: cmp.Or(m.CNN.Layer, cnn.Pooled)},
		Preprocessing: m.Preprocessing,
		Training:      m.Training,
		Rights:        m.Rights,
	}
	for _, name := range m.CNN.Files {
		c.CNN.Files = append(c.CNN.Files, describe(name, files[name]))
	}
	put := func(name string, b []byte) {
		files[name] = b
		c.Files = append(c.Files, describe(name, b))
	}
	var words bytes.Buffer
	if err := m.Vocab.Write(&words); err != nil {
		return nil, err
	}
	put(vocabFile, words.Bytes())
	meta, err := c.metadata()
	if err != nil {
		return nil, err
	}
	weights, err := encodeDecoder(d, m.Float16, meta)
	if err != nil {
		return nil, err
	}
	put(decoderFile, weights)
	card := m.Card
	if card == "" {
		card = m.card()
	}
	put(cardFile, []byte(card))

	// The model without the proof computes the proof.
	opened, err := c.open(files)
	if err != nil {
		return nil, err
	}
	if m.Photo != nil {
		name := cmp.Or(m.PhotoName, "verify.jpg")
		p, err := opened.prove(context.Background(), m.Photo)
		if err != nil {
			return nil, fmt.Errorf("the photo for verify: %w", err)
		}
		b, err := p.encode()
		if err != nil {
			return nil, err
		}
		c.Verify = &proofConfig{Photo: name, Sentence: p.sentence}
		put(name, m.Photo)
		put(proofFile, b)
		if opened, err = c.open(files); err != nil {
			return nil, err
		}
		if _, err := opened.Verify(context.Background()); err != nil {
			return nil, err
		}
	}
	if m.CNN.Reference {
		for _, name := range m.CNN.Files {
			delete(files, name)
		}
		c.CNN.Reference = true
		files[configFile], err = c.marshal()
	}
	return files, err
}

// open writes config.json into files and opens the model that they make.
func (c *config) open(files memfs.FS) (_ *Captioner, err error) {
	if files[configFile], err = c.marshal(); err != nil {
		return nil, err
	}
	return OpenFS(files)
}

// describe returns the entry of a file with this content.
func describe(name string, b []byte) File {
	h := sha256.Sum256(b)
	return File{Name: name, Bytes: int64(len(b)), SHA256: hex.EncodeToString(h[:])}
}

// read returns the files of the network, by name.
func (n *CNN) read() (memfs.FS, error) {
	if n.FS == nil || len(n.Files) == 0 {
		return nil, errors.New("a model needs the files of its CNN")
	}
	m := memfs.FS{}
	var total int64
	for _, name := range n.Files {
		if err := checkName(name); err != nil {
			return nil, err
		}
		f, size, err := openRegular(n.FS, name)
		if err != nil {
			return nil, fmt.Errorf("the CNN's file %s: %w", name, message.Cause(err))
		}
		f.Close()
		if size < 0 || size > maxCNN-total {
			return nil, fmt.Errorf("the CNN's files are larger than the limit of %d bytes", maxCNN)
		}
		total += size
		if m[name], err = readFile(n.FS, File{Name: name, Bytes: size}, false); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// writeFolder puts files into dir, config.json last.
func writeFolder(dir string, files memfs.FS) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	names = append(slices.DeleteFunc(names, func(name string) bool { return name == configFile }), configFile)

	var open []*atomicfile.File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	for _, name := range names {
		if old, err := readFile(os.DirFS(dir), File{Name: name, Bytes: int64(len(files[name]))}, false); err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		f, err := atomicfile.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		open = append(open, f)
		if _, err := f.Write(files[name]); err != nil {
			return err
		}
	}
	for _, f := range open {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	for _, f := range open {
		if err := f.Commit(); err != nil {
			return err
		}
	}
	return nil
}
