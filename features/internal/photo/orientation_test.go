package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"testing"
)

// exifBlock is a TIFF structure with one tag, Orientation.
func exifBlock(order binary.AppendByteOrder, o uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, o)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// withEXIF puts an APP1 segment behind the start of a JPEG.
func withEXIF(jpg, exif []byte) []byte {
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(exif)))
	out = append(out, "Exif\x00\x00"...)
	out = append(out, exif...)
	return append(out, jpg[2:]...)
}

func TestOrientationContainers(t *testing.T) {
	exif := exifBlock(binary.BigEndian, 6)

	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	head := 8 + 25 // signature and IHDR
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(chunk, "eXIf"...)
	chunk = append(chunk, exif...)
	chunk = append(chunk, 0, 0, 0, 0) // the checksum of a chunk we skip is not looked at
	p := append(append(append([]byte{}, buf.Bytes()[:head]...), chunk...), buf.Bytes()[head:]...)
	if o := pngOrientation(p); o != 6 {
		t.Errorf("PNG: orientation %d, want 6", o)
	}

	riff := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x03\x00\x00\x00abc\x00EXIF"), byte(len(exif)), 0, 0, 0)
	riff = append(riff, exif...)
	if o := webpOrientation(riff); o != 6 {
		t.Errorf("WebP: orientation %d, want 6", o)
	}
	if o := exifOrientation(exif); o != 6 {
		t.Errorf("TIFF: orientation %d, want 6", o)
	}
}

func TestOrientationOfBrokenEXIF(t *testing.T) {
	good := exifBlock(binary.LittleEndian, 8)
	for n := range good[:len(good)-7] { // the last bytes are padding and the next directory
		if o := exifOrientation(good[:n]); o != Upright {
			t.Errorf("cut to %d bytes: orientation %d", n, o)
		}
	}
	for _, v := range []uint16{0, 9, 0xffff} {
		if o := exifOrientation(exifBlock(binary.LittleEndian, v)); o != Upright {
			t.Errorf("value %d: orientation %d", v, o)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	exif := exifBlock(binary.LittleEndian, 6)
	f.Add(exif)
	f.Add(withEXIF([]byte("\xff\xd8\xff\xd9"), exif))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00IHDR\x00\x00\x00\x00"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, x := range formats {
			if x.orientation == nil || !x.match(b) {
				continue
			}
			if o := x.orientation(b); o < 1 || o > 8 {
				t.Fatalf("%s: orientation %d", x.name, o)
			}
		}
	})
}
