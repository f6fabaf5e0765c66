package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
)

// checkLine wants one line that names what would do.
func checkLine(t *testing.T, what, printed, want string) {
	t.Helper()
	if strings.Count(printed, "\n") != 1 || !strings.HasPrefix(printed, "caption: ") || !strings.Contains(printed, want) {
		t.Errorf("%s: printed %.1000q; want one line with %q", what, printed, want)
	}
}

// Too few file descriptors are said in one line and are not the fault of a photo.
// (With 6 or 7 the Go runtime gives up before the program begins.)
func TestFewFileDescriptors(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the descriptors are counted on Linux only")
	}
	for _, n := range []int{5, 8, 12, 16, 24, 40} {
		code, printed := clitest.Shell(t, fmt.Sprintf("ulimit -n %d", n), "-q", "-j", "4", images)
		switch {
		case code == cli.OK && n > 16:
		case code == cli.Failed && n < 24:
			checkLine(t, fmt.Sprintf("ulimit -n %d", n), printed, "raise ulimit -n")
		default:
			t.Errorf("ulimit -n %d: exit code %d, printed %.1000q", n, code, printed)
		}
	}
	code, printed := clitest.Shell(t, "ulimit -n 64", "-q", "-j", "200", images)
	if code != cli.Failed {
		t.Errorf("200 jobs: exit code %d", code)
	}
	checkLine(t, "200 jobs", printed, "--jobs")
}

// Too little address space would end the program in the middle, with a dump of
// 200 lines and the exit code of wrong usage.
func TestLittleAddressSpace(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the address space is measured on Linux only")
	}
	photo := filepath.Join(images, "cat.jpg")
	for _, mb := range []int{0, 1, 50, 100, 150} {
		env := []string{fmt.Sprintf("%s=%d", clitest.AddressSpace, mb<<20)}
		code, printed := clitest.Run(t, env, photo)
		if code != cli.Failed {
			t.Errorf("%d MiB: exit code %d", mb, code)
		}
		checkLine(t, fmt.Sprintf("%d MiB", mb), printed, "ulimit -v")
	}
	for _, photos := range []string{photo, images} {
		env := []string{clitest.AddressSpace + "=" + fmt.Sprint(600<<20)}
		if code, printed := clitest.Run(t, env, "-q", photos); code != cli.OK {
			t.Errorf("600 MiB: exit code %d, printed %.1000q", code, printed)
		}
	}
}

// What cannot be printed is said in one line. A reader that went away is said to
// nobody, as by other programs.
func TestStandardOutput(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no shell as this test wants it")
	}
	photo := filepath.Join(images, "cat.jpg")
	if _, err := os.Stat("/dev/full"); err == nil {
		for _, args := range [][]string{{photo}, {"-q", images}, {"-f", "json", photo}, {"-f", "csv", photo}, {"--help"}, {"info"}, {"info", "--json"}, {"info", "--card"}, {"models", "list"}} {
			code, printed := clitest.Shell(t, "exec >/dev/full", args...)
			if code != cli.Failed || strings.Count(printed, "\n") != 1 || !strings.Contains(printed, "no space left") {
				t.Errorf("full, %v: exit code %d, printed %q", args, code, printed)
			}
		}
		if code, printed := clitest.Shell(t, "exec >/dev/full 2>&1", photo); code != cli.Failed || printed != "" {
			t.Errorf("both full: exit code %d, printed %q", code, printed)
		}
	}
	// The Go runtime opens the null device for what is closed.
	for _, setup := range []string{"exec >&-", "exec 2>&-", "exec >&- 2>&-", "exec <&- >&- 2>&-"} {
		if code, _ := clitest.Shell(t, setup, photo); code != cli.OK {
			t.Errorf("%s: exit code %d", setup, code)
		}
		if code, _ := clitest.Shell(t, setup, "absent.jpg"); code != cli.Failed {
			t.Errorf("%s, no photo: exit code %d", setup, code)
		}
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	cmd := exec.Command(sh, "-c", `("$0" "$@"; echo code $? >&2) | true`, os.Args[0], "-q", images)
	cmd.Env = append(os.Environ(), "CLITEST_CHILD=1")
	b, err := cmd.CombinedOutput()
	if err != nil || string(b) != "code 141\n" {
		t.Errorf("reader gone: %v, printed %q", err, b)
	}
}
