package models

import (
	"io/fs"
	"testing"

	"github.com/onetomany/caption/internal/memfs"
)

// The default model is in every binary and every clone.
func TestDefaultIsSmall(t *testing.T) {
	const most = 32 << 20
	var size int64
	err := fs.WalkDir(Default, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		size += fi.Size()
		return err
	})
	if err != nil || size > most {
		t.Errorf("%d bytes, %v; want at most %d", size, err, most)
	}
}

// The checksums are those of the files, and no file goes without.
func TestDefaultSums(t *testing.T) {
	p := Default.(memfs.Program)
	for name, b := range p.FS {
		if name == "config.json" {
			continue
		}
		if is, want := p.Sums[name], memfs.Sum(b); is != want {
			t.Errorf("the sum of %s is %#08x; write %#08x into default.go", name, is, want)
		}
	}
	if len(p.Sums) != len(p.FS)-1 {
		t.Errorf("%d sums of %d files", len(p.Sums), len(p.FS))
	}
}

func TestCatalogue(t *testing.T) {
	names, sums := map[string]bool{}, map[string]bool{}
	for _, c := range Catalogue {
		if c.Name == "" || names[c.Name] || len(c.SHA256) != 64 || sums[c.SHA256] || c.Bytes <= 0 || c.Licence == "" || c.Source == "" {
			t.Errorf("entry %+v is incomplete or occurs twice", c)
		}
		for i, std := range c.Input.Std {
			if std <= 0 || c.Input.Mean[i] < 0 || c.Input.Mean[i] > 1 {
				t.Errorf("%s: mean %v, std %v", c.Name, c.Input.Mean, c.Input.Std)
			}
		}
		names[c.Name], sums[c.SHA256] = true, true
	}
}
