package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/onetomany/caption/features"
)

// plainEvery is the time between two progress lines where there is no terminal.
const plainEvery = 10 * time.Second

// Progress shows how far a long task is: by a bar on a terminal, elsewhere by a line
// now and then. It is safe for concurrent use.
type Progress struct {
	mu    sync.Mutex
	w     io.Writer
	quiet bool
	label string
	total int
	done  int
	last  time.Time
	bar   *progressbar.ProgressBar // nil where w is not a terminal
}

// NewProgress shows the progress of total steps on w; if quiet is set, nothing but
// what is printed with Printf.
func NewProgress(w io.Writer, label string, total int, quiet bool) *Progress {
	p := &Progress{w: w, quiet: quiet, label: label, total: total, last: time.Now()}
	if f, ok := w.(*os.File); ok && !quiet && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(label),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// Step counts one step as done.
func (p *Progress) Step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.bar != nil {
		p.bar.Add(1)
		return
	}
	if now := time.Now(); !p.quiet && now.Sub(p.last) >= plainEvery {
		p.last = now
		fmt.Fprintf(p.w, "%s: %d of %d\n", p.label, p.done, p.total)
	}
}

// Photo counts a photo as done; program names one that failed. Its error is one to
// end with.
func (p *Progress) Photo(program string, r features.Result) error {
	if err := tooManyFiles(r.Name, r.Err); err != nil {
		return err
	}
	if r.Err != nil {
		p.Printf("%s: %s: %s", program, r.Name, r.Err)
	}
	p.Step()
	return nil
}

// Printf prints a Message without tearing the bar.
func (p *Progress) Printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
	Message(p.w, format, args...)
	if p.bar != nil {
		p.bar.RenderBlank()
	}
}

// Close removes the bar.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
}
