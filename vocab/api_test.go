package vocab

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

type reads func(p []byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

type writes func(p []byte) (int, error)

func (f writes) Write(p []byte) (int, error) { return f(p) }

// TestNothing holds that no id, no zero value and no reader is too strange.
func TestNothing(t *testing.T) {
	full := Build(captions("a dog runs"), 1)
	for name, v := range map[string]*Vocab{"nil": nil, "zero": new(Vocab), "full": full} {
		for _, id := range []int{math.MinInt, -1, 0, 3, 4, v.Len() - 1, v.Len(), 7, math.MaxInt} {
			want := ""
			if name == "full" && id >= 0 && id < v.Len() {
				want = v.words[id]
			}
			if got := v.Word(id); got != want {
				t.Errorf("%s: word %d is %q, want %q", name, id, got, want)
			}
		}
		if name == "full" {
			continue
		}
		if v.Len() != 0 || v.ID("dog") != Unk || v.Decode([]int{4, 5}) != "" || !slices.Equal(v.Encode([]string{"a", "b"}), []int{Unk, Unk}) {
			t.Errorf("%s: has words", name)
		}
		if err := v.Write(io.Discard); err == nil {
			t.Errorf("%s: written as a file that Read refuses", name)
		}
	}
	boom := errors.New("boom")
	for name, w := range map[string]io.Writer{
		"nil":      nil,
		"negative": writes(func([]byte) (int, error) { return -1, nil }),
		"nothing":  writes(func([]byte) (int, error) { return 0, nil }),
		"too many": writes(func(p []byte) (int, error) { return len(p) + 1, boom }),
	} {
		if err := full.Write(w); err == nil {
			t.Errorf("%s writer: no error", name)
		}
	}
	for name, r := range map[string]io.Reader{
		"nil":      nil,
		"negative": reads(func([]byte) (int, error) { return -1, nil }),
		"nothing":  reads(func([]byte) (int, error) { return 0, nil }),
		"too many": reads(func(p []byte) (int, error) { return len(p) + 1, nil }),
		"error":    iotest.ErrReader(boom),
		"zeros":    reads(func(p []byte) (int, error) { clear(p); return len(p), nil }),
		"ends":     reads(func(p []byte) (int, error) { return copy(p, "<pad>\n"), nil }),
	} {
		if v, err := Read(r); err == nil || v != nil {
			t.Errorf("%s reader: %v, %v", name, v, err)
		}
	}
	if v := Build(nil, math.MinInt); v.Len() != 4 {
		t.Errorf("%d words of nothing", v.Len())
	}
	if got := Join(nil) + Join([]string{""}) + strings.Join(Tokenize(""), ""); got != "" {
		t.Errorf("%q of nothing", got)
	}
	if new(FormatError).Error() == "" {
		t.Error("no message")
	}
}

// FuzzAPI reads a vocabulary in pieces whose counts the bytes of how give, some of
// them lies, and asks it for ids that they give too.
func FuzzAPI(f *testing.F) {
	const good = "<pad>\n<start>\n<end>\n<unk>\na\ndog\n's\n"
	f.Add([]byte(good), []byte{1, 5, 200}, 4)
	f.Add([]byte(good), []byte{0, 0, 0}, -1)
	f.Add([]byte(good), []byte{255, 254, 253}, 1<<30)
	f.Add([]byte(good+"\u202eevil\n"), []byte{}, 7)
	f.Fuzz(func(t *testing.T, data, how []byte, id int) {
		rest, step, lied := data, 0, false
		v, err := Read(reads(func(p []byte) (int, error) {
			n := len(p)
			if step < len(how) {
				switch h := how[step]; {
				case h == 255:
					lied = true
					return -1, nil
				case h == 254:
					lied = true
					return len(p) + 1, nil
				case int(h) < n:
					n = int(h)
				}
			}
			step++
			n = copy(p[:n], rest)
			rest = rest[n:]
			if n == 0 && len(rest) == 0 {
				return 0, io.EOF
			}
			return n, nil
		}))
		want, wantErr := Read(bytes.NewReader(data))
		switch {
		case err != nil:
			if v != nil || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
				t.Fatalf("%v, %q", v, err)
			}
			if wantErr == nil && !lied && !errors.Is(err, io.ErrNoProgress) {
				t.Fatalf("in pieces %v, at once no error", err)
			}
			return
		case wantErr != nil || !reflect.DeepEqual(v, want):
			t.Fatalf("in pieces %v, at once %v, %v", v, want, wantErr)
		}
		w := v.Word(id)
		if in := id >= 0 && id < v.Len(); in != (w != "") || in && v.ID(w) != id {
			t.Fatalf("id %d of %d is %q", id, v.Len(), w)
		}
		if s := v.Decode([]int{id, -id, id + 1}); !utf8.ValidString(s) || strings.ContainsAny(s, "\n\x1b\u202e") {
			t.Fatalf("decoded %q", s)
		}
	})
}
