package dataset_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

// From photos with captions to a model that captions.
func Example() {
	ctx := context.Background()
	set, err := dataset.Open("testdata/colours")
	if err != nil {
		log.Fatal(err)
	}
	trains, val := set.Split(dataset.Train), set.Split(dataset.Val)
	fmt.Println(len(trains.Photos), "photos to train on,", len(val.Photos), "to validate on")

	// The features come from any classifier.
	net, err := cnn.Open("../testdata/tiny.onnx", nil)
	if err != nil {
		log.Fatal(err)
	}
	pre := features.ImageNet(16)
	x, err := features.NewExtractor(net, pre)
	if err != nil {
		log.Fatal(err)
	}
	report := func(r features.Result) error { return r.Err }
	if _, err := dataset.Extract(ctx, x, nil, report, trains, val); err != nil {
		log.Fatal(err)
	}

	data := train.NewData([]*dataset.Set{trains}, []*dataset.Set{val}, 1)
	opt := train.Defaults()
	opt.Embed, opt.Hidden, opt.Rate, opt.Epochs = 16, 16, 0.02, 100
	opt.Average, opt.Patience = 0.9, 0 // few steps: follow the weights closely, to the end
	res, err := train.Run(ctx, data, opt, nil)
	if err != nil {
		log.Fatal(err)
	}

	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	err = captioner.Save(dir, &captioner.Model{
		Decoder:       res.Decoder,
		Vocab:         data.Vocab,
		CNN:           captioner.CNN{Name: "tiny", FS: os.DirFS("../testdata"), Files: []string{"tiny.onnx"}},
		Preprocessing: pre,
	})
	if err != nil {
		log.Fatal(err)
	}
	c, err := captioner.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range val.Photos {
		captions, err := c.CaptionFeatures(ctx, p.Features, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name, captions[0].Text)
	}
	// Output:
	// 4 photos to train on, 2 to validate on
	// red3.png a red wall
	// blue3.png the sky is blue
}
