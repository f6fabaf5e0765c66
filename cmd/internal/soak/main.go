// Soak attacks the programs as bad days do, and checks what must hold on them:
// mutated photos, models and networks, kills, full disks, power cuts, two writers
// at once.
//
//	go run ./cmd/internal/soak [-for 10m] [-seed N] [-only NAME] [-keep DIR]
//
// What must hold: every row of a feature file belongs to its name, and every photo
// stands in it once; the last good file stays whole; memory and time stay within
// their limits; messages are short lines and exit codes those that are documented;
// a damaged model is refused or captions as the whole one does. Each finding is
// kept in a folder, with what it takes to see it again, and ends in exit code 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	duration := flag.Duration("for", 10*time.Minute, "how long to go on")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of all that is random but time")
	only := flag.String("only", "", "one attack: "+strings.Join(names(), ", "))
	keep := flag.String("keep", "soak-findings", "folder for what a finding needs to be seen again")
	worst := flag.Bool("worst", false, "measure the worst small photos for docs/limits.md instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *duration, *seed, *only, *keep, *worst); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// attacks take turns.
var attacks = []struct {
	name string
	run  func(*soak) error
}{
	{"photos", (*soak).photos},
	{"kills", (*soak).kills},
	{"writers", (*soak).writers},
	{"disk", (*soak).disk},
	{"power", (*soak).power},
	{"models", (*soak).models},
	{"networks", (*soak).networks},
}

func names() []string {
	var out []string
	for _, a := range attacks {
		out = append(out, a.name)
	}
	return out
}

// soak is a run: two programs, good photos, and their outcomes.
type soak struct {
	ctx  context.Context
	rand *rand.Rand
	dir  string // of this turn, empty at its start

	caption, extract string // programs
	good             []photo
	skipped          map[string]bool // what this machine cannot do, said once
}

// photo is a good photo: what is in the file, and what extract and caption give.
type photo struct {
	name    string
	data    []byte
	row     []float32
	caption string
}

func run(ctx context.Context, duration time.Duration, seed uint64, only, keep string, worst bool) error {
	if only != "" && !slices.Contains(names(), only) {
		return fmt.Errorf("-only %s: want one of %s", only, strings.Join(names(), ", "))
	}
	base, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(base)
	s := &soak{
		ctx: ctx, rand: rand.New(rand.NewPCG(seed, 0)), skipped: map[string]bool{},
		caption: filepath.Join(base, "caption"), extract: filepath.Join(base, "extract"),
	}
	for _, program := range []string{s.caption, s.extract} {
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/"+filepath.Base(program))
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building %s (run this in the root of the repository): %w", filepath.Base(program), err)
		}
	}
	if worst {
		return s.worst(base)
	}
	if err := s.prepare(filepath.Join(base, "good")); err != nil {
		return fmt.Errorf("what the programs give for good photos: %w", err)
	}
	fmt.Printf("seed %d, %v\n", seed, duration)
	turns, findings := map[string]int{}, 0
	start := time.Now()
	for turn, last := 0, start; time.Since(start) < duration && ctx.Err() == nil; turn++ {
		a := attacks[turn%len(attacks)]
		if only != "" && a.name != only {
			continue
		}
		s.dir = filepath.Join(base, "turn")
		if err := os.Mkdir(s.dir, 0o755); err != nil {
			return err
		}
		err := a.run(s)
		turns[a.name]++
		if err != nil && ctx.Err() == nil {
			findings++
			kept := filepath.Join(keep, fmt.Sprintf("%s-%d-%d", a.name, seed, turn))
			fmt.Printf("%s, turn %d: %v\n  kept in %s\n", a.name, turn, err, kept)
			if err := errors.Join(os.MkdirAll(keep, 0o755), os.CopyFS(kept, os.DirFS(s.dir)), os.WriteFile(kept+".txt", []byte(err.Error()+"\n"), 0o644)); err != nil {
				fmt.Println("  not all of it:", err)
			}
		}
		if err := os.RemoveAll(s.dir); err != nil {
			return err
		}
		if time.Since(last) > time.Minute {
			last = time.Now()
			fmt.Printf("%v: turns %v, findings %d\n", time.Since(start).Round(time.Second), turns, findings)
		}
	}
	fmt.Printf("%v: turns %v, findings %d\n", time.Since(start).Round(time.Second), turns, findings)
	if findings > 0 {
		return fmt.Errorf("%d findings", findings)
	}
	return nil
}

// chance is true once in n times.
func (s *soak) chance(n int) bool { return s.rand.IntN(n) == 0 }

// skip says once what this machine cannot do.
func (s *soak) skip(what string, err error) {
	if !s.skipped[what] {
		s.skipped[what] = true
		fmt.Printf("skipped: %s: %v\n", what, err)
	}
}
