package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/cli"
)

// formats are the values of --format.
var formats = []string{"text", "json", "jsonl", "csv"}

var formatNames = strings.Join(formats, "|")

// writer prints results in the order in which it is given them.
type writer interface {
	write(result) error
	close() error
}

// newWriter returns the writer of a format. several tells whether text needs
// the path before each caption; num is the number of captions a photo.
func newWriter(format string, w io.Writer, num int, several bool) (writer, error) {
	switch format {
	case "text":
		return &textWriter{w: w, paths: several}, nil
	case "jsonl":
		return &jsonWriter{w: w}, nil
	case "json":
		return &arrayWriter{w: bufio.NewWriter(w)}, nil
	case "csv":
		return &csvWriter{w: csv.NewWriter(w)}, nil
	}
	return nil, cli.Usagef("--format %s: want one of %s", format, formatNames)
}

// textWriter prints one line a caption. Failures are on standard error alone.
type textWriter struct {
	w     io.Writer
	paths bool
}

func (t *textWriter) write(r result) error {
	for _, c := range r.Captions {
		line := cli.Quote(c.Text) + "\n"
		if t.paths {
			line = cli.Quote(string(r.Path)) + "\t" + line
		}
		if _, err := io.WriteString(t.w, line); err != nil {
			return err
		}
	}
	return nil
}

func (t *textWriter) close() error { return nil }

// jsonWriter prints one object a line.
type jsonWriter struct{ w io.Writer }

func (j *jsonWriter) write(r result) error {
	b, err := encode(r)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(b, '\n'))
	return err
}

func (j *jsonWriter) close() error { return nil }

// arrayWriter prints one JSON array, an element a line.
type arrayWriter struct {
	w *bufio.Writer
	n int
}

func (a *arrayWriter) write(r result) error {
	b, err := encode(r)
	if err != nil {
		return err
	}
	before := ",\n "
	if a.n == 0 {
		before = "[\n "
	}
	a.n++
	a.w.WriteString(before)
	_, err = a.w.Write(b)
	return err
}

func (a *arrayWriter) close() error {
	if a.n == 0 {
		a.w.WriteString("[")
	}
	a.w.WriteString("\n]\n")
	return a.w.Flush()
}

func encode(r result) ([]byte, error) {
	if r.Captions == nil {
		r.Captions = []captioner.Caption{}
	}
	b, err := cli.JSON(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Path, err)
	}
	return b, nil
}

// csvWriter prints a header and one row a caption, or one with the error of a
// photo that failed. Texts are written by cli.CSVCell; log-probabilities are
// numbers, also those that begin with -.
type csvWriter struct {
	w      *csv.Writer
	headed bool
}

func (c *csvWriter) header() {
	if !c.headed {
		c.headed = true
		c.w.Write([]string{"path", "caption", "logprob", "error"})
	}
}

func (c *csvWriter) write(r result) error {
	c.header()
	path := cli.CSVCell(string(r.Path))
	if r.Error != "" {
		c.w.Write([]string{path, "", "", cli.CSVCell(r.Error)})
	}
	for _, p := range r.Captions {
		c.w.Write([]string{path, cli.CSVCell(p.Text), strconv.FormatFloat(p.LogProb, 'g', -1, 64), ""})
	}
	c.w.Flush()
	return c.w.Error()
}

func (c *csvWriter) close() error {
	c.header()
	c.w.Flush()
	return c.w.Error()
}
