//go:build (!amd64 && !arm64) || purego

package kernels

// fullStrip is how many pixels a strip has at most.
const fullStrip = 1

func (t *strip) depthwise() { depthwiseGeneric(t) }
func (t *strip) max()       { maxPoolGeneric(t) }
func (t *strip) sum()       { sumPoolGeneric(t) }
