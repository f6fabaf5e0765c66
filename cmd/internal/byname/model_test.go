package byname

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/vocab"
)

// A model that only refers to its CNN opens once that is in models.Dir.
func TestModelThatRefersToItsCNN(t *testing.T) {
	const cnns = "../../../captioner/testdata"
	v := vocab.Build([][]string{{"cat"}}, 1)
	d, err := captioner.NewDecoder(captioner.Form{Cell: captioner.RNN, Entry: captioner.Init, Features: []int{6}, E: 1, H: 1, V: v.Len()})
	if err != nil {
		t.Fatal(err)
	}
	known := t.TempDir() // models.Dir
	t.Setenv("CAPTION_MODELS", known)
	err = captioner.Save(filepath.Join(known, "mine"), &captioner.Model{
		Decoder: d, Vocab: v, Preprocessing: features.ImageNet(16),
		CNN: captioner.CNN{Name: "tiny", FS: os.DirFS(cnns), Files: []string{"tiny.onnx"}, Reference: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenModel("mine", captioner.Loader{}); err == nil || !strings.Contains(err.Error(), "put tiny.onnx") || !strings.Contains(err.Error(), known) {
		t.Errorf("without the CNN: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(cnns, "tiny.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(known, "tiny.onnx"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := OpenModel("mine", captioner.Loader{})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Info().CNNReference {
		t.Error("the model holds its CNN")
	}
	if _, err := OpenModel("yours", captioner.Loader{}); err == nil || !strings.Contains(err.Error(), "models list") {
		t.Errorf("unknown name: %v", err)
	}
}
