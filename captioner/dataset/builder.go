package dataset

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/onetomany/caption/internal/message"
)

// Limits of a data set; what is beyond them is no file of captions.
const (
	maxFile    = 1 << 30 // bytes; Karpathy's file of COCO has 144 MB
	maxCaption = 4096    // bytes
	maxName    = 1024    // bytes
)

// builder collects the photos of a set while its files are parsed.
type builder struct {
	path      string   // of the data set
	file      string   // being parsed
	dirs      []string // where its photos can be
	split     string   // what the file's name says
	fileSplit bool     // a photo's split came from there
	splits    bool     // the set has splits
	photos    []draft
	index     map[string]int // name -> index in photos
	noText    int            // captions without any word
	notes     []string
}

// draft is a photo whose file has not been looked for yet.
type draft struct {
	Photo
	alt  string   // another relative path of the file, or ""
	dirs []string // folders to look in
}

func newBuilder(path string) *builder { return &builder{path: path, index: map[string]int{}} }

// read parses a file of captions.
func (b *builder) read(file string, parse func(*builder, []byte) error) error {
	b.start(file)
	// Stat before Open: opening a named pipe would wait for its writer.
	if fi, err := os.Stat(file); err != nil {
		return fmt.Errorf("data set: %w", err)
	} else if !fi.Mode().IsRegular() {
		return b.errorf(0, "not a regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("data set: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("data set: %w", err)
	}
	if len(data) > maxFile {
		return b.errorf(0, "larger than the limit of %d bytes", maxFile)
	}
	return parse(b, bytes.TrimPrefix(data, []byte("\ufeff")))
}

func (b *builder) start(file string) {
	b.file = file
	b.dirs = imageDirs(file)
	b.split, b.fileSplit = splitOfFile(file), false
}

// lines calls f with each line, its end included, and its number.
func (b *builder) lines(data []byte, f func(line int, text string) error) error {
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		if err := f(line, text); err != nil {
			return b.errorf(line, "%w", err)
		}
	}
	return nil
}

// errorf says what is wrong in the current file, at a line if it is not 0.
func (b *builder) errorf(line int, format string, args ...any) error {
	at := ""
	if line > 0 {
		at = fmt.Sprintf(", line %d", line)
	}
	return message.Error(fmt.Errorf("data set %s%s: %w", b.file, at, fmt.Errorf(format, args...)))
}

func (b *builder) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// photo returns the photo of a name, a new one if need be.
func (b *builder) photo(name string) (*draft, error) {
	name, err := cleanName(name)
	if err != nil {
		return nil, err
	}
	i, ok := b.index[name]
	if !ok {
		name = strings.Clone(name) // not a part of the whole file
		i = len(b.photos)
		b.index[name] = i
		b.photos = append(b.photos, draft{Photo: Photo{Name: name}, dirs: b.dirs})
	}
	return &b.photos[i], nil
}

// cleanName returns a relative path in its shortest form. Paths that lead out of the
// data set's folder are refused: the file of captions may come from anywhere.
func cleanName(name string) (string, error) {
	name = strings.ReplaceAll(strings.TrimSpace(name), `\`, "/") // as in tables made on Windows
	switch {
	case name == "":
		return "", errors.New("the image has no name")
	case len(name) > maxName:
		return "", fmt.Errorf("image name of %d bytes, above the limit of %d", len(name), maxName)
	}
	clean := path.Clean(name)
	if path.IsAbs(clean) || !filepath.IsLocal(filepath.FromSlash(clean)) || strings.ContainsRune(clean, 0) {
		return "", fmt.Errorf("image %.100q: a path relative to the file's folder, and inside it, is expected", name)
	}
	return clean, nil
}

// setSplit puts a photo into the split that its row names, else the name of the file;
// with neither it does nothing.
func (b *builder) setSplit(p *draft, split string) error {
	split, err := splitOf(split)
	if err != nil {
		return err
	}
	if split == "" && b.split != "" {
		split = b.split
		if !b.fileSplit {
			b.fileSplit = true
			b.note("the photos of %s are in split %s, as its name says", filepath.Base(b.file), split)
		}
	}
	if split == "" {
		return nil
	}
	if p.Split != "" && p.Split != split {
		return fmt.Errorf("image %.100q is in split %s here and in %s before", p.Name, split, p.Split)
	}
	p.Split = split
	b.splits = true
	return nil
}

// caption adds a caption; one without any text is counted and dropped.
func (b *builder) caption(p *draft, caption string) error {
	if len(caption) > maxCaption {
		return fmt.Errorf("caption of %d bytes, above the limit of %d", len(caption), maxCaption)
	}
	caption = strings.Join(strings.Fields(strings.ToValidUTF8(caption, " ")), " ")
	if caption == "" {
		b.noText++
		return nil
	}
	p.Captions = append(p.Captions, caption)
	return nil
}

// add adds a row: the captions of an image, and its split or "".
func (b *builder) add(image, split string, captions ...string) error {
	p, err := b.photo(image)
	if err != nil {
		return err
	}
	if err := b.setSplit(p, split); err != nil {
		return err
	}
	for _, c := range captions {
		if err := b.caption(p, c); err != nil {
			return err
		}
	}
	return nil
}

// imageDirs are the folders where the photos of a file of captions can be: its
// own, one of images in it, and beside COCO's folder annotations.
func imageDirs(file string) []string {
	dir := filepath.Dir(file)
	dirs := []string{dir}
	for _, sub := range []string{"images", "Images", "Flicker8k_Dataset", "Flickr8k_Dataset", "Flickr8k_Dataset/Flicker8k_Dataset", "flickr30k-images", "flickr30k_images"} {
		dirs = append(dirs, filepath.Join(dir, filepath.FromSlash(sub)))
	}
	// captions_train2017.json -> train2017
	if _, part, ok := strings.Cut(stem(file), "_"); ok && filepath.IsLocal(part) {
		dirs = append(dirs, filepath.Join(dir, part), filepath.Join(dir, "images", part))
		if up, base := filepath.Split(dir); base == "annotations" {
			dirs = append(dirs, filepath.Join(up, part), filepath.Join(up, "images"), filepath.Join(up, "images", part))
		}
	}
	return dirs
}

// set looks for the files and makes the set.
func (b *builder) set(name string, needFiles bool) (*Set, error) {
	s := &Set{Name: name}
	captioned := 0
	var first *draft // without a file
	hit := ""        // the folder of the last file found, tried first
	for i := range b.photos {
		p := &b.photos[i]
		if len(p.Captions) == 0 {
			continue
		}
		captioned++
		p.Path, hit = p.find(hit)
		if p.Path == "" {
			first = cmp.Or(first, p)
			s.Missing = append(s.Missing, p.Name)
			if needFiles {
				continue
			}
		}
		p.Split = cmp.Or(p.Split, Train)
		s.Photos = append(s.Photos, p.Photo)
	}
	if captioned == 0 {
		return nil, fmt.Errorf("data set %s: no photo with a caption in it", b.path)
	}
	if len(s.Photos) == 0 {
		return nil, fmt.Errorf("data set %s: none of its %d photos is there; %q, for one, was looked for in %s",
			b.path, captioned, first.Name, strings.Join(first.dirs, ", "))
	}
	if b.noText > 0 {
		b.note("left out %s without text", message.Count(b.noText, "caption"))
	}
	if n := len(b.photos) - captioned; n > 0 {
		b.note("left out %s without caption", message.Count(n, "photo"))
	}
	if n := len(s.Missing); n > 0 && needFiles {
		b.note("left out %d of %s: no file (%s)", n, message.Count(captioned, "photo"), firstNames(s.Missing))
	}
	s.Notes = b.notes
	if !b.splits {
		s.EnsureVal()
	}
	return s, nil
}

// find looks for the photo's file, in the folder hit first.
func (p *draft) find(hit string) (path, dir string) {
	for _, name := range []string{p.alt, p.Name} {
		if name == "" {
			continue
		}
		for _, d := range append([]string{hit}, p.dirs...) {
			if d == "" {
				continue
			}
			if f := filepath.Join(d, filepath.FromSlash(name)); isFile(f) {
				return f, d
			}
		}
	}
	return "", hit
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

// firstNames quotes up to three names.
func firstNames(names []string) string {
	var q []string
	for _, n := range names[:min(3, len(names))] {
		q = append(q, strconv.Quote(n))
	}
	if len(names) > 3 {
		q = append(q, "…")
	}
	return strings.Join(q, ", ")
}
