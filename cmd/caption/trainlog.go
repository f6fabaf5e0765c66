package main

import (
	"fmt"
	"io"
	"time"

	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/cmd/internal/cli"
)

// trainLog prints a bar an epoch on a terminal, and a line when it is done.
type trainLog struct {
	stderr, notes io.Writer
	quiet         bool
	vals          []*dataset.Set

	progress *cli.Progress
	epoch    int
	finished int // epochs, those of an earlier run included
	begun    time.Time
	tokens   int
}

func (l *trainLog) event(e train.Event) {
	l.finished = max(l.finished, e.Resumed)
	if l.epoch != e.Epoch {
		if l.epoch == 0 && e.Resumed > 0 {
			cli.Message(l.notes, "going on after epoch %d", e.Resumed)
		}
		l.epoch, l.begun, l.tokens = e.Epoch, time.Now(), 0
		l.progress = cli.NewProgress(l.stderr, fmt.Sprintf("epoch %d of %d", e.Epoch, e.Epochs), e.Steps, l.quiet)
	}
	if e.Done == nil {
		l.tokens += e.Tokens
		l.progress.Step()
		return
	}
	l.finished = e.Epoch
	l.close()
	line := fmt.Sprintf("epoch %d of %d: loss %.3f", e.Epoch, e.Epochs, e.Done.Loss)
	for i, s := range e.Done.Scores {
		line += fmt.Sprintf(", %s CIDEr-D %.1f", cli.Quote(l.vals[i].Name), 100*s)
	}
	if e.Best {
		line += " (best)"
	}
	took := time.Since(l.begun)
	cli.Message(l.notes, "%s; %v, %.0f words/s", line, took.Round(time.Second), float64(l.tokens)/took.Seconds())
}

func (l *trainLog) close() {
	if l.progress != nil {
		l.progress.Close()
	}
}
