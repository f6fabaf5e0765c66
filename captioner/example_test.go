package captioner_test

import (
	"context"
	"fmt"
	"image"
	"log"
	"os"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/vocab"
)

// A decoder of the smallest kind: whatever the features, it says "a dog".
func tinyDecoder() (*captioner.Decoder, *vocab.Vocab) {
	v := vocab.Build([][]string{{"a", "dog"}, {"a"}}, 1) // ids 4 and 5 after the special tokens
	// The state h is tanh of the last word's embedding, and the logits are h
	// times a row for each word.
	d := &captioner.Decoder{
		Cell: captioner.RNN, Entry: captioner.Init,
		D: 6, E: 3, H: 3, V: v.Len(),
		Mean: make([]float32, 6), Std: []float32{1, 1, 1, 1, 1, 1},
		FirstW: make([]float32, 3*6), FirstB: make([]float32, 3),
		Embed: make([]float32, 6*3),
		Wx:    []float32{5, 0, 0, 0, 5, 0, 0, 0, 5}, Wh: make([]float32, 3*3), B: make([]float32, 3),
		OutW: make([]float32, 6*3), OutB: make([]float32, 6),
	}
	follow := func(word, next, unit int) {
		d.Embed[word*d.E+unit] = 1
		d.OutW[next*d.H+unit] = 9
	}
	follow(vocab.Start, v.ID("a"), 0)
	follow(v.ID("a"), v.ID("dog"), 1)
	follow(v.ID("dog"), vocab.End, 2)
	return d, v
}

func Example() {
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
	caps, err := c.Caption(context.Background(), image.NewGray(image.Rect(0, 0, 80, 60)), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caps[0].Text)
	for _, w := range caps[0].Words {
		fmt.Printf("%s %.3f\n", w.Text, w.LogProb)
	}
	// Output:
	// a dog
	// a -0.001
	// dog -0.001
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
