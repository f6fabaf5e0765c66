package captioner_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/vocab"
)

func Example() {
	c, err := captioner.Open("../models/default")
	if err != nil {
		log.Fatal(err)
	}
	photo, err := os.Open("../testdata/images/cat.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer photo.Close()
	captions, err := c.Caption(context.Background(), photo, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(captions[0].Text)
	// Output: a cat is looking at the camera
}

// Zero is a value like any other: start from Defaults.
func ExampleOptions() {
	c, err := captioner.Open("../models/default")
	if err != nil {
		log.Fatal(err)
	}
	photo, err := os.Open("../testdata/images/cat.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer photo.Close()
	opt := captioner.Defaults()
	opt.Num = 2
	captions, err := c.Caption(context.Background(), photo, opt)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range captions {
		fmt.Println(c.Text)
	}
	// Output:
	// a cat is looking at the camera
	// a gray cat is looking at the camera
}

// tinyDecoder is a decoder of the smallest kind: whatever the features, it says
// "a dog".
func tinyDecoder() (*captioner.Decoder, *vocab.Vocab) {
	v := vocab.Build([][]string{{"a", "dog"}, {"a"}}, 1) // ids 4 and 5 after the special tokens
	// The state h is tanh of the last word's embedding, and the logits are h
	// times a row for each word.
	d, err := captioner.NewDecoder(captioner.Form{
		Cell: captioner.RNN, Entry: captioner.Init, Features: []int{6}, E: 3, H: 3, V: v.Len(),
	})
	if err != nil {
		panic(err)
	}
	for i := range d.H {
		d.Weights["cell.wx"][i*d.E+i] = 5
	}
	follow := func(word, next, unit int) {
		d.Weights["embed.weight"][word*d.E+unit] = 1
		d.Weights["out.weight"][next*d.H+unit] = 9
	}
	follow(vocab.Start, v.ID("a"), 0)
	follow(v.ID("a"), v.ID("dog"), 1)
	follow(v.ID("dog"), vocab.End, 2)
	return d, v
}

func ExampleSave() {
	d, v := tinyDecoder()
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	err = captioner.Save(dir, &captioner.Model{
		Decoder:       d,
		Vocab:         v,
		CNN:           captioner.CNN{Name: "tiny", FS: os.DirFS("testdata"), Files: []string{"tiny.onnx"}},
		Preprocessing: features.ImageNet(16),
	})
	if err != nil {
		log.Fatal(err)
	}
	c, err := captioner.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Info().CNNName, c.Info().Parameters)
	// Output: tiny 84
}

func ExampleGenerator_Captions() {
	d, v := tinyDecoder()
	g, err := captioner.NewGenerator(d)
	if err != nil {
		log.Fatal(err)
	}
	hyps, err := g.Captions(context.Background(), make([]float32, 6), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hyps {
		fmt.Printf("%v %s %.3f\n", h.IDs, v.Decode(h.IDs), h.LogProb)
	}
	// Output:
	// [4 5] a dog -0.002
}
