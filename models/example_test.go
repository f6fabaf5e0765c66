package models_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/models"
)

func Example() {
	c, err := captioner.OpenFS(models.Default)
	if err != nil {
		log.Fatal(err)
	}
	f, err := os.Open("../testdata/images/cat.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	img, err := features.Decode(f, nil)
	if err != nil {
		log.Fatal(err)
	}
	captions, err := c.Caption(context.Background(), img, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(captions[0].Text)
	// Output: a cat is looking at the camera
}

func ExampleKnown() {
	c, ok := models.Known("c7edaedade95f563b33c377d87178930398b22669ea2409bec4850b034c918e3")
	fmt.Println(c.Name, ok)
	// Output: efficientnet-lite2 true
}
