package graph

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a model file calls things may hold escape sequences, line breaks or a
// megabyte of text, and errors are printed on terminals.
const (
	maxName    = 80  // characters of a name in a message
	maxMessage = 480 // bytes of a message
)

// Name returns s, a name that a model file gives, as messages show it: in quotes,
// what cannot be printed escaped, and not longer than is of use.
func Name(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxName {
			return strconv.Quote(s[:i]) + "…"
		}
	}
	return strconv.Quote(s)
}

// Word is like Name, but without quotes where s is a plain word, as operators are.
func Word(s string) string {
	if q := Name(s); q[1:len(q)-1] != s || s == "" || strings.ContainsAny(s, " \"") {
		return q
	}
	return s
}

// Message returns text as it may be shown on a line: what cannot be printed is
// escaped, and what is too long cut off.
func Message(text string) string {
	plain := len(text) <= maxMessage
	for _, r := range text {
		plain = plain && strconv.IsPrint(r) && r != utf8.RuneError
	}
	if plain {
		return text
	}
	var b []byte
	for i, r := range text {
		if len(b) >= maxMessage {
			return string(b) + "…"
		}
		if size := utf8.RuneLen(r); strconv.IsPrint(r) && r != utf8.RuneError {
			b = append(b, text[i:i+size]...)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		q := strconv.Quote(text[i : i+size])
		b = append(b, q[1:len(q)-1]...)
	}
	return string(b)
}
