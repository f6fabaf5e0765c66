package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/vocab"
)

// evil is a name that recolours a terminal, breaks lines and turns text around.
const evil = "=\x1b[31m\r\n\u202e\u009b"

// checkSafe wants out to do nothing to a terminal but print lines and tabs.
func checkSafe(t *testing.T, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("not UTF-8: %q", out)
	}
	for _, r := range out {
		if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
			t.Errorf("%U is printed in %q", r, out)
			return
		}
	}
}

// checkMessages wants lines that are safe, none longer than a message.
func checkMessages(t *testing.T, stderr string) {
	t.Helper()
	checkSafe(t, stderr)
	for line := range strings.Lines(stderr) {
		if n := utf8.RuneCountInString(line) - 1; n > 500 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

// evilCNN is a small CNN with hostile names, at a hostile path in dir.
func evilCNN(t *testing.T, dir string) string {
	t.Helper()
	b := read(t, tinyCNN)
	for old, new := range map[string]string{"features": "\x1b]0;xx\x07z", "softmax": "\u202esoft", "image": "im\n\ng"} {
		if len(old) != len(new) || !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%q cannot become %q", old, new)
		}
		b = bytes.ReplaceAll(b, []byte(old), []byte(new))
	}
	return write(t, filepath.Join(dir, evil+".onnx"), b)
}

// evilModel is a model whose every string is hostile, at a hostile path in dir.
func evilModel(t *testing.T, dir string) string {
	t.Helper()
	v := vocab.Build([][]string{{"=1+1", "x"}}, 1) // words that a terminal would obey are refused
	d, err := captioner.NewDecoder(captioner.Form{Cell: captioner.RNN, Entry: captioner.Init, Features: []int{6}, E: 1, H: 1, V: v.Len()})
	if err != nil {
		t.Fatal(err)
	}
	b := d.Weights["out.bias"]
	b[v.Len()-1], b[v.Len()-2], b[vocab.End] = 9, 9, 8
	network := evilCNN(t, dir)
	cnnFile := write(t, filepath.Join(dir, "cnn.onnx"), read(t, network))
	path := filepath.Join(dir, evil+"model")
	err = captioner.Save(path, &captioner.Model{
		Name: evil, Decoder: d, Vocab: v, Preprocessing: features.ImageNet(16), Rights: evil, Card: "# " + evil + "\n\tx\u2066",
		Photo: read(t, filepath.Join(images, "cat.jpg")), PhotoName: "=1.jpg",
		CNN:      captioner.CNN{Name: evil, FS: os.DirFS(dir), Files: []string{filepath.Base(cnnFile)}},
		Training: captioner.Training{Data: []string{evil}, Captions: 1, Command: evil, Scores: map[string]float64{evil: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever a model, a network, a table or a path is called: nothing of it
// reaches a terminal as it is, and no line on standard error is long.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("file names cannot be like that here")
	}
	dir := t.TempDir()
	known := filepath.Join(dir, "known")
	t.Setenv("CAPTION_MODELS", known)
	if err := os.Mkdir(known, 0o777); err != nil {
		t.Fatal(err)
	}
	model, network := evilModel(t, known), evilCNN(t, dir)
	photo := write(t, filepath.Join(dir, evil+"\xff.jpg"), read(t, filepath.Join(images, "cat.jpg")))
	broken := write(t, filepath.Join(dir, strings.Repeat("x", 200), strings.Repeat("\u202e", 80), strings.Repeat("y", 200), strings.Repeat("z", 200)+".jpg"), nil)
	var rows bytes.Buffer
	for _, split := range []string{"train", "val"} {
		name := "\x1b[31m\u202e" + split + "_.jpg" // feature files hold no names with line breaks
		write(t, filepath.Join(dir, name), read(t, photo))
		if err := json.NewEncoder(&rows).Encode(map[string]string{"image": name, "caption": "a \x1b[31m b", "split": split}); err != nil {
			t.Fatal(err)
		}
	}
	table := write(t, filepath.Join(dir, evil+".jsonl"), rows.Bytes())
	// Of photos that are not there.
	absent := write(t, filepath.Join(dir, evil+"absent.jsonl"), bytes.ReplaceAll(read(t, table), []byte("_.jpg"), []byte("absent.jpg")))

	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"-m", model, photo}, cli.OK},
		{[]string{"-m", model, photo, photo}, cli.OK},
		{[]string{"-m", model, "-f", "csv", photo, broken}, cli.Partial},
		{[]string{"-m", model, "-f", "json", photo, broken}, cli.Partial},
		{[]string{"-m", model, "-f", "jsonl", photo, broken}, cli.Partial},
		{[]string{"-m", model, photo, broken}, cli.Partial},
		{[]string{"-m", evil, photo}, cli.Failed},
		{[]string{"-m", photo, photo}, cli.Failed},
		{[]string{"--" + evil, photo}, cli.WrongUsage},
		{[]string{"-f", evil, photo}, cli.WrongUsage},
		{[]string{"--beam", evil, photo}, cli.WrongUsage},
		{[]string{"info", evil}, cli.WrongUsage},
		{[]string{"info", "-m", model}, cli.OK},
		{[]string{"info", "-m", model, "--card"}, cli.OK},
		{[]string{"info", "-m", model, "--json"}, cli.OK},
		{[]string{"info", "--cnn", network}, cli.OK},
		{[]string{"info", "--cnn", network, "--json"}, cli.OK},
		{[]string{"info", "--cnn", network, "--plan"}, cli.OK},
		{[]string{"info", "--cnn", network, "--plan", "--json"}, cli.OK},
		{[]string{"info", "--cnn", network, "--layer", evil}, cli.Failed},
		{[]string{"info", "--cnn", network, "--mean", evil}, cli.WrongUsage},
		{[]string{"info", "--cnn", photo}, cli.Failed},
		{[]string{"info", "--cnn", evil}, cli.Failed},
		{[]string{"verify", "-m", model}, cli.OK},
		{[]string{"models", "list"}, cli.OK},
		{[]string{"models", "list", "--json"}, cli.OK},
		{[]string{"eval", "-m", model, "--data", table}, cli.OK},
		{[]string{"eval", "-m", model, "--data", table, "--json"}, cli.OK},
		{[]string{"eval", "-m", model, "--data", absent}, cli.Failed},
		{[]string{"eval", "-m", model, "--data", table, "--split", evil}, cli.WrongUsage},
		{[]string{"eval", "-m", model, "--data", table, "--out", filepath.Join(dir, evil, "out.json")}, cli.Failed},
		{[]string{"eval", "-m", model, "--data", table, "--features", photo}, cli.Failed},
		{append(trainTiny(table, filepath.Join(dir, evil+"new")), "--epochs", "1", "--quiet=false"), cli.OK},
		{[]string{"info", "-m", filepath.Join(dir, evil+"new")}, cli.OK},
		{[]string{"info", "-m", filepath.Join(dir, evil+"new"), "--card"}, cli.OK},
		{append(trainTiny(absent, filepath.Join(dir, evil+"new")), "--epochs", "1"), cli.Failed},
	} {
		code, out, errs := run(t, tt.args...)
		if code != tt.code {
			t.Errorf("%q: exit code %d, want %d: %s", tt.args, code, tt.code, errs)
		}
		checkSafe(t, out)
		checkMessages(t, errs)
		if tt.code == cli.OK && out == "" && tt.args[0] != "train" {
			t.Errorf("%q: nothing is printed", tt.args)
		}
		if t.Failed() {
			t.Fatalf("after %q", tt.args)
		}
	}

	// And what is for machines can be read back.
	_, out, _ := run(t, "-m", model, "-f", "jsonl", photo)
	var r struct{ Captions []captioner.Caption }
	if err := json.Unmarshal([]byte(out), &r); err != nil || !strings.Contains(r.Captions[0].Text, "=1+1 x") {
		t.Errorf("%v: %q", err, out)
	}
	if !strings.Contains(out, `\udcff.jpg"`) {
		t.Errorf("the path that is not UTF-8 is %s", out)
	}
	_, out, _ = run(t, "-m", model, "-f", "csv", "--", filepath.Join(dir, "=absent.jpg"), "-absent.jpg", "=1+1")
	cells, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(cells) != 4 || cells[3][0] != "'=1+1" {
		t.Errorf("%v: %q", err, cells)
	}
}
