package features

import (
	"bytes"
	"encoding/binary"
	"image"
	"iter"

	"github.com/disintegration/imaging"
)

// orientation says how the stored picture must be turned to stand upright:
// tag 0x0112 of TIFF 6.0 and EXIF 2.32, section 4.6.4.A, 1 to 8.
type orientation uint8

const upright orientation = 1

// swaps reports whether turning exchanges width and height.
func (o orientation) swaps() bool { return o >= 5 }

func (o orientation) apply(img image.Image) image.Image {
	switch o {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img) // counter-clockwise
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

// tiffOrientation reads the tag from the first directory of a TIFF structure,
// which a TIFF file is and an EXIF block contains. It gives upright where the
// tag is missing or wrong.
func tiffOrientation(b []byte) orientation {
	for e := range tiffEntries(b) {
		const tag, short = 0x0112, 3
		if e.tag != tag {
			continue
		}
		if v := e.order.Uint16(e.value); e.kind == short && e.count == 1 && v >= 1 && v <= 8 {
			return orientation(v)
		}
		break
	}
	return upright
}

// tiffEntry is an entry of a directory: count values of a kind, or where they are.
type tiffEntry struct {
	tag, kind uint16
	count     uint32
	value     []byte // 4 bytes
	order     binary.ByteOrder
}

// numbers returns up to most of the entry's values, of the types that x/image/tiff
// reads: BYTE, SHORT and LONG; nil where they are not in the file.
func (e tiffEntry) numbers(file []byte, most int) []int64 {
	size := int64(map[uint16]int{1: 1, 3: 2, 4: 4}[e.kind])
	if size == 0 {
		return nil
	}
	b := e.value
	if size*int64(e.count) > 4 {
		b = file[min(int64(e.order.Uint32(e.value)), int64(len(file))):]
	}
	n := min(int64(e.count), int64(most))
	if size*n > int64(len(b)) {
		return nil
	}
	out := make([]int64, n)
	for i := range out {
		switch v := b[int64(i)*size:]; size {
		case 1:
			out[i] = int64(v[0])
		case 2:
			out[i] = int64(e.order.Uint16(v))
		case 4:
			out[i] = int64(e.order.Uint32(v))
		}
	}
	return out
}

// tiffEntries walks over the first directory of a TIFF structure.
func tiffEntries(b []byte) iter.Seq[tiffEntry] {
	return func(yield func(tiffEntry) bool) {
		if len(b) < 8 {
			return
		}
		var order binary.ByteOrder
		switch string(b[:4]) {
		case "II*\x00":
			order = binary.LittleEndian
		case "MM\x00*":
			order = binary.BigEndian
		default:
			return
		}
		at := uint64(order.Uint32(b[4:]))
		if at+2 > uint64(len(b)) {
			return
		}
		n := order.Uint16(b[at:])
		for dir := b[at+2:]; n > 0 && len(dir) >= 12; n, dir = n-1, dir[12:] {
			if !yield(tiffEntry{order.Uint16(dir), order.Uint16(dir[2:]), order.Uint32(dir[4:]), dir[8:12], order}) {
				return
			}
		}
	}
}

// jpegOrientation finds the EXIF block in an APP1 segment before the scan data
// (EXIF 2.32, section 4.5.4).
func jpegOrientation(b []byte) orientation {
	const app1, head = 0xe1, "Exif\x00\x00"
	for marker, body := range jpegSegments(b) {
		if marker == sos {
			break
		}
		if marker == app1 && len(body) >= len(head) && string(body[:len(head)]) == head {
			return tiffOrientation(body[len(head):])
		}
	}
	return upright
}

// sos is the marker of a scan, whose data follow its header.
const sos = 0xda

// jpegSegments walks over the segments of a JPEG up to its end: marker, and what
// follows its length. It finds them as image/jpeg does, which passes over what
// belongs to none; what is in a scan is passed over likewise.
func jpegSegments(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		const rst0, rst7, eoi = 0xd0, 0xd7, 0xd9
		for b = b[2:]; ; {
			at := bytes.IndexByte(b, 0xff)
			if at < 0 || len(b) < at+4 {
				return
			}
			b = b[at:]
			marker := b[1]
			switch {
			case marker == 0xff: // fill byte
				b = b[1:]
				continue
			case marker == 0, marker >= rst0 && marker <= rst7: // without a length
				b = b[2:]
				continue
			}
			n := int(binary.BigEndian.Uint16(b[2:])) // with its own two bytes
			if marker == eoi || n < 2 || len(b) < 2+n || !yield(marker, b[4:2+n]) {
				return
			}
			b = b[2+n:]
		}
	}
}

// pngOrientation finds the chunk eXIf (PNG, third edition, 11.3.4.5).
func pngOrientation(b []byte) orientation {
	for b = b[8:]; len(b) >= 12; {
		n := uint64(binary.BigEndian.Uint32(b))
		if n > uint64(len(b)-12) {
			break
		}
		if string(b[4:8]) == "eXIf" {
			return tiffOrientation(b[8 : 8+n])
		}
		b = b[12+n:]
	}
	return upright
}

// webpOrientation finds the RIFF chunk EXIF (WebP container specification,
// "Metadata"); some writers put JPEG's "Exif\0\0" in front.
func webpOrientation(b []byte) orientation {
	for id, body := range riffChunks(b[12:]) {
		if id == "EXIF" {
			if len(body) >= 6 && string(body[:6]) == "Exif\x00\x00" {
				body = body[6:]
			}
			return tiffOrientation(body)
		}
	}
	return upright
}

// riffChunks walks over chunks: name, then body. It ends at the first that is
// cut off.
func riffChunks(b []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(b) >= 8 {
			n := uint64(binary.LittleEndian.Uint32(b[4:]))
			if n > uint64(len(b)-8) || !yield(string(b[:4]), b[8:8+n]) {
				return
			}
			n += n & 1 // padded to even
			b = b[min(8+n, uint64(len(b))):]
		}
	}
}
