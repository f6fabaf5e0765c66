package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
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
			data, err := b.enter(file)
			if err != nil {
				return true, err
			}
			b.dirs = imageDirs(filepath.Join(dir, name)) // also where file is in Flickr8k_text
			if err := parseTokens(b, data); err != nil {
				return true, err
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
		any = true
		data, err := b.enter(file)
		if err != nil {
			return err
		}
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
	return b.lines(data, func(_ int, text string) error {
		text = strings.TrimRight(text, "\r\n")
		key, caption, ok := strings.Cut(text, "\t")
		number := strings.LastIndexByte(key, '#')
		switch {
		case text == "":
			return nil
		case !ok || number < 0:
			return fmt.Errorf("photo.jpg#number, a tab and a caption are expected, not %.60q", text)
		}
		return b.add(key[:number], "", caption)
	})
}

// parseList reads the list of a split: a photo's name a line.
func parseList(b *builder, data []byte, split string) error {
	var unknown []string
	err := b.lines(data, func(_ int, text string) error {
		name := strings.TrimSpace(text)
		if i, ok := b.index[name]; ok {
			return b.setSplit(&b.photos[i], split)
		}
		if name != "" {
			unknown = append(unknown, name)
		}
		return nil
	})
	if n := len(unknown); n > 0 {
		b.notes = append(b.notes, fmt.Sprintf("%s lists %s without caption (%s)", filepath.Base(b.file), message.Count(n, "photo"), firstNames(unknown)))
	}
	return err
}

// dropUnlisted leaves out photos without split.
func (b *builder) dropUnlisted() {
	all := len(b.photos)
	b.photos = slices.DeleteFunc(b.photos, func(d draft) bool { return d.Split == "" })
	if n := all - len(b.photos); n > 0 {
		b.notes = append(b.notes, fmt.Sprintf("left out %s on none of the lists of splits", message.Count(n, "photo")))
	}
}
