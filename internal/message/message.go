// Package message makes errors, and texts from files and other programs, fit to
// be shown: printable, on one line, not long, and naming a file once.
package message

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Max is the largest error message in bytes: 500, less what callers put in front.
const Max = 480

// Clean returns s with all that does not print as itself (control characters,
// direction marks, bytes that are not UTF-8) written as Go escapes, cut to at most
// max bytes; what is cut ends in "…".
func Clean(s string, max int) string {
	const end = "…"
	var b strings.Builder
	fits := 0 // bytes of b that leave room for end
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		text := s[i : i+n]
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			q := strconv.Quote(text)
			text = q[1 : len(q)-1]
		}
		if b.Len()+len(text) > max {
			return b.String()[:fits] + end
		}
		b.WriteString(text)
		if b.Len()+len(end) <= max {
			fits = b.Len()
		}
		i += n
	}
	return b.String()
}

// Count is a number of things: 1 photo, 2 photos.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// List is things in a sentence, such as "a, b or c", with a word before the last.
func List(word string, things []string) string {
	last := len(things) - 1
	if last < 1 {
		return strings.Join(things, "")
	}
	return strings.Join(things[:last], ", ") + " " + word + " " + things[last]
}

// Error returns err with its message cleaned and cut to Max.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := Clean(err.Error(), Max)
	if text == err.Error() {
		return err
	}
	return &cleaned{text, err}
}

type cleaned struct {
	text string
	err  error
}

func (c *cleaned) Error() string { return c.text }
func (c *cleaned) Unwrap() error { return c.err }

// Cause returns what went wrong with a file, without the operation and the path
// that package os puts in front: for messages that name the file themselves.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
