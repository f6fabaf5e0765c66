//go:build !amd64 || purego

package kernels

func bestUnit() unit { return plain }

// run computes t; there is only the plain version here.
func (t *tileBF16) run(u unit) { t.runGeneric(u) }

// run computes t, which has taps.
func (t *stripBF16) run(kind stripKind) { t.runGeneric(kind) }

func (t *wino2Input) run()  { t.runGeneric() }
func (t *wino2Output) run() { t.runGeneric() }

func toBF16(dst []BF16, src []float32)   { toBF16Generic(dst, src) }
func fromBF16(dst []float32, src []BF16) { fromBF16Generic(dst, src) }
func addBF16(dst, a, b []BF16)           { addBF16Generic(dst, a, b) }
func mulBF16(dst, a, b []BF16)           { mulBF16Generic(dst, a, b) }
func addWide(dst []float32, x []BF16)    { addWideGeneric(dst, x) }

// Only assembly wants its weights spread.
const spreadBlock = 1

func spread(dst, src []float32) { copy(dst, src) }
