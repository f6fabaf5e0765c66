package models

import (
	"io/fs"
	"testing"
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
