//go:build (amd64 || arm64) && !purego

package winograd

import _ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly

// inputAsm and outputAsm take whole vectors of lanes channels, at least one.

//go:noescape
func inputAsm(t *input)

//go:noescape
func outputAsm(t *output)

func inputLanes(t *input) {
	n, done := t.channels, 0
	if shortTiles || t.rows == tileIn {
		if done = n &^ (lanes - 1); done > 0 {
			t.channels = done
			inputAsm(t)
			t.channels = n
		}
	}
	inputGeneric(t, done, n)
}

func outputLanes(t *output) {
	n, done := t.channels, 0
	if shortTiles || !t.short {
		if done = n &^ (lanes - 1); done > 0 {
			t.channels = done
			outputAsm(t)
			t.channels = n
		}
	}
	outputGeneric(t, done, n)
}
