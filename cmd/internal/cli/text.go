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

// Quote returns s fit for a line of text: as it is, or quoted as in Go if a terminal
// would act on it or not show it: control characters, line breaks, bidirectional and
// other format characters, unassigned code points, bytes that are not UTF-8. What
// looks quoted already is quoted again, so that strconv.Unquote restores any s.
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

// CSVCell is a text as a cell of a table that a spreadsheet may open: made safe
// by Quote, and with a ' before it where a spreadsheet would take it for a
// formula (OWASP, CSV injection). Texts that begin with ' get one too, so that a '
// at the beginning of a cell is always ours: without it, and unquoted where it is
// quoted, a cell is the text.
func CSVCell(s string) string {
	s = Quote(s)
	// Some take the full-width forms as well. Tabs and line breaks, which they pass
	// over, are quoted already.
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("'=+-@＝＋－＠", r) {
		return "'" + s
	}
	return s
}

// Text is Quote for people: of what is longer than a message may be, the middle is
// cut out. The beginning says what it is about, the end often what to do.
func Text(s string) string {
	s = Quote(s)
	if utf8.RuneCountInString(s) <= maxMessage {
		return s
	}
	const begin = maxMessage * 2 / 5
	r := []rune(s)
	return string(r[:begin]) + "…" + string(r[len(r)-(maxMessage-begin-1):])
}

// Lines quotes each line of a text that needs it. Tabs become spaces.
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

// Fprintf is fmt.Fprintf with strings and errors among args made safe by Text: they
// may come from a file or a command line.
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

// output keeps the first error of writing to w: cobra ignores those of writing its
// help.
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
