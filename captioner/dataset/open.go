package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onetomany/caption/internal/message"
)

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

// What Open takes, for people: Forms in the help of programs, and accepted in errors.
const (
	Forms = "a Flickr8k folder, a COCO or Karpathy JSON file, or a CSV, TSV or JSONL file"

	accepted = "a Flickr8k folder, COCO captions JSON, Karpathy JSON, or CSV, TSV or JSONL with image,caption[,split] is expected"
)

// parsers read files of captions, by extension.
var parsers = map[string]func(*builder, []byte) error{
	".json":   parseJSON,
	".jsonl":  parseJSONL,
	".ndjson": parseJSONL,
	".tsv":    parseTSV,
	".csv":    parseCSV,
	".txt":    parseCSV, // Kaggle's copy of Flickr8k has a captions.txt
	".token":  parseTokens,
}

func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// openFile reads one file of captions.
func openFile(b *builder, path string) error {
	parse := parsers[extension(path)]
	if parse == nil {
		return fmt.Errorf("data set %s: unknown extension %q; %s", path, extension(path), accepted)
	}
	return b.read(path, parse)
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
		if ext := extension(e.Name()); ok && !e.IsDir() && parsers[ext] != nil && ext != ".token" {
			files = append(files, filepath.Join(dir, sub, e.Name()))
		}
	}
	return files
}
