package vocab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onetomany/caption/internal/checkedio"
	"github.com/onetomany/caption/internal/message"
)

// Limits of a vocabulary and its file.
const (
	MaxWords   = 1 << 18 // special tokens included
	MaxWordLen = 255     // bytes
)

// FormatError says where and why a vocabulary file is not valid.
type FormatError struct {
	Line   int // from 1
	Reason string
}

func (e *FormatError) Error() string {
	return message.Clean(fmt.Sprintf("vocabulary, line %d: %s", e.Line, e.Reason), message.Max)
}

// Read parses a vocabulary file: UTF-8, one word a line in id order, the first
// four lines <pad>, <start>, <end>, <unk>. Lines may end in CR LF. Empty lines,
// duplicates, spaces, control characters and direction marks in a word, words beyond
// the limits and a last line without line end (a file cut off) are refused with a
// *FormatError. A reader that breaks the rules of io.Reader gives another error.
func Read(r io.Reader) (*Vocab, error) {
	br := bufio.NewReaderSize(checkedio.Reader(r), 4096) // holds any valid line
	v := &Vocab{ids: map[string]int{}}
	for line := 1; ; line++ {
		fail := func(format string, args ...any) (*Vocab, error) {
			return nil, &FormatError{line, fmt.Sprintf(format, args...)}
		}
		b, err := br.ReadSlice('\n')
		switch {
		case err == io.EOF && len(b) == 0:
			if len(v.words) < len(specials) {
				return fail("the file ends before %s", specials[len(v.words)])
			}
			return v, nil
		case err == io.EOF:
			return fail("no line end: the file is cut off")
		case err == bufio.ErrBufferFull:
			return fail("longer than %d bytes", MaxWordLen)
		case err != nil:
			return nil, fmt.Errorf("reading the vocabulary: %w", err)
		}
		word := strings.TrimSuffix(string(b[:len(b)-1]), "\r")
		if line <= len(specials) && word != specials[line-1] {
			return fail("%.50q where %s is expected", word, specials[line-1])
		}
		if reason := checkWord(word); reason != "" {
			return fail("%s", reason)
		}
		if first, ok := v.ids[word]; ok {
			return fail("%q is on line %d already", word, first+1)
		}
		if len(v.words) == MaxWords {
			return fail("more than %d words", MaxWords)
		}
		v.ids[word] = len(v.words)
		v.words = append(v.words, word)
	}
}

// Write writes the vocabulary file: one word a line, in id order. A vocabulary
// without the special tokens, which Read would refuse, is not written.
func (v *Vocab) Write(w io.Writer) error {
	switch {
	case w == nil:
		return errors.New("writing the vocabulary: no writer")
	case v.Len() < len(specials):
		return errors.New("writing the vocabulary: it is empty")
	}
	bw := bufio.NewWriter(w)
	for _, word := range v.words {
		bw.WriteString(word)
		bw.WriteByte('\n') // the first error stays in bw
	}
	return bw.Flush()
}

// checkWord says why a vocabulary cannot hold a word, or "".
func checkWord(word string) string {
	switch {
	case word == "":
		return "empty line"
	case len(word) > MaxWordLen:
		return fmt.Sprintf("longer than %d bytes", MaxWordLen)
	case !utf8.ValidString(word):
		return fmt.Sprintf("%q is not UTF-8", word)
	}
	for _, r := range word {
		if unicode.IsSpace(r) {
			return fmt.Sprintf("space in %q: one word a line is expected", word)
		}
		// Joiners are part of words in some scripts; marks of direction turn the
		// text around them.
		if !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) {
			return fmt.Sprintf("control character in %q", word)
		}
	}
	return ""
}
