//go:build (!amd64 && !arm64) || purego

package kernels

func (t *strip) depthwise() { depthwiseGeneric(t) }
func (t *strip) max()       { maxPoolGeneric(t) }
func (t *strip) sum()       { sumPoolGeneric(t) }
