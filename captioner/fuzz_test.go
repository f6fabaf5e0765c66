package captioner

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/memfs"
)

// FuzzOpenFS replaces one file of a good model folder. With seal, hashes and
// checksum are made right again, so that what lies behind them is reached too.
// Whatever opens must caption or give an error.
func FuzzOpenFS(f *testing.F) {
	files := tinyFiles(f)
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		f.Add(byte(i), files[name], false)
		f.Add(byte(i), files[name], true)
		f.Add(byte(i), files[name][:len(files[name])/2], true)
	}
	f.Fuzz(func(t *testing.T, which byte, content []byte, seal bool) {
		name := names[int(which)%len(names)]
		all := maps.Clone(files)
		all[name] = content
		if seal {
			sealAll(all)
		}
		c, err := OpenFS(all)
		if err != nil {
			return
		}
		size := c.config.Decoder.Features
		for _, o := range []*Options{{MaxWords: 5}, {MaxWords: 5, Sample: true, Num: 2}} {
			c.CaptionFeatures(context.Background(), make([]float32, size), o)
		}
		c.Verify(context.Background())
	})
}

// sealAll makes the hashes in config.json right as far as it can be read.
func sealAll(files memfs.FS) {
	b := files[configFile]
	for name, content := range files {
		// The hash is the last field of an entry: it follows the name.
		at := bytes.Index(b, []byte(`"name": "`+name+`"`))
		if name == configFile || at < 0 {
			continue
		}
		end := bytes.IndexByte(b[at:], '}')
		if end < 0 {
			continue
		}
		d := describe(name, content)
		entry := fmt.Appendf(nil, `"name": %q, "bytes": %d, "sha256": %q`, d.Name, d.Bytes, d.SHA256)
		b = slices.Concat(b[:at], entry, b[at+end:])
	}
	if says, is, err := checksum(b); err == nil {
		b = bytes.Replace(b, []byte(says), []byte(is), 1)
	}
	files[configFile] = b
}
