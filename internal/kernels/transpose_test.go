package kernels

import (
	"slices"
	"testing"
)

func TestTranspose(t *testing.T) {
	eachVersion(t, func(t *testing.T) {
		for _, rows := range []int{0, 1, 7, 8, 9, 16, 19} {
			for _, cols := range []int{0, 1, 7, 8, 12, 24, 31} {
				lds, ldd := cols+2, rows+3
				src, dst := random(rows*lds), random(cols*ldd)
				want := slices.Clone(dst)
				for r := range rows {
					for c := range cols {
						want[c*ldd+r] = src[r*lds+c]
					}
				}
				transpose(dst, ldd, src, lds, rows, cols)
				if !slices.Equal(dst, want) {
					t.Fatalf("%d×%d: %v, want %v", rows, cols, dst, want)
				}
			}
		}
	})
}
