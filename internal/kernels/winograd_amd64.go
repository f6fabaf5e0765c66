//go:build !purego

package kernels

// The AVX2 versions take whole vectors of 8 channels, at least one; the AVX-512
// ones any number.

//go:noescape
func winoInputAVX2(t *winoInput)

//go:noescape
func winoOutputAVX2(t *winoOutput)

//go:noescape
func winoFilterAVX2(t *winoFilter)

//go:noescape
func winoInputAVX512(t *winoInput)

//go:noescape
func winoOutputAVX512(t *winoOutput)

func (t *winoInput) run(v isa) {
	switch v {
	case avx512:
		winoInputAVX512(t)
	case avx2:
		n := t.channels
		if t.channels = n &^ 7; t.channels > 0 {
			winoInputAVX2(t)
		}
		if t.channels < n {
			winoInputGeneric(t, t.channels, n)
		}
	default:
		winoInputGeneric(t, 0, t.channels)
	}
}

func (t *winoOutput) run(v isa) {
	switch v {
	case avx512:
		winoOutputAVX512(t)
	case avx2:
		n := t.channels
		if t.channels = n &^ 7; t.channels > 0 {
			winoOutputAVX2(t)
		}
		if t.channels < n {
			winoOutputGeneric(t, t.channels, n)
		}
	default:
		winoOutputGeneric(t, 0, t.channels)
	}
}

func (t *winoFilter) run(v isa) {
	if v == generic {
		winoFilterGeneric(t)
	} else {
		winoFilterAVX2(t)
	}
}
