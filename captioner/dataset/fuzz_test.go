package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pair is a caption of an image, as the oracle of a format reads it.
type pair struct{ image, caption string }

// fuzz runs a parser; whatever it takes makes a set that keeps what Photo promises, in
// which each photo has the captions that the file gives to it: those of oracle, which
// reads the format in the plainest way and only files that the parser takes.
func fuzz(f *testing.F, file string, parse func(*builder, []byte) error, oracle func(data []byte) []pair, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := newBuilder(file)
		b.start(file)
		if err := parse(b, data); err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b\u202e") || !strings.Contains(err.Error(), file) || len(err.Error()) > 500 {
				t.Fatalf("error %q is not one line with the file in it", err)
			}
			return
		}
		s, err := b.set("set", false)
		if err != nil {
			return
		}
		given := map[string][]string{}
		for _, p := range oracle(data) {
			name, err := cleanName(p.image)
			if err != nil {
				t.Fatalf("image %q: %v", p.image, err)
			}
			if c := strings.Join(strings.Fields(strings.ToValidUTF8(p.caption, " ")), " "); c != "" {
				given[name] = append(given[name], c)
			}
		}
		names := map[string]bool{}
		total := 0
		for _, p := range s.Photos {
			total += len(p.Captions)
			if names[p.Name] || !filepath.IsLocal(p.Name) || len(p.Captions) == 0 || p.Split != Train && p.Split != Val && p.Split != Test {
				t.Fatalf("photo %+v", p)
			}
			names[p.Name] = true
			for _, c := range p.Captions {
				if c == "" || strings.ContainsAny(c, "\t\r\n") {
					t.Fatalf("caption %q", c)
				}
			}
			// Every caption of the photo, in order, is one that was read for it.
			if !slices.Equal(p.Captions, given[p.Name]) {
				t.Fatalf("photo %q has captions %q; the file gives it %q", p.Name, p.Captions, given[p.Name])
			}
		}
		all := 0
		for _, cs := range given {
			all += len(cs)
		}
		if total != all {
			t.Fatalf("%d captions of %d", total, all)
		}
	})
}

func FuzzTokens(f *testing.F) {
	fuzz(f, "x.token", parseTokens, func(data []byte) (ps []pair) {
		for _, line := range strings.Split(string(data), "\n") {
			if key, caption, ok := strings.Cut(strings.TrimRight(line, "\r"), "\t"); ok {
				ps = append(ps, pair{key[:strings.LastIndex(key, "#")], caption})
			}
		}
		return ps
	}, tokenTxt, "a#b#0\tA\na#b\t#0\tB\n", "a#0\tA\nb#0\tB\na#1\tC\n")
}

// The lists of splits leave no photo that is on none of them.
func FuzzLists(f *testing.F) {
	f.Add([]byte(tokenTxt), []byte("a.jpg\n"), []byte("b.jpg\nunknown\n"))
	f.Fuzz(func(t *testing.T, tokens, train, dev []byte) {
		b := newBuilder("x")
		b.start("x.token")
		if parseTokens(b, tokens) != nil || parseList(b, train, "train") != nil || parseList(b, dev, "dev") != nil {
			return
		}
		b.dropUnlisted()
		listed := func(list []byte, name string) bool {
			for line := range strings.Lines(string(list)) {
				if strings.TrimSpace(line) == name {
					return true
				}
			}
			return false
		}
		for _, p := range b.photos {
			if p.Split == Train && !listed(train, p.Name) || p.Split == Val && !listed(dev, p.Name) || p.Split == "" {
				t.Fatalf("photo %+v", p.Photo)
			}
		}
	})
}

// rows are the pairs of a table whose first line names the columns.
func rows(table [][]string) (ps []pair) {
	column := func(names []string) int {
		return slices.IndexFunc(table[0], func(f string) bool {
			return slices.Contains(names, strings.ToLower(strings.TrimSpace(f)))
		})
	}
	if len(table) > 0 {
		image, caption := column(imageNames), column(captionNames)
		for _, r := range table[1:] {
			ps = append(ps, pair{r[image], r[caption]})
		}
	}
	return ps
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "x.csv", parseCSV, func(data []byte) []pair {
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1
		table, _ := r.ReadAll()
		return rows(table)
	}, "image,caption\na.jpg,A dog\n", "split,image,text\nval,b.jpg,\"a \"\"b\"\"\nc\"\n")
}

func FuzzTSV(f *testing.F) {
	fuzz(f, "x.tsv", parseTSV, func(data []byte) []pair {
		var table [][]string
		for i, line := range strings.Split(string(data), "\n") {
			if line = strings.TrimRight(line, "\r"); line != "" || i == 0 {
				table = append(table, strings.Split(line, "\t"))
			}
		}
		return rows(table)
	}, "image\tcaption\tsplit\na.jpg\tA dog\ttrain\n\n", "caption\timage\nA\t../b\n")
}

// first returns what the first of the keys has that is there.
func first(m map[string]any, keys ...string) any {
	for _, k := range keys {
		if v, ok := m[k]; ok {
			return v
		}
	}
	return nil
}

// records are the pairs of an object with image, caption or captions.
func records(v any) (ps []pair) {
	m := v.(map[string]any)
	image, _ := first(m, imageNames...).(string)
	if c, ok := first(m, captionNames...).(string); ok {
		return []pair{{image, c}}
	}
	list, _ := first(m, "captions", "caption", "text").([]any)
	for _, c := range list {
		s, _ := c.(string)
		ps = append(ps, pair{image, s})
	}
	return ps
}

func FuzzJSONL(f *testing.F) {
	fuzz(f, "x.jsonl", parseJSONL, func(data []byte) (ps []pair) {
		for dec := json.NewDecoder(bytes.NewReader(data)); ; {
			var v any
			if dec.Decode(&v) != nil {
				return ps
			}
			ps = append(ps, records(v)...)
		}
	}, `{"image":"a.jpg","caption":"A dog","split":"train"}`, `{"file_name":"b.jpg","captions":["A cat","Cat"]}`+"\n\n{}")
}

func FuzzJSON(f *testing.F) {
	fuzz(f, "x_val.json", parseJSON, func(data []byte) (ps []pair) {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var v any
		dec.Decode(&v)
		if list, ok := v.([]any); ok {
			for _, r := range list {
				ps = append(ps, records(r)...)
			}
			return ps
		}
		names := map[string]string{} // by id, however it is written
		m := v.(map[string]any)
		images, _ := m["images"].([]any)
		for _, im := range images {
			im, _ := im.(map[string]any)
			name, _ := im["file_name"].(string)
			if n, _ := im["filename"].(string); n != "" {
				name = n
			}
			names[fmt.Sprintf("%T %v", im["id"], im["id"])] = name
			sentences, _ := im["sentences"].([]any)
			for _, s := range sentences {
				s, _ := s.(map[string]any)
				raw, _ := s["raw"].(string)
				if raw == "" {
					var tokens []string
					list, _ := s["tokens"].([]any)
					for _, w := range list {
						w, _ := w.(string)
						tokens = append(tokens, w)
					}
					raw = strings.Join(tokens, " ")
				}
				ps = append(ps, pair{name, raw})
			}
		}
		annotations, _ := m["annotations"].([]any)
		for _, a := range annotations {
			a, _ := a.(map[string]any)
			c, _ := a["caption"].(string)
			ps = append(ps, pair{names[fmt.Sprintf("%T %v", a["image_id"], a["image_id"])], c})
		}
		return ps
	}, cocoJSON, karpathyJSON, `[{"image":"a.jpg","caption":"A"}]`, `{"images":[]}`)
}
