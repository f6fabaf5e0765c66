package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

func newInfo() *cobra.Command {
	var model cli.ModelFlags
	var network cli.NetworkFlags
	var card, plan, asJSON bool
	cmd := &cobra.Command{
		Use:   "info [flags]",
		Short: "Describe a model, or a CNN in an ONNX file",
		Long: `info tells what a model consists of, how it takes photos, what it was trained
on and what its data allow. With --cnn it describes a CNN instead: input,
preprocessing, feature size, what was cut off, multiply-adds and parameters;
with --plan as well, what a run does, an operator a line.`,
		Example: `  caption info
  caption info -m my-model --card
  caption info --cnn resnet50.onnx
  caption info --cnn resnet50.onnx --plan`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("cnn") {
				n, err := network.Open(cmd.Context())
				if err != nil {
					return err
				}
				i := networkInfo{cli.RawString(n.Name), n.Net.Info(), n.Preprocessing, nil}
				if plan {
					i.Plan = n.Net.Plan()
				}
				return show(cmd.OutOrStdout(), asJSON, i)
			}
			for _, name := range []string{"layer", "resize", "size", "mean", "std", "plan"} {
				if cmd.Flags().Changed(name) {
					return cli.Usagef("--%s needs --cnn", name)
				}
			}
			model.Precision = network.Precision
			c, err := model.Open(cmd.Context(), captioner.Loader{})
			if err != nil {
				return err
			}
			if card {
				_, err := io.WriteString(cmd.OutOrStdout(), cli.Lines(c.Info().Card))
				return err
			}
			return show(cmd.OutOrStdout(), asJSON, modelInfo{c.Info(), cli.RawString(c.Info().Dir)})
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	model.Register(cmd)
	fs.BoolVar(&card, "card", false, "print the whole model card")
	network.Register(cmd)
	fs.Lookup("cnn").DefValue = ""
	network.RegisterLayer(cmd)
	fs.BoolVar(&plan, "plan", false, "print what a run of the CNN does, an operator a line")
	fs.BoolVar(&asJSON, "json", false, "print as JSON")
	cmd.MarkFlagsMutuallyExclusive("model", "cnn")
	cmd.MarkFlagsMutuallyExclusive("card", "json")
	return cmd
}

// describer prints itself as rows of name, tab, value.
type describer interface{ describe(w io.Writer) }

func show(w io.Writer, asJSON bool, v describer) error {
	if asJSON {
		return cli.WriteJSON(w, v)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	v.describe(t)
	return t.Flush()
}

type networkInfo struct {
	Name          cli.RawString          `json:"name"`
	CNN           cnn.Info               `json:"cnn"`
	Preprocessing features.Preprocessing `json:"preprocessing"`
	Plan          []cnn.Step             `json:"plan,omitempty"`
}

func (n networkInfo) describe(w io.Writer) {
	if n.Plan != nil {
		describePlan(w, n.Plan)
		return
	}
	cli.Fprintf(w, "CNN\t%s, ONNX opset %d, written by %s\n", string(n.Name), n.CNN.Opset, cmp.Or(n.CNN.Producer, "unknown"))
	describeCNN(w, n.CNN, n.Preprocessing)
}

func describeCNN(w io.Writer, i cnn.Info, p features.Preprocessing) {
	cli.Fprintf(w, "input\t%s: %d×%d×%d\n", i.InputName, i.Channels, i.Height, i.Width)
	cli.Fprintf(w, "preprocessing\t%s to %d×%d, %s, mean %s, std %s on values 0..1\n", p.Resize, p.Width, p.Height, p.Order, numbers(p.Mean), numbers(p.Std))
	cli.Fprintf(w, "features\t%s at %s\n", shape(i.FeatureShape), i.FeatureNode)
	cli.Fprintf(w, "cut off\t%s\n", cut(i.Cut))
	cli.Fprintf(w, "precision\t%v\n", i.Precision)
	cli.Fprintf(w, "multiply-adds\t%.1f million a photo\n", float64(i.MultiplyAdds)/1e6)
	cli.Fprintf(w, "parameters\t%.2f million\n", float64(i.Parameters)/1e6)
	cli.Fprintf(w, "weights\t%.1f MB in memory\n", float64(i.WeightBytes)/1e6)
	cli.Fprintf(w, "working memory\t%.1f MB a photo\n", float64(i.PeakBytes)/1e6)
}

// describePlan prints a plan's steps as rows.
func describePlan(w io.Writer, steps []cnn.Step) {
	fmt.Fprintln(w, "step\toperator\tfused into it\tkernel\tinputs\toutput\tmemory\tmultiply-adds\tnode")
	for i, s := range steps {
		var inputs []string
		for _, x := range s.Inputs {
			inputs = append(inputs, shape(x))
		}
		memory := s.Memory
		if memory == "buffer" || memory == "in place" {
			memory = fmt.Sprintf("%s at %d", memory, s.Offset)
		}
		if s.Bytes > 0 {
			memory = fmt.Sprintf("%s, %d bytes", memory, s.Bytes)
		}
		cli.Fprintf(w, "%d\t%s\t%s\t%s, %s\t%s\t%s\t%s\t%d\t%s\n", i+1, s.Operator, strings.Join(s.Fused, "; "), s.Kernel, s.Precision,
			strings.Join(inputs, " and "), shape(s.Output), memory, s.MultiplyAdds, s.Node)
	}
}

type modelInfo struct {
	captioner.Info
	Dir cli.RawString // instead of Info's
}

func (m modelInfo) describe(w io.Writer) {
	cli.Fprintf(w, "model\t%s\n", cmp.Or(m.Name, "unknown"))
	if m.Dir != "" {
		cli.Fprintf(w, "folder\t%s\n", string(m.Dir))
	}
	cli.Fprintf(w, "decoder\t%s, hidden state %d, embedding %d, image at %s, %.2f million parameters\n", strings.ToUpper(string(m.Cell)), m.Hidden, m.Embedding, m.Entry, float64(m.Parameters)/1e6)
	cli.Fprintf(w, "vocabulary\t%d words\n", m.Vocabulary)
	cli.Fprintf(w, "CNN\t%s\n", cmp.Or(m.CNNName, "unknown"))
	describeCNN(w, m.CNN, m.Preprocessing)
	t := m.Training
	if t.Captions > 0 {
		cli.Fprintf(w, "trained on\t%s: %s of %s, %s\n", strings.Join(t.Data, ", "), message.Count(t.Captions, "caption"), message.Count(t.Photos, "photo"), message.Count(t.Epochs, "epoch"))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Scores)) {
		cli.Fprintf(w, "score\t%s %.1f\n", name, t.Scores[name])
	}
	if t.Command != "" {
		fmt.Fprintf(w, "trained by\t%s\n", cli.Quote(t.Command)) // whole, as are the rights
	}
	if m.Rights != "" {
		fmt.Fprintf(w, "rights\t%s\n", cli.Quote(m.Rights))
	}
}

func shape(s []int) string {
	if len(s) == 0 {
		return "scalar"
	}
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s)), "×"), "[]")
}

func numbers(v [3]float32) string { return fmt.Sprintf("%.4g,%.4g,%.4g", v[0], v[1], v[2]) }

// cut names what was cut off, shortened where a network has a long head.
func cut(nodes []string) string {
	const most = 6
	text := cmp.Or(strings.Join(nodes[:min(most, len(nodes))], ", "), "nothing")
	if more := len(nodes) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
