package graph

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("é", 81)
	for _, c := range []struct{ s, name, word string }{
		{"Conv", `"Conv"`, "Conv"},
		{"", `""`, `""`},
		{"/layer1/conv", `"/layer1/conv"`, "/layer1/conv"},
		{"a b", `"a b"`, `"a b"`},
		{`a"b`, `"a\"b"`, `"a\"b"`},
		{"a\nb", `"a\nb"`, `"a\nb"`},
		{"\x1b[2J\u202e", `"\x1b[2J\u202e"`, `"\x1b[2J\u202e"`},
		{"\xff", `"\xff"`, `"\xff"`},
		{long[2:], `"` + long[2:] + `"`, long[2:]},
		{long, `"` + long[2:] + `"…`, `"` + long[2:] + `"…`},
	} {
		if got := Name(c.s); got != c.name {
			t.Errorf("Name(%q) = %s, want %s", c.s, got, c.name)
		}
		if got := Word(c.s); got != c.word {
			t.Errorf("Word(%q) = %s, want %s", c.s, got, c.word)
		}
	}
}
