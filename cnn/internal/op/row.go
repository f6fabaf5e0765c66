package op

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// An input is one that Row.Sig gives.
type input struct {
	code byte // of the type
	mark byte // ? * # or ~, 0 for none
}

// bare reports whether the data of the input do not count.
func (i input) bare() bool { return i.mark == '#' || i.mark == '~' }

// An attr is an attribute that Row.Attrs gives.
type attr struct {
	since, until int
	kind         string
	n            int     // default of an int, or of a flag
	f            float32 // default of a float
	words        []string
}

// parse reads Sig and Attrs; it panics where they are not well formed.
func (o *Row) parse() {
	for _, s := range strings.Fields(o.Sig) {
		in := input{code: s[0]}
		if len(s) > 1 {
			in.mark = s[1]
		}
		if len(s) > 2 || !strings.Contains("fibna=", s[:1]) || in.mark != 0 && !strings.Contains("?*#~", s[1:]) {
			panic(fmt.Sprintf("op: %s: signature %q", o.Name, s))
		}
		o.inputs = append(o.inputs, in)
	}
	o.attrs = map[string][]attr{}
	for _, s := range strings.Fields(o.Attrs) {
		name, kind, _ := strings.Cut(s, ":")
		a := attr{until: NewestOpset}
		var err, err2 error
		if i := strings.IndexAny(name, "@-"); i >= 0 {
			to := &a.since
			if name[i] == '-' {
				to = &a.until
			}
			*to, err = strconv.Atoi(name[i+1:])
			name = name[:i]
		}
		kind, def, _ := strings.Cut(kind, "=")
		a.kind = kind
		switch kind {
		case "int", "flag":
			a.n, err2 = strconv.Atoi(def)
		case "float":
			var f float64
			f, err2 = strconv.ParseFloat(def, 32)
			a.f = float32(f)
		case "ints", "floats", "tensor", "string":
		default:
			a.kind, a.words = "word", strings.Split(kind, "|")
		}
		if before := o.attrs[name]; len(before) > 0 && before[len(before)-1].since >= a.since || a.since > o.Last() || a.until < o.Since {
			err = errors.New("sets of operators out of order")
		}
		if err != nil || err2 != nil || len(a.words) == 1 {
			panic(fmt.Sprintf("op: %s: attribute %q", o.Name, s))
		}
		o.attrs[name] = append(o.attrs[name], a)
	}
}

// input returns what the signature has for input i.
func (o *Row) input(i int) input {
	if len(o.inputs) == 0 {
		return input{code: 'a'}
	}
	return o.inputs[min(i, len(o.inputs)-1)]
}

// at returns the attribute as an operator set has it, that of another set where
// it has none: then ok is false.
func (o *Row) at(name string, opset int) (a attr, ok bool) {
	all := o.attrs[name]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].since <= opset && opset <= all[i].until {
			return all[i], true
		}
	}
	if len(all) == 0 {
		panic("op: " + o.Name + " has no attribute " + name)
	}
	return all[0], false
}

// checkAttrs checks the flags and words among the attributes that the node has.
func (b *Binding) checkAttrs() error {
	for name, a := range b.Attrs {
		if b.row.attrs[name] == nil {
			continue
		}
		switch d, ok := b.row.at(name, b.Opset); {
		case !ok:
		case d.kind == "flag" && a.I != 0 && a.I != 1:
			return fmt.Errorf("%s is %d, not 0 or 1", name, a.I)
		case d.kind == "word" && !slices.Contains(d.words, a.S):
			return fmt.Errorf("%s %s is not among %s", name, graph.Name(a.S), strings.Join(d.words, ", "))
		}
	}
	return nil
}

// attr returns attribute name, and its default; given reports whether the node has
// it, and its operator set too.
func (b *Binding) attr(name string) (v graph.Attr, def attr, given bool) {
	def, ok := b.row.at(name, b.Opset)
	v, given = b.Attrs[name]
	return v, def, given && ok
}

// Has reports whether the node gives attribute name.
func (b *Binding) Has(name string) bool {
	_, _, given := b.attr(name)
	return given
}

// Int returns an integer attribute.
func (b *Binding) Int(name string) int {
	v, def, given := b.attr(name)
	if !given {
		return def.n
	}
	return graph.ToInt(v.I)
}

// Flag returns an integer attribute that is 0 or 1.
func (b *Binding) Flag(name string) bool { return b.Int(name) != 0 }

// Float returns a float attribute.
func (b *Binding) Float(name string) float32 {
	v, def, given := b.attr(name)
	if !given {
		return def.f
	}
	return v.F
}

// Word returns a string attribute.
func (b *Binding) Word(name string) string {
	v, def, given := b.attr(name)
	if !given {
		return def.words[0]
	}
	return v.S
}

// Ints returns an attribute that is a list of integers, nil where the node has none.
func (b *Binding) Ints(name string) []int {
	if !b.Has(name) {
		return nil
	}
	return b.Node.Ints(name)
}

// AttrNames returns the names of the attributes, sorted.
func (o *Row) AttrNames() []string { return slices.Sorted(maps.Keys(o.attrs)) }
