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
// lists of the photos of each split. With lists, photos on none of them are left out.
func openFlickr(b *builder, dir string) (ok bool, err error) {
	names := []string{"Flickr8k.token.txt", "results_20130124.token", "Flickr8k_text/Flickr8k.token.txt", "Flickr8k_text/results_20130124.token"}
	i := slices.IndexFunc(names, func(name string) bool { return isFile(filepath.Join(dir, name)) })
	if i < 0 {
		return false, nil
	}
	file := filepath.Join(dir, names[i])
	err = b.read(file, func(b *builder, data []byte) error {
		b.dirs = imageDirs(filepath.Join(dir, filepath.Base(file))) // also of captions in Flickr8k_text
		return parseTokens(b, data)
	})
	lists := 0
	for _, split := range []string{"train", "dev", "test"} {
		list := filepath.Join(filepath.Dir(file), "Flickr_8k."+split+"Images.txt")
		if err != nil || !isFile(list) {
			continue
		}
		lists++
		err = b.read(list, func(b *builder, data []byte) error { return parseList(b, data, split) })
	}
	if lists > 0 {
		b.dropUnlisted()
	}
	return true, err
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
		b.note("%s lists %s without caption (%s)", filepath.Base(b.file), message.Count(n, "photo"), firstNames(unknown))
	}
	return err
}

// dropUnlisted leaves out photos without split.
func (b *builder) dropUnlisted() {
	all := len(b.photos)
	b.photos = slices.DeleteFunc(b.photos, func(d draft) bool { return d.Split == "" })
	if n := all - len(b.photos); n > 0 {
		b.note("left out %s on none of the lists of splits", message.Count(n, "photo"))
	}
}
