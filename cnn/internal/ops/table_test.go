package ops_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var update = flag.Bool("update", false, "rewrite OPERATORS.md")

const tablePath = "../../OPERATORS.md"

// TestTable holds OPERATORS.md to the registry; -update rewrites it, without the reasons
// for operators that are there by now.
func TestTable(t *testing.T) {
	got, err := os.ReadFile(tablePath)
	if err != nil {
		t.Fatal(err)
	}
	want := table(absentOf(t, got))
	if *update {
		if err := os.WriteFile(tablePath, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: run go generate ./cnn/internal/ops", tablePath)
	}
}

func table(absent []reason) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# ONNX operators

Generated from the operators' registry by go generate ./cnn/internal/ops; a test keeps it current. The last section is written by hand.

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
	b.WriteString(absentHeading)
	for _, a := range absent {
		names := slices.DeleteFunc(a.names, func(name string) bool { return op.Get(name).Bind != nil })
		if len(names) > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", strings.Join(names, ", "), a.why)
		}
	}
	return b.Bytes()
}

const absentHeading = "\n## Those that are not there\n\n"

// A reason says why a classifier of pictures has no use for some of the other operators
// of the default domain, or cannot have them here.
type reason struct {
	names []string
	why   string
}

// absentOf reads the reasons from OPERATORS.md, where they are written by hand.
func absentOf(t *testing.T, file []byte) (absent []reason) {
	t.Helper()
	_, list, ok := strings.Cut(string(file), absentHeading)
	if !ok {
		t.Fatalf("%s has no section %q", tablePath, strings.TrimSpace(absentHeading))
	}
	for line := range strings.Lines(list) {
		names, why, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "- ")), ": ")
		if !ok {
			t.Fatalf("%s: %q is not like \"- NAME, NAME: why.\"", tablePath, line)
		}
		absent = append(absent, reason{strings.Split(names, ", "), why})
	}
	return absent
}

// TestAbsent: an operator that the node tests have is in the table, or there is a reason.
func TestAbsent(t *testing.T) {
	file, err := os.ReadFile(tablePath)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"SplitToSequence": true, "SequenceAt": true}
	for _, name := range []string{"Adagrad", "Adam", "ArrayFeatureExtractor", "Binarizer", "FlexAttention", "LabelEncoder", "Momentum", "TreeEnsemble"} {
		known[name] = true // of another domain
	}
	for _, a := range absentOf(t, file) {
		for _, name := range a.names {
			known[name] = true
		}
	}
	for line := range strings.Lines(string(unzip(t, "testdata/nodetests.zip")["index.txt"])) {
		if _, name, _ := strings.Cut(strings.TrimSpace(line), " "); !known[name] && op.Get(name).Bind == nil {
			t.Errorf("%s is not in the table of %s, nor is there a reason in its last section", name, tablePath)
			known[name] = true
		}
	}
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
