package vocab

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// ptb.tsv holds captions and what Stanford's tokeniser made of them.
func TestTokenizeLikePTB(t *testing.T) {
	data, err := os.ReadFile("testdata/ptb.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		caption, want, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if got := strings.Join(Tokenize(caption), " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", caption, got, want)
		}
	}
}

func TestTokenize(t *testing.T) {
	for _, c := range []struct{ caption, want string }{
		{"", ""},
		{" \t\n ", ""},
		{"...!?", ""},
		{"A  dog\truns.\n", "a dog runs"},
		{"a man’s ‘new’ T‑shirt", "a man 's new t-shirt"}, // typographic apostrophes and hyphen
		{"a dog — two cats…", "a dog two cats"},
		{"boys' and girls'", "boys and girls"},
		{"rock'n'roll 'n' 'slide", "rock'n'roll n slide"},
		{"shouldn't've", "should n't 've"},
		{"'s n't 'll", "'s n't 'll"},
		{"- -a- b--c", "a b c"},
		{"3-4 2.5. 1,2 ,3 x.5 5.x 1/2", "3-4 2.5 1,2 3 x 5 5 x 1/2"},
		{"U.S. a.m. e.g. x. U.S.A", "u.s. a.m. e.g. x u s a"},
		{"dog.a cat", "dog a cat"},
		{"<start> a <unk> <end>", "start a unk end"},
		{"&lt;b&gt; black &amp; white &#39;s", "b black white 's"},
		{"cafe\u0301 CAFÉ", "café café"},
		{"soft\u00adware a\u200bb", "software ab"},
		{"狗 在 跑。", "狗 在 跑"},
		{"бегущая собака", "бегущая собака"},
		{"हिन्दी", "हिन्दी"},
		{"🐶 dog😀cat", "dog cat"},
		{"bad \xff\xc0 bytes\x00here", "bad bytes here"},
		{"snake_case #1 @home 50% $5", "snake case 1 home 50 5"},
	} {
		if got := strings.Join(Tokenize(c.caption), " "); got != c.want {
			t.Errorf("Tokenize(%q) = %q, want %q", c.caption, got, c.want)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, c := range []struct {
		tokens []string
		want   string
	}{
		{nil, ""},
		{[]string{"a", "dog"}, "a dog"},
		{[]string{"a", "man", "'s", "hat"}, "a man's hat"},
		{[]string{"it", "does", "n't", "run"}, "it doesn't run"},
		{[]string{"'s", "n't", "u.s.", "'s"}, "'s n't u.s. 's"},
	} {
		got := Join(c.tokens)
		if got != c.want {
			t.Errorf("Join(%q) = %q, want %q", c.tokens, got, c.want)
		}
		if back := Tokenize(got); !slices.Equal(back, c.tokens) {
			t.Errorf("Tokenize(%q) = %q, want %q", got, back, c.tokens)
		}
	}
}

// Long hostile captions take linear time.
func TestTokenizeLong(t *testing.T) {
	for _, part := range []string{"a", "a.", "'s", "x's", "n't", "-", "1.", "\u0301", "&amp;", "a'"} {
		start := time.Now()
		Tokenize(strings.Repeat(part, 1<<20/len(part)))
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("1 MB of %q took %v", part, d)
		}
	}
}

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"A man's T-shirt, 2.5!", "U.S. n't 's", "cafe\u0301 İ &lt;", "\xff<end>", "ǅ K ﬁ ½", "a'b's-c'd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tokens := Tokenize(s)
		for _, w := range tokens {
			if w == "" || !utf8.ValidString(w) || strings.ContainsFunc(w, unicode.IsSpace) || strings.ContainsAny(w, "<>&") {
				t.Fatalf("Tokenize(%q) has token %q", s, w)
			}
			if reason := checkWord(w); reason != "" && len(w) <= MaxWordLen {
				t.Fatalf("token %q of %q does not fit into a file: %s", w, s, reason)
			}
		}
		for _, joined := range []string{Join(tokens), strings.Join(tokens, " ")} {
			if again := Tokenize(joined); !slices.Equal(again, tokens) {
				t.Fatalf("Tokenize(%q) = %q, but of its tokens' sentence %q it is %q", s, tokens, joined, again)
			}
		}
	})
}
