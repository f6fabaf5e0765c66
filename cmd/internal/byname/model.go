// Package byname opens models and CNNs by the names that users give them: default,
// a folder or a file, or what caption models list shows.
package byname

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/models"
)

// Default is the name of the embedded model, and of its CNN.
const Default = "default"

// OpenModel opens the embedded model, a folder, or the folder of that name in
// models.Dir. l says how; the CNN of a model that does not hold it is looked for in
// models.Dir.
func OpenModel(name string, l captioner.Loader) (*captioner.Captioner, error) {
	l.CNN = referredCNN
	if name == Default {
		return l.OpenFS(models.Default)
	}
	if _, err := os.Stat(name); err != nil && !strings.ContainsAny(name, `/\`) {
		if dir, err := models.Dir(); err == nil {
			path := filepath.Join(dir, name)
			if fi, err := os.Stat(path); err == nil && fi.IsDir() {
				return l.Open(path)
			}
		}
		return nil, fmt.Errorf("no model %s: neither a folder nor a name that caption models list shows", name)
	}
	return l.Open(name)
}

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
