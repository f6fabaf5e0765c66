//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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

// imageDisk makes a disk whose blocks are in a file, and mounts it on a folder as a
// file system that keeps no promises but those of fsync.
func imageDisk(dir, image string, size int64) (unmount func() error, err error) {
	f, err := os.Create(image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(size), f.Close(), exec.Command("mkfs.ext4", "-q", "-F", image).Run()); err != nil {
		return nil, err
	}
	return mountImage(dir, image)
}

// mountImage mounts the file system of an image; after a power cut it recovers.
func mountImage(dir, image string) (unmount func() error, err error) {
	out, err := exec.Command("mount", "-o", "loop,data=writeback,noauto_da_alloc", image, dir).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return func() error { return syscall.Unmount(dir, 0) }, nil
}

// stop makes a process stand still.
func stop(p *os.Process) { p.Signal(syscall.SIGSTOP) }
