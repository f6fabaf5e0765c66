package captioner

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/captioner/rnn"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/model-folder.md")

const folderPath = "../docs/model-folder.md"

// TestTables holds the page to the tables of weights and cells; -update rewrites it.
func TestTables(t *testing.T) {
	got, err := os.ReadFile(folderPath)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := []byte("<!-- made by go generate ./captioner -->\n"), []byte("<!-- end -->\n")
	head, rest, ok1 := bytes.Cut(got, begin)
	_, tail, ok2 := bytes.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the tables", folderPath)
	}
	want := slices.Concat(head, begin, tables(), end, tail)
	if bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run go generate ./captioner", folderPath)
	}
	if err := os.WriteFile(folderPath, want, 0o666); err != nil {
		t.Fatal(err)
	}
}

// tables returns all weights that a decoder can have, and all cells.
func tables() []byte {
	var b bytes.Buffer
	b.WriteString("| tensor | in formulas | shape | | only with |\n|---|---|---|---|---|\n")
	var entryParams, cellParams []rnn.Param
	with := map[string][]string{} // the entries or cells, by the name of a weight
	for _, e := range entries {
		for _, p := range e.params {
			with[p.Name] = append(with[p.Name], "`"+string(e.name)+"`")
		}
		entryParams = append(entryParams, e.params...)
	}
	for _, c := range rnn.Cells {
		for _, p := range c.Params() {
			with[p.Name] = append(with[p.Name], "`"+c.Name+"`")
		}
		cellParams = append(cellParams, c.Params()...)
	}
	write := func(ps []rnn.Param, all int) {
		for i, p := range ps {
			if slices.ContainsFunc(ps[:i], func(q rnn.Param) bool { return q.Name == p.Name }) {
				continue
			}
			var dims []string
			for _, d := range p.Shape {
				dims = append(dims, string(d))
			}
			only := ""
			if n := len(with[p.Name]); n < all {
				only = strings.Join(with[p.Name], ", ")
			}
			fmt.Fprintf(&b, "| `%s` | %s | [%s] | %s | %s |\n", p.Name, p.Symbol, strings.Join(dims, ","), p.Doc, only)
		}
	}
	write(statistics, 0)
	write(entryParams, len(entries))
	write([]rnn.Param{embedding}, 0)
	write(cellParams, len(rnn.Cells))
	write(output, 0)
	b.WriteString("\n| cell | G | gates | |\n|---|---|---|---|\n")
	for _, c := range rnn.Cells {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.Name, len(c.Gates), strings.Join(c.Gates, ", "), c.Formula)
	}
	return b.Bytes()
}
