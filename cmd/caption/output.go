package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/cli"
)

// format is a value of --format.
type format struct {
	name  string
	photo func(w *bytes.Buffer, r result, path bool) error // path: text needs it before each caption

	// What stands before the first photo, between two, and behind the last; and all
	// of it where there is none.
	begin, between, end, none string
}

// Captions and paths are made safe for where they are read: text by cli.Quote, JSON by
// cli.JSON, CSV by cli.CSVCell.
var formats = []format{
	{name: "text", photo: textLines},
	{name: "json", photo: jsonObject, begin: "[\n ", between: ",\n ", end: "\n]\n", none: "[\n]\n"},
	{name: "jsonl", photo: jsonLine},
	{name: "csv", photo: csvRows, begin: csvHeader, none: csvHeader},
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// textLines prints one line a caption. Failures are on standard error alone.
func textLines(w *bytes.Buffer, r result, path bool) error {
	for _, c := range r.Captions {
		if path {
			w.WriteString(cli.Quote(string(r.Path)) + "\t")
		}
		w.WriteString(cli.Quote(c.Text) + "\n")
	}
	return nil
}

func jsonObject(w *bytes.Buffer, r result, _ bool) error {
	if r.Captions == nil {
		r.Captions = []captioner.Caption{}
	}
	b, err := cli.JSON(r)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Path, err)
	}
	w.Write(b)
	return nil
}

func jsonLine(w *bytes.Buffer, r result, path bool) error {
	err := jsonObject(w, r, path)
	w.WriteByte('\n')
	return err
}

const csvHeader = "path,caption,logprob,error\n"

// csvRows prints one row a caption, or one with the error of a photo that failed.
// Log-probabilities are numbers, also those that begin with -.
func csvRows(w *bytes.Buffer, r result, _ bool) error {
	c := csv.NewWriter(w)
	path := cli.CSVCell(string(r.Path))
	if r.Error != "" {
		c.Write([]string{path, "", "", cli.CSVCell(r.Error)})
	}
	for _, p := range r.Captions {
		c.Write([]string{path, cli.CSVCell(p.Text), strconv.FormatFloat(p.LogProb, 'g', -1, 64), ""})
	}
	c.Flush()
	return c.Error()
}

// writer prints results in a format, in the order in which it is given them.
type writer struct {
	format
	w     io.Writer
	paths bool
	begun bool
}

// newWriter returns the writer of a format; paths is whether text needs the path.
func newWriter(name string, w io.Writer, paths bool) (*writer, error) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return nil, cli.Usagef("--format %s: want one of %s", name, strings.Join(formatNames(), "|"))
	}
	return &writer{format: formats[i], w: w, paths: paths}, nil
}

func (w *writer) write(r result) error {
	var b bytes.Buffer
	if w.begun {
		b.WriteString(w.between)
	} else {
		b.WriteString(w.begin)
	}
	if err := w.photo(&b, r, w.paths); err != nil {
		return err
	}
	w.begun = true
	return w.print(b.Bytes())
}

func (w *writer) close() error {
	if w.begun {
		return w.print([]byte(w.end))
	}
	return w.print([]byte(w.none))
}

// print writes in one go: a photo is on standard output whole or not at all.
func (w *writer) print(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := w.w.Write(b)
	return err
}
