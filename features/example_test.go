package features_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

func ExampleDecode() {
	_, err := features.Decode(strings.NewReader("Dear photo album, …"), nil)
	fmt.Println(errors.Is(err, features.ErrNotImage))
	what, _, _ := strings.Cut(err.Error(), ";") // the formats that can be read follow
	fmt.Println(what)
	// Output:
	// true
	// not a picture that can be read: it is text
}

func ExamplePreprocessing_Tensor() {
	img := image.NewGray(image.Rect(0, 0, 640, 480))
	img.Set(0, 0, color.White)
	x, err := features.ImageNet(224).Tensor(img)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(x) == 3*224*224)
	fmt.Printf("black is %.3f in red, %.3f in green, %.3f in blue\n", x[224*224-1], x[2*224*224-1], x[3*224*224-1])
	// Output:
	// true
	// black is -2.118 in red, -2.036 in green, -1.804 in blue
}

// Features of all photos of a folder, in a file that numpy.load reads.
func ExampleExtractor_WriteFile() {
	net, err := cnn.Open("resnet50.onnx", nil)
	if err != nil {
		log.Fatal(err)
	}
	x, err := features.NewExtractor(net, features.ImageNet(224))
	if err != nil {
		log.Fatal(err)
	}
	photos := features.Expand([]string{"holiday"})
	sum, err := x.WriteFile(context.Background(), "holiday.npy", photos, &features.WriteOptions{
		Report: func(r features.Result) {
			if r.Err != nil {
				log.Printf("%s: %v", r.Name, r.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d photos done, %d failed\n", sum.Rows, sum.Failed)
}

// Features one by one, without a file.
func ExampleExtractor_Stream() {
	net, err := cnn.Open("resnet50.onnx", nil)
	if err != nil {
		log.Fatal(err)
	}
	x, err := features.NewExtractor(net, features.ImageNet(224))
	if err != nil {
		log.Fatal(err)
	}
	photos := features.Expand([]string{"holiday", "cat.jpg"})
	for r := range x.Stream(context.Background(), slices.Values(photos), nil) {
		if r.Err != nil {
			log.Printf("%s: %v", r.Name, r.Err)
			continue
		}
		fmt.Println(r.Name, len(r.Features))
	}
}

func ExampleExpand() {
	dir, err := os.MkdirTemp("", "photos")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"b.png", "a.png", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	for _, src := range features.Expand([]string{dir}) {
		fmt.Println(filepath.Base(src.Name))
	}
	// Output:
	// a.png
	// b.png
}

// Any features can go to a file, and come back.
func ExampleCreate() {
	dir, err := os.MkdirTemp("", "features")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "f.safetensors")

	w, err := features.Create(path, []int{3}, map[string]string{"made by": "hand"})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if err := w.Append("cat.jpg", []float32{1, 2, 3}); err != nil {
		log.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		log.Fatal(err)
	}

	set, err := features.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Names, set.Shape, set.Row(0), set.Meta)
	// Output:
	// [cat.jpg] [1 3] [1 2 3] map[made by:hand]
}
