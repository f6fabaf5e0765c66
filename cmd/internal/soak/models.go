package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// models damages a file of a model, in its folder or in the program itself: it is
// refused, or captions as before.
func (s *soak) models() error {
	p := s.good[s.rand.IntN(len(s.good))]
	if err := s.write("good", s.files([]photo{p})); err != nil {
		return err
	}
	const source = "models/default"
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	name := entries[s.rand.IntN(len(entries))].Name()
	whole, err := os.ReadFile(filepath.Join(source, name))
	if err != nil {
		return err
	}
	program, args := s.caption, []string{filepath.Join("good", p.name)}
	if s.chance(3) {
		// Verify reads what is not used to caption.
		if name == "verify.jpg" || name == "verify.safetensors" || name == "README.md" {
			return nil
		}
		b, err := os.ReadFile(s.caption)
		if err != nil {
			return err
		}
		at := bytes.Index(b, whole)
		if at < 0 {
			return fmt.Errorf("%s is not in the program", name)
		}
		b[at+s.rand.IntN(len(whole))] ^= 1 << s.rand.IntN(8)
		if strings.HasSuffix(name, ".onnx") { // compared where it matters: with several photos
			args = append(args, args[0])
		}
		program = filepath.Join(s.dir, "caption")
		if err := os.WriteFile(program, b, 0o755); err != nil {
			return err
		}
	} else {
		if err := os.CopyFS(filepath.Join(s.dir, "model"), os.DirFS(source)); err != nil {
			return err
		}
		path := filepath.Join(s.dir, "model", name)
		if s.chance(8) {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, s.mutate(whole), 0o644)
		}
		if err != nil {
			return err
		}
		args = append(args, "-m", "model")
	}
	r, err := s.run([]int{0, 1}, program, args...)
	if err != nil {
		return fmt.Errorf("%s damaged: %w", name, err)
	}
	if last := strings.Split(r.stdout, "\t"); r.code == 0 && strings.TrimSuffix(last[len(last)-1], "\n") != p.caption {
		return fmt.Errorf("%s damaged: captioned %q, want %q", name, r.stdout, p.caption)
	}
	return r.within(memoryLimit, timeLimit)
}

// networks damages an ONNX file: it is refused, or extracts something.
func (s *soak) networks() error {
	files, err := filepath.Glob("cnn/testdata/mini/*.onnx")
	if err != nil {
		return err
	}
	files = append(files, "models/default/cnn.onnx")
	whole, err := os.ReadFile(files[s.rand.IntN(len(files))])
	if err != nil {
		return err
	}
	p := s.good[s.rand.IntN(len(s.good))]
	damaged := s.mutate(whole)
	if err := s.write("good", map[string][]byte{p.name: p.data, "net.onnx": damaged}); err != nil {
		return err
	}
	r, err := s.run([]int{0, 1, 2}, s.caption, "info", "--cnn", "good/net.onnx")
	if err != nil {
		return err
	}
	if err := r.within(memoryLimit, timeLimit); err != nil {
		return err
	}
	if r, err = s.run([]int{0, 1, 2}, s.extract, "--cnn", "good/net.onnx", filepath.Join("good", p.name), "-o", "rows.npz"); err != nil {
		return err
	}
	return r.within(memoryLimit, timeLimit)
}
