// Command worker is our side of bench.py: it does on request, on its standard
// input, what is timed, and answers with the nanoseconds that it took.
//
//	open MODEL THREADS [bf16]  load a network; answers ns, feature value, shape of the picture
//	input N FILE               read N pictures, raw float32 [N,C,H,W]
//	run                        compute their features; answers ns
//	save FILE                  write the features of the last run, raw float32
//	decode FILE                decode a JPEG, read before, at 1/4; answers ns
//	prepare FILE               from a photo to the input of the default CNN; answers ns
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/scaledjpeg"
)

type worker struct {
	net   *cnn.Net
	batch cnn.Tensor
	out   cnn.Tensor

	jpeg scaledjpeg.Decoder // as features uses it
}

func main() {
	log.SetFlags(0)
	w := &worker{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		log.SetPrefix("worker: " + in.Text() + ": ")
		fmt.Println(w.do(strings.Fields(in.Text())))
	}
}

func (w *worker) do(words []string) (answer string) {
	var args [4]string
	copy(args[:], words)
	start := time.Now()
	since := func() string { return fmt.Sprint(time.Since(start).Nanoseconds()) }
	switch args[0] {
	case "open":
		opt := &cnn.Options{Threads: must(strconv.Atoi(args[2]))}
		if args[3] == "bf16" {
			opt.Precision = cnn.BF16
		}
		w.net = must(cnn.Open(args[1], opt))
		took := since()
		i := w.net.Info()
		return fmt.Sprint(took, " ", i.FeatureNode, " ", i.Channels, " ", i.Height, " ", i.Width)
	case "input":
		n, i := must(strconv.Atoi(args[1])), w.net.Info()
		w.batch = cnn.Tensor{Shape: []int{n, i.Channels, i.Height, i.Width}, Data: make([]float32, n*i.Channels*i.Height*i.Width)}
		f := must(os.Open(args[2]))
		defer f.Close()
		check(binary.Read(f, binary.LittleEndian, w.batch.Data))
		return "ok"
	case "run":
		w.out = must(w.net.Run(context.Background(), w.batch))
		return since()
	case "save":
		raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w.out.Data))), 4*len(w.out.Data))
		check(os.WriteFile(args[1], raw, 0o666))
		return "ok"
	case "decode":
		data := must(os.ReadFile(args[1]))
		start = time.Now()
		must(w.jpeg.Decode(context.Background(), data, 4))
		return since()
	case "prepare":
		f := must(os.Open(args[1]))
		defer f.Close()
		must(features.Lite(260).Read(context.Background(), f, nil))
		return since()
	}
	log.Fatal("unknown request")
	return ""
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
