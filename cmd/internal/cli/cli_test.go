package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		code   int
		stderr string
	}{
		{"done", nil, OK, ""},
		{"failed", errors.New("no\nluck"), Failed, "prog: \"no\\nluck\"\n"},
		{"wrong usage", fmt.Errorf("flags: %w", Usagef("--x: %d is too much", 7)), WrongUsage, "prog: flags: --x: 7 is too much\n"},
		{"one of two photos", PhotosFailed(1, 2), Partial, ""},
		{"the only photo", PhotosFailed(1, 1), Failed, ""},
		{"all photos", PhotosFailed(3, 3), Failed, "prog: none of the 3 photos could be read\n"},
		{"cancelled by itself", context.Canceled, Failed, "prog: context canceled\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := &cobra.Command{Use: "prog", RunE: func(*cobra.Command, []string) error { return tt.err }}
			cmd.SetErr(&stderr)
			if code := Run(cmd, nil); code != tt.code || stderr.String() != tt.stderr {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr.String(), tt.code, tt.stderr)
			}
		})
	}
}

func TestUnknownCPU(t *testing.T) {
	defer func(f func() error) { cpuError = f }(cpuError)
	cpuError = func() error { return errors.New("CAPTION_CPU=x: not here") }
	var stderr bytes.Buffer
	cmd := &cobra.Command{Use: "prog", RunE: func(*cobra.Command, []string) error { return nil }}
	cmd.SetErr(&stderr)
	if code := Run(cmd, nil); code != OK || stderr.String() != "prog: CAPTION_CPU=x: not here\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

func TestInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that a process can send")
	}
	for _, tt := range []struct {
		kept   func(error) error
		stderr string
	}{
		{func(err error) error { return err }, "prog: interrupted\n"},
		{func(err error) error { return Kept(err, "%d are kept", 3) }, "prog: interrupted; 3 are kept\n"},
	} {
		var stderr bytes.Buffer
		cmd := &cobra.Command{Use: "prog", RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			if err := p.Signal(os.Interrupt); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return tt.kept(cmd.Context().Err())
		}}
		cmd.SetErr(&stderr)
		if code := Run(cmd, nil); code != Interrupted || stderr.String() != tt.stderr {
			t.Errorf("exit code %d, stderr %q; want %q", code, stderr.String(), tt.stderr)
		}
	}
	if err := Kept(errors.New("no luck"), "all"); err.Error() != "no luck" {
		t.Errorf("another error became %v", err)
	}
	if err := Kept(nil, "all"); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestUnknownFlag(t *testing.T) {
	var stderr bytes.Buffer
	cmd := &cobra.Command{Use: "prog", Run: func(*cobra.Command, []string) {}}
	cmd.SetErr(&stderr)
	if code := Run(cmd, []string{"--absent"}); code != WrongUsage || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

func TestProgressElsewhereThanOnATerminal(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "baking", 3, false)
	p.Step()
	p.last = time.Now().Add(-plainEvery)
	p.Step()
	p.Printf("%s is burnt", "one")
	p.Step()
	p.Close()
	if want := "baking: 2 of 3\none is burnt\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}

func TestQuietProgress(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "baking", 2, true)
	p.last = time.Now().Add(-plainEvery)
	p.Step()
	p.Printf("failures are shown")
	p.Close()
	if want := "failures are shown\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}
