package cnn_test

import (
	"context"
	"fmt"
	"log"

	"github.com/onetomany/caption/cnn"
)

func Example() {
	// The CNN of the default model; any ONNX classifier will do.
	net, err := cnn.Open("../models/default/cnn.onnx", nil)
	if err != nil {
		log.Fatal(err)
	}
	info := net.Info()
	fmt.Println("input:", info.Channels, info.Height, info.Width)
	fmt.Println("cut off:", info.Cut)

	// Two pictures, here grey ones: RGB planes, normalised as the CNN was
	// trained. Package features makes them of photos.
	batch := cnn.Tensor{
		Shape: []int{2, info.Channels, info.Height, info.Width},
		Data:  make([]float32, 2*info.Channels*info.Height*info.Width),
	}
	features, err := net.Run(context.Background(), batch)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("features:", features.Shape)
	// Output:
	// input: 3 260 260
	// cut off: [fc softmax]
	// features: [2 1280]
}
