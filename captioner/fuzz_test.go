package captioner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/vocab"
)

// FuzzOpenFS replaces one file of a good model folder. The folder is refused, with the
// file that is wrong, or it writes what it always wrote. With seal, hashes and checksum
// are made right again, so that what lies behind them is reached too: then it is
// refused, or it is a model like any other.
func FuzzOpenFS(f *testing.F) {
	files := tinyFiles(f)
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		f.Add(byte(i), files[name], false)
		f.Add(byte(i), files[name], true)
		f.Add(byte(i), files[name][:len(files[name])/2], true)
	}
	ctx := context.Background()
	good, err := OpenFS(files)
	if err != nil {
		f.Fatal(err)
	}
	want, err := good.Caption(ctx, picture(7), nil)
	if err != nil {
		f.Fatal(err)
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
			me, ok := errors.AsType[*ModelError](err)
			if !ok || !slices.Contains(names, me.File) && !seal {
				t.Fatalf("the error names no file: %v", err)
			}
			if !seal && me.File != name {
				t.Fatalf("%s is blamed for a change of %s: %v", me.File, name, err)
			}
			checkMessage(t, name, err)
			return
		}
		got, err := c.Caption(ctx, picture(7), nil)
		if !seal {
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, %v; the original writes %v", name, got, err, want)
			}
			return
		}
		if err == nil {
			checkCaptions(t, got, c.Vocab(), new(Options))
		}
		if _, err := c.Verify(ctx); err != nil {
			if _, ok := errors.AsType[*ModelError](err); !ok {
				t.Fatalf("verify: %v", err)
			}
			checkMessage(t, "verify", err)
		}
	})
}

// checkCaptions holds what every list of captions promises.
func checkCaptions(t *testing.T, got []Caption, v *vocab.Vocab, opt *Options) {
	t.Helper()
	o, err := opt.withDefaults()
	if err != nil {
		t.Fatalf("captions with options that are refused: %v", err)
	}
	if len(got) < 1 || len(got) > o.Num {
		t.Fatalf("%d captions, want %d", len(got), o.Num)
	}
	seen := map[string]bool{}
	for i, c := range got {
		var words []string
		sum := 0.0
		for _, w := range c.Words {
			if v.ID(w.Text) <= vocab.Unk || !(w.LogProb <= 0) {
				t.Fatalf("word %+v", w)
			}
			words = append(words, w.Text)
			sum += w.LogProb
		}
		if len(words) < 1 || len(words) > o.MaxWords || c.Text != vocab.Join(words) || !(c.LogProb <= sum+1e-6) {
			t.Fatalf("caption %+v", c)
		}
		if key := fmt.Sprint(words); !o.Sample {
			if seen[key] {
				t.Fatalf("caption %d is there twice: %v", i, words)
			}
			seen[key] = true
		}
	}
}

// FuzzAPI opens a model from a file system, and captions with options, features and a
// number of workers, that the arguments make hostile.
func FuzzAPI(f *testing.F) {
	files := tinyFiles(f)
	names := slices.Sorted(maps.Keys(files))
	type request struct {
		Options  *Options
		Features []float32
		Workers  int
	}
	add := func(which, how byte, c request) {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(which, how, b)
	}
	six := []float32{1, 0, -1, 2, 0.5, 3}
	for how := range hostilities {
		add(byte(how), byte(how), request{nil, six, 2})
	}
	add(0, 0, request{&Options{Num: 5, Beam: 2, NoRepeat: 1}, six, 1e6})
	add(0, 0, request{&Options{Beam: math.MaxInt32}, six, -1})
	add(0, 0, request{&Options{Sample: true, Num: 4, TopP: 1e-300, Seed: 7, MaxWords: 1}, six, 0})
	add(0, 0, request{&Options{LengthPower: 10, Temperature: 1e-3, MaxWords: 1024}, []float32{math.MaxFloat32, 0, 0, 0, 0, 0}, 3})
	add(0, 0, request{nil, []float32{1}, 1})
	f.Fuzz(func(t *testing.T, which, how byte, data []byte) {
		var a request
		if json.Unmarshal(data, &a) != nil || len(data) > 1<<12 {
			return
		}
		if o := a.Options; o != nil && o.Beam <= maxBeam && o.Num <= maxBeam && o.MaxWords <= maxWords { // what is only slow is not looked for
			o.Beam, o.Num, o.MaxWords = min(o.Beam, 20), min(o.Num, 20), min(o.MaxWords, 30)
		}
		h := &hostileFS{files, names[int(which)%len(names)], hostility(how) % hostilities}
		var c *Captioner
		err, panicked := call(func() (err error) { c, err = OpenFS(h); return err })
		switch {
		case panicked != nil:
			if panicked != errHostile {
				t.Fatalf("panic: %v", panicked)
			}
			return
		case err != nil:
			if me, ok := errors.AsType[*ModelError](err); !ok || me.File != h.bad || h.how == behaves {
				t.Fatalf("%s, %d: %v", h.bad, h.how, err)
			}
			checkMessage(t, h.bad, err)
			c = new(Captioner)
		case h.how != behaves && h.bad != configFile:
			t.Fatalf("%s, %d: opened", h.bad, h.how)
		}
		ctx := context.Background()
		one, err := c.CaptionFeatures(ctx, a.Features, a.Options)
		many, manyErr := c.CaptionBatch(ctx, [][]float32{a.Features, a.Features}, a.Options, a.Workers)
		if (err == nil) != (manyErr == nil) {
			t.Fatalf("alone %v, in a batch %v", err, manyErr)
		}
		if err != nil {
			checkMessage(t, "captions", err)
			return
		}
		checkCaptions(t, one, c.Vocab(), a.Options)
		if len(many) != 2 || !reflect.DeepEqual(many[0], one) || !reflect.DeepEqual(many[1], one) {
			t.Fatalf("alone %v, in a batch %v", one, many)
		}
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
