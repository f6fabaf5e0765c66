package message

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		s    string
		max  int
		want string
	}{
		{"", 5, ""},
		{"plain, ünïcode “text” 狗", 100, "plain, ünïcode “text” 狗"},
		{"a\x1b[31m\r\n\tb\x00", 100, `a\x1b[31m\r\n\tb\x00`},
		{"\u202egpj.\u2066\u200b\u00a0", 100, `\u202egpj.\u2066\u200b\u00a0`},
		{"\xff\xc0a\ufffd", 100, `\xff\xc0a` + "\ufffd"},
		{`a "quoted" \ text`, 100, `a "quoted" \ text`},
		{"12345", 5, "12345"},
		{"123456", 5, "12…"},
		{"ééé", 5, "é…"},
		{"12\x1b45", 5, "12…"},
	} {
		if got := Clean(c.s, c.max); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.s, c.max, got, c.want)
		}
	}
}

func TestError(t *testing.T) {
	if Error(nil) != nil {
		t.Error("no error became one")
	}
	if Error(fs.ErrExist) != fs.ErrExist {
		t.Error("a good error is changed")
	}
	err := Error(fmt.Errorf("%s: %w", strings.Repeat("\n", 1000), fs.ErrNotExist))
	if !errors.Is(err, fs.ErrNotExist) || len(err.Error()) > Max || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q", err)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 photos", 1: "1 photo", 2: "2 photos"} {
		if got := Count(n, "photo"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestList(t *testing.T) {
	for want, things := range map[string][]string{
		"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"},
	} {
		if got := List("or", things); got != want {
			t.Errorf("%q: %q, want %q", things, got, want)
		}
	}
}

func TestCause(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "a", Err: fs.ErrPermission}
	other := errors.New("other")
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{other, other},
		{path, fs.ErrPermission},
		{fmt.Errorf("reading: %w", path), fs.ErrPermission},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: fs.ErrExist}, fs.ErrExist},
	} {
		if got := Cause(c.err); got != c.want {
			t.Errorf("Cause(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b\u202e\xff狗", 10)
	f.Fuzz(func(t *testing.T, s string, max int) {
		max = 3 + max&0xff
		got := Clean(s, max)
		if len(got) > max || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x1b\u202e") {
			t.Fatalf("%q", got)
		}
		if Clean(got, max) != got {
			t.Fatalf("%q is cleaned again", got)
		}
	})
}
