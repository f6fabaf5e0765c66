package features

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// memPart is a journal in memory.
type memPart struct{ b []byte }

func (m *memPart) ReadAt(p []byte, at int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, at) }

func (m *memPart) WriteAt(p []byte, at int64) (int, error) {
	if rest := at + int64(len(p)) - int64(len(m.b)); rest > 0 {
		m.b = append(m.b, make([]byte, rest)...)
	}
	return copy(m.b[at:], p), nil
}

func (m *memPart) Truncate(size int64) error { m.b = m.b[:size]; return nil }
func (*memPart) Sync() error                 { return nil }
func (*memPart) Close() error                { return nil }

// memWriter goes on from a journal in memory.
func memWriter(t *testing.T, journal []byte, format fileFormat, row ...int) (*Writer, *memPart) {
	t.Helper()
	part := &memPart{bytes.Clone(journal)}
	w := newWriter("f", format, row, map[string]string{"cnn": "a"})
	w.part = part
	if err := w.recover(int64(len(journal))); err != nil {
		t.Fatal(err)
	}
	return w, part
}

type photoRow struct {
	partKey
	row []float32
}

// bytes is the row as it stands in a journal.
func (r photoRow) bytes() []byte {
	var b []byte
	for _, v := range r.row {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// fuzzRows are rows that the fuzzer makes: names and stamps a line each, values
// as they come, each row n of them.
func fuzzRows(names, stamps string, values []byte, n int) (out []photoRow) {
	s := strings.Split(stamps, "\n")
	at := 0
	for i, name := range strings.Split(names, "\n") {
		row := make([]float32, n)
		for j := range row {
			var b [4]byte
			if len(values) > 0 {
				for k := range b {
					b[k] = values[at%len(values)]
					at++
				}
			}
			row[j] = math.Float32frombits(binary.LittleEndian.Uint32(b[:]))
		}
		out = append(out, photoRow{partKey{name, s[i%len(s)]}, row})
	}
	return out
}

// fill appends rows and returns those that were taken: all that a file can hold.
func fill(t *testing.T, w *Writer, rows []photoRow) (taken []photoRow) {
	t.Helper()
	for _, r := range rows {
		end := w.end
		err := w.append(r.name, r.stamp, r.row)
		if bad := checkName(r.name) != nil || !finite(r.row); bad != (err != nil) || bad && w.end != end {
			t.Fatalf("row %q %v: %v", r.name, r.row, err)
		}
		if err == nil {
			taken = append(taken, r)
		}
	}
	return taken
}

// FuzzJournal cuts a journal at any byte, and flips any: what comes back is the
// other records, names and rows together, never a changed one; and going on from a
// cut gives the journal that an uninterrupted run has.
func FuzzJournal(f *testing.F) {
	f.Add("a.jpg\nb.jpg\nc.jpg", "1 2\n3 4", []byte("\x00\x00\x80\x3f\x00\x00\x00\xc0"), byte(2), uint(60), uint(70), byte(1))
	f.Add("x", "", []byte{}, byte(1), uint(0), uint(10), byte(0x80))
	f.Add("same\nsame\n\nlong name of a photo\nbad\xff", "s\ns\n\nt", []byte("\xff\xff\xff\x7e\x01\x02\x03\x04\x05"), byte(7), uint(200), uint(120), byte(0x40))
	f.Fuzz(func(t *testing.T, names, stamps string, values []byte, width byte, cut, at uint, mask byte) {
		n := 1 + int(width%16)
		w, part := memWriter(t, nil, npyFormat, n)
		header := int(w.end)
		rows := fill(t, w, fuzzRows(names, stamps, values, n))
		journal := part.b

		// whole is the number of records that end at or before a byte.
		whole := func(end int) int {
			i := 0
			for i < len(w.rows) && w.rows[i].at+int64(w.rows[i].size) <= int64(end) {
				i++
			}
			return i
		}
		// check reads b, which should have the records want; of those from loose on
		// it may have the last ones only.
		check := func(what string, b []byte, want []record, loose int) {
			t.Helper()
			r := bytes.NewReader(b)
			h, start, err := readPartHeader(r, int64(len(b)))
			if err != nil || int(start) != header || !slices.Equal(h.Shape, w.row) {
				t.Fatalf("%s: header %+v of %d bytes, %v", what, h, start, err)
			}
			got, err := readRecords(r, start, int64(len(b)), n)
			if loose >= 0 && len(got) < len(want) {
				want = append(want[:loose:loose], want[len(want)-len(got)+min(loose, len(got)):]...)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s: %v, %v; want %v", what, err, got, want)
			}
			v, _ := memWriter(t, b, npyFormat, n)
			v.rows = got
			i := 0
			err = v.each(func(name string, row []byte) error {
				want := rows[slices.Index(w.rows, got[i])]
				if name != want.name || !bytes.Equal(row, want.bytes()) {
					t.Fatalf("%s: row %d is %q %x; want %q %x", what, i, name, row, want.name, want.bytes())
				}
				i++
				return nil
			})
			if err != nil || i != len(got) {
				t.Fatalf("%s: %d rows, %v", what, i, err)
			}
		}
		check("whole", journal, w.rows, -1)

		c := int(cut % uint(len(journal)+1))
		if c < header {
			if _, _, err := readPartHeader(bytes.NewReader(journal[:c]), int64(c)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("header cut at %d: %v", c, err)
			}
		} else {
			check("cut", journal[:c], w.rows[:whole(c)], -1)
		}
		v, again := memWriter(t, journal[:c], npyFormat, n)
		done := 0
		if c >= header {
			done = whole(c)
		}
		fill(t, v, rows[done:])
		if !bytes.Equal(again.b, journal) {
			t.Fatalf("cut at %d and gone on: %q, want %q", c, again.b, journal)
		}

		if mask == 0 {
			return
		}
		p := int(at % uint(len(journal)))
		bad := bytes.Clone(journal)
		bad[p] ^= mask
		if p < header {
			if h, _, err := readPartHeader(bytes.NewReader(bad), int64(len(bad))); err == nil {
				t.Fatalf("byte %d of the header flipped: %+v", p, h)
			}
			return
		}
		k, loose := whole(p), -1
		if p < int(w.rows[k].at)+8 { // a length: it may lead anywhere
			loose = k
		}
		check("flipped", bad, slices.Delete(slices.Clone(w.rows), k, k+1), loose)
	})
}

// FuzzRecord gives bytes with the right checksum to the reader: what it makes of
// them is what it would write.
func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(nil, partKey{"a.jpg", "1"}, []float32{1, 2})[:22], byte(2))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, width byte) {
		b = binary.LittleEndian.AppendUint32(bytes.Clone(b), crc32.ChecksumIEEE(b))
		n := int(width % 16)
		var buf []byte
		key, row, size, err := readRecord(bytes.NewReader(b), int64(len(b)), n, &buf)
		if err != nil {
			return
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(row[4*i:]))
		}
		if again := appendRecord(nil, key, values); size != len(b) || !bytes.Equal(again, b) {
			t.Fatalf("%q was read as %q %v, which is %q", b, key, values, again)
		}
	})
}

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// FuzzFormats writes files in memory: the rows and names that were appended come
// back.
func FuzzFormats(f *testing.F) {
	f.Add("a.jpg\nb.jpg\nc.jpg", []byte("\x00\x00\x80\x3f\x00\x00\x00\xc0"), byte(2))
	f.Add("naïve\n日本\n😀.png\n\"q\" <b>&\\\t\u2028\n\ufeff", []byte("\xff\xff\x7f\x7f\x01\x00\x00\x00\x00\x00\x00\x80"), byte(3))
	f.Fuzz(func(t *testing.T, names string, values []byte, width byte) {
		n := 1 + int(width%16)
		want := new(Set)
		w, _ := memWriter(t, nil, fileFormat{}, n)
		rows := fill(t, w, fuzzRows(names, "", values, n))
		if len(rows) == 0 {
			return
		}
		for _, r := range rows {
			want.Names, want.Data = append(want.Names, r.name), append(want.Data, r.row...)
		}
		want.Shape = []int{len(rows), n}
		for _, format := range fileFormats {
			var b bytes.Buffer
			if err := format.write(&b, w); err != nil {
				t.Fatal(format.extension, err)
			}
			got, err := format.read(section(b.Bytes()))
			if err != nil {
				t.Fatal(format.extension, err)
			}
			if err := got.check(); err != nil || !got.equal(want) {
				t.Fatalf("%s: %v, %q %v %v; want %q %v %v", format.extension, err, got.Names, got.Shape, got.Data, want.Names, want.Shape, want.Data)
			}
		}
	})
}
