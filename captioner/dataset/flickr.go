package dataset

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/onetomany/caption/internal/message"
)

// openFlickr reads a folder with the captions of Flickr8k or Flickr30k, if
// they are there: a .token file with lines "photo.jpg#0<TAB>caption", and
// lists of the photos of each split.
func openFlickr(b *builder, dir string) (ok bool, err error) {
	for _, sub := range []string{"", "Flickr8k_text"} {
		for _, name := range []string{"Flickr8k.token.txt", "results_20130124.token"} {
			file := filepath.Join(dir, sub, name)
			if !isFile(file) {
				continue
			}
			data, err := readFile(file)
			if err != nil {
				return true, err
			}
			b.enter(file)
			if err := parseTokens(b, data); err != nil {
				return true, err
			}
			for i := range b.photos { // the photos are beside Flickr8k_text
				b.photos[i].dirs = imageDirs(filepath.Join(dir, name))
			}
			return true, flickrSplits(b, filepath.Join(dir, sub))
		}
	}
	return false, nil
}

// flickrSplits reads the lists of splits. With lists, photos on none of them
// are in no split and left out.
func flickrSplits(b *builder, dir string) error {
	any := false
	for _, split := range []string{"train", "dev", "test"} {
		file := filepath.Join(dir, "Flickr_8k."+split+"Images.txt")
		if !isFile(file) {
			continue
		}
		data, err := readFile(file)
		if err != nil {
			return err
		}
		any = true
		b.enter(file)
		if err := parseList(b, data, split); err != nil {
			return err
		}
	}
	if any {
		b.dropUnlisted()
	}
	return nil
}

// parseTokens reads lines "photo.jpg#0<TAB>caption".
func parseTokens(b *builder, data []byte) error {
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			continue
		}
		key, caption, ok := strings.Cut(text, "\t")
		name, _, ok2 := cutLast(key, "#")
		if !ok || !ok2 {
			return b.errorf(line, "photo.jpg#number, a tab and a caption are expected, not %.60q", text)
		}
		if err := b.add(name, "", caption); err != nil {
			return b.errorf(line, "%w", err)
		}
	}
	return nil
}

// parseList reads the list of a split: a photo's name a line.
func parseList(b *builder, data []byte, split string) error {
	line, unknown := 0, []string(nil)
	for text := range strings.Lines(string(data)) {
		line++
		name := strings.TrimSpace(text)
		if name == "" {
			continue
		}
		i, ok := b.index[name]
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if err := b.setSplit(&b.photos[i], split); err != nil {
			return b.errorf(line, "%w", err)
		}
	}
	if n := len(unknown); n > 0 {
		b.notes = append(b.notes, fmt.Sprintf("%s lists %s without caption (%s)", filepath.Base(b.file), message.Count(n, "photo"), firstNames(unknown)))
	}
	return nil
}

// dropUnlisted leaves out photos without split.
func (b *builder) dropUnlisted() {
	kept := b.photos[:0]
	clear(b.index)
	for _, p := range b.photos {
		if p.Split != "" {
			b.index[p.Name] = len(kept)
			kept = append(kept, p)
		}
	}
	if n := len(b.photos) - len(kept); n > 0 {
		b.notes = append(b.notes, fmt.Sprintf("left out %s on none of the lists of splits", message.Count(n, "photo")))
	}
	b.photos = kept
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
