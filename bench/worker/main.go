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

	jpeg scaledjpeg.Decoder
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("worker: ")
	w := &worker{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		answer, err := w.do(strings.Fields(in.Text()))
		if err != nil {
			log.Fatalf("%s: %v", in.Text(), err)
		}
		fmt.Println(answer)
	}
}

func (w *worker) do(words []string) (answer string, err error) {
	var args [4]string
	copy(args[:], words)
	start := time.Now()
	since := func() int64 { return time.Since(start).Nanoseconds() }
	switch args[0] {
	case "open":
		threads, err := strconv.Atoi(args[2])
		if err != nil {
			return "", err
		}
		opt := &cnn.Options{Threads: threads}
		if args[3] == "bf16" {
			opt.Precision = cnn.BF16
		}
		w.net, err = cnn.Open(args[1], opt)
		if err != nil {
			return "", err
		}
		took := since()
		i := w.net.Info()
		return fmt.Sprint(took, " ", i.FeatureNode, " ", i.Channels, " ", i.Height, " ", i.Width), nil
	case "input":
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return "", err
		}
		i := w.net.Info()
		w.batch.Shape = []int{n, i.Channels, i.Height, i.Width}
		w.batch.Data = make([]float32, n*i.Channels*i.Height*i.Width)
		f, err := os.Open(args[2])
		if err != nil {
			return "", err
		}
		defer f.Close()
		return "ok", binary.Read(f, binary.LittleEndian, w.batch.Data)
	case "run":
		if w.out, err = w.net.Run(context.Background(), w.batch); err != nil {
			return "", err
		}
		return fmt.Sprint(since()), nil
	case "save":
		raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w.out.Data))), 4*len(w.out.Data))
		return "ok", os.WriteFile(args[1], raw, 0o666)
	case "decode":
		return w.decode(args[1])
	case "prepare":
		f, err := os.Open(args[1])
		if err != nil {
			return "", err
		}
		defer f.Close()
		if _, err := features.Lite(260).Read(context.Background(), f, nil); err != nil {
			return "", err
		}
		return fmt.Sprint(since()), nil
	}
	return "", fmt.Errorf("unknown request %q", args[0])
}

// decode takes the decoder that the package features takes.
func (w *worker) decode(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	start := time.Now()
	if _, err := w.jpeg.Decode(context.Background(), data, 4); err != nil {
		return "", err
	}
	return fmt.Sprint(time.Since(start).Nanoseconds()), nil
}
