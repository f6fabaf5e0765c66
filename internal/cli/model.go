package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/models"
)

// OpenModel opens the model that -m names: the embedded default, a folder, or
// the name of a folder in models.Dir. Its CNN computes in p.
func OpenModel(name string, p cnn.Precision) (*captioner.Captioner, error) {
	c, err := openModel(name, p)
	return c, precisionError(p, err)
}

func openModel(name string, p cnn.Precision) (*captioner.Captioner, error) {
	if name == DefaultModel {
		l := captioner.Loader{Trusted: true, Precision: p} // it is part of the program; caption verify checks it
		return l.OpenFS(models.Default)
	}
	l := captioner.Loader{CNN: referredCNN, Precision: p}
	if _, err := os.Stat(name); err != nil && !strings.ContainsAny(name, `/\`) {
		if dir, err := models.Dir(); err == nil {
			if path := filepath.Join(dir, name); isDir(path) {
				return l.Open(path)
			}
		}
		return nil, fmt.Errorf("no model %s: neither a folder nor a name that caption models list shows", name)
	}
	return l.Open(name)
}

// referredCNN finds the CNN of a model that does not hold it, in models.Dir.
func referredCNN(_ string, files []captioner.File) (fs.FS, error) {
	dir, err := models.Dir()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(dir, f.Name)); err != nil {
			return nil, fmt.Errorf("put %s, sha256 %s, into %s", f.Name, f.SHA256, dir)
		}
	}
	return os.DirFS(dir), nil
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}
