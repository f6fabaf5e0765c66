package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 photos", 1: "1 photo", 2: "2 photos"} {
		if got := Count(n, "photo"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"a b/ü.jpg":  "a b/ü.jpg",
		`"q".jpg`:    `"q".jpg`,
		"a\tb.jpg":   `"a\tb.jpg"`,
		"a\nb\".jpg": `"a\nb\".jpg"`,
		"\x1b[2J":    `"\x1b[2J"`,
	} {
		if got := FileName(name); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// Help that cannot be written is a failure.
func TestHelpNotWritten(t *testing.T) {
	var stderr bytes.Buffer
	cmd := &cobra.Command{Use: "prog", Long: "Does nothing.", RunE: func(*cobra.Command, []string) error { return nil }}
	cmd.SetOut(fullDisk{})
	cmd.SetErr(&stderr)
	if code := Run(cmd, []string{"--help"}); code != Failed || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
