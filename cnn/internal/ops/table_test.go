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
	fmt.Fprint(&b, "\n## Those that are not there\n\n")
	for _, a := range absent {
		fmt.Fprintf(&b, "- %s: %s.\n", a.names, a.why)
	}
	return b.Bytes()
}

// absent lists the other operators of the default domain, and why a classifier of
// pictures has no use for them or cannot have them here.
var absent = []struct{ names, why string }{
	{"BitCast, BitwiseNot", "the width of integers is lost when they are widened"},
	{"CausalConvWithState, LinearAttention, TensorScatter", "keep what language models remember from one call to the next"},
	{"CenterCropPad, Det", "no exporter of a classifier writes them"},
	{"Compress, NonMaxSuppression, NonZero, Unique", "the shape of their output depends on the picture"},
	{"MaxRoiPool, RoiAlign", "cut regions out for detectors; a classifier's only input is the picture"},
	{"MaxUnpool", "undoes a pooling, for maps as large as the picture"},
	{"GRU, LSTM, RNN, ReverseSequence", "are for sequences; of timm's classifiers Sequencer alone has them"},
	{"If, Loop, Scan, SequenceMap", "have graphs within them"},
	{"ConcatFromSequence, Optional, OptionalGetElement, OptionalHasElement, SequenceConstruct, SequenceEmpty, SequenceErase, SequenceInsert, SequenceLength", "work on sequences or on values that may be missing"},
	{"Bernoulli, Multinomial, RandomNormal, RandomNormalLike, RandomUniform, RandomUniformLike", "leave the features to chance"},
	{"BlackmanWindow, DFT, HammingWindow, HannWindow, MelWeightMatrix, STFT", "are for sounds"},
	{"ImageDecoder", "pictures come decoded"},
	{"NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss", "are for training"},
	{"RegexFullMatch, StringConcat, StringNormalizer, StringSplit, TfIdfVectorizer", "work on text"},
}

// TestAbsent: an operator that the node tests have is in the table, or there is a reason.
func TestAbsent(t *testing.T) {
	reason := map[string]bool{"SplitToSequence": true, "SequenceAt": true}
	for _, a := range absent {
		for name := range strings.SplitSeq(a.names, ", ") {
			if op.Get(name).Bind != nil {
				t.Errorf("%s is there, and has a reason why not", name)
			}
			reason[name] = true
		}
	}
	for line := range strings.Lines(string(unzip(t, "testdata/nodetests.zip")["index.txt"])) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		// Of other domains.
		if other := []string{"Adagrad", "Adam", "ArrayFeatureExtractor", "Binarizer", "FlexAttention", "LabelEncoder", "Momentum", "TreeEnsemble"}; !reason[name] && op.Get(name).Bind == nil && !slices.Contains(other, name) {
			t.Errorf("%s is not in the table, nor is there a reason", name)
			reason[name] = true
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
