package train_test

import (
	"context"
	"fmt"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/vocab"
)

// Two kinds of photos, told apart by the first of two features.
func Example() {
	captions := []string{"A dog runs on the grass.", "A boat on the lake."}
	tokens := [][]string{vocab.Tokenize(captions[0]), vocab.Tokenize(captions[1])}
	data := &train.Data{Vocab: vocab.Build(tokens, 1)}
	for i := range 20 {
		data.Features = append(data.Features, []float32{float32(i % 2), 0.5})
		data.Captions = append(data.Captions, [][]int{data.Vocab.Encode(tokens[i%2])})
	}

	opt := train.Defaults()
	opt.Embed, opt.Hidden, opt.Batch, opt.Rate, opt.Epochs = 16, 16, 5, 0.02, 40
	opt.Average = 0.9 // few steps: follow the weights closely
	res, err := train.Run(context.Background(), data, opt, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	g, err := captioner.NewGenerator(res.Decoder)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, features := range [][]float32{{0, 0.5}, {1, 0.5}} {
		caps, err := g.Captions(context.Background(), features, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(data.Vocab.Decode(caps[0].IDs))
	}
	// Output:
	// a dog runs on the grass
	// a boat on the lake
}
