package main

import (
	"bytes"
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
	"github.com/onetomany/caption/internal/filelock"
	"github.com/onetomany/caption/vocab"
)

// outFolder returns the folder of the model to write. If nothing can be written there,
// it fails now rather than after the training.
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

// lockWork makes the working folder of a training that writes the model folder
// out, and locks it: two trainings at once would each go on from what the other
// did. Release gives it up.
func lockWork(work, out string) (release func(), err error) {
	path := filepath.Join(work, "lock")
	for {
		if err := os.MkdirAll(work, 0o777); err != nil {
			return nil, atomicfile.CreateError(out, filepath.Dir(out), err)
		}
		f, _, err := filelock.Open(path, os.O_CREATE, 0o644)
		switch {
		case err == nil:
			return func() { os.Remove(path); f.Close() }, nil
		case errors.Is(err, filelock.ErrLocked):
			return nil, fmt.Errorf("another training is writing %s; wait for it or give another -o", out)
		case !errors.Is(err, fs.ErrNotExist): // else a training that ended has removed the folder just now
			return nil, atomicfile.CreateError(path, work, err)
		}
	}
}

// readExtras reads the files that go into the model as they are, before the
// training, so that a slip is found in time.
func (t *training) readExtras() (err error) {
	m := &t.model
	if t.photo != "" {
		if err := t.setPhoto(t.photo); err != nil {
			return fmt.Errorf("--photo: %w", err)
		}
		if _, err := features.Decode(bytes.NewReader(m.Photo), t.photos.Limits()); err != nil {
			return fmt.Errorf("--photo %s: %w", t.photo, err)
		}
	}
	if t.card != "" {
		b, err := os.ReadFile(t.card)
		if err != nil {
			return fmt.Errorf("--card: %w", err)
		}
		m.Card = string(b)
	}
	return nil
}

// setPhoto makes the photo in a file that of caption verify.
func (t *training) setPhoto(path string) (err error) {
	t.model.PhotoName = "verify" + strings.ToLower(filepath.Ext(path))
	t.model.Photo, err = os.ReadFile(path)
	return err
}

// fill puts what came of the training into the model.
func (t *training) fill(r *train.Result, v *vocab.Vocab, photos, captions int) error {
	m := &t.model
	m.Decoder, m.Vocab = r.Decoder, v
	m.CNN = captioner.CNN{Name: t.cnn.Name, Layer: t.cnn.Layer, FS: t.cnn.FS, Files: t.cnn.Files}
	m.Preprocessing = t.cnn.Preprocessing
	m.Training = captioner.Training{Photos: photos, Captions: captions, Epochs: r.Best, Command: commandLine(t.cmd), Scores: map[string]float64{}}
	for _, s := range t.trains {
		m.Training.Data = append(m.Training.Data, s.Name)
	}
	if r.Best > 0 {
		for i, s := range t.vals {
			m.Training.Scores[s.Name+" val CIDEr-D"] = 100 * r.History[r.Best-1].Scores[i]
		}
	}
	if path := firstPath(t.vals); m.Photo == nil && path != "" {
		if err := t.setPhoto(path); err != nil {
			return fmt.Errorf("the photo for verify: %w", err)
		}
	}
	return nil
}

// firstPath is the first photo that has a regular file, "" if none has: a pipe could
// be read only once.
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
// to their last part: where they are on this machine means nothing elsewhere.
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
