package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits that the programs promise (docs/limits.md), with room for a machine that
// does other work too.
const (
	memoryLimit = 512 << 20 // bytes, for small files
	timeLimit   = 3 * time.Second
	patience    = 4 // times the limit, before it is a finding here
)

// result is the outcome of a program.
type result struct {
	code   int // -1 where a signal ended it
	stdout string
	stderr string
	took   time.Duration
	peak   int64 // bytes resident, 0 where the system does not tell
	args   []string
}

func (r result) String() string {
	return fmt.Sprintf("%s: exit code %d after %v, %d MB, stderr %.2000q", strings.Join(r.args, " "), r.code, r.took.Round(time.Millisecond), r.peak>>20, r.stderr)
}

// command prepares a program in the folder of the turn.
func (s *soak) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, program, args...)
	cmd.Dir = s.dir
	return cmd
}

// start starts a program; wait returns its outcome.
func (s *soak) start(program string, args ...string) (cmd *exec.Cmd, wait func() (result, error)) {
	cmd = s.command(program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Start()
	return cmd, func() (result, error) {
		if err != nil {
			return result{}, err
		}
		cmd.Wait() // its error is the exit code
		r := result{
			code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(),
			took: time.Since(began), peak: peak(cmd.ProcessState),
			args: append([]string{filepath.Base(program)}, args...),
		}
		return r, nil
	}
}

// run runs a program to its end and checks what holds for every run: one of the
// exit codes, and messages that are short, whole and printable lines.
func (s *soak) run(codes []int, program string, args ...string) (result, error) {
	_, wait := s.start(program, args...)
	r, err := wait()
	if err == nil {
		err = r.check(codes)
	}
	return r, err
}

func (r result) check(codes []int) error {
	if !slices.Contains(codes, r.code) {
		return fmt.Errorf("an exit code that is not among %v: %v", codes, r)
	}
	if r.code != 0 && r.code != 3 && r.code != -1 && r.stderr == "" {
		return fmt.Errorf("failed without a word: %v", r)
	}
	for line := range strings.Lines(r.stderr) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > 500 {
			return fmt.Errorf("a message of %d characters: %v", n, r)
		}
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e }) {
			return fmt.Errorf("a message that a terminal would obey: %v", r)
		}
		if strings.HasPrefix(line, "goroutine ") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return fmt.Errorf("a crash: %v", r)
		}
	}
	return nil
}

// within checks what a run over small files may take.
func (r result) within(memory int64, took time.Duration) error {
	switch {
	case r.peak > memory:
		return fmt.Errorf("%d MB, above the limit of %d: %v", r.peak>>20, memory>>20, r)
	case r.took > patience*took:
		return fmt.Errorf("above %d times the limit of %v: %v", patience, took, r)
	}
	return nil
}

// write writes files into a folder of the turn.
func (s *soak) write(folder string, files map[string][]byte) error {
	dir := filepath.Join(s.dir, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
