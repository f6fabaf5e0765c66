package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/vocab"
)

// toy returns photos whose features say which subject and which verb their
// captions have, with noise, and small options to learn that with.
func toy() (*Data, *Options) {
	r := rand.New(rand.NewPCG(5, 6))
	subjects := []string{"dog", "cat", "man", "girl"}
	verbs := []string{"runs", "sleeps", "jumps"}
	d := &Data{}
	var tokens [][]string
	photo := func() ([]float32, [][]string) {
		s, v := r.IntN(len(subjects)), r.IntN(len(verbs))
		f := make([]float32, 10)
		for k := range f {
			f[k] = float32(0.1 * r.NormFloat64())
		}
		f[s]++
		f[4+v] += 2
		return f, [][]string{
			vocab.Tokenize(fmt.Sprintf("A %s %s.", subjects[s], verbs[v])),
			vocab.Tokenize(fmt.Sprintf("The %s %s on the grass.", subjects[s], verbs[v])),
		}
	}
	var captions [][][]string
	for range 40 {
		f, c := photo()
		d.Features = append(d.Features, f)
		captions = append(captions, c)
		tokens = append(tokens, c...)
	}
	for _, name := range []string{"one", "two"} {
		set := ValSet{Name: name}
		for range 8 {
			f, c := photo()
			set.Features = append(set.Features, f)
			set.Refs = append(set.Refs, c)
		}
		d.Val = append(d.Val, set)
	}
	d.Vocab = vocab.Build(tokens, 1)
	for _, c := range captions {
		var ids [][]int
		for _, words := range c {
			ids = append(ids, d.Vocab.Encode(words))
		}
		d.Captions = append(d.Captions, ids)
	}
	o := Defaults()
	o.Embed, o.Hidden, o.Epochs, o.Batch, o.Rate, o.Dropout, o.Average, o.Threads = 16, 20, 6, 7, 0.02, 0.2, 0.9, 2
	o.Generate = captioner.Defaults()
	o.Generate.Beam, o.Generate.MaxWords = 2, 8
	return d, o
}

// sentence is what the decoder says about a photo.
func sentence(t *testing.T, d *Data, dec *captioner.Decoder, features []float32) string {
	g, err := captioner.NewGenerator(dec)
	if err != nil {
		t.Fatal(err)
	}
	hs, err := g.Captions(context.Background(), features, nil)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, id := range hs[0].IDs {
		words = append(words, d.Vocab.Word(id))
	}
	return strings.Join(words, " ")
}

// TestLearns trains each kind of decoder until it says the right sentence about
// photos that it has not seen.
func TestLearns(t *testing.T) {
	for _, cell := range captioner.Cells() {
		for _, entry := range captioner.Entries() {
			t.Run(fmt.Sprintf("%s/%s", cell, entry), func(t *testing.T) {
				d, o := toy()
				o.Cell, o.Entry, o.Epochs, o.Patience = captioner.Cell(cell), captioner.Entry(entry), 25, 0
				res, err := Run(context.Background(), d, o, nil)
				if err != nil {
					t.Fatal(err)
				}
				if len(res.History) != o.Epochs || len(res.History[0].Scores) != 2 {
					t.Fatalf("history: %+v", res.History)
				}
				if first, last := res.History[0].Loss, res.History[o.Epochs-1].Loss; last > first/2 {
					t.Errorf("the loss went from %v to %v", first, last)
				}
				right := 0
				for i, f := range d.Val[0].Features {
					s := sentence(t, d, res.Decoder, f)
					for _, ref := range d.Val[0].Refs[i] {
						if s == strings.Join(ref, " ") {
							right++
						}
					}
				}
				if right < 7 {
					t.Errorf("%d of 8 sentences are right", right)
				}
			})
		}
	}
}

// TestEntries holds that training knows every way for the image to enter.
func TestEntries(t *testing.T) {
	for _, name := range captioner.Entries() {
		e, ok := entries[captioner.Entry(name)]
		form := captioner.Form{Cell: captioner.RNN, Entry: captioner.Entry(name)}
		weights := len(learnt(form)) - len(learnt(captioner.Form{Cell: captioner.RNN, Entry: captioner.Init}))
		if !ok || (e.forward == nil) != (weights == 0) || (e.backward == nil) != (weights == 0) {
			t.Errorf("%s: the row is missing or incomplete for %d weights", name, weights)
		}
	}
}

// finish runs d and returns the bytes of the last checkpoint.
func finish(t *testing.T, d *Data, o *Options) ([]byte, *Result) {
	t.Helper()
	res, err := Run(context.Background(), d, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return b, res
}

// TestThreads holds that the number of goroutines changes nothing.
func TestThreads(t *testing.T) {
	for _, cell := range captioner.Cells() {
		var want []byte
		for _, threads := range []int{1, 2, 5} {
			d, o := toy()
			o.Cell, o.Threads, o.Epochs, o.Checkpoint = captioner.Cell(cell), threads, 2, filepath.Join(t.TempDir(), "c")
			got, _ := finish(t, d, o)
			if want == nil {
				want = got
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s: %d threads give other weights than 1", cell, threads)
			}
		}
	}
	d, o := toy()
	o.Cell, o.Epochs, o.Seed, o.Checkpoint = captioner.GRU, 2, 2, filepath.Join(t.TempDir(), "c")
	a, _ := finish(t, d, o)
	o.Seed, o.Checkpoint = 3, filepath.Join(t.TempDir(), "c")
	if b, _ := finish(t, d, o); bytes.Equal(a, b) {
		t.Error("another seed gives the same weights")
	}
}

// TestResume stops a run after each number of epochs, in the middle of the next
// one, and holds that going on gives the bytes of a run without a stop.
func TestResume(t *testing.T) {
	d, o := toy()
	o.Checkpoint = filepath.Join(t.TempDir(), "whole")
	want, whole := finish(t, d, o)
	for stop := range o.Epochs {
		o.Checkpoint = filepath.Join(t.TempDir(), "parts")
		ctx, cancel := context.WithCancel(context.Background())
		_, err := Run(ctx, d, o, func(e Event) {
			if e.Epoch == stop+1 && e.Step == 3 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled run: %v", err)
		}
		resumed := -1
		res, err := Run(context.Background(), d, o, func(e Event) { resumed = e.Resumed })
		if err != nil {
			t.Fatal(err)
		}
		if resumed != stop {
			t.Errorf("resumed after %d epochs, want %d", resumed, stop)
		}
		if !reflect.DeepEqual(res, whole) {
			t.Errorf("stopped after %d epochs, the result differs", stop)
		}
		if got, _ := os.ReadFile(o.Checkpoint); !bytes.Equal(got, want) {
			t.Errorf("stopped after %d epochs, the last checkpoint differs", stop)
		}
	}
	// A finished run is not run again.
	again, err := Run(context.Background(), d, o, func(Event) { t.Error("a finished run goes on") })
	if err != nil || !reflect.DeepEqual(again, whole) {
		t.Errorf("finished run: %v", err)
	}
}

const childEnv = "CAPTION_TRAIN_CHILD"

// TestKilledChild is the process that TestKill kills.
func TestKilledChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("runs as a child of TestKill")
	}
	d, o := toy()
	o.Epochs, o.Patience, o.Checkpoint = 30, 0, path
	if _, err := Run(context.Background(), d, o, nil); err != nil {
		t.Fatal(err)
	}
}

// TestKill kills training processes at arbitrary moments, with no chance to
// clean up, until one of them gets through, and compares what it ends with.
func TestKill(t *testing.T) {
	d, o := toy()
	o.Epochs, o.Patience, o.Checkpoint = 30, 0, filepath.Join(t.TempDir(), "whole")
	begun := time.Now()
	want, _ := finish(t, d, o)
	took := time.Since(begun)

	path := filepath.Join(t.TempDir(), "killed")
	r := rand.New(rand.NewPCG(7, 8))
	kills := 0
	for attempt := range 40 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		// Most of the first attempts end half way; the last ones get through.
		wait := time.Duration(float64(took) * (0.3 + r.Float64()*(0.3+float64(attempt)/4)))
		select {
		case err := <-done:
			if err != nil {
				t.Fatal("child:", err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("after %d kills the last checkpoint differs", kills)
			}
			if kills == 0 {
				t.Skip("no child was killed: the machine is too fast")
			}
			return
		case <-time.After(wait):
			cmd.Process.Kill()
			if <-done == nil {
				continue // it was through already
			}
			kills++
		}
	}
	t.Fatal("no child got through")
}

// TestEarlyStopping gives validation photos whose score cannot rise.
func TestEarlyStopping(t *testing.T) {
	d, o := toy()
	for i := range d.Val {
		for k := range d.Val[i].Refs {
			d.Val[i].Refs[k] = [][]string{{"nothing", "of", "the", "sort"}}
		}
	}
	o.Epochs, o.Patience = 50, 3
	res, err := Run(context.Background(), d, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Best != 1 || len(res.History) != 4 {
		t.Errorf("best epoch %d of %d, want 1 of 4", res.Best, len(res.History))
	}
}

func TestWithoutValidation(t *testing.T) {
	d, o := toy()
	d.Val, o.Epochs = nil, 3
	res, err := Run(context.Background(), d, o, nil)
	if err != nil || res.Best != 3 {
		t.Errorf("best epoch %d, %v; want the last", res.Best, err)
	}
}

func TestCheckpointRefused(t *testing.T) {
	d, o := toy()
	o.Epochs, o.Checkpoint = 1, filepath.Join(t.TempDir(), "c")
	good, _ := finish(t, d, o)
	for _, c := range []struct {
		name, want string
		change     func(d *Data, o *Options, file []byte) []byte
	}{
		{"options", "made with Hidden 20, not 24", func(d *Data, o *Options, f []byte) []byte { o.Hidden = 24; return f }},
		{"decoding", "Generate", func(d *Data, o *Options, f []byte) []byte { o.Generate = nil; return f }},
		{"features", "other features", func(d *Data, o *Options, f []byte) []byte { d.Features[3][2] += 1e-6; return f }},
		{"captions", "other features", func(d *Data, o *Options, f []byte) []byte { d.Captions[0][0][0]++; return f }},
		{"a bit", "checksum", func(d *Data, o *Options, f []byte) []byte { f[len(f)-100] ^= 1; return f }},
		{"truncated", "not a valid safetensors", func(d *Data, o *Options, f []byte) []byte { return f[:len(f)-8] }},
		{"empty", "not a valid safetensors", func(d *Data, o *Options, f []byte) []byte { return nil }},
		{"another file", "not a checkpoint", func(d *Data, o *Options, f []byte) []byte {
			return []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}")
		}},
		{"step", "finished epoch", func(d *Data, o *Options, f []byte) []byte {
			return bytes.Replace(f, []byte(`\"step\":12`), []byte(`\"step\":13`), 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, o2 := toy()
			o2.Epochs, o2.Checkpoint = 1, o.Checkpoint
			file := c.change(d, o2, bytes.Clone(good))
			if err := os.WriteFile(o.Checkpoint, file, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Run(context.Background(), d, o2, nil)
			if !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), o.Checkpoint) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if after, _ := os.ReadFile(o.Checkpoint); !bytes.Equal(after, file) {
				t.Error("the refused file was changed")
			}
		})
	}
}

func TestDataRefused(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(d *Data, o *Options)
	}{
		{"no words", func(d *Data, o *Options) { d.Vocab = nil }},
		{"no training photos", func(d *Data, o *Options) { d.Features = nil }},
		{"features of 40 photos, captions of 39", func(d *Data, o *Options) { d.Captions = d.Captions[:39] }},
		{"photo 7 has 9 features", func(d *Data, o *Options) { d.Features[7] = d.Features[7][:9] }},
		{"photo 5 has a feature that is not finite", func(d *Data, o *Options) { d.Features[5][1] = float32(math.NaN()) }},
		{"photo 2 has word 999", func(d *Data, o *Options) { d.Captions[2][0][1] = 999 }},
		{"photo 2 has word 1", func(d *Data, o *Options) { d.Captions[2][0][1] = vocab.Start }},
		{"no training captions", func(d *Data, o *Options) { clear(d.Captions) }},
		{`set "two": photo 0 has 3 features`, func(d *Data, o *Options) { d.Val[1].Features[0] = []float32{1, 2, 3} }},
		{`set "one": photo 4 has no captions`, func(d *Data, o *Options) { d.Val[0].Refs[4] = nil }},
		{`set "one" has features of 8 photos, captions of 7`, func(d *Data, o *Options) { d.Val[0].Refs = d.Val[0].Refs[:7] }},
		{"option Cell", func(d *Data, o *Options) { o.Cell = "transformer" }},
		{"option Entry", func(d *Data, o *Options) { o.Entry = "" }},
		{"option Hidden", func(d *Data, o *Options) { o.Hidden = 0 }},
		{"option Dropout", func(d *Data, o *Options) { o.Dropout = 1 }},
		{"option Rate", func(d *Data, o *Options) { o.Rate = math.NaN() }},
	} {
		d, o := toy()
		c.change(d, o)
		_, err := Run(context.Background(), d, o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}
