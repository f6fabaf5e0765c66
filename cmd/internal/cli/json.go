package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// RawString is a string that may not be UTF-8, such as a path. In JSON, whose
// strings hold characters and not bytes, each byte that is none is written as a
// lone surrogate, \udc80 to \udcff: what Python reads and writes for such paths
// (PEP 383), so that json.loads gives a path that open takes.
type RawString string

// MarshalJSON implements json.Marshaler.
func (s RawString) MarshalJSON() ([]byte, error) {
	b := []byte{'"'}
	for rest := string(s); rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && n == 1 {
			b = fmt.Appendf(b, `\udc%02x`, rest[0])
		} else {
			c, err := encodeJSON(rest[:n], "")
			if err != nil {
				return nil, err
			}
			b = append(b, c[1:len(c)-1]...)
		}
		rest = rest[n:]
	}
	return append(b, '"'), nil
}

func encodeJSON(v any, indent string) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// JSON returns v as JSON, on one line. Characters that are not seen, such as
// bidirectional controls, are written as escapes.
func JSON(v any) ([]byte, error) { return safeJSON(v, "") }

// WriteJSON prints v as indented JSON, otherwise like JSON.
func WriteJSON(w io.Writer, v any) error {
	b, err := safeJSON(v, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func safeJSON(v any, indent string) ([]byte, error) {
	text, err := encodeJSON(v, indent)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r == '\n' || !unseen(r): // outside strings there is nothing else
			b = utf8.AppendRune(b, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, hi, lo)
		}
	}
	return b, nil
}
