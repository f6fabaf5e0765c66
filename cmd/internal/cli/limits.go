package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
)

const (
	// needFiles is how many files the programs open besides photos: those of the
	// model and the output, and the Go runtime's own.
	needFiles = 12

	// needAddressSpace is how many bytes the programs map with the default model and
	// small photos once they run. The Go runtime reserves 64 MiB at a time.
	needAddressSpace = 192 << 20
)

// checkLimits returns an error if a limit of the shell is too low for the program to
// run at all: the Go runtime would end it halfway, with a long dump.
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
	// If memory runs out all the same, two lines say so, not hundreds.
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

// tooManyFiles returns the error to end with if a photo failed for want of file
// descriptors: any other would fail as well.
func tooManyFiles(photo string, err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return fmt.Errorf("%s: %w; raise ulimit -n, or give a smaller --jobs", photo, err)
	}
	return nil
}
