//go:build linux

package main

import (
	"fmt"
	"os"
	"syscall"
)

// peak is the most memory that a process had resident, in bytes.
func peak(p *os.ProcessState) int64 {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		return int64(u.Maxrss) << 10
	}
	return 0
}

// smallDisk mounts an empty disk of so many bytes on a folder.
func smallDisk(dir string, size int64) (unmount func() error, err error) {
	if err := syscall.Mount("soak", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return nil, err
	}
	return func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) }, nil
}
