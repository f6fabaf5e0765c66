package captioner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn"
)

// card writes a README.md from the fields of m.
func (m *Model) card() string {
	var b strings.Builder
	name := m.Name
	if name == "" {
		name = "Image captioning model"
	}
	d := m.Decoder
	fmt.Fprintf(&b, "# %s\n\nWrites English sentences about photos; a model of the program `caption`.\n\n", name)
	fmt.Fprintf(&b, "- CNN: %s, layer %s, %d features\n", m.CNN.Name, cmp.Or(m.CNN.Layer, cnn.Pooled), d.D())
	fmt.Fprintf(&b, "- Decoder: %s, image enters by `%s`, embedding %d, hidden %d, vocabulary %d, %d parameters\n",
		strings.ToUpper(string(d.Cell)), d.Entry, d.E, d.H, d.V, d.Parameters())
	t := m.Training
	if len(t.Data) > 0 {
		fmt.Fprintf(&b, "- Training data: %s", strings.Join(t.Data, ", "))
		if t.Photos > 0 {
			fmt.Fprintf(&b, " (%d photos, %d captions)", t.Photos, t.Captions)
		}
		b.WriteString("\n")
	}
	if t.Epochs > 0 {
		fmt.Fprintf(&b, "- Epochs: %d\n", t.Epochs)
	}
	if len(t.Scores) > 0 {
		b.WriteString("\n| score | value |\n|---|---|\n")
		for _, k := range slices.Sorted(maps.Keys(t.Scores)) {
			fmt.Fprintf(&b, "| %s | %.1f |\n", k, t.Scores[k])
		}
	}
	if t.Command != "" {
		fmt.Fprintf(&b, "\nTo train it again:\n\n    %s\n", t.Command)
	}
	if m.Rights != "" {
		fmt.Fprintf(&b, "\n## Rights\n\n%s\n", m.Rights)
	}
	return b.String()
}
