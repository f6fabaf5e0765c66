package plan

import (
	"maps"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

var (
	CompileUnguarded = compile // panics where Compile gives an error
	Transposed       = transposed
	ToNHWC, ToNCHW   = toNHWC, toNCHW
)

// SetChains sets the bounds for chains; restore undoes it.
func SetChains(floats, cache int) (restore func()) {
	f, c := chainFloats, chainCache
	chainFloats, chainCache = floats, cache
	return func() { chainFloats, chainCache = f, c }
}

// Rules returns the names of the ONNX operators that have a rule to lower them.
func Rules() []string { return slices.Sorted(maps.Keys(rules)) }

// WatchRules calls f with the name of each ONNX operator that its rule lowers; restore
// undoes it.
func WatchRules(f func(name string)) (restore func()) {
	before := maps.Clone(rules)
	for name, r := range before {
		rules[name] = func(l *lowering, n *graph.Node, x *Value, shape []int) *Value {
			v := r(l, n, x, shape)
			if v != nil {
				f(name)
			}
			return v
		}
	}
	return func() { rules = before }
}
