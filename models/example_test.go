package models_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/onetomany/caption/captioner"
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
	captions, err := c.Caption(context.Background(), f, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(captions[0].Text, "cat"))
	// Output: true
}

// A CNN is known by its content, whatever the name of its file.
func ExampleKnown() {
	c, ok := models.Known("c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5")
	fmt.Println(ok, c.Name, c.Licence)
	fmt.Println("mean", c.Input.Mean, "std", c.Input.Std)
	// Output:
	// true mobilenetv2-12 Apache-2.0
	// mean [0.485 0.456 0.406] std [0.229 0.224 0.225]
}
