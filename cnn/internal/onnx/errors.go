package onnx

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/onetomany/caption/internal/message"
)

// FormatError says that a file is not an ONNX model, or a damaged one, or
// exceeds the limits.
type FormatError struct {
	File string // as the caller named it
	Err  error  // what is wrong, and where
}

func (e *FormatError) Error() string {
	return message.Clean(fmt.Sprintf("%s: %v", e.File, e.Err), message.Max)
}
func (e *FormatError) Unwrap() error { return e.Err }

// magics are the beginnings of files that people take for ONNX models.
var magics = []struct {
	offset int
	magic  string
	what   string
}{
	{0, "version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file itself: run `git lfs pull` in its repository"},
	{0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "\x89PNG", "a PNG picture"},
	{0, "GIF8", "a GIF picture"},
	{0, "RIFF", "a RIFF file (WebP picture?)"},
	{0, "PK\x03\x04", "a ZIP archive: unpack it, or, if it is a PyTorch checkpoint, export it with torch.onnx.export"},
	{0, "\x1f\x8b", "a gzip archive: unpack it"},
	{0, "\x80\x02", "a Python pickle: export the model with torch.onnx.export"},
	{0, "\x89HDF", "an HDF5 file (Keras model?): convert it with tf2onnx"},
	{4, "TFL3", "a TensorFlow Lite model: convert it with tf2onnx"},
	{4, "ORTM", "an ONNX Runtime model (.ort): use the .onnx file that it was made from"},
	{8, "{\"", "a safetensors file: it holds weights without a network"},
	{0, "%PDF", "a PDF document"},
}

// sniff returns what a file that does not parse is, judged by its beginning; ""
// where it cannot tell.
func sniff(b []byte) string {
	if len(b) == 0 {
		return "an empty file"
	}
	for _, m := range magics {
		if len(b) >= m.offset && bytes.HasPrefix(b[m.offset:], []byte(m.magic)) {
			return m.what
		}
	}
	head := b[:min(len(b), 512)]
	text := strings.ToLower(string(bytes.TrimLeft(head, " \t\r\n\ufeff")))
	if strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") {
		return "an HTML page: the download went to a web page instead of the file"
	}
	if isText(head) {
		return "a text file"
	}
	return ""
}

func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax:
			return false
		case r < ' ' && r != '\n' && r != '\r' && r != '\t':
			return false
		}
		b = b[n:]
	}
	return true
}

// explain adds to the error that parsing b ended with whether b is an ONNX model at
// all; hasGraph says that parsing got as far as its graph.
func explain(b []byte, err error, hasGraph bool) error {
	if what := sniff(b); what != "" {
		return fmt.Errorf("not an ONNX model but %s", what)
	}
	if hasGraph {
		return err
	}
	return fmt.Errorf("not an ONNX model, or a damaged one: %w", err)
}
