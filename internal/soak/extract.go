package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/element"
)

var formats = []string{".npy", ".npz", ".safetensors", ".jsonl"}

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

// extracted is a run of extract that is to end with exit code 0.
func (s *soak) extracted(photos []photo, out string) error {
	_, err := s.run([]int{0}, s.extract, arguments(photos, out)...)
	return err
}

// prepared writes the good photos into the folder of the turn, and draws a name for a
// feature file, old photos and new ones.
func (s *soak) prepared() (out string, old, new []photo, err error) {
	return "rows" + formats[s.rand.IntN(len(formats))], s.some(2), s.some(4), s.write("good", s.files(s.good))
}

// comesToAnEnd runs the command that was interrupted once more.
func (s *soak) comesToAnEnd(photos []photo, out string) error {
	r, err := s.run([]int{0}, s.extract, arguments(photos, out)...)
	if err != nil {
		return err
	}
	if which, err := s.check(out, photos); err != nil || which != 0 {
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
	out, old, new, err := s.prepared()
	if err == nil && s.chance(2) {
		err = s.extracted(old, out)
	}
	if err != nil {
		return err
	}
	for range s.rand.IntN(6) {
		cmd, wait := s.start(s.extract, arguments(new, out)...)
		after := time.Duration(s.rand.IntN(600)) * time.Millisecond
		signal := os.Kill
		if s.chance(3) {
			signal = os.Interrupt
		}
		timer := time.AfterFunc(after, func() { cmd.Process.Signal(signal) })
		r, err := wait()
		timer.Stop()
		if err == nil {
			err = r.check([]int{-1, 0, 130})
		}
		if err != nil {
			return fmt.Errorf("killed after %v: %w", after, err)
		}
		which, err := s.check(out, old, new)
		if err != nil {
			return fmt.Errorf("killed after %v: %w", after, err)
		}
		if r.code == 0 && which != 1 {
			return fmt.Errorf("done, and the file is not the new one: %v", r)
		}
	}
	if err := s.comesToAnEnd(new, out); err != nil {
		return err
	}
	return s.leftovers(out, out+".names.txt")
}

// writers runs two programs on one file: it is whole and that of one of them, and
// who did not write it says so.
func (s *soak) writers() error {
	out, first, second, err := s.prepared()
	if err != nil {
		return err
	}
	sets := [][]photo{first, second}
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

// disk fills a disk: the old file stays whole, and with room again the same command
// goes on to the same end.
func (s *soak) disk() error {
	name, old, new, err := s.prepared()
	if err := errors.Join(err, os.Mkdir(filepath.Join(s.dir, "disk"), 0o755)); err != nil {
		return err
	}
	out := filepath.Join("disk", name)
	row := int64(4 * len(s.good[0].row))
	size := row * int64(4+s.rand.IntN(100))
	unmount, err := smallDisk(filepath.Join(s.dir, "disk"), size)
	if err != nil {
		s.skip("a disk of its own, which takes root and Linux", err)
		return nil
	}
	defer unmount()
	codes := []int{0, 1}
	before, err := s.run(codes, s.extract, arguments(old, out)...)
	if err != nil {
		return err
	}
	ballast := filepath.Join(s.dir, "disk", "ballast")
	if err := os.WriteFile(ballast, make([]byte, s.rand.Int64N(size)), 0o644); err != nil {
		os.Truncate(ballast, 0) // it takes what is left, or nothing
	}
	r, err := s.run(codes, s.extract, arguments(new, out)...)
	if err != nil {
		return err
	}
	which, err := s.check(out, old, new)
	if err != nil {
		return fmt.Errorf("on a full disk: %w; %v", err, r)
	}
	if before.code == 0 && which < 0 {
		return fmt.Errorf("on a full disk: the old file is gone: %v", r)
	}
	if r.code == 0 && which != 1 {
		return fmt.Errorf("on a full disk: done, and the file is not the new one: %v", r)
	}
	if r.code == 1 && which == 1 && !same(old, new) {
		return fmt.Errorf("on a full disk: failed, and the file is the new one: %v", r)
	}
	return nil
}

// power cuts the power at a random moment: what the disk has by then is copied,
// and a copy of the machine goes on with it. What was said to be done is there,
// what was not is the old file or none, and the same command comes to its end.
func (s *soak) power() error {
	name, old, new, err := s.prepared()
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
	out := filepath.Join("disk", name)
	before := s.chance(2)
	if before {
		if err := s.extracted(old, out); err != nil {
			return err
		}
	}
	cmd, wait := s.start(s.extract, arguments(new, out)...)
	done := make(chan result, 1)
	go func() {
		r, _ := wait()
		done <- r
	}()
	var r result
	ended := false
	select {
	case r = <-done:
		ended = true
	case <-time.After(time.Duration(s.rand.IntN(600)) * time.Millisecond):
		stop(cmd.Process)
	}
	err = snapshot(at("disk.image"), at("later.image"))
	cmd.Process.Kill()
	if !ended {
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
	out = filepath.Join("later", name)
	which, err := s.check(out, old, new)
	switch {
	case err != nil:
		return fmt.Errorf("after the power cut: %w", err)
	case before && which < 0:
		return errors.New("after the power cut: the old file is gone")
	case ended && r.code == 0 && which != 1 && !same(old, new):
		return errors.New("after the power cut: what was done is not there")
	}
	if err := s.comesToAnEnd(new, out); err != nil {
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
