package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
)

const images = "../../testdata/images"

// run executes a command line as the program would.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	code = cli.Run(cmd, args)
	return code, out.String(), errs.String()
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// hugePNG is the header of a picture of 15,000×15,000; for a larger one image/png
// has words of its own on 32 bits.
func hugePNG() []byte {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, 15000)
	ihdr = binary.BigEndian.AppendUint32(ihdr, 15000)
	ihdr = append(ihdr, 8, 2, 0, 0, 0)
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	b = append(b, ihdr...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
}

func TestCaptionFolder(t *testing.T) {
	code, out, errs := run(t, images)
	if code != cli.OK || strings.Contains(errs, "caption:") {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines, want 5:\n%s", len(lines), out)
	}
	seen := map[string]bool{}
	for i, name := range []string{"astronaut.jpg", "cameraman_gray.png", "cat.jpg", "coffee.jpg", "rocket.jpg"} {
		path, text, ok := strings.Cut(lines[i], "\t")
		if !ok || filepath.Base(path) != name || len(strings.Fields(text)) < 3 {
			t.Errorf("line %d is %q, want the path of %s and a sentence", i, lines[i], name)
		}
		seen[text] = true
	}
	if len(seen) != 5 {
		t.Errorf("the same sentence for different photos:\n%s", out)
	}
}

func TestOnePhotoGivesTheSentenceAlone(t *testing.T) {
	path := filepath.Join(images, "cat.jpg")
	_, want, _ := run(t, path)
	if strings.Contains(want, "\t") || strings.Count(want, "\n") != 1 || !strings.Contains(want, "cat") {
		t.Errorf("caption of the cat: %q", want)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer func(in *os.File) { os.Stdin = in }(os.Stdin)
	os.Stdin = f
	if _, got, _ := run(t, "-"); got != want {
		t.Errorf("from standard input %q, from the file %q", got, want)
	}
}

func TestFormats(t *testing.T) {
	dir := t.TempDir()
	bad := write(t, filepath.Join(dir, "bad.jpg"), []byte("no picture"))
	args := []string{"-n", "2", filepath.Join(images, "cat.jpg"), bad}
	check := func(rs []result) {
		t.Helper()
		if len(rs) != 2 || len(rs[0].Captions) != 2 || rs[0].Error != "" || string(rs[1].Path) != bad || rs[1].Error == "" || len(rs[1].Captions) != 0 {
			t.Fatalf("results %+v", rs)
		}
		a, b := rs[0].Captions[0], rs[0].Captions[1]
		if a.Text == b.Text || a.LogProb >= 0 || len(a.Words) != len(strings.Fields(a.Text)) {
			t.Errorf("captions %+v, %+v", a, b)
		}
	}

	code, out, _ := run(t, append(args, "-f", "json")...)
	var rs []result
	if err := json.Unmarshal([]byte(out), &rs); err != nil || code != cli.Partial {
		t.Fatalf("json: exit code %d, %v:\n%s", code, err, out)
	}
	check(rs)

	_, out, _ = run(t, append(args, "-f", "jsonl")...)
	rs = nil
	for line := range strings.Lines(out) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	check(rs)

	_, out, _ = run(t, append(args, "-f", "csv")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || lines[0] != "path,caption,logprob,error" || !strings.HasPrefix(lines[3], bad+",,,") {
		t.Errorf("csv:\n%s", out)
	}

	code, out, errs := run(t, append(args, "-f", "text")...)
	if code != cli.Partial || strings.Count(out, "\n") != 2 || strings.Count(errs, "bad.jpg") != 1 {
		t.Errorf("text: exit code %d\n%s%s", code, out, errs)
	}
}

func TestSampling(t *testing.T) {
	path := filepath.Join(images, "rocket.jpg")
	sample := func(seed string) string {
		_, out, _ := run(t, "--sample", "--seed", seed, "-n", "5", path)
		return out
	}
	if a, b := sample("7"), sample("7"); a != b || strings.Count(a, "\n") != 5 {
		t.Errorf("seed 7 gives %q and %q", a, b)
	}
	if a, b := sample("7"), sample("8"); a == b {
		t.Errorf("seeds 7 and 8 both give %q", a)
	}
}

// Every mistake is one line that says what is wrong, and has its exit code.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	cat := read(t, filepath.Join(images, "cat.jpg"))
	good := filepath.Join(images, "coffee.jpg")
	write(t, at("text.jpg"), []byte("this is not a picture\n"))
	write(t, at("cut.jpg"), cat[:len(cat)/2])
	write(t, at("huge.png"), hugePNG())
	write(t, at("empty.png"), nil)
	write(t, at("corrupt.onnx"), []byte("\x08\x07garbage"))
	ownPhotos(t, dir)
	if err := os.Mkdir(at("nothing"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string // in the message
	}{
		{"nothing given", nil, cli.WrongUsage, "no photo given"},
		{"text named jpg", []string{at("text.jpg"), good}, cli.Partial, "text.jpg"},
		{"text named jpg, alone", []string{at("text.jpg")}, cli.Failed, "text.jpg"},
		{"cut off", []string{at("cut.jpg"), good}, cli.Partial, "cut.jpg"},
		{"too large", []string{at("huge.png"), good}, cli.Partial, "15000"},
		{"empty file", []string{at("empty.png"), good}, cli.Partial, "empty.png"},
		{"empty folder", []string{at("nothing"), good}, cli.Partial, "nothing"},
		{"no such file", []string{at("absent.jpg"), good}, cli.Partial, "absent.jpg"},
		{"missing flag value", []string{good, "--beam"}, cli.WrongUsage, "--beam"},
		{"not a number", []string{"--beam", "x", good}, cli.WrongUsage, "--beam"},
		{"out of range", []string{"--beam", "0", good}, cli.WrongUsage, "--beam 0"},
		{"far out of range", []string{"--beam", "100000", good}, cli.WrongUsage, "--beam"},
		{"no memory", []string{"--max-memory", "0", good}, cli.WrongUsage, "--max-memory"},
		{"eval with no size", []string{"eval", "--data", dir, "--max-memory", "much"}, cli.WrongUsage, "--max-memory"},
		{"train with no size", []string{"train", "--data", dir, "-o", at("m"), "--max-memory", "-1"}, cli.WrongUsage, "--max-memory"},
		{"unknown flag", []string{"--bem", "3", good}, cli.WrongUsage, "--bem"},
		{"unknown format", []string{"-f", "xml", good}, cli.WrongUsage, "xml"},
		{"sampling flag alone", []string{"--top-k", "5", good}, cli.WrongUsage, "--sample"},
		{"unknown model", []string{"-m", "absent", good}, cli.Failed, "absent"},
		{"model without config", []string{"-m", at("nothing"), good}, cli.Failed, "config.json"},
		{"train without data", []string{"train", "-o", at("m")}, cli.WrongUsage, "--data"},
		{"train without output", []string{"train", "--data", dir}, cli.WrongUsage, "-o"},
		{"train with a bad option", []string{"train", "--data", dir, "-o", at("m"), "--cell", "cnn"}, cli.WrongUsage, "--cell"},
		{"train on nothing", []string{"train", "--data", at("absent.csv"), "-o", at("m")}, cli.Failed, "absent.csv"},
		{"train into a file", []string{"train", "--data", at("photos.csv"), "-o", at("text.jpg")}, cli.Failed, "text.jpg"},
		{"train with a photo that is none", []string{"train", "--data", at("photos.csv"), "-o", at("m"), "--photo", at("text.jpg")}, cli.Failed, "--photo"},
		{"train with an absent card", []string{"train", "--data", at("photos.csv"), "-o", at("m"), "--card", at("absent.md")}, cli.Failed, "--card"},
		{"eval of an unknown split", []string{"eval", "--data", at("photos.csv"), "--split", "dev"}, cli.WrongUsage, "--split"},
		{"eval without data", []string{"eval"}, cli.WrongUsage, "--data"},
		{"eval with an argument", []string{"eval", "x"}, cli.WrongUsage, `"x"`},
		{"corrupt ONNX", []string{"info", "--cnn", at("corrupt.onnx")}, cli.Failed, "corrupt.onnx"},
		{"CNN flags alone", []string{"info", "--size", "64"}, cli.WrongUsage, "--cnn"},
		{"unknown CNN", []string{"info", "--cnn", "resnet9000"}, cli.Failed, "resnet9000"},
		{"models alone", []string{"models"}, cli.WrongUsage, "models"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := run(t, tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if strings.Count(errs, "\n") != 1 || !strings.Contains(errs, tt.want) {
				t.Errorf("stderr %q, want one line with %q", errs, tt.want)
			}
			if code == cli.Partial && !strings.Contains(out, "coffee.jpg\t") {
				t.Errorf("the good photo has no caption: %q", out)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	code, out, errs := run(t, "verify")
	if code != cli.OK || !strings.Contains(out, "decoder.safetensors") || !strings.Contains(out, "cat") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestInfo(t *testing.T) {
	_, out, _ := run(t, "info")
	for _, want := range []string{"LSTM", "1280", "efficientnet-lite2", "multiply-adds", "non-commercial", "flickr8k"} {
		if !strings.Contains(out, want) {
			t.Errorf("info does not say %q:\n%s", want, out)
		}
	}
	_, out, _ = run(t, "info", "--json")
	if !json.Valid([]byte(out)) {
		t.Errorf("info --json is not JSON:\n%s", out)
	}
	_, out, _ = run(t, "info", "--card")
	if !strings.Contains(out, "# ") {
		t.Errorf("no model card: %q", out)
	}
}

func TestModelsList(t *testing.T) {
	t.Setenv("CAPTION_MODELS", filepath.Join(t.TempDir(), "none"))
	code, out, _ := run(t, "models", "list")
	if code != cli.OK || !strings.Contains(out, "default") || !strings.Contains(out, "resnet50-v1-12") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// ownPhotos puts four photos with captions into a folder and returns the table.
func ownPhotos(t *testing.T, dir string) string {
	t.Helper()
	table := "image,caption,split\n"
	for _, row := range []struct{ image, caption, split string }{
		{"astronaut.jpg", "a woman in an orange suit", "train"},
		{"coffee.jpg", "a cup of coffee on a table", "train"},
		{"rocket.jpg", "a rocket in the night", "train"},
		{"cat.jpg", "a cat looks up", "val"},
	} {
		write(t, filepath.Join(dir, row.image), read(t, filepath.Join(images, row.image)))
		table += row.image + "," + row.caption + "," + row.split + "\n"
	}
	return write(t, filepath.Join(dir, "photos.csv"), []byte(table))
}

// Training from photos, evaluation, captions and verification of what came out.
func TestTrainOnOwnPhotos(t *testing.T) {
	dir := t.TempDir()
	data := ownPhotos(t, dir)
	model := filepath.Join(dir, "model")
	args := []string{"train", "--data", data, "-o", model, "--hidden", "16", "--embed", "16", "--epochs", "3", "--min-count", "1", "-q"}
	code, out, errs := run(t, args...)
	if code != cli.OK || out != "" || errs != "" {
		t.Fatalf("train: exit code %d, stdout %q, stderr %q", code, out, errs)
	}
	if _, err := os.Stat(model + ".train"); err == nil {
		t.Error("the work folder is left")
	}
	for _, args := range [][]string{
		{"verify", "-m", model},
		{"-m", model, filepath.Join(dir, "cat.jpg")},
	} {
		if code, out, errs := run(t, args...); code != cli.OK || out == "" {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}

	captions := filepath.Join(dir, "captions.json")
	code, out, errs = run(t, "eval", "-m", model, "--data", data, "--json", "--out", captions, "-q")
	var all []scores
	if err := json.Unmarshal([]byte(out), &all); code != cli.OK || err != nil || len(all) != 1 || all[0].Photos != 1 {
		t.Fatalf("eval: exit code %d, %v\n%s%s", code, err, out, errs)
	}
	var rows []compared
	if err := json.Unmarshal(read(t, captions), &rows); err != nil || len(rows) != 1 || rows[0].Caption == "" || rows[0].References[0] != "a cat looks up" {
		t.Errorf("--out: %v %+v", err, rows)
	}

	// The same command again gives the same model.
	first := read(t, filepath.Join(model, "decoder.safetensors"))
	if code, _, errs := run(t, args...); code != cli.OK {
		t.Fatalf("second training: exit code %d, %s", code, errs)
	}
	if !bytes.Equal(first, read(t, filepath.Join(model, "decoder.safetensors"))) {
		t.Error("the same command gives another model")
	}
}

// TestInfoPlan prints what the CNN of the default model does.
func TestInfoPlan(t *testing.T) {
	model := filepath.Join("..", "..", "models", "default", "cnn.onnx")
	_, out, _ := run(t, "info", "--cnn", model, "--plan")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 20 || !strings.HasPrefix(lines[0], "step  operator") || !strings.Contains(lines[1], "convolution 3×3") {
		t.Errorf("%s", out)
	}
	_, out, _ = run(t, "info", "--cnn", model, "--plan", "--json")
	var info struct {
		Plan []struct {
			Operator     string
			MultiplyAdds int64 `json:"multiply_adds"`
		}
		CNN struct{ MultiplyAdds int64 }
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, s := range info.Plan {
		sum += s.MultiplyAdds
	}
	if len(info.Plan) != len(lines)-1 || sum != info.CNN.MultiplyAdds {
		t.Errorf("%d steps of %d multiply-adds, want %d of %d", len(info.Plan), sum, len(lines)-1, info.CNN.MultiplyAdds)
	}
}
