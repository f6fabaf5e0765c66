package vocab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func captions(cs ...string) [][]string {
	var out [][]string
	for _, c := range cs {
		out = append(out, Tokenize(c))
	}
	return out
}

func TestBuild(t *testing.T) {
	caps := captions("a dog runs", "a cat sleeps", "The dog sleeps.", "A zebra and a dog")
	caps = append(caps, []string{"<end>", "<end>", "<end>", "", "", "two words", "two words", "bell\a", "bell\a", strings.Repeat("x", 256), strings.Repeat("x", 256)})
	for _, c := range []struct {
		min  int
		want string
	}{
		{-1, "<pad> <start> <end> <unk> a dog sleeps and cat runs the zebra"},
		{1, "<pad> <start> <end> <unk> a dog sleeps and cat runs the zebra"},
		{2, "<pad> <start> <end> <unk> a dog sleeps"},
		{3, "<pad> <start> <end> <unk> a dog"},
		{9, "<pad> <start> <end> <unk>"},
	} {
		if got := strings.Join(Build(caps, c.min).words, " "); got != c.want {
			t.Errorf("Build(…, %d) = %q, want %q", c.min, got, c.want)
		}
	}
}

func TestBuildLimit(t *testing.T) {
	var many []string
	for i := range MaxWords {
		many = append(many, fmt.Sprintf("w%07d", i))
	}
	v := Build([][]string{many, many[MaxWords-2:]}, 1)
	if v.Len() != MaxWords || v.Word(4) != fmt.Sprintf("w%07d", MaxWords-2) || v.Word(6) != "w0000000" {
		t.Errorf("%d words, %q first", v.Len(), v.Word(4))
	}
}

func TestEncodeDecode(t *testing.T) {
	v := Build(captions("a man's dog runs", "a man's dog runs"), 1)
	ids := v.Encode(Tokenize("A dog's man flies"))
	if got, want := v.Decode(ids), "a dog's man"; got != want {
		t.Errorf("decoded %q, want %q", got, want)
	}
	if ids[len(ids)-1] != Unk || v.ID("flies") != Unk || v.ID("<end>") != End {
		t.Errorf("ids %v", ids)
	}
	for _, w := range v.words {
		if got := v.Word(v.ID(w)); got != w {
			t.Errorf("%q became %q", w, got)
		}
	}
	a, dog := v.ID("a"), v.ID("dog")
	if got := v.Decode([]int{Start, a, Unk, -1, v.Len(), math.MaxInt, dog, Pad, End, dog}); got != "a dog" {
		t.Errorf("decoded %q, want %q", got, "a dog")
	}
	if got := v.Decode(nil); got != "" {
		t.Errorf("decoded %q from nothing", got)
	}
}

func TestFile(t *testing.T) {
	v := Build(captions("a man's dog", "Ein Dackel läuft", "狗"), 1)
	var b bytes.Buffer
	if err := v.Write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "<pad>\n<start>\n<end>\n<unk>\n's\na\ndackel\ndog\nein\nläuft\nman\n狗\n"; b.String() != want {
		t.Errorf("wrote %q, want %q", b.String(), want)
	}
	for _, s := range []string{b.String(), strings.ReplaceAll(b.String(), "\n", "\r\n")} {
		for _, r := range []io.Reader{strings.NewReader(s), iotest.OneByteReader(strings.NewReader(s))} {
			got, err := Read(r)
			if err != nil || !reflect.DeepEqual(got, v) {
				t.Errorf("read %v, %v, want %v", got, err, v)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	const head = "<pad>\n<start>\n<end>\n<unk>\n"
	for _, c := range []struct {
		what, data string
		line       int
		says       string
	}{
		{"empty", "", 1, "ends before <pad>"},
		{"three specials", head[:20], 4, "ends before <unk>"},
		{"no specials", "a\ndog\n", 1, "<pad> is expected"},
		{"other order", "<pad>\n<end>\n<start>\n<unk>\n", 2, "<start> is expected"},
		{"byte order mark", "\ufeff" + head, 1, "<pad> is expected"},
		{"binary", "\x7fELF\x00\x00", 1, "cut off"},
		{"long first line", strings.Repeat("a", 1<<20), 1, "longer"},
		{"long word", head + strings.Repeat("a", 256) + "\n", 5, "longer"},
		{"empty line", head + "a\n\ndog\n", 6, "empty"},
		{"empty line CRLF", head + "a\r\n\r\n", 6, "empty"},
		{"empty last line", head + "a\n\n", 6, "empty"},
		{"duplicate", head + "a\ndog\na\n", 7, "line 5 already"},
		{"duplicate by CR", head + "a\na\r\n", 6, "line 5 already"},
		{"special again", head + "a\n<unk>\n", 6, "line 4 already"},
		{"space", head + "a dog\n", 5, "space"},
		{"no-break space", head + "a\u00a0dog\n", 5, "space"},
		{"tab", head + "a\t5\n", 5, "space"},
		{"lone CR", head + "a\rb\n", 5, "space"},
		{"NUL", head + "a\x00\n", 5, "control"},
		{"escape", head + "\x1b[31m\n", 5, "control"},
		{"not UTF-8", head + "caf\xe9\n", 5, "UTF-8"},
		{"cut off", head + "a\ndo", 6, "cut off"},
	} {
		_, err := Read(strings.NewReader(c.data))
		var fe *FormatError
		if !errors.As(err, &fe) {
			t.Errorf("%s: error %v", c.what, err)
		} else if fe.Line != c.line || !strings.Contains(fe.Reason, c.says) {
			t.Errorf("%s: error %q, want line %d and %q", c.what, err, c.line, c.says)
		}
	}
	boom := errors.New("boom")
	if _, err := Read(io.MultiReader(strings.NewReader(head), iotest.ErrReader(boom))); !errors.Is(err, boom) {
		t.Errorf("reader error became %v", err)
	}
}

// words gives n lines w0, w1, ….
func words(n int) io.Reader {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d\n", i)
	}
	return strings.NewReader(b.String())
}

func TestReadLimit(t *testing.T) {
	const head = "<pad>\n<start>\n<end>\n<unk>\n"
	v, err := Read(io.MultiReader(strings.NewReader(head), words(MaxWords-4)))
	if err != nil || v.Len() != MaxWords {
		t.Fatal(err)
	}
	_, err = Read(io.MultiReader(strings.NewReader(head), words(MaxWords-3)))
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("over the limit: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("<pad>\n<start>\n<end>\n<unk>\na\ndog\n's\n"))
	f.Add([]byte("<pad>\r\n<start>\r\n<end>\r\n<unk>\r\nläuft\r\n"))
	f.Add([]byte("<pad>\n<start>\n<end>\n<unk>\na\na\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Read(bytes.NewReader(data))
		if err != nil {
			var fe *FormatError
			if !errors.As(err, &fe) || v != nil {
				t.Fatalf("%v, %v", v, err)
			}
			return
		}
		var b bytes.Buffer
		if err := v.Write(&b); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(&b); err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("written and read again: %v, %v, want %v", again, err, v)
		}
		all := make([]int, v.Len())
		for i := range all {
			all[i] = i
			if v.ID(v.Word(i)) != i {
				t.Fatalf("word %d has id %d", i, v.ID(v.Word(i)))
			}
		}
		v.Decode(all)
	})
}

// Words seen at least five times in Flickr8k's training captions: neuraltalk,
// which tokenises a little differently, published 2,538.
func TestFlickr8kSize(t *testing.T) {
	dir := "../../shared/flickr8k"
	list, err := os.ReadFile(filepath.Join(dir, "Flickr_8k.trainImages.txt"))
	if err != nil {
		t.Skip("no Flickr8k beside the repository:", err)
	}
	tokens, err := os.ReadFile(filepath.Join(dir, "Flickr8k.token.txt"))
	if err != nil {
		t.Fatal(err)
	}
	train := map[string]bool{}
	for _, name := range strings.Fields(string(list)) {
		train[name] = true
	}
	var caps [][]string
	for line := range strings.Lines(string(tokens)) {
		name, caption, _ := strings.Cut(line, "\t")
		name, _, _ = strings.Cut(name, "#")
		if train[name] {
			caps = append(caps, Tokenize(caption))
		}
	}
	if n := Build(caps, 5).Len() - 4; len(caps) != 30000 || n != 2536 {
		t.Errorf("%d words from %d captions, want 2536 from 30000", n, len(caps))
	}
}
