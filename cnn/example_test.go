package cnn_test

import (
	"context"
	"errors"
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

// Computing in bf16 where the processor can is faster; elsewhere float32 will do.
func ExampleErrPrecision() {
	const model = "../models/default/cnn.onnx"
	net, err := cnn.Open(model, &cnn.Options{Precision: cnn.BF16})
	if errors.Is(err, cnn.ErrPrecision) {
		net, err = cnn.Open(model, nil)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("features:", net.Info().FeatureShape)
	// Output:
	// features: [1280]
}
