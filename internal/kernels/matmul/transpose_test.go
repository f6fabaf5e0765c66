package matmul

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

func TestTranspose(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, rows := range []int{0, 1, 7, 8, 9, 16, 19} {
			for _, cols := range []int{0, 1, 7, 8, 12, 24, 31} {
				lds, ldd := cols+2, rows+3
				src, dst := kerneltest.Random(rows*lds), kerneltest.Random(cols*ldd)
				want := slices.Clone(dst)
				for r := range rows {
					for c := range cols {
						want[c*ldd+r] = src[r*lds+c]
					}
				}
				Transpose(dst, ldd, src, lds, rows, cols)
				if !slices.Equal(dst, want) {
					t.Fatalf("%d×%d: %v, want %v", rows, cols, dst, want)
				}
			}
		}
	})
}

// Every size up to some squares and beyond, the columns in any order: the same
// numbers as by the definition, and nothing else touched.
func TestScatter(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		const ldd, lds = 37, 45
		for rows := range 35 {
			for _, cols := range []int{0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 41} {
				src, scale := kerneltest.Random(rows*lds+cols), kerneltest.Random(rows)
				off := rand.Perm(cols)
				want := make([]float32, ldd*cols+rows)
				for c := range off {
					off[c] *= ldd
					for r := range rows {
						want[off[c]+r] = src[r*lds+c] * scale[r]
					}
				}
				got := make([]float32, len(want))
				scatter(got, off, src, lds, scale, rows, cols)
				if !slices.Equal(got, want) {
					t.Fatalf("%d×%d differ", rows, cols)
				}
			}
		}
	})
}
