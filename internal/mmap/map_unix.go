//go:build unix

package mmap

import (
	"os"
	"syscall"
)

// mapFile maps the first size bytes of f.
func mapFile(f *os.File, size int) (b []byte, err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := c.Control(func(fd uintptr) {
		b, err = syscall.Mmap(int(fd), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
	}); e != nil {
		return nil, e
	}
	return b, err
}

func unmap(b []byte) error { return syscall.Munmap(b) }
