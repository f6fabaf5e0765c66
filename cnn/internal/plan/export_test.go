package plan

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
