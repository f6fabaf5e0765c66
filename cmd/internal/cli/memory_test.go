package cli

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cnn"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"1": 1, "1073741824": 1 << 30, "512b": 512, "1B": 1,
		"1KiB": 1 << 10, "3MiB": 3 << 20, "1GiB": 1 << 30, "1gib": 1 << 30, "1.5GiB": 3 << 29, "2 MiB": 2 << 20,
		"1KB": 1000, "1MB": 1e6, "2.5GB": 25e8, "1K": 1 << 10, "1m": 1 << 20, "2G": 2 << 30,
	} {
		var s Size
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%q is %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "+1", "GiB", "1TiBB", "1e9", "0x10", "NaN", "Inf", "1,5G", "1 2", "0.5", "9999999999GiB", "1GiBx", "１"} {
		s := Size(7)
		if err := s.Set(text); err == nil || s != 7 {
			t.Errorf("%q is taken for %d", text, s)
		}
	}
	for s, want := range map[Size]string{1 << 30: "1GiB", 3 << 29: "1536MiB", 1 << 10: "1KiB", 1000: "1000", 0: "0"} {
		if got := s.String(); got != want {
			t.Errorf("%d is %s, want %s", int64(s), got, want)
		}
		var back Size
		if err := back.Set(s.String()); s > 0 && (err != nil || back != s) {
			t.Errorf("%s is %d, %v", s, back, err)
		}
	}
}

func TestMaxMemoryFlag(t *testing.T) {
	var f PhotoFlags
	var out, errs bytes.Buffer
	cmd := &cobra.Command{Use: "prog", RunE: func(*cobra.Command, []string) error { return nil }}
	f.Register(cmd, "photos", "quiet")
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	if code := Run(cmd, []string{"--help"}); code != OK || !strings.Contains(out.String(), "--max-memory SIZE ") || !strings.Contains(out.String(), "(default 1GiB)") {
		t.Errorf("help:\n%s", out.String())
	}
	if code := Run(cmd, []string{"--max-memory", "200M"}); code != OK || f.Memory != 200<<20 {
		t.Errorf("exit code %d, %d: %s", code, f.Memory, errs.String())
	}
	if code := Run(cmd, []string{"--max-memory", "much"}); code != WrongUsage || !strings.Contains(errs.String(), "such as 512MiB") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// The collector's limit is above what is in use, and is taken back.
func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	use := make([]byte, 64<<20)
	undo := (&PhotoFlags{Memory: 100 << 20, Jobs: 2, Batch: 4}).LimitMemory(cnn.Info{PeakBytes: 10 << 20})
	limit := debug.SetMemoryLimit(-1)
	if least := int64(64+2*4*10+125+256) << 20; limit < least || limit > least+1<<30 {
		t.Errorf("the limit is %d MiB", limit>>20)
	}
	runtime.KeepAlive(use)
	undo()
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("%d is left, %d was before", got, before)
	}
	defer (&PhotoFlags{Memory: math.MaxInt64}).LimitMemory(cnn.Info{})()
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("all memory is a limit of %d", got)
	}
}

// The collector that waits works as usual once the program is large.
func TestCollectLate(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	defer debug.SetGCPercent(percent)
	runtime.GC()
	f := PhotoFlags{Memory: 1 << 30}
	undo := f.CollectLate()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	keep := make([][]byte, 0, 64)
	for range 8 {
		keep = append(keep, make([]byte, 8<<20))
	}
	runtime.ReadMemStats(&after)
	if before.NumGC != after.NumGC {
		t.Error("a small program is collected")
	}
	waits := func() bool {
		p := debug.SetGCPercent(-1)
		if p >= 0 {
			debug.SetGCPercent(p)
		}
		return p < 0
	}
	if !waits() {
		t.Error("the collector does not wait")
	}
	for end := time.Now().Add(20 * time.Second); waits() && time.Now().Before(end); {
		if keep = append(keep, make([]byte, 8<<20)); len(keep) == cap(keep) {
			keep = keep[:32]
		}
	}
	if waits() {
		t.Error("the collector waits for ever")
	}
	undo()
	if got := debug.SetMemoryLimit(-1); got != limit || waits() {
		t.Errorf("a limit of %d is left, %d was before", got, limit)
	}
	undo = f.CollectLate()
	undo()
	if got := debug.SetMemoryLimit(-1); got != limit || waits() {
		t.Errorf("at once, a limit of %d is left, %d was before", got, limit)
	}
}

func TestAwait(t *testing.T) {
	if v, err := Await(t.Context(), func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Error(v, err)
	}
	want := errors.New("no luck")
	if _, err := Await(t.Context(), func() (int, error) { return 0, want }); err != want {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan int)
	defer close(never)
	_, err := Await(ctx, func() (int, error) { cancel(); return <-never, nil })
	if err != context.Canceled {
		t.Error(err)
	}
}
