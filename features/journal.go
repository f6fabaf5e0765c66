package features

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"slices"
)

// A journal holds the rows of a file that is being written: partMagic; length,
// JSON and checksum of a partHeader; then records of name length, stamp length
// (4 bytes each), name, stamp, row as float32, checksum (CRC-32 of all before it
// in the record). Integers are little-endian. The end of the first record that
// fails its checksum is where an interrupted run stopped.

const (
	partMagic = "capfeat1"
	partExt   = ".part"

	// maxPartHeader is more than any header takes. A larger journal that seems
	// to end within its header is damaged there, and may hold rows.
	maxPartHeader = 1 << 20
)

// partHeader describes the rows of a journal.
type partHeader struct {
	Shape []int             `json:"shape"`
	Meta  map[string]string `json:"meta"`
}

// partKey identifies the photo of a row.
type partKey struct{ name, stamp string }

// record locates a row in a journal.
type record struct {
	partKey
	at   int64 // start of the record
	size int
}

// encode returns the header as it stands in a journal.
func (h partHeader) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	b := binary.LittleEndian.AppendUint32([]byte(partMagic), uint32(len(text)))
	b = append(b, text...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(text)), nil
}

var errNotJournal = errors.New("not a file of an interrupted extraction, or damaged")

// readPartHeader returns the header and its length in a journal of size bytes;
// io.ErrUnexpectedEOF if the journal ends within it.
func readPartHeader(r io.Reader, size int64) (h partHeader, n int64, err error) {
	var head [len(partMagic) + 4]byte
	if _, err := io.ReadFull(r, head[:min(size, int64(len(head)))]); err != nil {
		return h, 0, err
	}
	magic := head[:min(size, int64(len(partMagic)))]
	if string(magic) != partMagic[:len(magic)] {
		return h, 0, errNotJournal
	}
	if size < int64(len(head)) {
		return h, 0, io.ErrUnexpectedEOF
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
		return h, 0, errNotJournal
	}
	return h, int64(len(head)) + length + 4, nil
}

// appendRecord appends a record to b.
func appendRecord(b []byte, key partKey, row []float32) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key.name)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key.stamp)))
	b = append(append(b, key.name...), key.stamp...)
	for _, v := range row {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

var errRecord = errors.New("a damaged record")

// readRecord reads a record of at most limit bytes, with a row of n values. The
// row is little-endian float32, in *buf. With errRecord, size is that of the damaged
// record, 0 where its length is not known.
func readRecord(r io.Reader, limit int64, n int, buf *[]byte) (key partKey, row []byte, size int, err error) {
	const head = 8
	b := slices.Grow((*buf)[:0], head)[:head]
	*buf = b
	if limit < head {
		return key, nil, 0, errRecord
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return key, nil, 0, err
	}
	name, stamp := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	total := head + name + stamp + 4*int64(n) + 4
	if total > limit {
		return key, nil, 0, errRecord
	}
	b = slices.Grow(b, int(total)-head)[:total]
	*buf = b
	if _, err := io.ReadFull(r, b[head:]); err != nil {
		return key, nil, 0, err
	}
	body, sum := b[:total-4], b[total-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return key, nil, int(total), errRecord
	}
	text, row := string(body[head:head+name+stamp]), body[head+name+stamp:]
	return partKey{text[:name], text[name:]}, row, int(total), nil
}

// readRecords finds the intact records, with rows of n values, in r, which has the
// bytes from at to size of a journal. A damaged record is skipped if its length is
// right; nothing is read beyond one that is cut off. Neither is an error.
func readRecords(r io.Reader, at, size int64, n int) ([]record, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	var out []record
	var buf []byte
	for {
		key, _, total, err := readRecord(in, size-at, n, &buf)
		switch {
		case errors.Is(err, errRecord) && total == 0:
			return out, nil
		case err == nil:
			out = append(out, record{key, at, total})
		case !errors.Is(err, errRecord):
			return nil, err
		}
		at += int64(total)
	}
}
