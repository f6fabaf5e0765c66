package ops

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// binding is a node being bound: its attributes, and its inputs as far as known.
type binding struct {
	*graph.Node
	opset int
	in    []*graph.Tensor
}

// bind checks the inputs against o's signature, binds the node, and checks the outputs.
func (b *binding) bind(o *Op) (*Kernel, error) {
	if err := b.checkInputs(o.Sig); err != nil {
		return nil, err
	}
	k, err := o.bind(b)
	if err != nil {
		return nil, err
	}
	if len(b.Outputs) > len(k.Out) {
		return nil, b.unsupported("output %d", len(k.Out)+1)
	}
	if len(b.Outputs) > 0 {
		k.Out = k.Out[:len(b.Outputs)]
	}
	for i := range k.Out {
		k.Out[i].Shape = append([]int{}, k.Out[i].Shape...) // its own, and not nil
		if _, err := count(k.Out[i].Shape); err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
	}
	k.in = make([]graph.Tensor, len(b.in))
	for i, t := range b.in {
		if t != nil {
			k.in[i] = graph.Tensor{Type: t.Type, Shape: slices.Clone(t.Shape)}
		}
	}
	b.cost(k)
	return k, nil
}

// checkInputs checks number, types and shapes of the inputs against a signature.
func (b *binding) checkInputs(sig string) error {
	want := strings.Fields(sig)
	repeats := len(want) > 0 && strings.HasSuffix(want[len(want)-1], "*")
	if len(b.in) > len(want) && !repeats {
		return fmt.Errorf("has %d inputs, takes at most %d", len(b.in), len(want))
	}
	for i, t := range b.in {
		if t == nil {
			continue
		}
		if err := valid(t); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		w := want[min(i, len(want)-1)]
		if !accepts(w[0], t.Type, b.in[0]) {
			return fmt.Errorf("input %d: cannot be %s", i, typeName(t.Type))
		}
	}
	for i, w := range want {
		if b.x(i) == nil && !strings.HasSuffix(w, "?") && !(strings.HasSuffix(w, "*") && i > 0) {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	for i := range b.in {
		if repeats && b.in[i] == nil && i >= len(want)-1 {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}

func accepts(code byte, t graph.DType, first *graph.Tensor) bool {
	switch code {
	case 'f':
		return t == graph.Float
	case 'i':
		return t == graph.Int
	case 'b':
		return t == graph.Bool
	case 'n':
		return t == graph.Float || t == graph.Int
	case '=':
		return first != nil && t == first.Type
	}
	return t != graph.Invalid
}

// valid reports what is wrong with a tensor that came from outside.
func valid(t *graph.Tensor) error {
	if t.Type != graph.Float && t.Type != graph.Int && t.Type != graph.Bool {
		return fmt.Errorf("type %d is not known", t.Type)
	}
	n, err := count(t.Shape)
	if err != nil {
		return err
	}
	if t.Known() && dataLen(t) != n {
		return fmt.Errorf("%s holds %d elements", describe(t), dataLen(t))
	}
	return nil
}

// x returns input i, or nil where it is left out.
func (b *binding) x(i int) *graph.Tensor {
	if i < len(b.in) {
		return b.in[i]
	}
	return nil
}

// kernel returns a kernel with the given outputs.
func (b *binding) kernel(run runFunc, out ...graph.Tensor) (*Kernel, error) {
	return &Kernel{Out: out, run: run}, nil
}

func (b *binding) unsupported(format string, args ...any) error {
	return &graph.UnsupportedError{Op: b.Op, Node: b.Name, Opset: b.opset, Reason: fmt.Sprintf(format, args...)}
}

// has reports whether the node gives attribute name.
func (b *binding) has(name string) bool {
	_, ok := b.Attrs[name]
	return ok
}

// flag returns an integer attribute that is 0 or 1.
func (b *binding) flag(name string, def int) (bool, error) {
	v := b.Int(name, def)
	if v != 0 && v != 1 {
		return false, fmt.Errorf("%s is %d, not 0 or 1", name, v)
	}
	return v == 1, nil
}

// oneOf returns a string attribute, which must be among values; the first is the default.
func (b *binding) oneOf(name string, values ...string) (string, error) {
	s := b.Str(name, values[0])
	for _, v := range values {
		if s == v {
			return s, nil
		}
	}
	return "", fmt.Errorf("%s %s is not among %s", name, graph.Name(s), strings.Join(values, ", "))
}

// sizes returns an integer list attribute that must have n elements between lo
// and 2^31-1, or n times def where the node has none.
func (b *binding) sizes(name string, n, lo, def int) ([]int, error) {
	v := b.Ints(name)
	if v == nil {
		v = make([]int, n)
		for i := range v {
			v[i] = def
		}
		return v, nil
	}
	if len(v) != n {
		return nil, fmt.Errorf("%s has %d values, not %d", name, len(v), n)
	}
	for _, x := range v {
		if x < lo || x > MaxElements {
			return nil, fmt.Errorf("%s %d is out of range", name, x)
		}
	}
	return v, nil
}

// constInts returns the data of input i, a constant vector of integers.
func (b *binding) constInts(i int, what string) ([]int, error) {
	t := b.x(i)
	if t == nil {
		return nil, fmt.Errorf("input %d (%s) is missing", i, what)
	}
	if t.Type != graph.Int || len(t.Shape) > 1 {
		return nil, fmt.Errorf("input %d (%s) is %s, not a vector of integers", i, what, describe(t))
	}
	if !t.Known() {
		return nil, fmt.Errorf("input %d (%s) %w", i, what, ErrNotConstant)
	}
	if most := max(2*maxRank, len(b.Outputs)); len(t.I) > most {
		return nil, fmt.Errorf("input %d (%s) has %d elements, at most %d make sense", i, what, len(t.I), most)
	}
	v := make([]int, len(t.I))
	for j, x := range t.I {
		v[j] = graph.ToInt(x)
	}
	return v, nil
}

// attrOrInput returns a list of integers that is an attribute up to opset last,
// and input i from then on; nil where the node gives neither.
func (b *binding) attrOrInput(name string, last, i int) ([]int, error) {
	if b.opset <= last {
		return b.Ints(name), nil
	}
	if b.x(i) == nil {
		return nil, nil
	}
	return b.constInts(i, name)
}

// axis returns the integer attribute name as an index into rank dimensions.
func (b *binding) axis(name string, def, rank int) (int, error) {
	return axisOf(b.Int(name, def), rank)
}

// axisOf resolves an axis that may count from the end.
func axisOf(a, rank int) (int, error) {
	if a < -rank || a >= rank {
		return 0, fmt.Errorf("axis %d is out of range for %d dimensions", a, rank)
	}
	if a < 0 {
		a += rank
	}
	return a, nil
}

// axesOf resolves axes, which must differ.
func axesOf(axes []int, rank int) ([]int, error) {
	seen := make([]bool, rank)
	v := make([]int, len(axes))
	for i, a := range axes {
		a, err := axisOf(a, rank)
		if err != nil {
			return nil, err
		}
		if seen[a] {
			return nil, fmt.Errorf("axis %d comes twice", a)
		}
		seen[a] = true
		v[i] = a
	}
	return v, nil
}

// allAxes returns 0, 1, ..., rank-1.
func allAxes(rank int) []int {
	axes := make([]int, rank)
	for d := range axes {
		axes[d] = d
	}
	return axes
}
