package graph

import (
	"strconv"
	"strings"
)

// maxName is the most characters of a name in a message: a model file may call
// things by a megabyte of text.
const maxName = 80

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
