package clitest

import (
	"context"
	"syscall"
	"testing"
	"time"
)

// Usage is what a run of the program took.
type Usage struct {
	Took time.Duration
	CPU  time.Duration // on all processors together
	Peak int64         // the most memory resident at a time, in bytes
}

// Measure is Run, and tells what the program took.
func Measure(t *testing.T, args ...string) (code int, printed string, u Usage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := Command(ctx, nil, args...)
	begun := time.Now()
	b, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	u.Took = time.Since(begun)
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Peak = int64(r.Maxrss) << 10
		u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return cmd.ProcessState.ExitCode(), string(b), u
}
