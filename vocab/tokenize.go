package vocab

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clitics are the English word endings that are tokens of their own.
var clitics = []string{"'s", "'m", "'d", "'re", "'ve", "'ll", "n't"}

// Tokenize splits a caption into lower-case words without punctuation, as the
// COCO caption evaluation does (Stanford's PTBTokenizer, then punctuation
// removed):
//
//	A man's T-shirt, size 2.5!   a man 's t-shirt size 2.5
//	It doesn't move.             it does n't move
//	the dogs' "toys" -- two      the dogs toys two
//
// A word is a run of letters, marks and digits. Hyphens inside it stay, and so
// do apostrophes ("o'clock"), the points of numbers ("2.5", "1,000", "10:30",
// "1/2") and of initials ("u.s."). English clitics ('s 'm 'd 're 've 'll n't)
// are words of their own, written together or, as in Flickr8k, apart; Join puts
// them back. Everything else separates words and is dropped, invalid UTF-8 too.
// HTML entities count as what they stand for. Text is brought to Unicode normal
// form C, so that composed and decomposed accents are the same.
func Tokenize(caption string) []string {
	var tokens []string
	for s := normalize(caption); s != ""; {
		if n := wordLen(s); n > 0 {
			tokens = appendWord(tokens, s[:n])
			s = s[n:]
		} else if c := loneClitic(s); c != "" {
			tokens = append(tokens, c)
			s = s[len(c):]
		} else {
			_, n := utf8.DecodeRuneInString(s)
			s = s[n:]
		}
	}
	return tokens
}

// Join writes tokens as a sentence: with spaces between them, save between a
// word and its clitic ("man" and "'s" give "man's"). Tokenize undoes it.
func Join(tokens []string) string {
	var b strings.Builder
	word := false // a clitic can be attached to the token before
	for i, t := range tokens {
		clitic := slices.Contains(clitics, t)
		if i > 0 && !(clitic && word) {
			b.WriteByte(' ')
		}
		b.WriteString(t)
		word = !clitic && !strings.HasSuffix(t, ".") // "u.s.n't" would be read otherwise
	}
	return b.String()
}

// normalize returns s in lower case and normal form C, with one kind of
// apostrophe and hyphen and without invisible characters and HTML entities.
func normalize(s string) string {
	s = strings.ToLower(html.UnescapeString(s))
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return norm.NFC.String(strings.Map(plain, s))
		}
	}
	return s
}

func plain(r rune) rune {
	switch r {
	case '\u2018', '\u2019', '\u02bc', '\uff07': // ‘ ’ ʼ ＇
		return '\''
	case '\u2010', '\u2011': // hyphen, non-breaking hyphen
		return '-'
	}
	if unicode.Is(unicode.Cf, r) { // soft hyphens, joiners, direction marks
		return -1
	}
	return r
}

// wordLen is the length of the word at the start of s, with its clitics.
func wordLen(s string) int {
	if n := initialsLen(s); n > 0 {
		return n
	}
	end := 0 // of the word so far
	var last rune
	for i, r := range s {
		if isWord(r) {
			end = i + utf8.RuneLen(r)
			last = r
			continue
		}
		// A connector must stand between two word characters.
		if end != i || end == 0 {
			break
		}
		next, _ := utf8.DecodeRuneInString(s[i+1:])
		switch r {
		case '-', '\'':
			if isWord(next) {
				continue
			}
		case '.', ',', ':', '/':
			if unicode.IsDigit(last) && unicode.IsDigit(next) {
				continue
			}
		}
		break
	}
	return end
}

// initialsLen is the length of initials at the start of s: two or more letters,
// each with a point, and no word right behind them.
func initialsLen(s string) int {
	n, letters := 0, 0
	for letters <= 10 { // bounded: a long row of them would take quadratic time
		r, size := utf8.DecodeRuneInString(s[n:])
		if !unicode.IsLetter(r) || !strings.HasPrefix(s[n+size:], ".") {
			if letters < 2 || isWord(r) {
				return 0
			}
			return n
		}
		n += size + 1
		letters++
	}
	return 0
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r))
}

// loneClitic returns the clitic at the start of s that stands alone, else "". (A lone
// n't is a word by its letters.)
func loneClitic(s string) string {
	for _, c := range clitics {
		if rest, ok := strings.CutPrefix(s, c); ok {
			if r, _ := utf8.DecodeRuneInString(rest); !isWord(r) {
				return c
			}
		}
	}
	return ""
}

// appendWord appends a word and then the clitics at its end.
func appendWord(tokens []string, word string) []string {
	n := len(tokens)
split:
	for {
		for _, c := range clitics {
			if stem, ok := strings.CutSuffix(word, c); ok && stem != "" {
				tokens = append(tokens, c)
				word = stem
				continue split
			}
		}
		break
	}
	tokens = append(tokens, word)
	slices.Reverse(tokens[n:])
	return tokens
}
