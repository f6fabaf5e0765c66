// Package scaledjpeg decodes a JPEG at a half, a quarter or an eighth of its
// size without making the full picture: each block of 8×8 pixels comes out as
// 4×4, 2×2 or 1, computed from as many of its lowest coefficients; the others
// are passed over. At full size it decodes progressive pictures alone, for those
// with restart intervals, which image/jpeg reads wrongly.
//
// It does what nearly all cameras write, and leaves the rest to image/jpeg:
// Huffman-coded, 8 bits, grey or YCbCr; baseline or extended sequential in one
// scan, or progressive; restart intervals. The numbers of sections and annexes are
// those of ITU-T T.81.
package scaledjpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
)

// ErrOther is wrapped by the errors for all that Decode does not do, broken files
// included: image/jpeg decodes them or says what is wrong.
var ErrOther = errors.New("scaledjpeg: not a whole JPEG of a common kind")

func other(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrOther, fmt.Sprintf(format, a...))
}

// Markers, table B.1.
const (
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential, Huffman
	sof2  = 0xc2 // progressive, Huffman
	dht   = 0xc4
	rst0  = 0xd0
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dri   = 0xdd
	app0  = 0xe0
	app14 = 0xee
	app15 = 0xef
	com   = 0xfe
)

// component is a colour plane.
type component struct {
	id     uint8
	h, v   int   // sampling factors: blocks of a unit (MCU)
	table  uint8 // of quantisation
	quant  *[64]int32
	dc, ac *huffman
	pred   int32 // of the DC coefficient
	pix    []uint8
	stride int
	stored
}

// Decoder decodes one picture after another, in the same memory. The zero value
// is ready for use. It is not safe for concurrent use.
type Decoder struct {
	decoder
}

type decoder struct {
	ctx           context.Context
	data          []byte
	pos           int // in data
	entropy       entropy
	reader                   // of entropy.buf
	side          int        // of an output block: 8, 4, 2 or 1
	dc            int32      // of the block, dequantised
	ac            [256]int16 // of the block, by place; more for those that nobody reads
	width, height int        // of the full picture
	comps         []component
	maxH, maxV    int
	quant         [4][64]int32 // in zigzag order
	quantSet      [4]bool
	tables        [2][4]*huffman // DC and AC
	interval      int            // units between restart markers, 0 for none
	pix           []uint8        // of all planes
	img           image.Image

	// Of a progressive picture: the blocks of all components.
	progressive bool
	keep        int // coefficients of a block
	coefs       []int16
	nonzero     []uint64
}

// Decode decodes data at 1/denom of its size, rounded up; denom is 1, 2, 4 or 8.
// The picture is an *image.Gray or *image.YCbCr, valid until the next call. The
// caller has checked the size by the file's header, and what Memory says of it.
// The error is that of ctx once it is done.
func (d *Decoder) Decode(ctx context.Context, data []byte, denom int) (image.Image, error) {
	if denom != 1 && denom != 2 && denom != 4 && denom != 8 {
		return nil, other("scale 1/%d", denom)
	}
	d.decoder = decoder{
		ctx: ctx, data: data, side: 8 / denom,
		entropy: d.entropy, pix: d.pix, comps: d.comps[:0], coefs: d.coefs, nonzero: d.nonzero,
	}
	img, err := d.decode()
	d.ctx, d.data, d.img = nil, nil, nil // d need not keep them alive
	return img, err
}

// Memory is what Decode takes at most, in bytes, for a file of size bytes with
// as many blocks of 8×8 samples in all its components together.
func Memory(size, blocks int64, progressive bool, denom int) int64 {
	side := int64(8 / denom)
	n := size + blocks*side*side      // the scan, taken out of the file, and the pixels
	n += 2 * 16 * min(size/2, blocks) // where its restart intervals are
	if progressive {
		n += blocks * int64(2*kept[side]+8)
	}
	return n
}

func (d *decoder) decode() (image.Image, error) {
	data := d.data
	if len(data) < 2 || data[0] != 0xff || data[1] != soi {
		return nil, other("no start of image")
	}
	d.pos = 2
	for {
		if d.progressive && bytes.HasPrefix(data[d.pos:], []byte{0xff, eoi}) {
			err := d.finish()
			return d.img, err
		}
		marker, body, err := d.segment()
		if err == nil {
			err = d.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		switch {
		case marker == sof0 || marker == sof1 || marker == sof2:
			d.progressive = marker == sof2
			err = d.frame(body)
		case marker == dht:
			err = d.huffmanTables(body)
		case marker == dqt:
			err = d.quantTables(body)
		case marker == dri:
			if len(body) != 2 {
				return nil, other("restart interval")
			}
			d.interval = int(body[0])<<8 | int(body[1])
		case marker == app14:
			// Adobe: byte 11 is 1 for YCbCr, 0 for RGB.
			if len(body) >= 12 && string(body[:5]) == "Adobe" && body[11] != 1 {
				return nil, other("colour transform %d", body[11])
			}
		case marker == sos && d.progressive:
			err = d.progressiveScan(body)
		case marker == sos && d.side == 8:
			return nil, other("a sequential picture at full size")
		case marker == sos:
			if err := d.scan(body); err != nil {
				return nil, err
			}
			return d.img, nil
		case marker >= app0 && marker <= app15 || marker == com:
		default:
			err = other("marker %#x", marker)
		}
		if err != nil {
			return nil, err
		}
	}
}

// segment reads a marker and what belongs to it, without the length (B.1.1.4).
func (d *decoder) segment() (marker uint8, body []byte, err error) {
	for d.pos+1 < len(d.data) && d.data[d.pos] == 0xff && d.data[d.pos+1] == 0xff {
		d.pos++ // fill byte
	}
	b := d.data[d.pos:]
	if len(b) < 4 || b[0] != 0xff {
		return 0, nil, other("no marker")
	}
	n := int(b[2])<<8 | int(b[3])
	if n < 2 || len(b) < 2+n {
		return 0, nil, other("a segment is cut off")
	}
	d.pos += 2 + n
	return b[1], b[4 : 2+n], nil
}

// frame reads the frame header, B.2.2.
func (d *decoder) frame(b []byte) error {
	if len(d.comps) > 0 || len(b) < 6 || b[0] != 8 {
		return other("frame")
	}
	d.height, d.width = int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4])
	n := int(b[5])
	if d.width == 0 || d.height == 0 || n != 1 && n != 3 || len(b) != 6+3*n {
		return other("frame of %d components", n)
	}
	if n == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B' {
		return other("RGB")
	}
	blocks := 0 // of a unit
	for b = b[6:]; len(b) > 0; b = b[3:] {
		c := component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15)}
		if n == 1 {
			c.h, c.v = 1, 1 // a scan of one component has one block a unit, A.2.2
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || b[2] > 3 {
			return other("component")
		}
		c.table = b[2]
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
		d.comps = append(d.comps, c)
		blocks += c.h * c.v
	}
	if blocks > 10 {
		return other("units of %d blocks", blocks)
	}
	return nil
}

// quantTables reads quantisation tables, B.2.4.1.
func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		wide, to := int(b[0]>>4), b[0]&15
		size := 64 << wide
		if wide > 1 || to > 3 || len(b) < 1+size {
			return other("quantisation table")
		}
		for i := range 64 {
			if wide == 1 {
				d.quant[to][i] = int32(b[1+2*i])<<8 | int32(b[2+2*i])
			} else {
				d.quant[to][i] = int32(b[1+i])
			}
		}
		d.quantSet[to] = true
		b = b[1+size:]
	}
	return nil
}

// scan reads the scan header, B.2.3, and all the picture.
func (d *decoder) scan(b []byte) error {
	n := len(d.comps)
	if n == 0 || len(b) != 4+2*n || int(b[0]) != n {
		return other("scan of some components")
	}
	for i := range d.comps {
		c := &d.comps[i]
		dc, ac := b[2+2*i]>>4, b[2+2*i]&15
		if b[1+2*i] != c.id || dc > 3 || ac > 3 || d.tables[0][dc] == nil || d.tables[1][ac] == nil {
			return other("tables of component %d", i)
		}
		c.dc, c.ac = d.tables[0][dc], d.tables[1][ac]
		if !d.quantSet[c.table] {
			return other("no quantisation table for component %d", i)
		}
		c.quant = &d.quant[c.table]
	}
	if err := d.allocate(); err != nil {
		return err
	}
	return d.units()
}

// ratios are the sampling factors that image.YCbCr can hold: h and v of Y, of
// Cb and Cr.
var ratios = map[[4]int]image.YCbCrSubsampleRatio{
	{1, 1, 1, 1}: image.YCbCrSubsampleRatio444,
	{2, 1, 1, 1}: image.YCbCrSubsampleRatio422,
	{2, 2, 1, 1}: image.YCbCrSubsampleRatio420,
	{1, 2, 1, 1}: image.YCbCrSubsampleRatio440,
	{4, 1, 1, 1}: image.YCbCrSubsampleRatio411,
	{4, 2, 1, 1}: image.YCbCrSubsampleRatio410,
	{2, 2, 1, 2}: image.YCbCrSubsampleRatio422,
	{2, 2, 2, 1}: image.YCbCrSubsampleRatio440,
	{2, 2, 2, 2}: image.YCbCrSubsampleRatio444,
}

// allocate makes the picture, its planes rounded up to whole units.
func (d *decoder) allocate() error {
	var ratio image.YCbCrSubsampleRatio
	if len(d.comps) == 3 {
		y, cb, cr := d.comps[0], d.comps[1], d.comps[2]
		var ok bool
		ratio, ok = ratios[[4]int{y.h, y.v, cb.h, cb.v}]
		if !ok || cb.h != cr.h || cb.v != cr.v {
			return other("sampling factors")
		}
	}
	across, down := d.unitsOf()
	size := 0
	for i := range d.comps {
		c := &d.comps[i]
		c.stride = across * c.h * d.side
		size += c.stride * down * c.v * d.side
	}
	d.pix = slices.Grow(d.pix[:0], size)[:size]
	for i, rest := 0, d.pix; i < len(d.comps); i++ {
		c := &d.comps[i]
		n := c.stride * down * c.v * d.side
		c.pix, rest = rest[:n:n], rest[n:]
	}
	denom := 8 / d.side
	rect := image.Rect(0, 0, (d.width+denom-1)/denom, (d.height+denom-1)/denom)
	y := d.comps[0]
	if len(d.comps) == 1 {
		d.img = &image.Gray{Pix: y.pix, Stride: y.stride, Rect: rect}
		return nil
	}
	cb, cr := d.comps[1], d.comps[2]
	d.img = &image.YCbCr{
		Y: y.pix, Cb: cb.pix, Cr: cr.pix,
		YStride: y.stride, CStride: cb.stride,
		SubsampleRatio: ratio, Rect: rect,
	}
	return nil
}

// unitsOf is the number of units (MCUs) across and down.
func (d *decoder) unitsOf() (across, down int) {
	w, h := 8*d.maxH, 8*d.maxV
	return (d.width + w - 1) / w, (d.height + h - 1) / h
}

// units decodes the units of the scan, then demands the end of the image.
func (d *decoder) units() error {
	across, down := d.unitsOf()
	if err := d.each(across*down, nil, func(u int) bool { return d.unit(u%across, u/across) }); err != nil {
		return err
	}
	if d.entropy.marker != eoi {
		return other("marker %#x where the image should end", d.entropy.marker)
	}
	return nil
}

// checkEvery is the number of units or blocks between two looks at the context,
// well under a millisecond.
const checkEvery = 1 << 12

// each reads the data of a scan by calling f for each of total units or blocks; f
// reports whether it could read its own. Predictions, and the run of p, which may be
// nil, start afresh at restart markers.
func (d *decoder) each(total int, p *progression, f func(u int) bool) error {
	interval := total
	if d.interval > 0 {
		interval = d.interval
	}
	want := (total + interval - 1) / interval
	if err := d.pass(want); err != nil {
		return err
	}
	if len(d.entropy.segments) != want {
		return other("%d restart intervals for %d units", len(d.entropy.segments), total)
	}
	for i, s := range d.entropy.segments {
		d.reader = reader{pos: s.start}
		for c := range d.comps {
			d.comps[c].pred = 0
		}
		if p != nil {
			p.run = 0
		}
		for u := i * interval; u < min((i+1)*interval, total); u++ {
			if u%checkEvery == 0 && d.ctx.Err() != nil {
				return d.ctx.Err()
			}
			if !f(u) {
				return other("Huffman code")
			}
			if d.overran(s) {
				return other("the data end early")
			}
		}
		if !d.finished(s) {
			return other("more data than units")
		}
	}
	return nil
}

// pass takes the data of a scan out of the file and moves behind it.
func (d *decoder) pass(most int) (err error) {
	d.pos, err = d.entropy.load(d.data, d.pos, most)
	return err
}

// unit decodes the blocks of a unit (MCU).
func (d *decoder) unit(mx, my int) bool {
	for i := range d.comps {
		c := &d.comps[i]
		for by := range c.v {
			at := (my*c.v+by)*d.side*c.stride + mx*c.h*d.side
			for range c.h {
				if !d.decodeBlock(c, c.pix[at:]) {
					return false
				}
				at += d.side
			}
		}
	}
	return true
}
