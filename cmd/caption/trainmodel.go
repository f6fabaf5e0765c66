package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/byname"
	"github.com/onetomany/caption/vocab"
)

// outFolder returns the folder of the model to write. What would keep the model
// out of it is found now rather than after the training.
func outFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir) // the work folder is beside it, also if it is "."
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	f, err := atomicfile.Create(filepath.Join(dir, "config.json"))
	if err != nil {
		return "", err
	}
	return dir, f.Close()
}

// extras are the files that go into the model as they are.
type extras struct {
	photo []byte // of --photo; nil where it is not given
	card  []byte
}

// readExtras reads them before the training, so that a slip is found in time.
func (f *trainFlags) readExtras() (e extras, err error) {
	if f.photo != "" {
		if e.photo, err = os.ReadFile(f.photo); err != nil {
			return e, fmt.Errorf("--photo: %w", err)
		}
		if _, err := features.Decode(bytes.NewReader(e.photo), f.photos.Limits()); err != nil {
			return e, fmt.Errorf("--photo %s: %w", f.photo, err)
		}
	}
	if f.card != "" {
		if e.card, err = os.ReadFile(f.card); err != nil {
			return e, fmt.Errorf("--card: %w", err)
		}
	}
	return e, nil
}

// model puts together what goes into the folder out.
func (f *trainFlags) model(cmd *cobra.Command, out string, n *byname.CNN, r *train.Result, v *vocab.Vocab, e extras, trains, vals []*dataset.Set) (*captioner.Model, error) {
	m := &captioner.Model{
		Name:          cmp.Or(f.name, filepath.Base(out)),
		Decoder:       r.Decoder,
		Vocab:         v,
		CNN:           captioner.CNN{Name: n.Name, Layer: n.Layer, FS: n.FS, Files: n.Files},
		Preprocessing: n.Preprocessing,
		Float16:       f.float16,
		Rights:        f.rights,
		Photo:         e.photo,
		PhotoName:     "verify" + strings.ToLower(filepath.Ext(f.photo)),
		Card:          string(e.card),
	}
	photos, captions := count(trains)
	m.Training = captioner.Training{Photos: photos, Captions: captions, Epochs: r.Best, Command: commandLine(cmd)}
	for _, s := range trains {
		m.Training.Data = append(m.Training.Data, s.Name)
	}
	m.Training.Scores = map[string]float64{}
	if r.Best > 0 {
		for i, s := range vals {
			m.Training.Scores[s.Name+" val CIDEr-D"] = 100 * r.History[r.Best-1].Scores[i]
		}
	}
	if path := firstPath(vals); m.Photo == nil && path != "" {
		var err error
		if m.Photo, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("the photo for verify: %w", err)
		}
		m.PhotoName = "verify" + strings.ToLower(filepath.Ext(path))
	}
	return m, nil
}

// firstPath is the first photo that has a file, "" if none has. What can be read
// only once, such as a pipe, is none.
func firstPath(sets []*dataset.Set) string {
	for _, s := range sets {
		for _, p := range s.Photos {
			if fi, err := os.Stat(p.Path); err == nil && fi.Mode().IsRegular() {
				return p.Path
			}
		}
	}
	return ""
}

// commandLine is the command that trains the same model again, paths reduced
// to their last part: where they lay on this machine says nothing to others.
func commandLine(cmd *cobra.Command) string {
	parts := []string{cmd.CommandPath()}
	paths := map[string]bool{"data": true, "features": true, "out": true, "cnn": true, "photo": true}
	aside := map[string]bool{"jobs": true, "quiet": true, "keep": true, "card": true, "rights": true, "max-memory": true} // do not change the weights
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed || aside[f.Name] {
			return
		}
		if f.Value.Type() == "bool" {
			if f.Value.String() == "true" {
				parts = append(parts, "--"+f.Name)
			}
			return
		}
		values := []string{f.Value.String()}
		if s, ok := f.Value.(interface{ GetSlice() []string }); ok {
			values = s.GetSlice()
			if f.Name == "mean" || f.Name == "std" {
				values = []string{strings.Join(values, ",")}
			}
		}
		for _, v := range values {
			if paths[f.Name] {
				v = filepath.Base(filepath.Clean(v))
			}
			if strings.ContainsAny(v, " '\"") {
				v = fmt.Sprintf("%q", v)
			}
			parts = append(parts, "--"+f.Name, v)
		}
	})
	return strings.Join(parts, " ")
}
