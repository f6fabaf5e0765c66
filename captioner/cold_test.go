package captioner

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/models"
	"github.com/onetomany/caption/vocab"
)

// BenchmarkOpen opens a model of the default's size: EfficientNet-Lite2, LSTM
// 512, 2,600 words, float16. It needs ../shared.
func BenchmarkOpen(b *testing.B) {
	shared := os.DirFS("../../shared/default-cnn")
	if _, err := os.Stat("../../shared/default-cnn/efficientnet-lite2.onnx"); err != nil {
		b.Skip("no ../shared here")
	}
	var words []string
	for i := range 2596 {
		words = append(words, fmt.Sprintf("w%d", i))
	}
	v := vocab.Build([][]string{words}, 1)
	dir := filepath.Join(b.TempDir(), "model")
	err := Save(dir, &Model{
		Decoder:       randomDecoder(LSTM, Every, 1280, 512, 512, v.Len()),
		Vocab:         v,
		CNN:           CNN{Name: "efficientnet-lite2", FS: shared, Files: []string{"efficientnet-lite2.onnx"}},
		Preprocessing: features.Lite(260),
		Float16:       true,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range []*Loader{{}, {Trusted: true}} {
		b.Run(fmt.Sprintf("trusted=%v", l.Trusted), func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Open(dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The embedded model is not hashed, nor copied: opening it allocates what the
// packed weights take, and little more.
func TestOpenDefaultMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := OpenFS(models.Default)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	info := c.Info()
	most := 4*uint64(info.Parameters) + 4*uint64(info.CNN.Parameters) + 16<<20
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d MB allocated; the weights take %d", got>>20, (most-16<<20)>>20)
	}
}

// Prepare learns the preprocessing; captions of what is prepared then are the same.
func TestPrepare(t *testing.T) {
	known := make(chan features.Preprocessing, 2)
	l := &Loader{Prepare: func(p features.Preprocessing) { known <- p }, Threads: 2}
	c, err := l.OpenFS(tinyFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := <-known; got != c.Extractor().Preprocessing() {
		t.Errorf("preprocessing %+v", got)
	}
	if len(known) > 0 {
		t.Error("called twice")
	}
}

func TestReadNetwork(t *testing.T) {
	files := tinyFiles(t)
	c, err := OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	i := c.Info()
	want := Network{Name: i.CNNName, Layer: i.CNNLayer, Files: i.CNNFiles, Preprocessing: i.Preprocessing}
	if got, err := ReadNetwork(files); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v instead of %+v", got, err, want)
	}
	delete(files, configFile)
	if _, err := ReadNetwork(files); err == nil {
		t.Error("no config.json: no error")
	}
}
