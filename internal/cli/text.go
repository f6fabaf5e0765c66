package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage is the length of the longest message, in characters.
const maxMessage = 500

// Quote returns s as it may stand in a line of text: as it is, or quoted as in
// Go. Quoted is what would do something to a terminal, or not be seen in it:
// control characters, line breaks, bidirectional and other format characters,
// code points without a meaning, bytes that are not UTF-8. So that strconv.Unquote
// gives back whatever was quoted, what looks quoted already is quoted again.
func Quote(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unseen) && !quoted(s) {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

func unseen(r rune) bool { return !unicode.IsGraphic(r) }

func quoted(s string) bool {
	if !strings.HasPrefix(s, `"`) {
		return false
	}
	_, err := strconv.Unquote(s)
	return err == nil
}

// Text is Quote for people: what is longer than a message may be loses its
// middle. The beginning says what it is about, the end mostly what would do.
func Text(s string) string {
	s = Quote(s)
	if utf8.RuneCountInString(s) <= maxMessage {
		return s
	}
	const begin = maxMessage * 2 / 5
	r := []rune(s)
	return string(r[:begin]) + "…" + string(r[len(r)-(maxMessage-begin-1):])
}

// Lines is Text for a text of many lines, each of which is made safe; none is
// shortened. Tabs become spaces.
func Lines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line, ended := strings.CutSuffix(line, "\n")
		b.WriteString(Quote(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    ")))
		if ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Fprintf is fmt.Fprintf for what may come from a file or a command line: strings
// and errors among args are made safe by Text.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return fmt.Fprintf(w, format, safe(args, Text)...)
}

// Message prints a line for people, mostly on standard error. Strings and errors
// among args are made safe by Quote, and the line is no longer than 500
// characters.
func Message(w io.Writer, format string, args ...any) {
	fmt.Fprintln(w, Text(fmt.Sprintf(format, safe(args, Quote)...)))
}

func safe(args []any, f func(string) string) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			out[i] = f(a)
		case error:
			out[i] = f(a.Error())
		case fmt.Stringer:
			out[i] = f(a.String())
		default:
			out[i] = a
		}
	}
	return out
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
