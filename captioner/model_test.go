package captioner

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/memfs"
	"github.com/onetomany/caption/vocab"
)

const tinyWords = "a black brown child dog grass in plays runs the water white"

// tinyModel has a real network of 1.4 kB (testdata/tiny.py) and a random
// decoder with weights so large that pictures differ in their captions.
func tinyModel(t testing.TB) *Model {
	t.Helper()
	v := vocab.Build([][]string{strings.Fields(tinyWords)}, 1)
	d := randomDecoder(LSTM, Every, 6, 8, 10, v.Len())
	for _, p := range d.Params() {
		if !p.Statistic {
			for i := range d.Weights[p.Name] {
				d.Weights[p.Name][i] *= 20
			}
		}
	}
	return &Model{
		Name:          "tiny",
		Decoder:       d,
		Vocab:         v,
		CNN:           CNN{Name: "tiny-cnn", FS: os.DirFS("testdata"), Files: []string{"tiny.onnx"}},
		Preprocessing: features.ImageNet(16),
		Photo:         encode(t, picture(1)),
		Training:      Training{Data: []string{"none"}, Scores: map[string]float64{"none val CIDEr-D": 0.5}},
		Rights:        "Free.",
	}
}

// picture is a small one that depends on seed.
func picture(seed uint64) image.Image {
	rng := rand.New(rand.NewPCG(seed, 0))
	img := image.NewRGBA(image.Rect(0, 0, 24, 20))
	base := [3]int{rng.IntN(200), rng.IntN(200), rng.IntN(200)}
	for y := range 20 {
		for x := range 24 {
			img.SetRGBA(x, y, color.RGBA{
				uint8(base[0] + 2*x), uint8(base[1] + 2*y), uint8(base[2] + x + y), 255})
		}
	}
	return img
}

func encode(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tinyFiles is the content of the tiny model's folder.
func tinyFiles(t testing.TB) memfs.FS {
	t.Helper()
	files, err := tinyModel(t).files()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// reseal gives files hashes and a checksum that are right again after change
// has been at the config and the files.
func reseal(t testing.TB, files memfs.FS, change func(c *config, files memfs.FS)) memfs.FS {
	t.Helper()
	files = maps.Clone(files)
	c, err := parseConfig(files[configFile])
	if err != nil {
		t.Fatal(err)
	}
	change(c, files)
	for _, list := range [][]File{c.Files, c.CNN.Files} {
		for i, f := range list {
			if b, ok := files[f.Name]; ok {
				list[i] = describe(f.Name, b)
			}
		}
	}
	if files[configFile], err = c.marshal(); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSaveAndOpen(t *testing.T) {
	for _, half := range []bool{false, true} {
		t.Run(fmt.Sprint("float16 ", half), func(t *testing.T) {
			m := tinyModel(t)
			m.Float16 = half
			dir := t.TempDir() + "/models/tiny"
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir+"/notes.txt", []byte("mine"), 0o644); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time over the first
				if err := Save(dir, m); err != nil {
					t.Fatal(err)
				}
			}
			names, _ := fs.Glob(os.DirFS(dir), "*")
			if got, want := strings.Join(names, " "), "README.md config.json decoder.safetensors notes.txt tiny.onnx verify.jpg verify.safetensors vocab.txt"; got != want {
				t.Errorf("the folder holds %s, want %s", got, want)
			}
			c, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Verify(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Files) != 6 || r.Distance > 1e-6 || r.Sentence == "" {
				t.Errorf("report %+v", r)
			}
			i := c.Info()
			if i.Name != "tiny" || i.Dir != dir || i.Cell != LSTM || i.Entry != Every || i.Features != 6 || i.Hidden != 10 ||
				i.Vocabulary != m.Vocab.Len() || int64(i.Parameters) != m.Decoder.Parameters() || i.CNNName != "tiny-cnn" ||
				i.CNNFiles[0].Bytes != 1395 || i.Preprocessing != m.Preprocessing || i.Rights != "Free." || !strings.Contains(i.Card, "tiny-cnn") {
				t.Errorf("info %+v", i)
			}

			// The caption is what the parts give by hand.
			img := picture(7)
			got, err := c.CaptionImage(context.Background(), img, with(Options{Num: 3}))
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.Extractor().Image(context.Background(), img)
			if err != nil {
				t.Fatal(err)
			}
			g, err := NewGenerator(m.Decoder)
			if err != nil {
				t.Fatal(err)
			}
			want, err := g.Captions(context.Background(), f, with(Options{Num: 3}))
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				if got[i].Text != m.Vocab.Decode(w.IDs) || len(got[i].Words) != len(w.IDs) {
					t.Errorf("caption %d is %q, want %q", i, got[i].Text, m.Vocab.Decode(w.IDs))
				}
				tolerance := 1e-6
				if half {
					tolerance = 0.05
				}
				if d := got[i].LogProb - w.LogProb; d > tolerance || d < -tolerance {
					t.Errorf("caption %d has log-probability %v, want %v", i, got[i].LogProb, w.LogProb)
				}
			}
		})
	}
}

// TestCaption holds that a photo that is read, a picture and their features give the
// same captions.
func TestCaption(t *testing.T) {
	ctx := context.Background()
	c, err := OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	photo := encode(t, picture(7))
	got, err := c.Caption(ctx, bytes.NewReader(photo), nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := features.Decode(bytes.NewReader(photo), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := c.CaptionImage(ctx, img, Defaults()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, decoded %v, %v", got, want, err)
	}
	f, err := c.Extractor().Read(ctx, bytes.NewReader(photo), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := c.CaptionFeatures(ctx, f, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, by its features %v, %v", got, want, err)
	}
	if _, err := c.Caption(ctx, bytes.NewReader(photo[:len(photo)/2]), nil); err == nil {
		t.Error("half a photo: no error")
	}
}

// TestCaptionsDiffer holds that the picture matters, or other tests are void.
func TestCaptionsDiffer(t *testing.T) {
	c, err := OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for seed := range uint64(20) {
		caps, err := c.CaptionImage(context.Background(), picture(seed), nil)
		if err != nil {
			t.Fatal(err)
		}
		texts[caps[0].Text] = true
	}
	if len(texts) < 5 {
		t.Errorf("20 pictures have %d captions: %v", len(texts), texts)
	}
}

// TestSaveIsDeterministic holds that one model gives the same bytes each time.
func TestSaveIsDeterministic(t *testing.T) {
	a, b := tinyFiles(t), tinyFiles(t)
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
	}
}
