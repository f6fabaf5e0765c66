package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// tree writes files into a new folder. Names that end in .jpg need no content.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// summary writes a photo as "name path split: caption | caption", its path
// relative to dir.
func summary(dir string, ps []Photo) string {
	var b strings.Builder
	for _, p := range ps {
		rel := "-"
		if p.Path != "" {
			rel, _ = filepath.Rel(dir, p.Path)
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", p.Name, filepath.ToSlash(rel), p.Split, strings.Join(p.Captions, " | "))
	}
	return b.String()
}

const (
	tokenTxt = "a.jpg#0\tA dog .\na.jpg#1\tThe dog runs .\nb.jpg#0\tA cat\r\nc.jpg#0\tA cow\nd.jpg.1#0\tA pig\n"
	cocoJSON = `{"info":{"year":2014,"x":[[1]]},
 "annotations":[{"image_id":2,"id":7,"caption":"A cat."},{"image_id":1,"caption":"A dog\nruns "},{"image_id":1,"caption":"Dog"}],
 "images":[{"id":1,"file_name":"a.jpg","width":4},{"id":2,"file_name":"b.jpg"}],"licenses":[]}`
	karpathyJSON = `{"images":[
 {"filepath":"val2014","filename":"a.jpg","imgid":0,"split":"restval","sentids":[0,1],"sentences":[{"tokens":["a","dog"],"raw":"A dog.","imgid":0,"sentid":0},{"tokens":["the","dog","runs"]}]},
 {"filename":"b.jpg","split":"val","sentences":[{"raw":"A cat."}],"cocoid":5},
 {"filename":"c.jpg","split":"test","sentences":[{"raw":"A cow."}]}],"dataset":"coco"}`
)

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		what  string
		files map[string]string
		open  string // below the folder
		want  string
		notes string
	}{
		{
			what: "Flickr8k",
			files: map[string]string{
				"Flickr8k.token.txt": tokenTxt, "images/a.jpg": "", "images/b.jpg": "", "images/c.jpg": "",
				"Flickr_8k.trainImages.txt": "a.jpg\nz.jpg\n", "Flickr_8k.devImages.txt": "b.jpg", "Flickr_8k.testImages.txt": "d.jpg.1\r\n",
			},
			want:  "a.jpg images/a.jpg train: A dog . | The dog runs .\nb.jpg images/b.jpg val: A cat\n",
			notes: `Flickr_8k.trainImages.txt lists 1 photo without caption ("z.jpg"); left out 1 photo on none of the lists of splits; left out 1 of 3 photos: no file ("d.jpg.1")`,
		},
		{
			what: "Flickr8k as it was published",
			files: map[string]string{
				"Flickr8k_text/Flickr8k.token.txt": tokenTxt, "Flickr8k_text/Flickr_8k.trainImages.txt": "b.jpg\na.jpg\n",
				"Flicker8k_Dataset/a.jpg": "", "Flicker8k_Dataset/b.jpg": "",
			},
			want:  "a.jpg Flicker8k_Dataset/a.jpg train: A dog . | The dog runs .\nb.jpg Flicker8k_Dataset/b.jpg train: A cat\n",
			notes: `left out 2 photos on none of the lists of splits`,
		},
		{
			what:  "Flickr8k from Kaggle",
			files: map[string]string{"captions.txt": "image,caption\na.jpg,A dog\nb.jpg,\"A cat, a \"\"cow\"\" .\"\na.jpg,Dog\n", "Images/a.jpg": "", "Images/b.jpg": ""},
			want:  "a.jpg Images/a.jpg train: A dog | Dog\nb.jpg Images/b.jpg val: A cat, a \"cow\" .\n",
			notes: `no val split: took 1 of 2 train photos for it, chosen by name`,
		},
		{
			what:  "Flickr30k",
			files: map[string]string{"results_20130124.token": "a.jpg#0\tA dog\n", "flickr30k-images/a.jpg": ""},
			want:  "a.jpg flickr30k-images/a.jpg train: A dog\n",
		},
		{
			what:  "TSV",
			files: map[string]string{"p/captions.tsv": "\ufeffimage\tCaption \tsplit\r\ni/a.jpg\tA \"dog\", x\ttrain\r\n\r\n./i/a.jpg\tDog\tTrain\ni\\b.jpg\tA cat\tdev\nc.jpg\t \tval\nc.jpg\tA\xff cow\t", "p/i/a.jpg": "", "p/i/b.jpg": "", "p/c.jpg": ""},
			open:  "p/captions.tsv",
			want:  "i/a.jpg p/i/a.jpg train: A \"dog\", x | Dog\ni/b.jpg p/i/b.jpg val: A cat\nc.jpg p/c.jpg val: A cow\n",
			notes: "left out 1 caption without text",
		},
		{
			what:  "folder with a table",
			files: map[string]string{"metadata.csv": "split,file_name,text,other\ntest,a.jpg,A dog,1\nvalidation,b.jpg,A cat,2\n", "a.jpg": "", "b.jpg": ""},
			want:  "a.jpg a.jpg test: A dog\nb.jpg b.jpg val: A cat\n",
		},
		{
			what:  "JSON Lines",
			files: map[string]string{"x.jsonl": `{"image":"a.jpg","caption":"A dog","split":"train"}` + "\n\n" + `{"file_name":"b.jpg","captions":["A cat","Cat"],"split":"val","more":{}}` + "\n" + `{"image":"c.jpg","caption":["A cow"]}`, "a.jpg": "", "b.jpg": "", "c.jpg": ""},
			open:  "x.jsonl",
			want:  "a.jpg a.jpg train: A dog\nb.jpg b.jpg val: A cat | Cat\nc.jpg c.jpg train: A cow\n",
		},
		{
			what:  "JSON list",
			files: map[string]string{"x.json": `[{"image":"a.jpg","caption":"A dog","split":"train"},` + "\n" + `{"image":"b.jpg","text":"A cat","split":"val"}]` + "\n", "a.jpg": "", "b.jpg": ""},
			open:  "x.json",
			want:  "a.jpg a.jpg train: A dog\nb.jpg b.jpg val: A cat\n",
		},
		{
			what:  "split of the file's name",
			files: map[string]string{"my-valid_set.csv": "image,caption\na.jpg,A dog\n", "a.jpg": ""},
			open:  "my-valid_set.csv",
			want:  "a.jpg a.jpg val: A dog\n",
			notes: "the photos of my-valid_set.csv are in split val, as its name says",
		},
		{
			what:  "COCO",
			files: map[string]string{"annotations/captions_val2017.json": cocoJSON, "val2017/a.jpg": "", "val2017/b.jpg": ""},
			open:  "annotations/captions_val2017.json",
			want:  "a.jpg val2017/a.jpg val: A dog runs | Dog\nb.jpg val2017/b.jpg val: A cat.\n",
			notes: "the photos of captions_val2017.json are in split val, as its name says",
		},
		{
			what: "COCO folder",
			files: map[string]string{
				"annotations/captions_val2017.json":   strings.NewReplacer("a.jpg", "v.jpg", "b.jpg", "w.jpg").Replace(cocoJSON),
				"annotations/captions_train2017.json": cocoJSON, "annotations/instances_val2017.json": "{",
				"val2017/v.jpg": "", "images/w.jpg": "", "train2017/a.jpg": "",
			},
			want:  "a.jpg train2017/a.jpg train: A dog runs | Dog\nv.jpg val2017/v.jpg val: A dog runs | Dog\nw.jpg images/w.jpg val: A cat.\n",
			notes: `the photos of captions_train2017.json are in split train, as its name says; the photos of captions_val2017.json are in split val, as its name says; left out 1 of 4 photos: no file ("b.jpg")`,
		},
		{
			what:  "Karpathy",
			files: map[string]string{"dataset_coco.json": karpathyJSON, "val2014/a.jpg": "", "images/b.jpg": "", "c.jpg": ""},
			want:  "a.jpg val2014/a.jpg train: A dog. | the dog runs\nb.jpg images/b.jpg val: A cat.\nc.jpg c.jpg test: A cow.\n",
		},
	} {
		dir := tree(t, c.files)
		s, err := Open(filepath.Join(dir, filepath.FromSlash(c.open)))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := summary(dir, s.Photos); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.what, got, c.want)
		}
		if got := strings.Join(s.Notes, "; "); got != c.notes {
			t.Errorf("%s: notes\n%s\nwant\n%s", c.what, got, c.notes)
		}
	}
}

func TestOpenCaptions(t *testing.T) {
	dir := tree(t, map[string]string{"captions.csv": "image,caption,split\na.jpg,A dog,train\nb.jpg,A cat,val\n", "b.jpg": ""})
	s, err := OpenCaptions(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := summary(dir, s.Photos), "a.jpg - train: A dog\nb.jpg b.jpg val: A cat\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if !reflect.DeepEqual(s.Missing, []string{"a.jpg"}) || len(s.Notes) != 0 {
		t.Errorf("missing %q, notes %q", s.Missing, s.Notes)
	}
}

func TestOpenErrors(t *testing.T) {
	for _, c := range []struct {
		what, name, content string
		says                string
	}{
		{"column twice", "x.csv", "image,caption,caption\na.jpg,A,B\n", `x.csv, line 1: the first line names the column "caption" twice`},
		{"JSONL key twice", "x.jsonl", `{"image":"a.jpg","caption":"A","caption":"B"}`, `x.jsonl, line 1: an object with image and caption is expected: field "caption" is there twice`},
		{"JSON key twice", "x.json", `[{"image":"a.jpg","image":"b.jpg","caption":"A"}]`, `element 1: an object with image and caption is expected: field "image" is there twice`},
		{"COCO key twice", "x.json", `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1,"image_id":1,"caption":"A"}]}`, `element 1: field "image_id" is there twice`},
		{"COCO key in another case", "x.json", `{"images":[{"id":1,"File_Name":"a.jpg"}]}`, `field "File_Name"; it is written "file_name"`},
		{"Karpathy key twice", "x.json", `{"images":[{"filename":"a.jpg","sentences":[{"raw":"a","raw":"b"}]}]}`, `sentences[0]: field "raw" is there twice`},
		{"extension", "x.xlsx", "", `unknown extension ".xlsx"`},
		{"empty table", "x.csv", "", "no photo with a caption"},
		{"no header", "x.csv", "a.jpg,A dog\n", "x.csv, line 1: the first line must name the columns"},
		{"header only", "x.tsv", "image\tcaption\n", "no photo with a caption"},
		{"more fields", "x.csv", "image,caption\na.jpg,A dog, a cat\n", "x.csv, line 2: 3 fields; 2 as in the first line are expected; put captions with commas"},
		{"fewer fields", "x.tsv", "image\tcaption\tsplit\na.jpg\tA dog\n", "x.tsv, line 2: 2 fields; 3"},
		{"open quote", "x.csv", "image,caption\na.jpg,\"A dog\nb.jpg,x\n", "x.csv, line 2"},
		{"split", "x.csv", "image,caption,split\na.jpg,A dog,trian\n", `x.csv, line 2: split "trian"; train, val (dev) or test`},
		{"two splits", "x.csv", "image,caption,split\na.jpg,A,train\na.jpg,B,val\n", "x.csv, line 3: image \"a.jpg\" is in split val here and in train before"},
		{"parent folder", "x.csv", "image,caption\n../a.jpg,A\n", `x.csv, line 2: image "../a.jpg"`},
		{"parent folder within", "x.csv", "image,caption\nb/../../a.jpg,A\n", `line 2: image "b/../../a.jpg"`},
		{"parent folder, Windows", "x.csv", "image,caption\n..\\a.jpg,A\n", `line 2: image`},
		{"absolute", "x.tsv", "image\tcaption\n/etc/passwd\tA\n", `x.tsv, line 2: image "/etc/passwd": a path relative`},
		{"NUL", "x.tsv", "image\tcaption\na\x00.jpg\tA\n", `x.tsv, line 2: image`},
		{"no name", "x.csv", "image,caption\n,A\n", "line 2: the image has no name"},
		{"long name", "x.csv", "image,caption\n" + strings.Repeat("a", 2000) + ",A\n", "line 2: image name of 2000 bytes"},
		{"long caption", "x.csv", "image,caption\na.jpg," + strings.Repeat("a", 5000) + "\n", "line 2: caption of 5000 bytes"},
		{"missing photos", "x.csv", "image,caption\na.jpg,A\nb.jpg,B\n", `none of its 2 photos is there; "a.jpg", for one, was looked for in `},
		{"token without number", "x.token", "a.jpg#0\tA\na.jpg\tA\n", "x.token, line 2: photo.jpg#number"},
		{"token without tab", "x.token", "a.jpg#0 A\n", "x.token, line 1: photo.jpg#number"},
		{"JSONL no object", "x.jsonl", "[]\n", "x.jsonl, line 1: an object"},
		{"JSONL syntax", "x.jsonl", "{\"image\":\"a.jpg\",\"caption\":\"A\"}\n{\n", "x.jsonl, line 2:"},
		{"JSONL no caption", "x.jsonl", `{"image":"a.jpg"}`, `line 1: no field "captions"`},
		{"JSONL no image", "x.jsonl", `{"caption":"A"}`, `line 1: no field "image"`},
		{"JSONL number", "x.jsonl", `{"image":1,"caption":"A"}`, `line 1: field "image"`},
		{"JSON text", "x.json", "\nhello", "x.json, line 2:"},
		{"JSON string", "x.json", `"a"`, "COCO captions JSON"},
		{"JSON cut off", "x.json", "{\n\"images\":[{\"id\":1,", "x.json, line 2: the file is cut off"},
		{"JSON cut off between", "x.json", "{\"images\":[{\"id\":1,\"file_name\":\"a\"}\n", "the file is cut off"},
		{"JSON more", "x.json", "[]{}", "goes on"},
		{"JSON without images", "x.json", `{"annotations":[]}`, `no "images"`},
		{"JSON images no array", "x.json", `{"images":{}}`, "an array is expected"},
		{"COCO unknown id", "x.json", `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":3,"caption":"A"}]}`, "annotation 1 is of image id 3"},
		{"COCO id twice", "x.json", `{"images":[{"id":1,"file_name":"a.jpg"},` + "\n" + `{"id":1,"file_name":"b.jpg"}]}`, "x.json, line 2: element 2: image id 1 is there twice"},
		{"COCO parent folder", "x.json", `{"images":[{"id":1,"file_name":"../a.jpg"}]}`, `line 1: element 1: image "../a.jpg"`},
		{"Karpathy parent folder", "x.json", `{"images":[{"filepath":"..","filename":"a.jpg"}]}`, `image "../a.jpg"`},
		{"Karpathy split", "x.json", `{"images":[{"filename":"a.jpg","split":"all"}]}`, `split "all"`},
		{"COCO instances", "x.json", `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1,"bbox":[1,2,3,4]}]}`, "no photo with a caption"},
	} {
		dir := tree(t, map[string]string{c.name: c.content})
		_, err := Open(filepath.Join(dir, c.name))
		if err == nil {
			t.Errorf("%s: opened", c.what)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %q does not say %q", c.what, err, c.says)
		} else if !strings.Contains(err.Error(), c.name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q is not one line with the file in it", c.what, err)
		}
	}
	evil := strings.Repeat("\u202e\x1b[31m\n", 50)
	if _, err := Open(filepath.Join(t.TempDir(), evil)); err == nil || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
		t.Errorf("path with escapes: %q", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none: no such") {
		t.Errorf("missing path: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no captions found in the folder; a Flickr8k folder") {
		t.Errorf("empty folder: %v", err)
	}
	dir := tree(t, map[string]string{"captions.tsv": "", "captions.csv": ""})
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "several files of captions") {
		t.Errorf("two tables: %v", err)
	}
	dir = tree(t, map[string]string{"Flickr8k.token.txt": "a.jpg#0\tA\n", "Flickr_8k.trainImages.txt": "a.jpg\n", "Flickr_8k.devImages.txt": "a.jpg\n"})
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "devImages.txt, line 1: image \"a.jpg\" is in split val here and in train") {
		t.Errorf("photo in two lists: %v", err)
	}
}

func TestEnsureVal(t *testing.T) {
	make := func(n int, split string) *Set {
		s := &Set{}
		for i := range n {
			s.Photos = append(s.Photos, Photo{Name: fmt.Sprintf("photo%d.jpg", i), Split: split})
		}
		return s
	}
	for _, c := range []struct {
		n      int
		split  string
		lo, hi int // number of val photos
	}{{0, Train, 0, 0}, {1, Train, 0, 0}, {2, Train, 1, 1}, {10, Train, 1, 3}, {10, Val, 10, 10}, {10, Test, 0, 0}, {4000, Train, 150, 250}} {
		s := make(c.n, c.split)
		s.EnsureVal()
		n := len(s.Split(Val).Photos)
		if n < c.lo || n > c.hi || (len(s.Notes) == 1) != (c.split == Train && c.n > 1) {
			t.Errorf("%d photos of %s: %d in val, notes %q", c.n, c.split, n, s.Notes)
		}
	}
	// The choice is a matter of names, not of order or company.
	a, b := make(1000, Train), make(900, Train)
	a.EnsureVal()
	b.Photos[0], b.Photos[5] = b.Photos[5], b.Photos[0]
	b.EnsureVal()
	val := map[string]bool{}
	for _, p := range a.Split(Val).Photos {
		val[p.Name] = true
	}
	for _, p := range b.Photos {
		if val[p.Name] != (p.Split == Val) {
			t.Errorf("%s is in val once and not the other time", p.Name)
		}
	}
}

func TestSetName(t *testing.T) {
	for path, want := range map[string]string{"x/flickr8k": "flickr8k", "x/general/captions.tsv": "general", "x/my.csv": "my", "x/pets/": "pets"} {
		if got := setName(filepath.FromSlash(path)); got != want {
			t.Errorf("setName(%s) = %s, want %s", path, got, want)
		}
	}
}

func TestSharedData(t *testing.T) {
	type counts struct{ train, val, test, captions, missing int }
	count := func(path string) counts {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c := counts{len(s.Split(Train).Photos), len(s.Split(Val).Photos), len(s.Split(Test).Photos), s.Captions(), len(s.Missing)}
		return c
	}
	shared := filepath.Join("..", "..", "..", "shared")
	for _, name := range []string{"flickr8k", "general"} {
		if _, err := os.Stat(filepath.Join(shared, name)); err != nil {
			t.Skip("no data beside the repository:", err)
		}
	}
	if got, want := count(filepath.Join(shared, "flickr8k")), (counts{train: 6000, val: 1000, captions: 35000}); got != want {
		t.Errorf("flickr8k: %+v, want %+v", got, want)
	}

	// The other set grows: its own table tells what is in it.
	table := filepath.Join(shared, "general", "captions.tsv")
	b, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var want counts
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(line, "\t")
		want.captions++
		if seen[cells[0]] {
			continue
		}
		seen[cells[0]] = true
		switch cells[2] {
		case "train":
			want.train++
		case "val":
			want.val++
		}
	}
	for _, path := range []string{table, filepath.Dir(table)} {
		if got := count(path); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}
