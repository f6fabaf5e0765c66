package captioner

import (
	"bytes"
	"context"
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

// FuzzOpenFS changes one file of a good model folder. The folder is refused, with the
// file that is wrong, or it writes what it always wrote. With seal, hashes and checksum
// are made right again, so that what lies behind them is reached too: then it is
// refused, or it is a model like any other.
func FuzzOpenFS(f *testing.F) {
	files := tinyFiles(f)
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		size := len(files[name])
		for _, seal := range []bool{false, true} {
			f.Add(byte(i), 0, 0, []byte(nil), seal)
			f.Add(byte(i), size/2, size, []byte(nil), seal)
			f.Add(byte(i), size/2, 1, []byte("x"), seal)
			f.Add(byte(i), 0, size, []byte("x"), seal)
		}
	}
	at := bytes.Index(files[configFile], []byte(`"name"`))
	for _, with := range []string{`"name":"other",`, `"Name":"other",`, `"checksum":"",`, `"\u202e":1,`} {
		f.Add(byte(slices.Index(names, configFile)), at, 0, []byte(with), true)
	}
	ctx := context.Background()
	good, err := OpenFS(files)
	if err != nil {
		f.Fatal(err)
	}
	want, err := good.CaptionImage(ctx, picture(7), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which byte, at, drop int, with []byte, seal bool) {
		name := names[int(which)%len(names)]
		all := maps.Clone(files)
		all[name] = splice(files[name], at, drop, with)
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
		got, err := c.CaptionImage(ctx, picture(7), nil)
		if !seal {
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, %v; the original writes %v", name, got, err, want)
			}
			return
		}
		if err == nil {
			checkCaptions(t, got, c.Vocab(), nil)
		}
		if _, err := c.Verify(ctx); err != nil {
			if _, ok := errors.AsType[*ModelError](err); !ok {
				t.Fatalf("verify: %v", err)
			}
			checkMessage(t, "verify", err)
		}
	})
}

// splice returns b with drop bytes at a place replaced. Fuzzing finds more with few
// bytes to change than with a whole file.
func splice(b []byte, at, drop int, with []byte) []byte {
	at = int(uint(at) % uint(len(b)+1))
	drop = min(max(drop, 0), len(b)-at)
	return slices.Concat(b[:at], with, b[at+drop:])
}

// checkCaptions holds what every list of captions promises.
func checkCaptions(t *testing.T, got []Caption, v *vocab.Vocab, opt *Options) {
	t.Helper()
	o, err := opt.checked()
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
	six := []byte{1, 0, 255, 2, 77, 3}
	for how := range hostilities {
		f.Add(byte(how), byte(how), 0, 0, 0, 0, 0.0, 0.0, 0.0, false, six, 0)
	}
	f.Add(byte(0), byte(0), 5, 2, 0, 1, 0.7, 0.0, 0.0, false, six, 1000000)
	f.Add(byte(0), byte(0), 1, math.MaxInt32, 0, 0, 0.0, 0.0, 0.0, false, six, -1)
	f.Add(byte(0), byte(0), 4, 0, 1, 0, 0.0, 1e-300, 0.0, true, six, 0)
	f.Add(byte(0), byte(0), 1, 3, 1024, -1, 10.0, math.NaN(), math.Inf(1), true, []byte{128, 0, 0, 0, 0, 0}, 3)
	f.Add(byte(0), byte(0), 0, 0, 0, 0, 0.0, 0.0, 0.0, false, six[:1], 1)
	f.Fuzz(func(t *testing.T, which, how byte, num, beam, words, repeat int, power, p, temperature float64, sample bool, raw []byte, workers int) {
		o := with(Options{Num: num, Beam: beam, MaxWords: words, NoRepeat: repeat, LengthPower: power, TopP: p, Temperature: temperature, Sample: sample, TopK: repeat})
		if o.Beam <= maxBeam && o.Num <= maxBeam && o.MaxWords <= maxWords { // what is only slow is not looked for
			o.Beam, o.Num, o.MaxWords = min(o.Beam, 20), min(o.Num, 20), min(o.MaxWords, 30)
		}
		// A byte is a small number or one at the end of what there is.
		extremes := map[byte]float64{128: math.MaxFloat32, 129: math.NaN(), 130: math.Inf(1), 131: -math.MaxFloat32}
		picture := make([]float32, min(len(raw), 10))
		for i := range picture {
			picture[i] = float32(int8(raw[i])) / 8
			if x, ok := extremes[raw[i]]; ok {
				picture[i] = float32(x)
			}
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
		one, err := c.CaptionFeatures(ctx, picture, o)
		many, manyErr := c.CaptionBatch(ctx, [][]float32{picture, picture}, o, workers)
		if (err == nil) != (manyErr == nil) {
			t.Fatalf("alone %v, in a batch %v", err, manyErr)
		}
		if err != nil {
			checkMessage(t, "captions", err)
			return
		}
		checkCaptions(t, one, c.Vocab(), o)
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
