//go:build (!amd64 && !arm64) || purego

package kernels

func (t *winoInput) run(isa)  { winoInputGeneric(t, 0, t.channels) }
func (t *winoOutput) run(isa) { winoOutputGeneric(t, 0, t.channels) }
func (t *winoFilter) run(isa) { winoFilterGeneric(t) }
