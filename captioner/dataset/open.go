package dataset

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onetomany/caption/internal/message"
)

// maxFile is the largest file of captions in bytes. (Karpathy's file of COCO
// has 144 MB.)
const maxFile = 1 << 30

// Open reads the data set at path, a file or a folder, and finds its photos.
// Photos without file are left out and listed in Missing; if all are, that is
// an error. A set without splits becomes train and val (see EnsureVal).
// Errors name the file and, where there is one, the line.
func Open(path string) (*Set, error) {
	s, err := open(path, true)
	return s, message.Error(err)
}

// OpenCaptions is Open for photos that need not be there, because their
// features are: photos without file stay, with an empty Path.
func OpenCaptions(path string) (*Set, error) {
	s, err := open(path, false)
	return s, message.Error(err)
}

func open(path string, needFiles bool) (*Set, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("data set %s: %w", path, message.Cause(err))
	}
	b := newBuilder(path)
	if fi.IsDir() {
		err = openDir(b, path)
	} else {
		err = openFile(b, path)
	}
	if err != nil {
		return nil, err
	}
	return b.set(setName(path), needFiles)
}

// setName names a set after its file, or after the folder if the file's name
// says nothing.
func setName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	switch name := stem(path); name {
	case "captions", "metadata", "data", "results":
		return filepath.Base(filepath.Dir(path))
	default:
		return name
	}
}

// accepted says what Open takes, for errors.
const accepted = "a Flickr8k folder, COCO captions JSON, Karpathy JSON, or CSV, TSV or JSONL with image,caption[,split] is expected"

// openFile reads one file of captions by its extension.
func openFile(b *builder, path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	b.enter(path)
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".json":
		return parseJSON(b, data)
	case ".jsonl", ".ndjson":
		return parseJSONL(b, data)
	case ".tsv":
		return parseTSV(b, data)
	case ".csv", ".txt": // Kaggle's copy of Flickr8k has a captions.txt
		return parseCSV(b, data)
	case ".token":
		return parseTokens(b, data)
	default:
		return fmt.Errorf("data set %s: unknown extension %q; %s", path, ext, accepted)
	}
}

// openDir reads a folder: Flickr8k, COCO, or one that holds a single file of
// captions with a usual name.
func openDir(b *builder, dir string) error {
	if ok, err := openFlickr(b, dir); ok || err != nil {
		return err
	}
	var files []string
	for _, pattern := range []string{"captions_*.json", "annotations/captions_*.json"} {
		if fs := glob(dir, pattern); len(fs) > 0 {
			files = fs
			break
		}
	}
	if len(files) == 0 {
		for _, pattern := range []string{"captions.*", "metadata.*", "dataset*.json"} {
			files = append(files, glob(dir, pattern)...)
		}
		if len(files) > 1 {
			return fmt.Errorf("data set %s: the folder holds several files of captions (%s); name one", dir, strings.Join(files, ", "))
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("data set %s: no captions found in the folder; %s", dir, accepted)
	}
	for _, f := range files {
		if err := openFile(b, f); err != nil {
			return err
		}
	}
	return nil
}

// glob finds files of captions under a folder, whatever the folder's name.
func glob(dir, pattern string) []string {
	sub, pattern := filepath.Split(filepath.FromSlash(pattern))
	entries, _ := os.ReadDir(filepath.Join(dir, sub))
	var files []string
	for _, e := range entries {
		ok, _ := filepath.Match(pattern, e.Name())
		exts := []string{".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt"}
		if ok && !e.IsDir() && slices.Contains(exts, strings.ToLower(filepath.Ext(e.Name()))) {
			files = append(files, filepath.Join(dir, sub, e.Name()))
		}
	}
	return files
}

// readFile reads a file of captions up to the limit.
func readFile(path string) ([]byte, error) {
	// Stat before Open: opening a named pipe would wait for its writer.
	if fi, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	} else if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("data set %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("data set %s: larger than the limit of %d bytes", path, maxFile)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), nil
}
