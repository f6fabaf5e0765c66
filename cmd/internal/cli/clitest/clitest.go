// Package clitest runs a command line in a process of its own, so that tests
// can send it a signal, or choose its environment, its limits and its files.
package clitest

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cmd/internal/cli"
)

// child is set in the environment of a test binary that is to be the program.
const child = "CLITEST_CHILD"

// AddressSpace is an environment variable for Run: how many bytes of address space
// the program has left when it starts. (ulimit -v would count what the test binary
// maps as well.) Linux only.
const AddressSpace = "CLITEST_ADDRESS_SPACE"

// Main is the TestMain of a program's package: the test binary becomes the
// program where Run and Interrupt start it.
func Main(m *testing.M, newCommand func() *cobra.Command) {
	if os.Getenv(child) != "" {
		if left := os.Getenv(AddressSpace); left != "" {
			if err := limitAddressSpace(left); err != nil {
				panic(err)
			}
		}
		os.Exit(cli.Run(newCommand(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// patience is far more than the programs need to start or to end.
const patience = 30 * time.Second

// Command prepares the program with variables added to its environment. It is
// killed when ctx ends.
func Command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), child+"=1"), env...)
	return cmd
}

// limited is a context that ends when a test, or its patience, does.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Run runs the program with variables added to its environment, NAME=VALUE, and
// returns its exit code and all that it printed.
func Run(t *testing.T, env []string, args ...string) (code int, printed string) {
	t.Helper()
	return finish(t, Command(limited(t), env, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) (code int, printed string) {
	t.Helper()
	b, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

// Shell is Run for a program that a shell starts, after the commands in setup, such
// as ulimit -n 8 or exec >&-.
func Shell(t *testing.T, setup string, args ...string) (code int, printed string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here")
	}
	cmd := Command(limited(t), nil, args...)
	cmd.Path, cmd.Args = sh, slices.Concat([]string{sh, "-c", "set -e; " + setup + `; exec "$0" "$@"`, os.Args[0]}, args)
	return finish(t, cmd)
}

// Interrupt starts the program, sends it an interrupt once it has printed
// until, and returns its exit code and all that it printed. Its standard input
// stays open and empty: a photo "-" is waited for.
func Interrupt(t *testing.T, until string, args ...string) (code int, printed string) {
	t.Helper()
	p := watch(t, until, args...)
	select {
	case <-p.seen:
	case <-p.ended:
		t.Fatalf("%q was not printed, but %q", until, p.printed.String())
	}
	return p.interrupt()
}

// InterruptAfter is Interrupt for a program that prints nothing: ready returns when it
// is to be interrupted. took is how long it then took to end.
func InterruptAfter(t *testing.T, ready func(), args ...string) (code int, printed string, took time.Duration) {
	t.Helper()
	p := watch(t, "\x00", args...)
	ready()
	begun := time.Now()
	code, printed = p.interrupt()
	return code, printed, time.Since(begun)
}

// process is the program at work. It is the writer that it prints to.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	until   string
	printed strings.Builder
	seen    chan struct{} // closed when until is printed
	ended   chan struct{} // closed when all is printed
}

func watch(t *testing.T, until string, args ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that one process can send another")
	}
	p := &process{t: t, cmd: Command(limited(t), nil, args...), until: until, seen: make(chan struct{}), ended: make(chan struct{})}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its error is the exit code
		close(p.ended)
	}()
	t.Cleanup(func() {
		<-p.ended // killed with the context
		stdin.Close()
	})
	return p
}

func (p *process) Write(b []byte) (int, error) {
	before := strings.Contains(p.printed.String(), p.until)
	p.printed.Write(b)
	if !before && strings.Contains(p.printed.String(), p.until) {
		close(p.seen)
	}
	return len(b), nil
}

func (p *process) interrupt() (code int, printed string) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Error(err)
	}
	<-p.ended
	return p.cmd.ProcessState.ExitCode(), p.printed.String()
}
