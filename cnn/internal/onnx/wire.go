package onnx

import (
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message.
type field struct {
	num protowire.Number
	typ protowire.Type
	v   uint64 // value of the varint, fixed32 and fixed64 types
	b   []byte // payload of the bytes type
	raw []byte // all of it
}

// fields yields the fields of the message b. It stops at the first error.
func fields(b []byte) iter.Seq2[field, error] {
	return func(yield func(field, error) bool) {
		for i := 0; i < len(b); {
			f, n, err := consumeField(b[i:])
			if err != nil {
				yield(field{}, fmt.Errorf("corrupt protobuf at byte %d of %d: %w", i, len(b), err))
				return
			}
			i += n
			if !yield(f, nil) {
				return
			}
		}
	}
}

func consumeField(b []byte) (f field, n int, err error) {
	f.num, f.typ, n = protowire.ConsumeTag(b)
	if n < 0 {
		return f, 0, protowire.ParseError(n)
	}
	m := 0
	switch f.typ {
	case protowire.VarintType:
		f.v, m = protowire.ConsumeVarint(b[n:])
	case protowire.Fixed32Type:
		var v uint32
		v, m = protowire.ConsumeFixed32(b[n:])
		f.v = uint64(v)
	case protowire.Fixed64Type:
		f.v, m = protowire.ConsumeFixed64(b[n:])
	case protowire.BytesType:
		f.b, m = protowire.ConsumeBytes(b[n:])
	default: // groups: ONNX has none
		return f, 0, fmt.Errorf("wire type %d", f.typ)
	}
	if m < 0 {
		return f, 0, protowire.ParseError(m)
	}
	f.raw = b[:n+m]
	return f, n + m, nil
}

// want reports an error unless f has the wire type t.
func (f field) want(t protowire.Type) error {
	if f.typ != t {
		return fmt.Errorf("corrupt protobuf: field %d has wire type %d instead of %d", f.num, f.typ, t)
	}
	return nil
}

func (f field) bytes() ([]byte, error) { return f.b, f.want(protowire.BytesType) }

func (f field) int() (int64, error) { return int64(f.v), f.want(protowire.VarintType) }

var errUTF8 = errors.New("a name is not valid UTF-8")

func (f field) str() (string, error) {
	if err := f.want(protowire.BytesType); err != nil {
		return "", err
	}
	if !utf8.Valid(f.b) {
		return "", errUTF8
	}
	return string(f.b), nil
}

// numbers yields the number of f, or the varints that are packed in it.
func (f field) numbers() iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		if f.typ != protowire.BytesType {
			yield(f.v, nil)
			return
		}
		for b := f.b; len(b) > 0; {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				yield(0, protowire.ParseError(n))
				return
			}
			if !yield(v, nil) {
				return
			}
			b = b[n:]
		}
	}
}

// rules say what is to be done with the fields of a message, by their numbers.
// Fields without a rule are skipped.
type rules []struct {
	num protowire.Number
	do  func(field) error
}

// read reads the fields of the message b, in their order there, until the first error.
func (r rules) read(b []byte) error {
	for f, err := range fields(b) {
		if err == nil {
			err = r.one(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r rules) one(f field) error {
	for _, rule := range r {
		if rule.num == f.num {
			return rule.do(f)
		}
	}
	return nil
}

// sub reads the message that f has.
func (r rules) sub(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	return r.read(b)
}

// text and number set a variable to what a field has.

func text(to *string) func(field) error {
	return func(f field) (err error) {
		*to, err = f.str()
		return err
	}
}

func number[T ~int | ~int64](to *T) func(field) error {
	return func(f field) error {
		v, err := f.int()
		*to = T(v)
		return err
	}
}

// appendBytes appends a field of the bytes type, a sub-message for one.
func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func appendInt(b []byte, num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
}
