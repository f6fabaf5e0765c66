package kernels

import "testing"

func TestChoose(t *testing.T) {
	amd, arm := []isa{generic, avx2, avx512}, []isa{generic, neon}
	for _, x := range []struct {
		name  string
		there []isa
		want  isa
		err   string
	}{
		{"", amd, avx512, ""},
		{"avx512", amd, avx512, ""},
		{"avx2", amd, avx2, ""},
		{"generic", amd, generic, ""},
		{"", arm, neon, ""},
		{"neon", arm, neon, ""},
		{"generic", arm, generic, ""},
		{"avx512", amd[:2], avx2, "CAPTION_CPU=avx512: not on this processor, or not in this build; using avx2 of generic, avx2"},
		{"avx2", arm, neon, "CAPTION_CPU=avx2: not on this processor, or not in this build; using neon of generic, neon"},
		{"AVX2", amd, avx512, "CAPTION_CPU=AVX2: no such instruction set; using avx512 of generic, avx2, avx512"},
	} {
		got, err := choose(x.name, x.there)
		if got != x.want || err == nil && x.err != "" || err != nil && err.Error() != x.err {
			t.Errorf("CAPTION_CPU=%s: %s, %v; want %s, %q", x.name, isaNames[got], err, isaNames[x.want], x.err)
		}
	}
}
