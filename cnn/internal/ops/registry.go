package ops

import "slices"

//go:generate go test -run TestTable -update

// registry holds all operators by name.
var registry = map[string]*Op{}

func init() {
	for _, o := range slices.Concat(
		arithmeticOps, unaryOps, logicOps,
		convOps, poolOps, normOps, softmaxOps, reduceOps, matmulOps,
		shapeOps, moveOps, gatherOps, resizeOps, castOps, constantOps,
	) {
		if registry[o.Name] != nil {
			panic("ops: registered twice: " + o.Name)
		}
		registry[o.Name] = &o
	}
}
