package features

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/onetomany/caption/internal/atomicfile"
)

// Writer writes a feature file. Rows go to a journal, FILE.part, until Commit
// writes the file itself; so the file is complete or absent, its number of
// rows need not be known before, and what an interrupted run has done is kept.
// A Writer is not safe for concurrent use.
//
// The journal: partMagic; length, JSON and checksum of a partHeader; then
// records of name length, stamp length (4 bytes each), name, stamp, row as
// float32, checksum (CRC-32 of all before it in the record). Integers are
// little-endian. The end of the first record that fails its checksum is where
// an interrupted run stopped.
type Writer struct {
	path   string
	write  func(path string, w *Writer) error
	row    []int
	meta   map[string]string
	part   *os.File // nil after Commit or Close
	end    int64    // of the journal
	synced time.Time
	old    map[stamped]record // rows of an interrupted run
	rows   []record           // of the file, in order
	buf    []byte
}

type stamped struct{ name, stamp string }

// record is where the journal has a row.
type record struct {
	name string
	at   int64 // start of the record
	size int
}

const (
	partMagic = "capfeat1"
	partExt   = ".part"

	// syncEvery bounds what a power cut can take; a killed process loses
	// nothing that was appended.
	syncEvery = 5 * time.Second
)

// partHeader says what the rows of a journal are.
type partHeader struct {
	Shape []int             `json:"shape"`
	Meta  map[string]string `json:"meta"`
}

// Create starts a feature file. Row is the shape of each row: [D], or [H,W,C]
// for maps. Meta says where the features come from; .npz and .safetensors keep
// it. If FILE.part holds rows of an interrupted run with another row shape or
// other meta, Create refuses rather than throw them away.
func Create(path string, row []int, meta map[string]string) (*Writer, error) {
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	if n, ok := values(row); !ok || n == 0 || len(row) != 1 && len(row) != 3 {
		return nil, fmt.Errorf("%s: rows of shape %v; [D] or [H,W,C] is expected", path, row)
	}
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot write %s: it is not a regular file", path)
	}
	w := &Writer{path: path, write: format.write, row: slices.Clone(row), meta: maps.Clone(meta), synced: time.Now(), old: map[stamped]record{}}
	w.part, err = os.OpenFile(path+partExt, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, atomicfile.CreateError(path, filepath.Dir(path), err)
	}
	if err := w.recover(); err != nil {
		w.part.Close()
		return nil, err
	}
	return w, nil
}

// recover reads the journal that is there, or begins one.
func (w *Writer) recover() error {
	fi, err := w.part.Stat()
	if err != nil {
		return err
	}
	name := w.part.Name()
	in := bufio.NewReaderSize(w.part, 1<<16)
	h, n, err := readPartHeader(in, fi.Size())
	switch {
	case fi.Size() == 0, errors.Is(err, io.ErrUnexpectedEOF), err == nil && n == fi.Size():
		return w.begin() // new, or the run ended before its first row
	case err != nil:
		return fmt.Errorf("%s: %w; delete it if you do not need it", name, err)
	case !slices.Equal(h.Shape, w.row) || !maps.Equal(h.Meta, w.meta):
		return fmt.Errorf("%s holds the photos of an interrupted run with another CNN or other settings; give the same to go on from there, or delete it to begin anew", name)
	}
	w.end = n
	for {
		key, rec, err := w.readRecord(in, fi.Size()-w.end)
		if errors.Is(err, errRecord) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rec.at = w.end
		w.old[key] = rec
		w.end += int64(rec.size)
	}
	return w.part.Truncate(w.end)
}

// begin writes the journal's header.
func (w *Writer) begin() error {
	h, err := json.Marshal(partHeader{w.row, w.meta})
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32([]byte(partMagic), uint32(len(h)))
	b = append(b, h...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(h))
	if err := w.part.Truncate(0); err != nil {
		return err
	}
	_, err = w.part.WriteAt(b, 0)
	w.end = int64(len(b))
	return err
}

// readPartHeader returns the header and its length in the file.
func readPartHeader(r io.Reader, size int64) (h partHeader, n int64, err error) {
	var head [len(partMagic) + 4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return h, 0, io.ErrUnexpectedEOF
	}
	bad := errors.New("not a file of an interrupted extraction")
	if string(head[:len(partMagic)]) != partMagic {
		return h, 0, bad
	}
	length := int64(binary.LittleEndian.Uint32(head[len(partMagic):]))
	if length+4 > size-int64(len(head)) {
		return h, 0, io.ErrUnexpectedEOF
	}
	b := make([]byte, length+4)
	if _, err := io.ReadFull(r, b); err != nil {
		return h, 0, err
	}
	b, sum := b[:length], b[length:]
	if crc32.ChecksumIEEE(b) != binary.LittleEndian.Uint32(sum) || json.Unmarshal(b, &h) != nil {
		return h, 0, bad
	}
	return h, int64(len(head)) + length + 4, nil
}

var errRecord = errors.New("a damaged record")

// readRecord reads a record of at most limit bytes into w.buf.
func (w *Writer) readRecord(r io.Reader, limit int64) (key stamped, rec record, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return key, rec, err
	}
	name, stamp := int64(binary.LittleEndian.Uint32(head[:])), int64(binary.LittleEndian.Uint32(head[4:]))
	size := int64(len(head)) + name + stamp + int64(4*product(w.row)) + 4
	if size > limit {
		return key, rec, errRecord
	}
	w.buf = append(w.buf[:0], head[:]...)
	w.buf = slices.Grow(w.buf, int(size))[:size]
	if _, err := io.ReadFull(r, w.buf[len(head):]); err != nil {
		return key, rec, err
	}
	body, sum := w.buf[:size-4], w.buf[size-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return key, rec, errRecord
	}
	text := string(body[8 : 8+name+stamp])
	return stamped{text[:name], text[name:]}, record{name: text[:name], size: int(size)}, nil
}

// find looks up the row that an interrupted run has of a photo.
func (w *Writer) find(src Source) (record, bool) {
	rec, ok := w.old[stamped{src.Name, src.Stamp}]
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
	b := binary.LittleEndian.AppendUint32(w.buf[:0], uint32(len(name)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(stamp)))
	b = append(append(b, name...), stamp...)
	for _, v := range row {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	w.buf = b
	if _, err := w.part.WriteAt(b, w.end); err != nil {
		return fmt.Errorf("writing %s: %w", w.path, err)
	}
	w.rows = append(w.rows, record{name, w.end, len(b)})
	w.end += int64(len(b))
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
// journal stays.
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
	if err := w.write(w.path, w); err != nil {
		return err
	}
	w.part.Close()
	name := w.part.Name()
	w.part = nil
	return os.Remove(name)
}

// Close ends without Commit: the journal stays for the next run, unless it has
// no rows. After Commit it does nothing.
func (w *Writer) Close() error {
	if w.part == nil {
		return nil
	}
	err := w.part.Sync()
	if len(w.rows) == 0 && len(w.old) == 0 {
		err = os.Remove(w.part.Name())
	}
	err = errors.Join(err, w.part.Close())
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
		key, _, err := w.readRecord(in, int64(r.size))
		if err != nil || key.name != r.name {
			return fmt.Errorf("%s changed meanwhile; is another program writing %s?", w.part.Name(), w.path)
		}
		body := w.buf[:r.size-4]
		if err := f(r.name, body[len(body)-4*product(w.row):]); err != nil {
			return err
		}
	}
	return nil
}
