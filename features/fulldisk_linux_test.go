package features

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of size bytes for the test.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("a full disk needs the right to mount a small one (root):", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// However little room a disk has left, a run that does not fit fails, leaves the
// last file whole, and goes on when there is room.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "128k")
	old, new := mixable()
	ballast := filepath.Join(dir, "ballast")
	for _, f := range fileFormats {
		ext := f.extension
		path := filepath.Join(dir, "f"+ext)
		if err := old.writeTo(path, nil); err != nil {
			t.Fatal(err)
		}
		full, done := 0, 0
		const page = 4 << 10
		for room := 0; room < 16; room++ {
			// Fill the disk, then give back some pages.
			f, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			var size int64
			for err == nil {
				var n int
				n, err = f.Write(make([]byte, page))
				size += int64(n)
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			f.Truncate(size/page*page - int64(room)*page)
			f.Close()

			err = new.writeTo(path, nil)
			os.Remove(ballast)
			is := look(t, "full", path, old, new, false)
			left := slices.DeleteFunc(leftovers(t, path), func(name string) bool { return name == filepath.Base(path)+partExt })
			if len(left) > 0 {
				t.Errorf("%s: left behind: %q", ext, left)
			}
			if err == nil {
				done++
				if is != new {
					t.Errorf("%s: exit without an error, and the old file", ext)
				}
				if err := old.writeTo(path, nil); err != nil {
					t.Fatal(err)
				}
				continue
			}
			full++
			if !errors.Is(err, syscall.ENOSPC) || is != old {
				t.Errorf("%s, %d pages: %v", ext, room, err)
			}
			was, _ := os.ReadFile(path)
			if err := new.writeTo(path, nil); err != nil {
				t.Errorf("with room again: %v", err)
			}
			if err := old.writeTo(path, nil); err != nil {
				t.Fatal(err)
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, was) {
				t.Errorf("%s: the same rows gave other bytes", ext)
			}
		}
		if full < 3 || done < 3 {
			t.Errorf("%s: %d times full, %d times enough", ext, full, done)
		}
		os.Remove(path)
		os.Remove(namesPath(path))
	}
}
