package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/onetomany/caption/internal/hostile"
)

// worst prints the table of docs/limits.md: what caption takes for each of the worst
// small photos.
func (s *soak) worst(dir string) error {
	s.dir = dir
	fmt.Println("| file | bytes | seconds | peak memory | outcome |\n|---|---:|---:|---:|---|")
	for _, p := range hostile.Photos(1) {
		data := p.Make()
		path := filepath.Join(dir, p.Name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		r, err := s.run([]int{0, 1}, s.caption, p.Name)
		if err != nil {
			return err
		}
		outcome := "captioned"
		if r.code != 0 {
			outcome = "refused"
		}
		fmt.Printf("| %s | %d | %.2f | %d MB | %s |\n", p.Name, len(data), r.took.Seconds(), r.peak/1e6, outcome)
		if r.peak > memoryLimit || r.took > timeLimit {
			fmt.Fprintf(os.Stderr, "soak: %s is above the limits\n", p.Name)
		}
	}
	return nil
}
