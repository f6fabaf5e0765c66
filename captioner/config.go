package captioner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/strictjson"
)

// Names of the files in a model folder. Those of the CNN are free.
const (
	configFile  = "config.json"
	decoderFile = "decoder.safetensors"
	vocabFile   = "vocab.txt"
	cardFile    = "README.md"
	proofFile   = "verify.safetensors"
)

const (
	modelFormat  = "caption-model"
	modelVersion = 1
)

// Limits on the files of a model folder, in bytes, checked before anything is read.
const (
	maxConfig  = 1 << 20
	maxCNN     = int64(2) << 30              // all files of the CNN together
	maxDecoder = int64(4)*maxWeights + 1<<20 // float32 and the header
	maxText    = 64 << 20                    // vocab.txt
	maxProof   = 16 << 20                    // README.md and each file for Verify
	maxFiles   = 64
)

// config is config.json.
type config struct {
	Format        string                 `json:"format"`
	Version       int                    `json:"version"`
	Name          string                 `json:"name"`
	Decoder       decoderConfig          `json:"decoder"`
	CNN           cnnConfig              `json:"cnn"`
	Preprocessing features.Preprocessing `json:"preprocessing"`
	Verify        *proofConfig           `json:"verify,omitempty"`
	Training      Training               `json:"training"`
	Rights        string                 `json:"rights"`
	Files         []File                 `json:"files"`
	Checksum      string                 `json:"checksum"`
}

type decoderConfig struct {
	Cell       Cell  `json:"cell"`
	Entry      Entry `json:"entry"`
	Features   int   `json:"features"`
	Embedding  int   `json:"embedding"`
	Hidden     int   `json:"hidden"`
	Vocabulary int   `json:"vocabulary"`
}

type cnnConfig struct {
	Name      string `json:"name"`
	Layer     string `json:"layer"`
	Reference bool   `json:"reference,omitempty"`
	Files     []File `json:"files"`
}

type proofConfig struct {
	Photo    string `json:"photo"`
	Sentence string `json:"sentence"`
}

// File is a file of a model and what it must contain.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // lower-case hexadecimal
}

// Training says how a model was made, for people to read.
type Training struct {
	Data     []string           `json:"data,omitempty"`     // data sets
	Photos   int                `json:"photos,omitempty"`   // in their training splits
	Captions int                `json:"captions,omitempty"` // of these photos
	Epochs   int                `json:"epochs,omitempty"`   // epoch that these weights are of
	Command  string             `json:"command,omitempty"`  // command that trains the same model
	Scores   map[string]float64 `json:"scores,omitempty"`   // such as "flickr8k val CIDEr-D": 47.9
}

// identity is the hash of a CNN: that of its file, or of each of its files.
func (c *cnnConfig) identity() string {
	var h []string
	for _, f := range c.Files {
		h = append(h, f.SHA256)
	}
	return strings.Join(h, ",")
}

// file finds a file of the folder.
func (c *config) file(name string) File {
	for _, f := range c.Files {
		if f.Name == name {
			return f
		}
	}
	return File{}
}

// checksumField finds the checksum in the bytes of config.json. It covers the
// whole file with its own 64 digits set to 0.
var checksumField = regexp.MustCompile(`"checksum": "([0-9a-f]{64})"`)

// checksum returns the checksum in config.json, and the one of its content.
func checksum(b []byte) (says, is string, err error) {
	at := checksumField.FindAllSubmatchIndex(b, 2)
	if len(at) != 1 {
		return "", "", errors.New(`there must be one "checksum": "…" of 64 hexadecimal digits`)
	}
	lo, hi := at[0][2], at[0][3]
	h := sha256.New()
	h.Write(b[:lo])
	h.Write(bytes.Repeat([]byte{'0'}, hi-lo))
	h.Write(b[hi:])
	return string(b[lo:hi]), hex.EncodeToString(h.Sum(nil)), nil
}

// marshal returns the bytes of config.json, checksum included.
func (c *config) marshal() ([]byte, error) {
	c.Checksum = strings.Repeat("0", 2*sha256.Size)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		return nil, err
	}
	_, is, err := checksum(b.Bytes())
	if err != nil {
		return nil, err
	}
	c.Checksum = is
	return checksumField.ReplaceAll(b.Bytes(), []byte(`"checksum": "`+is+`"`)), nil
}

// parseConfig reads and checks config.json.
func parseConfig(b []byte) (*config, error) {
	fail := func(field, hint string, err error) (*config, error) {
		return nil, &ModelError{File: configFile, Field: field, Err: err, Hint: hint}
	}
	// The version comes first: another version may have other rules.
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := strictjson.UnmarshalKnown(b, &head); err != nil {
		return fail("", hintRestore, fmt.Errorf("not valid JSON: %w", err))
	}
	if head.Format != modelFormat {
		return fail("format", "give a folder that caption train wrote", fmt.Errorf("%q is not %q", head.Format, modelFormat))
	}
	if head.Version > modelVersion {
		return fail("version", hintUpgrade, fmt.Errorf("%d is newer than %d, the newest that this program knows", head.Version, modelVersion))
	}
	says, is, err := checksum(b)
	if err != nil {
		return fail("checksum", hintRestore, err)
	}
	if says != is {
		return fail("checksum", hintRestore, fmt.Errorf("the file says %s, its content gives %s", says, is))
	}
	c := new(config)
	if err := strictjson.Unmarshal(b, c); err != nil {
		return fail("", hintUpgrade, err)
	}
	if field, err := c.check(); err != nil {
		return fail(field, hintRestore, err)
	}
	return c, nil
}

// check checks the range of every field; it returns the field that is wrong.
func (c *config) check() (field string, err error) {
	if c.Version < 1 {
		return "version", fmt.Errorf("%d is not a version", c.Version)
	}
	if err := c.form().check(); err != nil {
		return "decoder", err
	}
	if err := c.Preprocessing.Validate(); err != nil {
		return "preprocessing", err
	}
	if n := len(c.Files) + len(c.CNN.Files); n > maxFiles {
		return "files", fmt.Errorf("%d files are more than the limit of %d", n, maxFiles)
	}
	seen := map[string]bool{configFile: true}
	total := int64(0)
	for i, f := range c.CNN.Files {
		if err := f.check(maxCNN, seen); err != nil {
			return fmt.Sprintf("cnn.files[%d]", i), err
		}
		total += f.Bytes
	}
	if len(c.CNN.Files) == 0 || total > maxCNN {
		return "cnn.files", fmt.Errorf("%d files with %d bytes in all; at least one file and at most %d bytes are allowed", len(c.CNN.Files), total, maxCNN)
	}
	limits := map[string]int64{decoderFile: maxDecoder, vocabFile: maxText, cardFile: maxProof}
	if c.Verify != nil {
		limits[proofFile] = maxProof
		limits[c.Verify.Photo] = maxProof
	}
	for i, f := range c.Files {
		field := fmt.Sprintf("files[%d]", i)
		limit, known := limits[f.Name]
		if !known {
			return field, fmt.Errorf("unknown file %q", f.Name)
		}
		if err := f.check(limit, seen); err != nil {
			return field, err
		}
		delete(limits, f.Name)
	}
	for name := range limits {
		return "files", fmt.Errorf("%s is missing in the list", name)
	}
	return "", nil
}

// form returns the form of the decoder.
func (c *config) form() Form {
	d := c.Decoder
	return Form{Cell: d.Cell, Entry: d.Entry, Features: []int{d.Features}, E: d.Embedding, H: d.Hidden, V: d.Vocabulary}
}

func (f File) check(limit int64, seen map[string]bool) error {
	if err := checkName(f.Name); err != nil {
		return err
	}
	// Names that differ in case only are the same file on some systems.
	if n := strings.ToLower(f.Name); seen[n] {
		return fmt.Errorf("the name %q occurs twice", f.Name)
	} else {
		seen[n] = true
	}
	if f.Bytes < 1 || f.Bytes > limit {
		return fmt.Errorf("%s: %d bytes are not in 1..%d", f.Name, f.Bytes, limit)
	}
	if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != sha256.Size || strings.ToLower(f.SHA256) != f.SHA256 {
		return fmt.Errorf("%s: sha256 %q is not 64 lower-case hexadecimal digits", f.Name, f.SHA256)
	}
	return nil
}

// checkName refuses all but plain file names: paths, and what some file system takes
// for more than a name.
func checkName(name string) error {
	bad := func(r rune) bool { return !unicode.IsGraphic(r) || strings.ContainsRune(`/\:*?"<>|`, r) }
	if !filepath.IsLocal(name) || len(name) > 255 || !utf8.ValidString(name) || name[0] == '.' || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%q is not a plain file name", name)
	}
	return nil
}
