package captioner

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/internal/safetensors"
	"github.com/onetomany/caption/models"
	"github.com/onetomany/caption/vocab"
)

// refused checks that a folder does not open, and which file is blamed.
func refused(t *testing.T, files fs.FS, file string, says ...string) {
	t.Helper()
	_, err := OpenFS(files)
	me, ok := errors.AsType[*ModelError](err)
	if !ok {
		t.Errorf("error %v, want a ModelError about %s", err, file)
		return
	}
	if me.File != file {
		t.Errorf("%s is blamed, want %s: %v", me.File, file, err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%q is more than one line", err)
	}
}

// TestChangedByte changes bytes of every file: each change is found and the
// file named.
func TestChangedByte(t *testing.T) {
	files := tinyFiles(t)
	if len(files) != 7 {
		t.Fatalf("the folder has %d files: %v", len(files), slices.Collect(maps.Keys(files)))
	}
	for name, b := range files {
		stride := len(b)/150 + 1
		if testing.Short() {
			stride *= 10
		}
		for i := 0; i < len(b); i += stride {
			for _, bit := range []byte{1, 0x20, 0x80} {
				bad := maps.Clone(files)
				bad[name] = bytes.Clone(b)
				bad[name][i] ^= bit
				refused(t, bad, name)
			}
		}
	}
}

// TestChangedProgram changes bytes of a model that is part of the program, which
// is opened without hashing.
func TestChangedProgram(t *testing.T) {
	files := tinyFiles(t)
	program := memfs.Program{FS: files, Sums: map[string]uint32{}}
	for name, b := range files {
		if name != configFile { // has a checksum in it
			program.Sums[name] = memfs.Sum(b)
		}
	}
	if _, err := OpenFS(program); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		for i := 0; i < len(b); i += len(b)/50 + 1 {
			program.FS = maps.Clone(files)
			program.FS[name] = bytes.Clone(b)
			program.FS[name][i] ^= 0x10
			refused(t, program, name)
		}
	}
}

// TestChangedDefault does so with the embedded model itself: each byte that decides
// what is written is compared.
func TestChangedDefault(t *testing.T) {
	program := models.Default.(memfs.Program)
	files := program.FS
	if _, err := OpenFS(files); err != nil { // with hashes, and all numbers looked at
		t.Fatal(err)
	}
	for _, name := range []string{configFile, vocabFile, decoderFile, "cnn.onnx", cardFile} {
		size := len(files[name])
		for _, at := range []int{size / 2, size - 1} {
			program.FS = maps.Clone(files)
			program.FS[name] = bytes.Clone(files[name])
			program.FS[name][at] ^= 1
			refused(t, program, name)
			if testing.Short() {
				break
			}
		}
	}
	// Trusted leaves out the CNN, which takes longest, and nothing else.
	program.FS = maps.Clone(files)
	for name, b := range files {
		program.FS[name] = bytes.Clone(b)
		program.FS[name][len(b)-1] ^= 1
		_, err := (&Loader{Trusted: true}).OpenFS(program)
		program.FS[name] = b
		if me, ok := errors.AsType[*ModelError](err); (name != "cnn.onnx") != (ok && me.File == name) {
			t.Errorf("%s changed, trusted: %v", name, err)
		}
	}
}

func TestTruncatedFiles(t *testing.T) {
	files := tinyFiles(t)
	for name, b := range files {
		for _, content := range [][]byte{{}, b[:1], b[:len(b)/2], b[:len(b)-1], append(bytes.Clone(b), 0), append(bytes.Clone(b), b...)} {
			bad := maps.Clone(files)
			bad[name] = content
			refused(t, bad, name)
		}
		bad := maps.Clone(files)
		delete(bad, name)
		refused(t, bad, name, "file does not exist")
		if _, err := OpenFS(bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
	}
}

func TestOpenDir(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "nothing"), "no such file"},
		{"empty", dir, "config.json"},
		{"a file", "captioner.go", "not a folder"},
	} {
		_, err := Open(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: error %v, want %q and the path", c.name, err, c.want)
		}
	}
	good := filepath.Join(dir, "good")
	if err := Save(good, tinyModel(t)); err != nil {
		t.Fatal(err)
	}
	// A folder where a file should be.
	if err := os.Remove(filepath.Join(good, vocabFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(good, vocabFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(good); err == nil || !strings.Contains(err.Error(), "vocab.txt: not a regular file") {
		t.Errorf("a folder in place of vocab.txt: %v", err)
	}
}

// TestConfig changes config.json and gives it a right checksum.
func TestConfig(t *testing.T) {
	files := tinyFiles(t)
	for _, c := range []struct {
		name   string
		change func(c *config, files memfs.FS)
		file   string
		says   []string
	}{
		{"format", func(c *config, _ memfs.FS) { c.Format = "x" }, configFile, []string{"format"}},
		{"newer", func(c *config, _ memfs.FS) { c.Version = 2 }, configFile, []string{"version", "upgrade"}},
		{"version", func(c *config, _ memfs.FS) { c.Version = 0 }, configFile, []string{"version"}},
		{"cell", func(c *config, _ memfs.FS) { c.Decoder.Cell = "ltsm" }, configFile, []string{"decoder", "ltsm"}},
		{"other cell", func(c *config, _ memfs.FS) { c.Decoder.Cell = GRU }, decoderFile, []string{"cell", "lstm", "gru"}},
		{"other entry", func(c *config, _ memfs.FS) { c.Decoder.Entry = Init }, decoderFile, []string{"entry", "every", "init"}},
		{"hidden", func(c *config, _ memfs.FS) { c.Decoder.Hidden = 11 }, decoderFile, []string{"cell.wx", "[40 8]", "[44 8]"}},
		{"huge", func(c *config, _ memfs.FS) { c.Decoder.Hidden = math.MaxInt }, configFile, []string{"hidden size"}},
		{"large", func(c *config, _ memfs.FS) { c.Decoder.Hidden = 1 << 16 }, configFile, []string{"limit"}},
		{"vocabulary", func(c *config, _ memfs.FS) { c.Decoder.Vocabulary++ }, vocabFile, []string{"16 words", "17"}},
		{"features", func(c *config, _ memfs.FS) { c.Decoder.Features = 7 }, decoderFile, []string{"[6]", "[7]"}},
		{"resize", func(c *config, _ memfs.FS) { c.Preprocessing.Resize = "crop" }, decoderFile, []string{"preprocessing", "crop"}},
		{"resize to what", func(c *config, _ memfs.FS) { c.Preprocessing.Resize = "x" }, configFile, []string{"preprocessing"}},
		{"mean", func(c *config, _ memfs.FS) { c.Preprocessing.Mean[0] = 0.5 }, decoderFile, []string{"preprocessing", "0.5"}},
		{"std", func(c *config, _ memfs.FS) { c.Preprocessing.Std[0] = 0 }, configFile, []string{"preprocessing"}},
		{"layer", func(c *config, _ memfs.FS) { c.CNN.Layer = "map" }, decoderFile, []string{"cnn.layer", "map"}},
		{"no cnn", func(c *config, _ memfs.FS) { c.CNN.Files = nil }, configFile, []string{"cnn.files"}},
		{"dots", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = "../tiny.onnx" }, configFile, []string{"cnn.files[0]", "../tiny.onnx"}},
		{"absolute", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = "/etc/passwd" }, configFile, []string{"/etc/passwd"}},
		{"backslash", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = `..\tiny.onnx` }, configFile, []string{"plain file name"}},
		{"stream", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = "tiny.onnx:x" }, configFile, []string{"plain file name"}},
		{"hidden file", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = ".tiny" }, configFile, []string{"plain file name"}},
		{"empty name", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = "" }, configFile, []string{"plain file name"}},
		{"itself", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = "CONFIG.json" }, configFile, []string{"twice"}},
		{"twice", func(c *config, _ memfs.FS) { c.CNN.Files = append(c.CNN.Files, c.CNN.Files[0]) }, configFile, []string{"twice"}},
		{"cnn is the decoder", func(c *config, _ memfs.FS) { c.CNN.Files[0].Name = decoderFile }, configFile, []string{"twice"}},
		{"unknown file", func(c *config, f memfs.FS) { f["x"] = []byte("x"); c.Files = append(c.Files, File{Name: "x"}) }, configFile, []string{`unknown file "x"`}},
		{"no card", func(c *config, _ memfs.FS) {
			c.Files = slices.DeleteFunc(c.Files, func(f File) bool { return f.Name == cardFile })
		}, configFile, []string{"README.md is missing"}},
		{"photo", func(c *config, _ memfs.FS) { c.Verify.Photo = "../x.jpg" }, configFile, []string{"files"}},
		{"photo is the vocabulary", func(c *config, _ memfs.FS) { c.Verify.Photo = vocabFile }, configFile, []string{"unknown file"}},
		{"large cnn", func(c *config, f memfs.FS) { delete(f, "tiny.onnx"); c.CNN.Files[0].Bytes = maxCNN + 1 }, configFile, []string{"bytes"}},
		{"negative", func(c *config, f memfs.FS) { delete(f, "tiny.onnx"); c.CNN.Files[0].Bytes = -1 }, configFile, []string{"bytes"}},
		{"lying size", func(c *config, f memfs.FS) { delete(f, "tiny.onnx"); c.CNN.Files[0].Bytes = maxCNN }, "tiny.onnx", nil},
		{"no hash", func(c *config, f memfs.FS) { delete(f, "tiny.onnx"); c.CNN.Files[0].SHA256 = "" }, configFile, []string{"sha256"}},
		{"many files", func(c *config, _ memfs.FS) { c.CNN.Files = slices.Repeat(c.CNN.Files, 100) }, configFile, []string{"105"}},
		{"another vocabulary", func(c *config, f memfs.FS) {
			f[vocabFile] = bytes.Replace(f[vocabFile], []byte("dog\ngrass"), []byte("grass\ndog"), 1)
		}, decoderFile, []string{"vocab.sha256", "two models"}},
		{"broken vocabulary", func(c *config, f memfs.FS) { f[vocabFile] = []byte("a\n") }, vocabFile, []string{"line 1"}},
		{"another cnn", func(c *config, f memfs.FS) { f["tiny.onnx"] = append(bytes.Clone(f["tiny.onnx"]), 0x3a, 0) }, decoderFile, []string{"cnn.sha256", "two models"}},
		{"empty decoder", func(c *config, f memfs.FS) { f[decoderFile] = []byte("x") }, decoderFile, []string{"safetensors"}},
		{"broken cnn", func(c *config, f memfs.FS) { f["tiny.onnx"] = []byte("x") }, "tiny.onnx", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := reseal(t, files, c.change)
			if c.name == "lying size" {
				bad["tiny.onnx"] = files["tiny.onnx"]
			}
			if c.name == "broken cnn" { // the decoder agrees
				bad = retrain(t, bad, nil)
			}
			refused(t, bad, c.file, c.says...)
		})
	}
}

// retrain writes the decoder anew, for the parts that the folder has, after
// change has been at its weights.
func retrain(t *testing.T, files memfs.FS, change func(d *Decoder)) memfs.FS {
	return reseal(t, files, func(c *config, files memfs.FS) {
		d := tinyModel(t).Decoder
		if change != nil {
			change(d)
		}
		m, err := c.metadata()
		if err != nil {
			t.Fatal(err)
		}
		if files[decoderFile], err = encodeDecoder(d, false, m); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRawConfig changes the text of config.json under a right checksum.
func TestRawConfig(t *testing.T) {
	files := tinyFiles(t)
	for _, c := range []struct{ name, old, new, says string }{
		{"unknown field", `"name":`, `"nmae": 1, "name":`, `unknown field "nmae"`},
		{"unknown field inside", `"cell":`, `"cells": 1, "cell":`, `unknown field "cells"`},
		{"duplicate", `"name": "tiny"`, `"name": "other", "name": "tiny"`, `"name" is there twice`},
		{"duplicate by escape", `"name": "tiny"`, `"n\u0061me": "other", "name": "tiny"`, `"name" is there twice`},
		{"duplicate inside", `"entry":`, `"cell": "gru", "entry":`, `decoder: field "cell" is there twice`},
		{"duplicate in a file", `"bytes":`, `"name": "x", "bytes":`, `"name" is there twice`},
		{"duplicate score", `"none val CIDEr-D":`, `"none val CIDEr-D": 9, "none val CIDEr-D":`, `training.scores: field`},
		{"two formats", `"format":`, `"format": "other", "format":`, `"format" is there twice`},
		{"two versions", `"version":`, `"version": 9, "version":`, `"version" is there twice`},
		{"another case", `"entry":`, `"Entry":`, `decoder: field "Entry"`},
		{"format in another case", `"format":`, `"Format":`, `field "Format"`},
		{"null", `"embedding": 8`, `"embedding": null`, `decoder.embedding: null`},
		{"four means", `"mean": [`, `"mean": [1, `, `preprocessing.mean: 4 values`},
		{"type", `"embedding": 8`, `"embedding": "8"`, "embedding"},
		{"fraction", `"embedding": 8`, `"embedding": 8.5`, "embedding"},
		{"two checksums", `"name":`, `"checksum": "0000000000000000000000000000000000000000000000000000000000000000", "name":`, "checksum"},
		{"something after", "\n}\n", "\n}\n{}", "after top-level"},
		{"not an object", "{", "[{", "JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bytes.Replace(files[configFile], []byte(c.old), []byte(c.new), 1)
			if bytes.Equal(b, files[configFile]) {
				t.Fatalf("%s does not occur", c.old)
			}
			if says, is, err := checksum(b); err == nil {
				b = bytes.Replace(b, []byte(says), []byte(is), 1)
			}
			bad := maps.Clone(files)
			bad[configFile] = b
			refused(t, bad, configFile, c.says)
		})
	}
	t.Run("size", func(t *testing.T) {
		bad := maps.Clone(files)
		bad[configFile] = bytes.Repeat([]byte(" "), maxConfig+1)
		refused(t, bad, configFile, "limit")
	})
}

// TestDecoderFile changes decoder.safetensors under right hashes.
func TestDecoderFile(t *testing.T) {
	files := tinyFiles(t)
	type tensors = []safetensors.Tensor
	for _, c := range []struct {
		name   string
		change func(ts tensors) tensors
		says   []string
	}{
		{"missing", func(ts tensors) tensors { return ts[1:] }, []string{"feature.mean", "missing"}},
		{"too many", func(ts tensors) tensors {
			return append(ts, safetensors.Tensor{Info: safetensors.Info{Name: "cell.bhn", DType: safetensors.F32, Shape: []int{1}}, Data: []float32{0}})
		}, []string{"cell.bhn", "no such tensor"}},
		{"shape", func(ts tensors) tensors {
			ts[2].Shape = []int{6, 8}
			return ts
		}, []string{"image.first.weight", "[6 8]", "[8 6]"}},
		{"NaN", func(ts tensors) tensors {
			ts[3].Data[5] = float32(nan())
			return ts
		}, []string{"image.first.bias", "number 5 is NaN"}},
		{"std", func(ts tensors) tensors {
			ts[1].Data[0] = -1
			return ts
		}, []string{"feature.std", "-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := reseal(t, files, func(cfg *config, files memfs.FS) {
				var ts tensors
				d := tinyModel(t).Decoder
				for _, p := range d.Params() {
					ts = append(ts, safetensors.Tensor{Info: safetensors.Info{Name: p.Name, DType: safetensors.F32, Shape: d.Shape(p)}, Data: d.Weights[p.Name]})
				}
				meta, err := cfg.metadata()
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				if err := safetensors.Write(&b, c.change(ts), meta); err != nil {
					t.Fatal(err)
				}
				files[decoderFile] = b.Bytes()
			})
			refused(t, bad, decoderFile, c.says...)
		})
	}
}

func nan() float64 { z := 0.0; return z / z }

func TestVerifyFindsChanges(t *testing.T) {
	files := tinyFiles(t)
	trusted := &Loader{Trusted: true}
	verify := func(files memfs.FS) error {
		t.Helper()
		c, err := trusted.OpenFS(files)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Verify(context.Background())
		return err
	}
	if err := verify(files); err != nil {
		t.Fatal(err)
	}
	// A trusted folder opens with other weights; Verify sees them.
	bad := maps.Clone(files)
	bad[decoderFile] = bytes.Clone(bad[decoderFile])
	bad[decoderFile][len(bad[decoderFile])-1] ^= 0x01
	if err := verify(bad); err == nil || !strings.Contains(err.Error(), "decoder.safetensors: the content has sha256") {
		t.Errorf("changed weights: %v", err)
	}
	// Hashes right, content wrong.
	err := verify(reseal(t, files, func(c *config, _ memfs.FS) { c.Verify.Sentence = "a red dog" }))
	if err == nil || !strings.Contains(err.Error(), `says "a red dog"`) {
		t.Errorf("another sentence: %v", err)
	}
	err = verify(reseal(t, files, func(c *config, f memfs.FS) { f[c.Verify.Photo] = encode(t, picture(9)) }))
	if err == nil || !strings.Contains(err.Error(), "away from those in verify.safetensors") {
		t.Errorf("another photo: %v", err)
	}
	err = verify(reseal(t, files, func(c *config, f memfs.FS) { f[c.Verify.Photo] = []byte("no photo") }))
	if err == nil || !strings.Contains(err.Error(), "verify.jpg") {
		t.Errorf("no photo: %v", err)
	}
	err = verify(reseal(t, files, func(c *config, f memfs.FS) { f[proofFile], _ = (&proof{features: []float32{1}}).encode() }))
	if err == nil || !strings.Contains(err.Error(), "verify.safetensors") {
		t.Errorf("other features: %v", err)
	}
	// The folder changes under an open model.
	c, err := OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	delete(files, vocabFile)
	if _, err := c.Verify(context.Background()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("vocab.txt is gone: %v", err)
	}
}

func TestReference(t *testing.T) {
	m := tinyModel(t)
	m.CNN.Reference = true
	files, err := m.files()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := files["tiny.onnx"]; ok {
		t.Error("the folder holds the CNN that it should refer to")
	}
	refused(t, files, configFile, "tiny-cnn", "not in the folder")

	var asked string
	l := &Loader{Trusted: true, CNN: func(name string, files []File) (fs.FS, error) {
		asked = name + " " + files[0].Name
		return os.DirFS("testdata"), nil
	}}
	c, err := l.OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if asked != "tiny-cnn tiny.onnx" {
		t.Errorf("Loader.CNN was asked for %s", asked)
	}
	if _, err := c.Verify(context.Background()); err != nil {
		t.Error(err)
	}
	l.CNN = func(string, []File) (fs.FS, error) { return nil, fs.ErrNotExist }
	if _, err := l.OpenFS(files); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not found: %v", err)
	}
	b, err := os.ReadFile("testdata/tiny.onnx")
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-100] ^= 1
	l.CNN = func(string, []File) (fs.FS, error) { return memfs.FS{"tiny.onnx": b}, nil }
	if _, err := l.OpenFS(files); err == nil || !strings.Contains(err.Error(), "tiny.onnx: the content has sha256") {
		t.Errorf("another network: %v", err)
	}
}

func TestExternalData(t *testing.T) {
	m := tinyModel(t)
	m.CNN.Files = []string{"tiny_ext.onnx", "tiny_ext.onnx.data"}
	files, err := m.files()
	if err != nil {
		t.Fatal(err)
	}
	same := tinyFiles(t)
	a, err := OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenFS(same)
	if err != nil {
		t.Fatal(err)
	}
	ra, err := a.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	rb, _ := b.Verify(context.Background())
	if ra.Sentence != rb.Sentence {
		t.Errorf("weights outside: %q, inside: %q", ra.Sentence, rb.Sentence)
	}
	files["tiny_ext.onnx.data"] = bytes.Clone(files["tiny_ext.onnx.data"])
	files["tiny_ext.onnx.data"][3] ^= 1
	refused(t, files, "tiny_ext.onnx.data", "sha256")

	// Data that is not in the list is not read.
	m.CNN.Files = m.CNN.Files[:1]
	if _, err := m.files(); err == nil || !strings.Contains(err.Error(), "tiny_ext.onnx") {
		t.Errorf("without its data: %v", err)
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *Model)
		says   string
	}{
		{"no decoder", func(m *Model) { m.Decoder = nil }, "decoder"},
		{"no vocabulary", func(m *Model) { m.Vocab = nil }, "vocabulary"},
		{"NaN", func(m *Model) { m.Decoder.Weights["out.bias"][3] = float32(nan()) }, "out.bias: number 3 is NaN"},
		{"too large", func(m *Model) { m.Float16 = true; m.Decoder.Weights["out.weight"][3] = 70000 }, "float16"},
		{"vocabulary", func(m *Model) { m.Vocab = vocab.Build([][]string{{"a"}}, 1) }, "5 words"},
		{"no cnn", func(m *Model) { m.CNN = CNN{} }, "CNN"},
		{"cnn name", func(m *Model) { m.CNN.Files[0] = "../testdata/tiny.onnx" }, "plain file name"},
		{"cnn missing", func(m *Model) { m.CNN.Files[0] = "nothing.onnx" }, "nothing.onnx"},
		{"not a cnn", func(m *Model) { m.CNN.Files[0] = "tiny.py" }, "tiny.py"},
		{"feature size", func(m *Model) {
			m.Decoder = randomDecoder(LSTM, Init, 7, 8, 8, m.Vocab.Len())
		}, "shape [6]"},
		{"input size", func(m *Model) { m.Preprocessing.Width = 32 }, "16"},
		{"layer", func(m *Model) { m.CNN.Layer = "map" }, "shape"},
		{"photo", func(m *Model) { m.Photo = []byte("text") }, "photo"},
		{"photo name", func(m *Model) { m.PhotoName = "vocab.txt" }, "vocab.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tinyModel(t)
			m.CNN.Files = slices.Clone(m.CNN.Files)
			c.change(m)
			dir := filepath.Join(t.TempDir(), "m")
			err := Save(dir, m)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want %q and the folder", err, c.says)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written")
			}
		})
	}
}
