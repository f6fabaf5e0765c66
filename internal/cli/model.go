package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/models"
)

// OpenModel opens the model that -m names: the embedded default, a folder, or
// the name of a folder in models.Dir. l says how.
func OpenModel(ctx context.Context, name string, l captioner.Loader) (*captioner.Captioner, error) {
	l.CNN = referredCNN
	c, err := Await(ctx, func() (*captioner.Captioner, error) { return openModel(name, &l) })
	return c, precisionError(l.Precision, err)
}

func openModel(name string, l *captioner.Loader) (*captioner.Captioner, error) {
	if name == DefaultModel {
		return l.OpenFS(models.Default)
	}
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
