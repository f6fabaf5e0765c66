package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// hostile are texts that do something to a terminal or are not what they seem.
var hostile = []string{
	"a\tb.jpg", "a\nb\".jpg", "a\r\nb", "\x00", "\x1b[2J", "\x1b]0;title\x07", "\x7f", "\u0085", "\u009b31m",
	"\u202egpj.exe", "a\u2066b\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "\u00ad",
	"\u2028", "\u2029", "\xff\xfe", "a\xc3(", "\xed\xa0\x80", "\U000e0041", "\U0010ffff", "\ue000", `"quoted\tlike ours"`,
}

var harmless = []string{"", "a b/ü.jpg", `"q".jpg`, `"`, `a\tb.jpg`, "写真　1.jpg", "שלום.jpg", "e\u0301", "👩.png", "�", " x "}

func TestQuote(t *testing.T) {
	for _, s := range harmless {
		if got := Quote(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	for _, s := range hostile {
		got := Quote(s)
		if back, err := strconv.Unquote(got); err != nil || back != s {
			t.Errorf("%q became %q, which is %q, %v", s, got, back, err)
		}
	}
	for s, want := range map[string]string{"\x1b[2J": `"\x1b[2J"`, "a\nü": `"a\nü"`, "\u202ex": `"\u202ex"`, "\xff": `"\xff"`} {
		if got := Quote(s); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A message that is too long keeps its beginning and its end.
func TestLongMessage(t *testing.T) {
	var b bytes.Buffer
	Message(&b, "prog: %s: %s", strings.Repeat("ü", 4096), errors.New(strings.Repeat("\x00", 4096)+"; make it shorter"))
	line := strings.TrimSuffix(b.String(), "\n")
	if n := utf8.RuneCountInString(line); n != maxMessage || !strings.HasPrefix(line, "prog: üü") || !strings.HasSuffix(line, `; make it shorter"`) {
		t.Errorf("%d characters: %s", n, line)
	}
}

func TestLines(t *testing.T) {
	const text = "# Model\r\n\n\tcode\n\x1b[2Jred\nend"
	if got, want := Lines(text), "# Model\n\n    code\n\"\\x1b[2Jred\"\nend"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range append(hostile, harmless...) {
		f.Add(s)
	}
	f.Add(strings.Repeat("\xff", 200))
	f.Fuzz(func(t *testing.T, s string) {
		q, text := Quote(s), Text(s)
		for _, r := range q + text {
			if !unicode.IsGraphic(r) {
				t.Fatalf("%U in %q or %q", r, q, text)
			}
		}
		if n := utf8.RuneCountInString(text); n > maxMessage {
			t.Errorf("%d characters", n)
		}
		if utf8.RuneCountInString(q) <= maxMessage && text != q {
			t.Errorf("%q is shortened to %q", q, text)
		}
		if q == s {
			return
		}
		if back, err := strconv.Unquote(q); err != nil || back != s {
			t.Errorf("%q is quoted as %q, which is %q, %v", s, q, back, err)
		}
		if !utf8.ValidString(s) {
			return
		}
		if _, err := strconv.Unquote(s); err != nil && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%q is harmless, and yet became %q", s, q)
		}
	})
}

// readCSVCell is what the documentation says of reading a cell.
func readCSVCell(t *testing.T, cell string) string {
	cell = strings.TrimPrefix(cell, "'")
	if s, err := strconv.Unquote(cell); err == nil && strings.HasPrefix(cell, `"`) {
		return s
	}
	return cell
}

func TestCSVCell(t *testing.T) {
	for s, want := range map[string]string{
		"a.jpg": "a.jpg", "-": "'-", "=1+1": "'=1+1", "+1": "'+1", "@SUM(A1)": "'@SUM(A1)", "＝1": "'＝1",
		"'": "''", "'=1": "''=1", "\t=1": `"\t=1"`, "\r=1": `"\r=1"`, "a=1": "a=1", "": "",
	} {
		if got := CSVCell(s); got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
}

func FuzzCSVCell(f *testing.F) {
	for _, s := range append(append(hostile, harmless...), "=1+1", "'=1", "''", "-7", "@\t", "\t=1", "＋1", "'\x1b", `'"\t"`) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Write([]string{CSVCell(s), "end"})
		w.Flush()
		row, err := csv.NewReader(&b).Read()
		if err != nil {
			t.Fatal(err)
		}
		if back := readCSVCell(t, row[0]); back != s {
			t.Errorf("%q became %q, which is %q", s, row[0], back)
		}
		if strings.ContainsAny(row[0][:min(1, len(row[0]))], "=+-@\t\r\n") {
			t.Errorf("%q is a formula: %q", s, row[0])
		}
	})
}

// asPython reads a JSON string as Python does for a path: lone surrogates stand
// for bytes.
func asPython(t *testing.T, b []byte) string {
	t.Helper()
	var out []byte
	unit := func(s string) int64 {
		if !strings.HasPrefix(s, `\u`) {
			return -1
		}
		v, err := strconv.ParseInt(s[2:6], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for rest := string(b[1 : len(b)-1]); rest != ""; {
		n := 1
		switch u := unit(rest); {
		case u >= 0xdc80 && u <= 0xdcff:
			out, rest = append(out, byte(u)), rest[6:]
			continue
		case u >= 0xd800 && u < 0xdc00:
			n = 12
		case u >= 0:
			n = 6
		case rest[0] == '\\':
			n = 2
		default:
			_, n = utf8.DecodeRuneInString(rest)
		}
		var s string
		if err := json.Unmarshal([]byte(`"`+rest[:n]+`"`), &s); err != nil {
			t.Fatalf("%q: %v", rest[:n], err)
		}
		out, rest = append(out, s...), rest[n:]
	}
	return string(out)
}

func TestRawStringInJSON(t *testing.T) {
	for _, s := range append(append(hostile, harmless...), "a\xffb\U000e0041", `\"`, "<&>") {
		b, err := JSON(RawString(s))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b) || strings.ContainsFunc(string(b), unseen) {
			t.Errorf("%q became %s", s, b)
		}
		if back := asPython(t, b); back != s {
			t.Errorf("%q became %s, which is %q", s, b, back)
		}
	}
	for s, want := range map[string]string{
		"a\xff.jpg": `"a\udcff.jpg"`, "\u202ex": `"\u202ex"`, "<&>": `"<&>"`, "\U000e0041": `"\udb40\udc41"`, "\u009b": `"\u009b"`,
	} {
		if got, err := JSON(RawString(s)); err != nil || string(got) != want {
			t.Errorf("%q became %s, want %s, %v", s, got, want, err)
		}
	}
	var b bytes.Buffer
	if err := WriteJSON(&b, map[string]any{"a": []string{"x\u202e"}}); err != nil || b.String() != "{\n  \"a\": [\n    \"x\\u202e\"\n  ]\n}\n" {
		t.Errorf("%s, %v", b.String(), err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// Help that cannot be written is a failure.
func TestHelpNotWritten(t *testing.T) {
	var stderr bytes.Buffer
	cmd := &cobra.Command{Use: "prog", Long: "Does nothing.", RunE: func(*cobra.Command, []string) error { return nil }}
	cmd.SetOut(fullDisk{})
	cmd.SetErr(&stderr)
	if code := Run(cmd, []string{"--help"}); code != Failed || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
