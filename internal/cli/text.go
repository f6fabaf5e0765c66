package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Count is a number of things, in words: 1 photo, 2 photos.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// OneLine returns the message of err without line breaks.
func OneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// FileName is a name as it stands in lines of text: as it is, or quoted as in
// Go if it has a tab, a line break or another control character.
func FileName(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}

// Notes is where remarks go that -q leaves out.
func Notes(stderr io.Writer, quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return stderr
}

// output remembers the first error of writing to w: cobra does not look at
// what comes of writing its help.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}
