package photo

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// signatures of what users pass in place of a photo, at the start of the file.
var signatures = []struct{ magic, what string }{
	{"%PDF", "a PDF document; export its pages as pictures first"},
	{"8BPS", "a Photoshop file; export it as JPEG or PNG first"},
	{"\xff\x0a", "a JPEG XL picture; convert it to JPEG or PNG first"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture; convert it to JPEG or PNG first"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture; convert it to JPEG or PNG first"},
	{"II+\x00", "a BigTIFF picture; convert it to TIFF or PNG first"},
	{"MM\x00+", "a BigTIFF picture; convert it to TIFF or PNG first"},
	{"\x00\x00\x01\x00", "a Windows icon; convert it to PNG first"},
	{"PK\x03\x04", "a ZIP archive; unpack it first"},
	{"\x1f\x8b", "a gzip archive; unpack it first"},
	{"\x1aE\xdf\xa3", "a video"},
	{"FUJIFILMCCD-RAW", "a camera raw file; export it as JPEG first"},
	{"\x93NUMPY", "a numpy array"},
}

// looksLike says what a file that is no picture seems to be, for the message.
func looksLike(b []byte) string {
	if len(b) == 0 {
		return "the file is empty"
	}
	for _, s := range signatures {
		if bytes.HasPrefix(b, []byte(s.magic)) {
			return "it is " + s.what
		}
	}
	if len(b) >= 12 && string(b[4:8]) == "ftyp" {
		switch string(b[8:12]) {
		case "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1":
			return "it is a HEIC picture; convert it to JPEG or PNG first"
		case "avif", "avis":
			return "it is an AVIF picture; convert it to JPEG or PNG first"
		}
		return "it is a video"
	}
	if allZero(b) {
		return "the file holds only zeros, as a broken copy does"
	}
	head := b[:min(len(b), 512)]
	if text, ok := asText(head, len(head) == len(b)); ok {
		switch t := strings.ToLower(strings.TrimLeft(text, "\ufeff \t\r\n")); {
		case strings.HasPrefix(t, "<!doctype html"), strings.HasPrefix(t, "<html"):
			return "it is an HTML page, as a failed download leaves"
		case strings.HasPrefix(t, "<svg"), strings.HasPrefix(t, "<?xml") && strings.Contains(t, "<svg"):
			return "it is an SVG drawing; convert it to PNG first"
		case strings.HasPrefix(t, "version https://git-lfs"):
			return "it is a Git LFS pointer; run git lfs pull first"
		}
		return "it is text"
	}
	return "its content is of no known kind"
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// asText reports whether b is UTF-8 without control characters; unless whole,
// the last character may be cut.
func asText(b []byte, whole bool) (string, bool) {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if !whole && i > 0 && !utf8.FullRune(b[i:]) {
				return string(b[:i]), true
			}
			return "", false
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' {
			return "", false
		}
		i += n
	}
	return string(b), true
}
