package cli

import (
	"strings"
	"unicode/utf8"
)

// CSVCell is a text as a cell of a table that a spreadsheet may open: made safe
// by Quote, and with a ' before it where a spreadsheet would take it for a
// formula (OWASP, CSV injection). Texts that begin with ' get one too, so that a '
// at the beginning of a cell is always ours: less that, and unquoted where it is
// quoted, a cell is the text.
func CSVCell(s string) string {
	s = Quote(s)
	if formula(s) {
		return "'" + s
	}
	return s
}

// formula reports whether a spreadsheet may take a cell for a formula, by its
// first character: some take the full-width forms as well. Tabs and line breaks,
// which they pass over, are quoted already.
func formula(cell string) bool {
	r, _ := utf8.DecodeRuneInString(cell)
	return strings.ContainsRune("'=+-@＝＋－＠", r)
}
