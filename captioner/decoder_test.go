package captioner

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/packing"
)

// with returns o with its zeros replaced by the defaults. -1 stands for a zero.
func with(o Options) *Options {
	v, def := reflect.ValueOf(&o).Elem(), reflect.ValueOf(Defaults()).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.IsZero():
			f.Set(def.Field(i))
		case f.CanInt() && f.Int() == -1 || f.CanFloat() && f.Float() == -1:
			f.SetZero()
		}
	}
	return &o
}

// newGenerator prepares a decoder without validating it.
func newGenerator(d *Decoder) *Generator {
	var p packing.Packer
	g := prepareGenerator(d.Form, d.values(), &p)
	if err := p.Run(); err != nil {
		panic(err)
	}
	return g
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name    string
		cell    Cell
		entry   Entry
		breakIt func(d *Decoder)
		want    string // part of the error; empty for none
	}{
		{"good rnn", RNN, Init, func(d *Decoder) {}, ""},
		{"good lstm", LSTM, Every, func(d *Decoder) {}, ""},
		{"good gru", GRU, Every, func(d *Decoder) {}, ""},
		{"cell", LSTM, Init, func(d *Decoder) { d.Cell = "ltsm" }, `"ltsm"`},
		{"entry", LSTM, Init, func(d *Decoder) { d.Entry = "" }, "neither init nor every"},
		{"no features", LSTM, Init, func(d *Decoder) { d.Features = nil }, "feature size 0"},
		{"negative", LSTM, Init, func(d *Decoder) { d.H = -1 }, "hidden size -1"},
		{"huge", LSTM, Init, func(d *Decoder) { d.E = math.MaxInt }, "embedding size"},
		{"too many", LSTM, Init, func(d *Decoder) { d.E, d.H = maxSize, maxSize }, "limit"},
		{"vocabulary", LSTM, Init, func(d *Decoder) { d.V = 4 }, "vocabulary size 4"},
		{"short", LSTM, Init, func(d *Decoder) { d.Weights["cell.wx"] = d.Weights["cell.wx"][1:] }, "cell.wx: 255 numbers, shape [32 8]"},
		{"missing", GRU, Init, func(d *Decoder) { d.Weights["cell.bhn"] = nil }, "cell.bhn"},
		{"not wanted", LSTM, Init, func(d *Decoder) { d.Weights["cell.bhn"] = d.Weights["cell.b"] }, "cell.bhn: a lstm decoder"},
		{"no every", LSTM, Every, func(d *Decoder) { d.Weights["image.every.bias"] = nil }, "image.every.bias"},
		{"every not wanted", LSTM, Init, func(d *Decoder) { d.Weights["image.every.bias"] = d.Weights["image.first.bias"] }, "image.every"},
		{"NaN", LSTM, Init, func(d *Decoder) { d.Weights["out.weight"][7] = float32(math.NaN()) }, "out.weight: number 7 is NaN"},
		{"infinite", LSTM, Init, func(d *Decoder) { d.Weights["embed.weight"][0] = float32(math.Inf(-1)) }, "embed.weight: number 0 is -Inf"},
		{"std", LSTM, Init, func(d *Decoder) { d.Weights["feature.std"][2] = 0 }, "feature.std: number 2 is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := randomDecoder(c.cell, c.entry, 4, 8, 8, 8)
			c.breakIt(d)
			_, err := NewGenerator(d)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}
