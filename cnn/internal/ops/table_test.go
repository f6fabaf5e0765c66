package ops

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var update = flag.Bool("update", false, "rewrite OPERATORS.md")

const tablePath = "../../OPERATORS.md"

// TestTable holds OPERATORS.md to the registry; -update rewrites it.
func TestTable(t *testing.T) {
	want := table()
	if *update {
		if err := os.WriteFile(tablePath, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(tablePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: run go generate ./cnn/internal/ops", tablePath)
	}
}

func table() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# ONNX operators

Generated from the operators' registry by go generate ./cnn/internal/ops; a test keeps it current.

These are the operators of the default domain that package cnn runs, and the operator sets whose form of them
it knows, up to %d. A model that uses anything else is refused with an error that names operator, node and operator set.
The ONNX backend node tests pass for every operator of the table.

Tensors hold float32, int64 or bool. Narrower numbers (FLOAT16, BFLOAT16, INT8 and so on) are widened when a
model is read, DOUBLE becomes float32; integer arithmetic does not wrap at the narrower width. Strings, sequences,
complex and sparse tensors are not supported. A tensor has at most 2³¹-1 elements in at most %d dimensions. Inputs that decide the
shape of an output (axes, sizes, pads, repeats) must be constants, or computed from constants and shapes.
SplitToSequence is read as Split where SequenceAt takes the parts out at constant positions.

| Operator | Opset | Inputs | Limits |
|---|---|---|---|
`, op.NewestOpset, tensor.MaxRank)
	for _, o := range op.All() {
		limits := o.Limits
		if limits != "" {
			limits = strings.ToUpper(limits[:1]) + limits[1:]
		}
		fmt.Fprintf(&b, "| %s | %d–%d | %s | %s |\n", o.Name, o.Since, o.Last(), inputTypes(o.Sig), limits)
	}
	return b.Bytes()
}

// inputTypes spells a signature out.
func inputTypes(sig string) string {
	names := map[byte]string{'f': "float", 'i': "int", 'b': "bool", 'n': "float or int", 'a': "any", '=': "the same"}
	var v []string
	for _, s := range strings.Fields(sig) {
		n := names[s[0]]
		switch s[1:] {
		case "?":
			n = "[" + n + "]"
		case "*":
			n += " …"
		}
		v = append(v, n)
	}
	return strings.Join(v, ", ")
}
