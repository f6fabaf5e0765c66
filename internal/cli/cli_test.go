package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
		{"failed", errors.New("no\nluck"), Failed, "prog: no luck\n"},
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
