// Extract writes the feature vectors that a CNN gives for photos.
package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

func main() {
	os.Exit(cli.Run(newCommand(), os.Args[1:]))
}

type extractFlags struct {
	network cli.NetworkFlags
	out     string
	photos  cli.PhotoFlags
}

func newCommand() *cobra.Command {
	var f extractFlags
	cmd := &cobra.Command{
		Use:   "extract [flags] PATH... -o FILE",
		Short: "Write the CNN features of photos to a file",
		Long: `extract runs photos through a CNN whose classifier is cut off and writes one row
of features per photo, in order: a vector, or a map with --layer map.

` + wrap(`A PATH is a photo, a folder (searched with its sub-folders), a glob, or -
for a photo on standard input. FILE is `+features.FileFormats()+`. A photo that
cannot be read is named on standard error and has no row.`) + `

FILE appears when it is complete. What an interrupted run has done waits in
FILE.part, and the same command goes on from there. One run at a time writes a
FILE; another one says so and ends.

Exit codes: 0 all done, 1 failed, 2 wrong usage, 3 some photos failed and all
others were done, 130 interrupted.`,
		Example: `  extract photos/ -o photos.npy
  extract --cnn resnet50.onnx photos/ -o photos.safetensors
  extract --cnn resnet50.onnx --layer map --resize crop photos/ -o maps.npz
  extract --precision bf16 photos/ -o photos.npz
  extract --cnn mine.onnx --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5 photos/ -o photos.jsonl`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return extract(cmd, &f, args) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.out, "out", "o", "", "`FILE` to write: "+message.List("or", features.Extensions()))
	f.network.Register(cmd)
	f.network.RegisterLayer(cmd)
	fs.IntVar(&f.photos.Batch, "batch", 1, "photos that go through the network together")
	f.photos.Register(cmd, "photos or batches at a time", "no progress; failures are still named")
	var bare []string
	for _, ext := range features.Extensions() {
		bare = append(bare, strings.TrimPrefix(ext, "."))
	}
	cmd.MarkFlagFilename("out", bare...)
	return cmd
}

// wrap breaks a paragraph into lines of at most 80 bytes.
func wrap(text string) string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last < 0 || len(lines[last])+len(" ")+len(word) > 80 {
			lines = append(lines, word)
		} else {
			lines[last] += " " + word
		}
	}
	return strings.Join(lines, "\n")
}

func extract(cmd *cobra.Command, f *extractFlags, args []string) error {
	switch {
	case len(args) == 0:
		return cli.Usagef("no photo given; name a photo or a folder, or see extract --help")
	case f.out == "":
		return cli.Usagef("-o FILE is missing: say where to write the features")
	case features.CheckExtension(f.out) != nil:
		return cli.Usagef("-o %w", features.CheckExtension(f.out))
	case f.photos.Batch < 1 || f.photos.Batch > 1024:
		return cli.Usagef("--batch %d: want 1 to 1024", f.photos.Batch)
	}
	if err := f.photos.Check(); err != nil {
		return err
	}
	network, err := f.network.Open(cmd.Context())
	if err != nil {
		return err
	}
	sources := features.Expand(args)
	e := cli.Extraction{PhotoFlags: f.photos, Network: network, Path: f.out, Stderr: cmd.ErrOrStderr(), Program: cmd.Name()}
	sum, err := e.Run(cmd.Context(), sources)
	if err != nil {
		return err
	}
	cli.Message(f.photos.Notes(cmd.ErrOrStderr()), "extract: %s × %v written to %s", message.Count(sum.Rows, "photo"), network.Net.Info().FeatureShape, f.out)
	return cli.PhotosFailed(sum.Failed, len(sources))
}
