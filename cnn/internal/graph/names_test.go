package graph

import (
	"strings"
	"testing"
	"unicode/utf8"
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

func TestMessage(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain", "plain"},
		{"é…×", "é…×"},
		{`in "quotes" \`, `in "quotes" \`},
		{"a\nb\x1b[2J\u202e\u200b", `a\nb\x1b[2J\u202e\u200b`},
		{"\xff\ufffd", `\xff` + "\ufffd"},
	} {
		if got := Message(c.text); got != c.want {
			t.Errorf("Message(%q) = %s, want %s", c.text, got, c.want)
		}
	}
	for _, text := range []string{strings.Repeat("é", 1000), strings.Repeat("\x00", 1000), strings.Repeat("a", 481), strings.Repeat("\U0001f600", 400)} {
		if got := Message(text); len(got) > 500 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
			t.Errorf("Message of %d bytes has %d: %q", len(text), len(got), got)
		}
	}
}
