// Package clitest runs a command line in a process of its own, so that tests
// can send it a signal or choose its environment.
package clitest

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/internal/cli"
)

// child is set in the environment of a test binary that is to be the program.
const child = "CLITEST_CHILD"

// Main is the TestMain of a program's package: the test binary becomes the
// program where Run and Interrupt start it.
func Main(m *testing.M, newCommand func() *cobra.Command) {
	if os.Getenv(child) != "" {
		os.Exit(cli.Run(newCommand(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// patience is far more than what the programs need to start, or to end.
const patience = 30 * time.Second

// Command prepares the program with variables added to its environment. It is
// killed when ctx ends.
func Command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), child+"=1"), env...)
	return cmd
}

// Run runs the program with variables added to its environment, NAME=VALUE, and
// returns its exit code and all that it printed.
func Run(t *testing.T, env []string, args ...string) (code int, printed string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := Command(ctx, env, args...)
	b, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

// Interrupt starts the program, sends it an interrupt once it has printed
// until, and returns its exit code and all that it printed. Its standard input
// stays open and empty: a photo "-" is waited for.
func Interrupt(t *testing.T, until string, args ...string) (code int, printed string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that one process can send another")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := Command(ctx, nil, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	sent := false
	for buf := make([]byte, 1<<10); ; {
		n, err := out.Read(buf)
		b.Write(buf[:n])
		if !sent && strings.Contains(b.String(), until) {
			sent = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			break
		}
	}
	cmd.Wait() // its error is the exit code
	if !sent {
		t.Fatalf("%q was not printed, but %q", until, b.String())
	}
	return cmd.ProcessState.ExitCode(), b.String()
}
