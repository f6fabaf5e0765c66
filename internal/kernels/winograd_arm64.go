//go:build !purego

package kernels

// The assembly takes whole vectors of 4 channels, at least one, and no short tiles.

//go:noescape
func winoInputNEON(t *winoInput)

//go:noescape
func winoOutputNEON(t *winoOutput)

func (t *winoInput) run(v isa) {
	done, n := 0, t.channels
	if v == neon && n >= 4 && t.rows == winoIn {
		done = n &^ 3
		t.channels = done
		winoInputNEON(t)
		t.channels = n
	}
	winoInputGeneric(t, done, n)
}

func (t *winoOutput) run(v isa) {
	done, n := 0, t.channels
	if v == neon && n >= 4 && !t.short {
		done = n &^ 3
		t.channels = done
		winoOutputNEON(t)
		t.channels = n
	}
	winoOutputGeneric(t, done, n)
}

// Filters are transformed once only.
func (t *winoFilter) run(isa) { winoFilterGeneric(t) }
