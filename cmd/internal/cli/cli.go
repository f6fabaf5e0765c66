// Package cli is what the two programs have in common: flags, exit codes, one-line
// errors, interruption, progress, and text, CSV and JSON that are safe to read.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/internal/kernels/cpu"
)

// Exit codes of both programs. They are documented in the README; scripts rely
// on them.
const (
	OK          = 0
	Failed      = 1
	WrongUsage  = 2
	Partial     = 3 // some photos failed, all others were done
	Interrupted = 130
)

// ErrPartial ends a command in which some photos failed, each reported already.
var ErrPartial = errors.New("some photos failed")

// errReported ends a command whose only failure has been reported already.
var errReported = errors.New("reported")

// usageError marks a mistake in the command line.
type usageError struct{ error }

// interruption is a context's end, with what it leaves behind.
type interruption struct {
	error
	kept string
}

func (i interruption) Unwrap() error { return i.error }

// Kept adds to the error of an interrupted command what it leaves behind, for Run to
// print. Other errors, and nil, are returned as they are.
func Kept(err error, format string, args ...any) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return interruption{err, fmt.Sprintf(format, args...)}
}

// Await calls f, which may take long and takes no context, and returns its result, or
// ctx's error if ctx ends first. f then goes on by itself: the program is about to
// end.
func Await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := f()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Usagef returns an error that ends the program with WrongUsage.
func Usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// Run executes a command line and returns the exit code. The first interrupt
// cancels the context of the command, the second one kills the program. Limits of
// the shell under which the program cannot run end it first; a CAPTION_CPU that this
// processor does not have is reported.
func Run(cmd *cobra.Command, args []string) int {
	if err := checkLimits(); err != nil {
		Message(cmd.ErrOrStderr(), "%s: %s", cmd.Name(), err)
		return Failed
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	cmd.SetArgs(args)
	cmd.SilenceErrors = true
	cmd.SilenceUsage = true
	cmd.Version = version()
	cmd.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return Usagef("%w; see %s --help", err, c.CommandPath())
	})
	if err := cpuError(); err != nil {
		Message(cmd.ErrOrStderr(), "%s: %s", cmd.Name(), err)
	}
	out := &output{w: cmd.OutOrStdout()}
	cmd.SetOut(out)
	ran, err := cmd.ExecuteContextC(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("writing to standard output: %w", out.err)
	}
	code := exitCode(ctx, err)
	i, kept := errors.AsType[interruption](err)
	switch {
	case code == OK, code == Partial, errors.Is(err, errReported):
	case code == Interrupted && kept:
		Message(cmd.ErrOrStderr(), "%s: interrupted; %s", ran.CommandPath(), i.kept)
	case code == Interrupted:
		Message(cmd.ErrOrStderr(), "%s: interrupted", ran.CommandPath())
	default:
		Message(cmd.ErrOrStderr(), "%s: %s", ran.CommandPath(), err)
	}
	return code
}

// cpuError is the error of a CAPTION_CPU that is not followed; tests replace it.
var cpuError = cpu.Err

func exitCode(ctx context.Context, err error) int {
	_, usage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return OK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return Interrupted
	case errors.Is(err, ErrPartial):
		return Partial
	case usage:
		return WrongUsage
	}
	return Failed
}

// version is what the build recorded: the module version of "go install …@version",
// else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "(devel)") + " " + info.GoVersion
}

// PhotosFailed is the error of a command in which failed of n photos failed, each of
// them reported already.
func PhotosFailed(failed, n int) error {
	switch {
	case failed == 0:
		return nil
	case failed < n:
		return ErrPartial
	case n == 1:
		return errReported
	default:
		return fmt.Errorf("none of the %d photos could be read", n)
	}
}
