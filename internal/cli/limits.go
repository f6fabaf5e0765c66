package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
)

const (
	// needFiles is what the programs open besides photos: files of the model and
	// of the output, and what the Go runtime opens for itself.
	needFiles = 12

	// needAddressSpace is what the programs take with the default model and
	// small photos once they run. The Go runtime fills gaps of 64 MiB.
	needAddressSpace = 192 << 20
)

// checkLimits says which limit of the shell keeps the program from working at
// all: the Go runtime would end it in the middle, with a long dump.
func checkLimits() error {
	if err := checkFiles(needFiles); err != nil {
		return fmt.Errorf("%w; raise ulimit -n", err)
	}
	left, limited := addressSpace()
	if !limited {
		return nil
	}
	if left < needAddressSpace {
		return fmt.Errorf("ulimit -v leaves %d MiB of address space, %d are needed; set it to 2097152 (2 GiB) or more", max(0, left)>>20, needAddressSpace>>20)
	}
	// What is too much all the same ends with two lines, not with hundreds.
	debug.SetTraceback("none")
	debug.SetMemoryLimit(min(debug.SetMemoryLimit(-1), left))
	return nil
}

func checkFiles(n int) error {
	if free := descriptors(n); free < n {
		return fmt.Errorf("%d files can be opened, %d are needed", free, n)
	}
	return nil
}

// tooManyFiles reports whether a photo failed for want of file descriptors, which
// is not its fault: no other would do better. It returns the error to end with.
func tooManyFiles(photo string, err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return fmt.Errorf("%s: %w; raise ulimit -n, or give a smaller --jobs", photo, err)
	}
	return nil
}
