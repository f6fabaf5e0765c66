package features

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/filelock"
	"github.com/onetomany/caption/internal/message"
)

// Writer writes a feature file. Rows go to a journal, FILE.part, until Commit
// writes the file itself; so the file is complete or absent, its number of
// rows need not be known in advance, and the rows of an interrupted run are kept.
// A Writer is not safe for concurrent use.
//
// The journal is locked until Commit or Close, so one Writer at a time has a
// file; that holds for other programs too, but not on the few file systems
// without locks (some network mounts).
type Writer struct {
	path   string // as it was given, for messages
	target string // path, links resolved
	format fileFormat
	row    []int
	meta   map[string]string
	part   partFile // nil after Commit or Close
	end    int64    // of the journal
	synced time.Time
	old    map[partKey]record // rows of an interrupted run
	rows   []record           // of the file, in order
	buf    []byte
}

// partFile is what a Writer needs of its journal, an *os.File but in tests.
type partFile interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// syncEvery bounds what a power cut can take; a killed process loses nothing
// that was appended.
const syncEvery = 5 * time.Second

// ErrBusy is wrapped by the error of Create and WriteFile where another program,
// or another Writer of this one, is writing the file.
var ErrBusy = errors.New("another program is writing it")

// Create starts a feature file. Row is the shape of each row: [D], or [H,W,C]
// for maps. Meta says where the features come from; .npz and .safetensors keep
// it. If FILE.part holds rows of an interrupted run with another row shape or
// other meta, Create refuses rather than throw them away. While another Writer
// has the file, the error wraps ErrBusy.
func Create(path string, row []int, meta map[string]string) (*Writer, error) {
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	if n, ok := values(row); !ok || n == 0 || len(row) != 1 && len(row) != 3 {
		return nil, fmt.Errorf("%s: rows of shape %v; [D] or [H,W,C] is expected", path, row)
	}
	w := newWriter(path, format, row, meta)
	if w.target, err = atomicfile.Resolve(path); err != nil {
		return nil, atomicfile.CreateError(path, filepath.Dir(path), err)
	}
	// What would keep Commit from writing shows up now, and the temporary files of
	// a killed run are removed.
	for _, p := range w.files() {
		f, err := atomicfile.Create(p)
		if err != nil {
			return nil, err
		}
		f.Close()
	}
	part, _, err := filelock.Open(w.partPath(), os.O_CREATE, 0o644)
	switch {
	case errors.Is(err, filelock.ErrLocked):
		return nil, fmt.Errorf("cannot write %s: %w; wait for it or choose another name", path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("cannot write %s: the rows on their way cannot go to %s: %w; remove what is there", path, w.partPath(), message.Cause(err))
	}
	w.part = part
	fi, err := part.Stat()
	if err == nil {
		err = w.recover(fi.Size())
	}
	switch {
	case err == nil:
		return w, nil
	case fi != nil && fi.Size() == 0: // there was none
		w.remove()
	default:
		part.Close()
	}
	return nil, fmt.Errorf("%s: %w", w.partPath(), message.Cause(err))
}

func newWriter(path string, format fileFormat, row []int, meta map[string]string) *Writer {
	return &Writer{
		path: path, target: path, format: format, row: slices.Clone(row), meta: maps.Clone(meta),
		synced: time.Now(), old: map[partKey]record{},
	}
}

// JournalPath is where the rows of an unfinished feature file are, FILE.part;
// where path is a symbolic link, beside the file that it leads to.
func JournalPath(path string) string {
	if target, err := atomicfile.Resolve(path); err == nil {
		path = target
	}
	return path + partExt
}

func (w *Writer) partPath() string { return w.target + partExt }

// files are the file, and that of the names beside it, if it has one.
func (w *Writer) files() []string {
	if w.format.names {
		return []string{namesPath(w.target), w.target}
	}
	return []string{w.target}
}

// recover reads the journal that is there, of size bytes, or begins one.
func (w *Writer) recover(size int64) error {
	in := io.NewSectionReader(w.part, 0, size)
	h, n, err := readPartHeader(in, size)
	switch {
	case err == nil && n == size, errors.Is(err, io.ErrUnexpectedEOF) && size < maxPartHeader:
		return w.begin() // new, or the run ended before its first row
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w; delete it if you do not need it", errNotJournal)
	case err != nil:
		return fmt.Errorf("%w; delete it if you do not need it", err)
	case !slices.Equal(h.Shape, w.row) || !maps.Equal(h.Meta, w.meta):
		return errors.New("it holds the photos of an interrupted run with another CNN or other settings; give the same to go on from there, or delete it to begin anew")
	}
	records, err := readRecords(in, n, size, product(w.row))
	if err != nil {
		return err
	}
	w.end = n
	for _, rec := range records {
		w.old[rec.partKey] = rec
		w.end = rec.at + int64(rec.size)
	}
	return w.part.Truncate(w.end)
}

// begin writes the journal's header.
func (w *Writer) begin() error {
	b, err := partHeader{w.row, w.meta}.encode()
	if err != nil {
		return err
	}
	if err := w.part.Truncate(0); err != nil {
		return err
	}
	_, err = w.part.WriteAt(b, 0)
	w.end = int64(len(b))
	return err
}

// find looks up a photo's row from an interrupted run.
func (w *Writer) find(src Source) (record, bool) {
	rec, ok := w.old[partKey{src.Name, src.Stamp}]
	return rec, ok && src.Stamp != ""
}

// Append adds a row.
func (w *Writer) Append(name string, row []float32) error { return w.append(name, "", row) }

func (w *Writer) append(name, stamp string, row []float32) error {
	if w.part == nil {
		return fmt.Errorf("writing %s: %w", w.path, fs.ErrClosed)
	}
	if len(row) != product(w.row) {
		return fmt.Errorf("writing %s: %d values for a row of shape %v", w.path, len(row), w.row)
	}
	if err := checkName(name); err != nil {
		return err
	}
	if !finite(row) {
		return fmt.Errorf("writing %s: %s has a value that is not a finite number", w.path, name)
	}
	key := partKey{name, stamp}
	w.buf = appendRecord(w.buf[:0], key, row)
	if _, err := w.part.WriteAt(w.buf, w.end); err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	w.rows = append(w.rows, record{key, w.end, len(w.buf)})
	w.end += int64(len(w.buf))
	if time.Since(w.synced) > syncEvery {
		if err := w.part.Sync(); err != nil {
			return fmt.Errorf("writing %s: %w", w.path, err)
		}
		w.synced = time.Now()
	}
	return nil
}

// Rows is the number of rows of the file so far.
func (w *Writer) Rows() int { return len(w.rows) }

// Commit writes the feature file and removes the journal. If it fails, the
// journal stays. Whatever fails, and whenever the process is killed, the file
// and its names are the old ones, or the new ones, never some of each.
func (w *Writer) Commit() error {
	if w.part == nil {
		return fmt.Errorf("writing %s: %w", w.path, fs.ErrClosed)
	}
	defer w.Close()
	if len(w.rows) == 0 {
		return fmt.Errorf("%s is not written: there are no features to put in it", w.path)
	}
	if err := w.part.Sync(); err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	if err := w.write(); err != nil {
		return err
	}
	return w.remove()
}

// write writes the feature file, and the names beside it.
func (w *Writer) write() error {
	data, err := w.fill(w.target, w.format.write)
	if err != nil {
		return err
	}
	defer data.Close()
	if !w.format.names {
		return data.Commit()
	}
	names, err := w.fill(namesPath(w.target), writeNames)
	if err != nil {
		return err
	}
	return atomicfile.CommitLabelled(data, names)
}

// fill writes a file that is to be committed.
func (w *Writer) fill(path string, write func(io.Writer, *Writer) error) (*atomicfile.File, error) {
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	if err := f.Fill(func(out io.Writer) error { return write(out, w) }); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close ends without Commit: the journal stays for the next run, unless it has
// no rows. After Commit it does nothing.
func (w *Writer) Close() error {
	if w.part == nil {
		return nil
	}
	if len(w.rows) == 0 && len(w.old) == 0 {
		return w.remove()
	}
	err := errors.Join(w.part.Sync(), w.part.Close())
	w.part = nil
	return err
}

// remove removes the journal before it gives up the lock: another run finds it
// locked, or finds none.
func (w *Writer) remove() error {
	err := errors.Join(os.Remove(w.partPath()), w.part.Close())
	w.part = nil
	return err
}

// shape is the shape of the whole file.
func (w *Writer) shape() []int { return append([]int{len(w.rows)}, w.row...) }

func (w *Writer) names() []string {
	names := make([]string, len(w.rows))
	for i, r := range w.rows {
		names[i] = r.name
	}
	return names
}

// each reads the rows back from the journal, as little-endian float32.
func (w *Writer) each(f func(name string, row []byte) error) error {
	in := bufio.NewReaderSize(nil, 1<<16)
	next := int64(-1) // where in stands
	for _, r := range w.rows {
		if r.at != next {
			in.Reset(io.NewSectionReader(w.part, r.at, w.end-r.at))
		}
		next = r.at + int64(r.size)
		key, row, _, err := readRecord(in, int64(r.size), product(w.row), &w.buf)
		if err != nil || key != r.partKey {
			return fmt.Errorf("%s changed meanwhile; is another program writing %s?", w.partPath(), w.path)
		}
		if err := f(r.name, row); err != nil {
			return err
		}
	}
	return nil
}
