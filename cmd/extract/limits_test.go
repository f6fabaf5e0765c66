package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
)

// Limits of the shell and outputs that cannot be written are said in one line
// that names what would do.
func TestLimits(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the limits are looked at on Linux only")
	}
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // who may write anywhere but there
		closed = "/sys"
	}
	out := filepath.Join(dir, "f.npy")
	for _, tt := range []struct {
		setup string
		left  int // MiB of address space, 0 is no limit
		out   string
		code  int
		want  string
	}{
		{"ulimit -n 8", 0, out, cli.Failed, "raise ulimit -n"},
		{"ulimit -n 22", 0, out, cli.Failed, "--jobs"},
		{"ulimit -n 40", 0, out, cli.OK, ""},
		{"true", 100, out, cli.Failed, "ulimit -v"},
		{"true", 600, out, cli.OK, ""},
		{"true", 0, filepath.Join(closed, "f.npy"), cli.Failed, "is not writable; "},
		{"true", 0, dir, cli.WrongUsage, ".npy"},
		{"exec >&-", 0, out, cli.OK, ""},
		{"exec >&- 2>&-", 0, out, cli.OK, ""},
		{"exec >/dev/full 2>&1", 0, out, cli.OK, ""},
	} {
		if tt.left > 0 {
			tt.setup += "; export " + clitest.AddressSpace + "=" + strconv.Itoa(tt.left<<20)
		}
		code, printed := clitest.Shell(t, tt.setup, "-q", "-j", "5", "--cnn", tiny, images, "-o", tt.out)
		if code != tt.code || !strings.Contains(printed, tt.want) {
			t.Errorf("%s, -o %s: exit code %d, printed %.1000q; want %d, %q", tt.setup, tt.out, code, printed, tt.code, tt.want)
		}
		if lines := strings.Count(printed, "\n"); code == cli.OK && lines != 0 || code != cli.OK && lines != 1 {
			t.Errorf("%s, -o %s: %d lines: %.1000q", tt.setup, tt.out, lines, printed)
		}
	}
}

// Names are quoted in messages, also that of the output.
func TestHostileNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file names cannot be like that here")
	}
	dir := filepath.Join(t.TempDir(), "\x1b[31m\u202e")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Skip(err)
	}
	bad := filepath.Join(dir, strings.Repeat("\n", 200)+".jpg")
	if err := os.WriteFile(bad, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "f.npz")
	code, errs := run(t, bad, filepath.Join(images, "cat.jpg"), "-o", out)
	if code != cli.Partial || strings.ContainsAny(errs, "\x1b\u202e") || strings.Count(errs, "\n") != 2 || len([]rune(errs)) > 2*501 {
		t.Errorf("exit code %d, printed %q", code, errs)
	}
}
