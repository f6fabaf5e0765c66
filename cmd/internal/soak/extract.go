package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/element"
)

var formats = features.Extensions()

// some draws different good photos in a random order.
func (s *soak) some(least int) []photo {
	out := slices.Clone(s.good)
	s.rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:least+s.rand.IntN(len(out)-least+1)]
}

// arguments is the command line that extracts photos of the folder good.
func arguments(photos []photo, out string) []string {
	var args []string
	for _, p := range photos {
		args = append(args, filepath.Join("good", p.name))
	}
	return append(args, "-q", "-o", out)
}

// job is an extraction into a file that may be there, of other photos.
type job struct {
	*soak
	out      string
	old, new []photo
	before   bool // the file is there, of old
}

// prepared writes the good photos into the folder of the turn, and draws the rest. The
// file is in folder, if it is not "", and is made now if before says so.
func (s *soak) prepared(folder string) (*job, error) {
	name := "rows" + formats[s.rand.IntN(len(formats))]
	j := &job{soak: s, out: filepath.Join(folder, name), old: s.some(2), new: s.some(4)}
	return j, s.write("good", s.files(s.good))
}

// start starts an extraction of photos.
func (j *job) start(photos []photo) (cmd *exec.Cmd, wait func() (result, error)) {
	return j.soak.start(j.soak.extract, arguments(photos, j.out)...)
}

// begin makes the file of old.
func (j *job) begin() error {
	_, err := j.run([]int{0}, j.extract, arguments(j.old, j.out)...)
	j.before = err == nil
	return err
}

// holds checks what must hold after r, an extraction of new that came to whatever end:
// the file is the old one, none if there was none, or the new one, whole; and what was
// said to be done is there.
func (j *job) holds(when string, r result) error {
	which, err := j.check(j.out, j.old, j.new)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w; %v", when, err, r)
	case j.before && which < 0:
		return fmt.Errorf("%s: the old file is gone: %v", when, r)
	case r.code == 0 && which != 1 && !same(j.old, j.new):
		return fmt.Errorf("%s: done, and the file is not the new one: %v", when, r)
	case r.code == 1 && which == 1 && !same(j.old, j.new):
		return fmt.Errorf("%s: failed, and the file is the new one: %v", when, r)
	}
	j.before = j.before || which >= 0
	return nil
}

// finish runs the same command to its end.
func (j *job) finish() error {
	r, err := j.run([]int{0}, j.extract, arguments(j.new, j.out)...)
	if err != nil {
		return err
	}
	if which, err := j.check(j.out, j.new); err != nil || which != 0 {
		return fmt.Errorf("in the end: set %d, %v: %v", which, err, r)
	}
	return nil
}

// check holds a feature file, if it is there, to one of the sets of photos that it
// may be of: the names of one of them, and to each name its row; for readers that
// know only the array and the names beside it, too. It returns the number of the set,
// -1 where there is no file.
func (s *soak) check(path string, sets ...[]photo) (which int, err error) {
	path = filepath.Join(s.dir, path)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	set, err := features.ReadFile(path)
	if err != nil {
		return 0, err
	}
	which, err = s.match(set.Names, set.Row, sets)
	if err != nil || filepath.Ext(path) != ".npy" {
		return which, err
	}
	text, err := os.ReadFile(path + ".names.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return which, nil // killed before the names came; who needs them is told
	}
	array, err2 := os.ReadFile(path)
	if err := errors.Join(err, err2); err != nil {
		return 0, err
	}
	size := len(s.good[0].row)
	start := 10 + int(binary.LittleEndian.Uint16(array[8:]))
	plain := func(i int) []float32 {
		row := make([]float32, size)
		element.F32.Floats(row, array[start+4*i*size:])
		return row
	}
	return s.match(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), plain, sets)
}

// match finds the set that has the names, and holds the rows to it.
func (s *soak) match(names []string, row func(int) []float32, sets [][]photo) (int, error) {
	for which, set := range sets {
		if !slices.EqualFunc(names, set, func(name string, p photo) bool { return filepath.Base(name) == p.name }) {
			continue
		}
		for i, p := range set {
			if !slices.Equal(row(i), p.row) {
				return 0, fmt.Errorf("the row of %s is that of another photo", p.name)
			}
		}
		return which, nil
	}
	return 0, fmt.Errorf("names of no run: %q", names)
}

// leftovers are files that a finished run must not leave.
func (s *soak) leftovers(allowed ...string) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(append(allowed, "good", "disk"), e.Name()) {
			return fmt.Errorf("%s is left behind", e.Name())
		}
	}
	return nil
}

// kills ends extract at random moments: the file is the old one, none, or the new
// one, whole; and the same command comes to the same end.
func (s *soak) kills() error {
	j, err := s.prepared("")
	if err == nil && s.chance(2) {
		err = j.begin()
	}
	if err != nil {
		return err
	}
	for range s.rand.IntN(6) {
		cmd, wait := j.start(j.new)
		after := time.Duration(s.rand.IntN(600)) * time.Millisecond
		signal := os.Kill
		if s.chance(3) {
			signal = os.Interrupt
		}
		timer := time.AfterFunc(after, func() { cmd.Process.Signal(signal) })
		r, err := wait()
		timer.Stop()
		when := fmt.Sprintf("killed after %v", after)
		if err == nil {
			err = r.check([]int{-1, 0, 130})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", when, err)
		}
		if err := j.holds(when, r); err != nil {
			return err
		}
	}
	if err := j.finish(); err != nil {
		return err
	}
	return s.leftovers(j.out, j.out+".names.txt")
}

// writers runs two programs on one file: it is whole and that of one of them, and
// who did not write it says so.
func (s *soak) writers() error {
	j, err := s.prepared("")
	if err != nil {
		return err
	}
	out, sets := j.out, [][]photo{j.old, j.new}
	if s.chance(3) {
		sets[1] = sets[0]
	}
	names := []string{out, out}
	if s.chance(4) { // by another name
		names[1] = "link" + filepath.Ext(out)
		if err := os.Symlink(out, filepath.Join(s.dir, names[1])); err != nil {
			return err
		}
	}
	_, wait1 := s.start(s.extract, arguments(sets[0], names[0])...)
	time.Sleep(time.Duration(s.rand.IntN(60)) * time.Millisecond)
	_, wait2 := s.start(s.extract, arguments(sets[1], names[1])...)
	var done []int
	var both []result
	for i, wait := range []func() (result, error){wait1, wait2} {
		r, err := wait()
		if err == nil {
			err = r.check([]int{0, 1})
		}
		if err != nil {
			return err
		}
		if r.code == 0 {
			done = append(done, i)
		}
		both = append(both, r)
	}
	if len(done) == 0 {
		return fmt.Errorf("both failed: %v", both)
	}
	which, err := s.check(out, sets...)
	if err != nil {
		return fmt.Errorf("%w; %v", err, both)
	}
	if which < 0 || !slices.Contains(done, which) && !same(sets[0], sets[1]) {
		return fmt.Errorf("the file is that of run %d, done are %v: %v", which, done, both)
	}
	return s.leftovers(out, out+".names.txt", "link"+filepath.Ext(out), "link"+filepath.Ext(out)+".names.txt")
}

// same reports whether two sets are of the same photos, in the same order.
func same(a, b []photo) bool {
	return slices.EqualFunc(a, b, func(a, b photo) bool { return a.name == b.name })
}

// disk fills a disk: the old file stays whole, and what was done is there.
func (s *soak) disk() error {
	j, err := s.prepared("disk")
	disk := filepath.Join(s.dir, "disk")
	if err := errors.Join(err, os.Mkdir(disk, 0o755)); err != nil {
		return err
	}
	size := int64(4*len(s.good[0].row)) * int64(4+s.rand.IntN(100))
	unmount, err := smallDisk(disk, size)
	if err != nil {
		s.skip("a disk of its own, which takes root and Linux", err)
		return nil
	}
	defer unmount()
	codes := []int{0, 1}
	r, err := s.run(codes, s.extract, arguments(j.old, j.out)...)
	if err != nil {
		return err
	}
	j.before = r.code == 0
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, s.rand.Int64N(size)), 0o644); err != nil {
		os.Truncate(ballast, 0) // it takes what is left, or nothing
	}
	if r, err = s.run(codes, s.extract, arguments(j.new, j.out)...); err != nil {
		return err
	}
	return j.holds("on a full disk", r)
}

// power cuts the power at a random moment: what the disk has by then is copied,
// and a copy of the machine goes on with it. What was said to be done is there,
// what was not is the old file or none, and the same command comes to its end.
func (s *soak) power() error {
	j, err := s.prepared("disk")
	at := func(name string) string { return filepath.Join(s.dir, name) }
	if err := errors.Join(err, os.Mkdir(at("disk"), 0o755), os.Mkdir(at("later"), 0o755)); err != nil {
		return err
	}
	unmount, err := imageDisk(at("disk"), at("disk.image"), 16<<20)
	if err != nil {
		s.skip("a disk in a file, which takes root, Linux, mount and mkfs.ext4", err)
		return nil
	}
	defer func() { unmount() }()
	if s.chance(2) {
		if err := j.begin(); err != nil {
			return err
		}
	}
	cmd, wait := j.start(j.new)
	done := make(chan result, 1)
	go func() {
		r, _ := wait()
		done <- r
	}()
	r := result{code: -1} // still at work
	select {
	case r = <-done:
	case <-time.After(time.Duration(s.rand.IntN(600)) * time.Millisecond):
		stop(cmd.Process)
	}
	err = snapshot(at("disk.image"), at("later.image"))
	cmd.Process.Kill()
	if r.code < 0 {
		<-done
	}
	if err != nil {
		return err
	}
	later, err := mountImage(at("later"), at("later.image"))
	if err != nil {
		return fmt.Errorf("after the power cut: %w", err)
	}
	defer later()
	j.out = filepath.Join("later", filepath.Base(j.out))
	if err := j.holds("after the power cut", r); err != nil {
		return err
	}
	if err := j.finish(); err != nil {
		return fmt.Errorf("after the power cut: %w", err)
	}
	return nil
}

// snapshot copies a file at one moment: twice, until both are the same.
func snapshot(from, to string) error {
	var last []byte
	for range 100 {
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if bytes.Equal(b, last) {
			return os.WriteFile(to, b, 0o644)
		}
		last = b
	}
	return errors.New("the disk does not come to rest")
}
