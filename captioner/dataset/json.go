package dataset

import (
	"bytes"
	"cmp"
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

// jsonParser reads a JSON file piece by piece: it may be large, and errors name a line.
type jsonParser struct {
	*builder
	dec         *json.Decoder
	ids         map[string]int   // COCO: index of the photo of an id
	annotations []jsonAnnotation // COCO: may stand before the images
}

// parseJSON reads COCO captions, Karpathy's files, and lists of records.
func parseJSON(b *builder, data []byte) error {
	p := &jsonParser{builder: b, dec: json.NewDecoder(bytes.NewReader(data)), ids: map[string]int{}}
	if err := p.file(); err != nil {
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file is cut off")
		}
		return b.errorf(1+bytes.Count(data[:p.dec.InputOffset()], []byte("\n")), "%w", err)
	}
	return p.annotate()
}

func (p *jsonParser) file() error {
	t, err := p.dec.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		err = elements(p, func(r record) error { return p.add(r.Image, r.Split, r.Captions...) })
	case t == json.Delim('{'):
		err = p.object()
	default:
		return errors.New(accepted)
	}
	if err != nil {
		return err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return errors.New("the file goes on after its end")
	}
	return nil
}

// object reads what follows the '{' of a COCO or Karpathy file.
func (p *jsonParser) object() error {
	images := false
	for p.dec.More() {
		key, err := p.dec.Token()
		if err != nil {
			return err
		}
		switch key {
		case "images":
			images = true
			err = array(p, p.image)
		case "annotations":
			err = array(p, func(a jsonAnnotation) error {
				p.annotations = append(p.annotations, a)
				return nil
			})
		default:
			var skip json.RawMessage
			err = p.dec.Decode(&skip)
		}
		if err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return err
	}
	if !images {
		return errors.New(`no "images" in it; ` + accepted)
	}
	return nil
}

// image adds the photo, and the captions if they are with it as in Karpathy's.
func (p *jsonParser) image(im jsonImage) error {
	d, err := p.photo(cmp.Or(im.FileBase, im.FileName))
	if err != nil {
		return err
	}
	if im.FilePath != "" {
		if d.alt, err = cleanName(im.FilePath + "/" + d.Name); err != nil {
			return err
		}
	}
	if err := p.setSplit(d, im.Split); err != nil {
		return err
	}
	for _, s := range im.Sentences {
		if err := p.caption(d, cmp.Or(s.Raw, strings.Join(s.Tokens, " "))); err != nil {
			return err
		}
	}
	if id := string(im.ID); id != "" && id != "null" {
		if _, ok := p.ids[id]; ok {
			return fmt.Errorf("image id %.50s is there twice", id)
		}
		p.ids[id] = p.index[d.Name]
	}
	return nil
}

// annotate gives the photos of COCO their captions.
func (p *jsonParser) annotate() error {
	for i, a := range p.annotations {
		at, ok := p.ids[string(a.ImageID)]
		if !ok {
			return p.errorf(0, "annotation %d is of image id %.50s, which is not among the images", i+1, a.ImageID)
		}
		if err := p.caption(&p.photos[at], a.Caption); err != nil {
			return p.errorf(0, "annotation %d: %w", i+1, err)
		}
	}
	return nil
}

// array decodes an array, element by element.
func array[T any](p *jsonParser, add func(T) error) error {
	t, err := p.dec.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return errors.New("an array is expected")
	}
	return elements(p, add)
}

// elements decodes what follows the '[' of an array.
func elements[T any](p *jsonParser, add func(T) error) error {
	for i := 1; p.dec.More(); i++ {
		var raw json.RawMessage
		var v T
		err := p.dec.Decode(&raw)
		if err == nil {
			err = strictjson.UnmarshalKnown(raw, &v)
		}
		if err == nil {
			err = add(v)
		}
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	_, err := p.dec.Token()
	return err
}
