package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/onetomany/caption/internal/strictjson"
)

// jsonImage is an element of "images" in COCO's and in Karpathy's files.
type jsonImage struct {
	ID       json.RawMessage `json:"id"`        // COCO: what annotations refer to
	FileName string          `json:"file_name"` // COCO

	FileBase  string `json:"filename"` // Karpathy
	FilePath  string `json:"filepath"` // Karpathy: folder of the file
	Split     string `json:"split"`
	Sentences []struct {
		Raw    string   `json:"raw"`
		Tokens []string `json:"tokens"`
	} `json:"sentences"`
}

// jsonAnnotation is an element of "annotations" in COCO's files.
type jsonAnnotation struct {
	ImageID json.RawMessage `json:"image_id"`
	Caption string          `json:"caption"`
}

// jsonParser reads a JSON file and knows the line that it has come to.
type jsonParser struct {
	*builder
	data []byte
	dec  *json.Decoder
}

// parseJSON reads COCO captions, Karpathy's files, and lists of records.
func parseJSON(b *builder, data []byte) error {
	p := jsonParser{b, data, json.NewDecoder(bytes.NewReader(data))}
	t, err := p.dec.Token()
	if err != nil {
		return p.fail(err)
	}
	switch t {
	case json.Delim('['):
		err = elements(p, func(r record) error { return p.add(r.Image, r.Split, r.Captions...) })
	case json.Delim('{'):
		err = p.object()
	default:
		return p.fail(errors.New(accepted))
	}
	if err != nil {
		return err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return p.fail(errors.New("the file goes on after its end"))
	}
	return nil
}

// object reads what follows the '{' of a COCO or Karpathy file.
func (p jsonParser) object() error {
	images := false
	ids := map[string]int{} // COCO: index of the photo of an id
	var annotations []jsonAnnotation
	for p.dec.More() {
		key, err := p.dec.Token()
		if err != nil {
			return p.fail(err)
		}
		switch key {
		case "images":
			images = true
			if err = p.open(); err == nil {
				err = elements(p, func(im jsonImage) error { return p.image(im, ids) })
			}
		case "annotations":
			if err = p.open(); err == nil {
				err = elements(p, func(a jsonAnnotation) error {
					annotations = append(annotations, a)
					return nil
				})
			}
		default:
			var skip json.RawMessage
			if err = p.dec.Decode(&skip); err != nil {
				err = p.fail(err)
			}
		}
		if err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return p.fail(err)
	}
	if !images {
		return p.fail(errors.New(`no "images" in it; ` + accepted))
	}
	return p.annotate(ids, annotations)
}

// image adds the photo, and the captions if they are with it as in Karpathy's.
func (p jsonParser) image(im jsonImage, ids map[string]int) error {
	name := im.FileName
	if im.FileBase != "" {
		name = im.FileBase
	}
	d, err := p.photo(name)
	if err != nil {
		return err
	}
	if im.FilePath != "" {
		if d.alt, err = cleanName(im.FilePath + "/" + d.Name); err != nil {
			return err
		}
	}
	if err := p.setSplit(d, p.orFileSplit(im.Split)); err != nil {
		return err
	}
	for _, s := range im.Sentences {
		if s.Raw == "" {
			s.Raw = strings.Join(s.Tokens, " ")
		}
		if err := p.caption(d, s.Raw); err != nil {
			return err
		}
	}
	if id := string(im.ID); id != "" && id != "null" {
		if _, ok := ids[id]; ok {
			return fmt.Errorf("image id %.50s is there twice", id)
		}
		ids[id] = p.index[d.Name]
	}
	return nil
}

// annotate gives the photos their captions, which may stand before the photos.
func (p jsonParser) annotate(ids map[string]int, annotations []jsonAnnotation) error {
	for i, a := range annotations {
		at, ok := ids[string(a.ImageID)]
		if !ok {
			return p.errorf(0, "annotation %d is of image id %.50s, which is not among the images", i+1, a.ImageID)
		}
		if err := p.caption(&p.photos[at], a.Caption); err != nil {
			return p.errorf(0, "annotation %d: %w", i+1, err)
		}
	}
	return nil
}

// open reads the '[' of an array.
func (p jsonParser) open() error {
	t, err := p.dec.Token()
	if err == nil && t != json.Delim('[') {
		err = errors.New("an array is expected")
	}
	if err != nil {
		return p.fail(err)
	}
	return nil
}

// elements decodes the elements of an array one by one, to its ']'.
func elements[T any](p jsonParser, add func(T) error) error {
	for i := 0; p.dec.More(); i++ {
		var raw json.RawMessage
		err := p.dec.Decode(&raw)
		if err == nil {
			var v T
			if err = strictjson.UnmarshalKnown(raw, &v); err == nil {
				err = add(v)
			}
		}
		if err != nil {
			return p.fail(fmt.Errorf("element %d: %w", i+1, err))
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return p.fail(err)
	}
	return nil
}

// fail names the line that the decoder has come to.
func (p jsonParser) fail(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is cut off")
	}
	return p.errorf(1+bytes.Count(p.data[:p.dec.InputOffset()], []byte("\n")), "%w", err)
}
