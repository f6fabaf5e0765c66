package clitest

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/onetomany/caption/cmd/internal/cli"
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
	cmd := Command(limited(t), nil, args...)
	begun := time.Now()
	code, printed = finish(t, cmd)
	u.Took = time.Since(begun)
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Peak = int64(r.Maxrss) << 10
		u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return code, printed, u
}

func limitAddressSpace(left string) error {
	n, err := strconv.ParseUint(left, 10, 63)
	if err != nil {
		return err
	}
	used, err := cli.AddressSpace()
	if err != nil {
		return err
	}
	n += uint64(used)
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: n, Max: n})
}
