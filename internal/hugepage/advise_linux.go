package hugepage

import "golang.org/x/sys/unix"

// advise asks for huge pages; the system may refuse.
func advise(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
