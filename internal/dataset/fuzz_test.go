package dataset

import (
	"path/filepath"
	"strings"
	"testing"
)

// fuzz runs a parser; whatever it takes makes a set that keeps what Photo
// promises.
func fuzz(f *testing.F, file string, parse func(*builder, []byte) error, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := newBuilder(file)
		b.enter(file)
		if err := parse(b, data); err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), file) {
				t.Fatalf("error %q is not one line with the file in it", err)
			}
			return
		}
		s, err := b.set("set", false)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, p := range s.Photos {
			if names[p.Name] || !filepath.IsLocal(p.Name) || len(p.Captions) == 0 || p.Split != Train && p.Split != Val && p.Split != Test {
				t.Fatalf("photo %+v", p)
			}
			names[p.Name] = true
			for _, c := range p.Captions {
				if c == "" || strings.ContainsAny(c, "\t\r\n") {
					t.Fatalf("caption %q", c)
				}
			}
		}
	})
}

func FuzzTokens(f *testing.F) {
	fuzz(f, "x.token", func(b *builder, data []byte) error {
		if err := parseTokens(b, data); err != nil {
			return err
		}
		if err := parseList(b, data, "dev"); err != nil { // no error, but notes
			return err
		}
		b.dropUnlisted()
		return nil
	}, tokenTxt, "a#b#0\tA\na#b\t#0\tB\n")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "x.csv", parseCSV, "image,caption\na.jpg,A dog\n", "split,image,text\nval,b.jpg,\"a \"\"b\"\"\nc\"\n")
}

func FuzzTSV(f *testing.F) {
	fuzz(f, "x.tsv", parseTSV, "image\tcaption\tsplit\na.jpg\tA dog\ttrain\n\n", "caption\timage\nA\t../b\n")
}

func FuzzJSONL(f *testing.F) {
	fuzz(f, "x.jsonl", parseJSONL, `{"image":"a.jpg","caption":"A dog","split":"train"}`, `{"file_name":"b.jpg","captions":["A cat","Cat"]}`+"\n\n{}")
}

func FuzzJSON(f *testing.F) {
	fuzz(f, "x_val.json", parseJSON, cocoJSON, karpathyJSON, `[{"image":"a.jpg","caption":"A"}]`, `{"images":[]}`)
}
