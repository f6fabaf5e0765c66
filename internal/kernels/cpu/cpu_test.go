package cpu

import (
	"os"
	"testing"
)

// With CAPTION_CPU the tests run on that level, or fail: on another they would prove
// nothing of it.
func TestEnvironment(t *testing.T) {
	os.Getenv("CAPTION_CPU") // what is read before tests run does not count for go test's cache
	if err := Err(); err != nil {
		t.Error(err)
	}
}

func TestChoose(t *testing.T) {
	amd, arm := []Level{Generic, AVX2, AVX512}, []Level{Generic, NEON}
	for _, x := range []struct {
		name      string
		available []Level
		want      Level
		err       string
	}{
		{"", amd, AVX512, ""},
		{"avx512", amd, AVX512, ""},
		{"avx2", amd, AVX2, ""},
		{"generic", amd, Generic, ""},
		{"", arm, NEON, ""},
		{"neon", arm, NEON, ""},
		{"generic", arm, Generic, ""},
		{"avx512", amd[:2], AVX2, "CAPTION_CPU=avx512: not on this processor, or not in this build; using avx2 of generic, avx2"},
		{"avx2", arm, NEON, "CAPTION_CPU=avx2: not on this processor, or not in this build; using neon of generic, neon"},
		{"AVX2", amd, AVX512, "CAPTION_CPU=AVX2: no such instruction set; using avx512 of generic, avx2, avx512"},
	} {
		got, err := choose(x.name, x.available)
		if got != x.want || err == nil && x.err != "" || err != nil && err.Error() != x.err {
			t.Errorf("CAPTION_CPU=%s: %s, %v; want %s, %q", x.name, got, err, x.want, x.err)
		}
	}
}

func TestChooseUnit(t *testing.T) {
	for _, x := range []struct {
		name  string
		level Level
		best  Unit
		want  Unit
	}{
		{"", AVX512, AMX, AMX}, {"", AVX512, AVX512BF16, AVX512BF16}, {"", AVX512, NoUnit, NoUnit},
		{"avx512", AVX512, AMX, AVX512BF16}, {"avx512", AVX512, NoUnit, NoUnit},
		{"avx2", AVX2, AMX, NoUnit}, {"generic", Generic, AVX512BF16, NoUnit},
	} {
		if got := chooseUnit(x.name, x.level, x.best); got != x.want {
			t.Errorf("CAPTION_CPU=%s with %q: %q, want %q", x.name, x.best, got, x.want)
		}
	}
}
