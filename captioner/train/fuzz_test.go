package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/leaktest"
	"github.com/onetomany/caption/internal/safetensors"
	"github.com/onetomany/caption/vocab"
)

// smallest is data and options of a run that takes next to no time.
func smallest() (*Data, *Options) {
	o := Defaults()
	o.Cell, o.Embed, o.Hidden, o.Epochs, o.Batch, o.Threads = captioner.RNN, 1, 2, 2, 2, 1
	o.Generate = captioner.Defaults()
	o.Generate.Beam, o.Generate.MaxWords = 1, 3
	v := vocab.Build([][]string{{"a", "dog"}}, 1)
	return &Data{
		Vocab:    v,
		Features: [][]float32{{1}, {2}},
		Captions: [][][]int{{{4, 5}}, {{5}}},
		Val:      []ValSet{{Name: "v", Features: [][]float32{{1}}, Refs: [][][]string{{{"a", "dog"}}}}},
	}, o
}

// trained is a run of smallest after an epoch, and its checkpoint.
func trained(t testing.TB) (*run, []byte) {
	d, o := smallest()
	r, err := newRun(d, *o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.epoch(context.Background(), func(Event) {}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	return r, b.Bytes()
}

// blank returns a run of smallest to read checkpoints into.
func blank(t testing.TB) *run {
	d, o := smallest()
	r, err := newRun(d, *o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// again reads a checkpoint into r, of which nothing is left.
func again(r *run, file []byte) error {
	r.adam.step, r.history, r.bestAt = 0, nil, 0
	for _, a := range r.arrays() {
		clear(a.Data)
	}
	return r.read(bytes.NewReader(file), int64(len(file)))
}

// differ says how the states of two runs differ, "" if they do not.
func differ(a, b *run) string {
	if a.adam.step != b.adam.step || a.bestAt != b.bestAt || !reflect.DeepEqual(a.history, b.history) {
		return "steps, best epoch or history"
	}
	for i, x := range a.arrays() {
		y := b.arrays()[i]
		if x.Name != y.Name || !slices.EqualFunc(x.Data, y.Data, func(p, q float32) bool {
			return math.Float32bits(p) == math.Float32bits(q)
		}) {
			return x.Name
		}
	}
	return ""
}

// TestCheckpointBits flips bits all over a checkpoint: it is refused, or the bit said
// nothing (white space in the header).
func TestCheckpointBits(t *testing.T) {
	want, file := trained(t)
	got := blank(t)
	step := 17
	if testing.Short() {
		step = 170
	}
	for i := 0; i < len(file); i += step {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			if again(got, bad) != nil {
				continue
			}
			if s := differ(got, want); s != "" {
				t.Errorf("bit %d of byte %d: other %s", bit, i, s)
			}
		}
	}
	if err := again(got, file); err != nil || differ(got, want) != "" {
		t.Errorf("%v, other %s", err, differ(got, want))
	}
}

// A header that promises what is not there, or says things twice, is refused before
// memory is taken.
func TestCheckpointLies(t *testing.T) {
	_, file := trained(t)
	huge := bytes.Clone(file)
	binary.LittleEndian.PutUint64(huge, 1<<62)
	twice := strings.Replace(string(file), `\"step\":1,`, `\"step\":9,\"step\":1,`, 1)
	upper := strings.Replace(string(file), `\"step\"`, `\"Step\"`, 1)
	for name, bad := range map[string]string{
		"header": string(huge),
		"shape":  strings.Replace(string(file), `"shape":[6,1]`, `"shape":[4611686018427387904,4]`, 1),
		"twice":  relength(twice),
		"case":   upper,
	} {
		if bad == string(file) {
			t.Errorf("%s: nothing was changed", name)
			continue
		}
		var before, after runtime.MemStats
		r := blank(t)
		runtime.ReadMemStats(&before)
		err := r.read(strings.NewReader(bad), int64(len(bad)))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes are taken", name, got)
		}
	}
}

// relength makes the length of the header right again.
func relength(file string) string {
	b := []byte(file)
	if end := bytes.Index(b, []byte("]}}")); end > 0 {
		for b[end+3] == ' ' {
			end++
		}
		binary.LittleEndian.PutUint64(b, uint64(end+3-8))
	}
	return string(b)
}

// FuzzCheckpoint changes a checkpoint. One that is damaged is refused; what is accepted
// is what was written. With seal the checksum is made right again: then what is
// accepted is what it says.
func FuzzCheckpoint(f *testing.F) {
	want, file := trained(f)
	for _, seal := range []bool{false, true} {
		f.Add(0, 0, []byte(nil), seal)
		f.Add(len(file)-4, 4, []byte(nil), seal)
		for _, c := range []struct{ old, new string }{
			{`\"step\":1`, `\"step\":9`}, {`\"step\":1,`, `\"Step\":1,`}, {`\"best\":1`, `\"best\":2`}, {`F32`, `F16`}, {`"loss`, `"lost`}, {`{`, ` `},
		} {
			f.Add(bytes.Index(file, []byte(c.old)), len(c.old), []byte(c.new), seal)
		}
		f.Add(0, 8, []byte("\xff\xff\xff\xff\x00\x00\x00\x00"), seal)
		f.Add(0, len(file), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), seal)
	}
	got, twin := blank(f), blank(f)
	f.Fuzz(func(t *testing.T, at, drop int, with []byte, seal bool) {
		data := splice(file, at, drop, with)
		if seal {
			data = sealed(twin, data)
		}
		if again(got, data) != nil {
			return
		}
		if !seal {
			if s := differ(got, want); s != "" {
				t.Fatalf("accepted with other %s", s)
			}
			return
		}
		var b bytes.Buffer
		if err := got.write(&b); err != nil {
			t.Fatal(err)
		}
		if err := again(twin, b.Bytes()); err != nil {
			t.Fatal(err)
		}
		if s := differ(got, twin); s != "" {
			t.Fatalf("other %s after writing and reading again", s)
		}
	})
}

// splice returns b with drop bytes at a place replaced. Fuzzing finds more with few
// bytes to change than with a whole file.
func splice(b []byte, at, drop int, with []byte) []byte {
	at = int(uint(at) % uint(len(b)+1))
	drop = min(max(drop, 0), len(b)-at)
	return slices.Concat(b[:at], with, b[at+drop:])
}

// sealed returns the checkpoint in data with a right checksum, where it can be read
// as one of r.
func sealed(r *run, data []byte) []byte {
	file, err := safetensors.Read(data)
	if err != nil || file.Metadata[checksumKey] == "" {
		return data
	}
	ts := r.arrays()
	for i, t := range ts {
		if ts[i].Data, err = file.Float32s(t.Name); err != nil {
			return data
		}
	}
	return bytes.Replace(data, []byte(file.Metadata[checksumKey]), []byte(checksum(file.Metadata[checkpointKey], ts)), 1)
}

// TestHostile gives Run what makes no sense.
func TestHostile(t *testing.T) {
	var noCtx context.Context
	folder := t.TempDir()
	ended := leaktest.Start(t)
	for name, c := range map[string]struct {
		change func(d *Data, o *Options)
		says   string
	}{
		"empty captions": {func(d *Data, o *Options) { d.Captions = [][][]int{{{}, nil}, nil} }, "no training captions"},
		"no vocabulary":  {func(d *Data, o *Options) { d.Vocab = new(vocab.Vocab) }, "vocabulary"},
		"no features":    {func(d *Data, o *Options) { d.Features = [][]float32{nil, nil} }, "empty"},
		"long features": {func(d *Data, o *Options) {
			d.Features = [][]float32{make([]float32, 1<<17), make([]float32, 1<<17)}
			d.Val = nil
		}, "feature size"},
		"hidden":          {func(d *Data, o *Options) { o.Hidden = math.MaxInt }, "Hidden"},
		"hidden negative": {func(d *Data, o *Options) { o.Hidden = math.MinInt }, "Hidden"},
		"weights":         {func(d *Data, o *Options) { o.Hidden, o.Embed, o.Cell = 1<<14, 1<<14, captioner.LSTM }, "weights"},
		"batch":           {func(d *Data, o *Options) { o.Batch = 1 << 40 >> 8 & math.MaxInt }, "Batch"},
		"room": {func(d *Data, o *Options) {
			o.Hidden, o.Batch = 1<<13, 1<<16
			d.Captions[0] = slices.Repeat([][]int{slices.Repeat([]int{4}, 40)}, 4000)
		}, "Batch"},
		"epochs":     {func(d *Data, o *Options) { o.Epochs = math.MaxInt }, "Epochs"},
		"threads":    {func(d *Data, o *Options) { o.Threads = 1e6 }, "Threads"},
		"rate":       {func(d *Data, o *Options) { o.Rate = math.NaN() }, "Rate"},
		"infinite":   {func(d *Data, o *Options) { o.Rate = math.Inf(1) }, "Rate"},
		"clip":       {func(d *Data, o *Options) { o.Clip = math.NaN() }, "Clip"},
		"smooth":     {func(d *Data, o *Options) { o.Smooth = -1 }, "Smooth"},
		"words":      {func(d *Data, o *Options) { o.MaxWords = math.MaxInt }, "MaxWords"},
		"generate":   {func(d *Data, o *Options) { o.Generate = new(captioner.Options) }, "Generate"},
		"cell":       {func(d *Data, o *Options) { o.Cell = captioner.Cell(strings.Repeat("\x1b\n", 1000)) }, "Cell"},
		"set name":   {func(d *Data, o *Options) { d.Val[0].Name, d.Val[0].Refs = strings.Repeat("\x1b\n", 1000), nil }, "validation set"},
		"folder":     {func(d *Data, o *Options) { o.Checkpoint = folder }, "not a regular file"},
		"path":       {func(d *Data, o *Options) { o.Checkpoint = filepath.Join(folder, "no\n\x1b", strings.Repeat("x", 600)) }, "no"},
		"large":      {func(d *Data, o *Options) { d.Features = [][]float32{{math.MaxFloat32}, {-math.MaxFloat32}} }, ""},
		"empty refs": {func(d *Data, o *Options) { d.Val[0].Refs[0] = [][]string{nil, {}} }, ""},
	} {
		d, o := smallest()
		o.Epochs = 1
		c.change(d, o)
		_, err := Run(context.Background(), d, o, nil)
		if c.says == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
	d, o := smallest()
	if _, err := Run(noCtx, d, o, nil); err == nil {
		t.Error("no context: no error")
	}
	if _, err := Run(context.Background(), nil, nil, nil); err == nil {
		t.Error("no data: no error")
	}
	if _, err := Run(context.Background(), new(Data), new(Options), nil); err == nil {
		t.Error("zero values: no error")
	}
	if new(Options).Validate() == nil || new(OptionError).Error() == "" {
		t.Error("zero options are valid")
	}
	func() {
		boom := errors.New("boom")
		defer func() {
			if r := recover(); r != boom {
				t.Errorf("report panicked, Run with %v", r)
			}
		}()
		Run(context.Background(), d, o, func(Event) { panic(boom) })
	}()
	ended()
}

// FuzzAPI trains with the options and on the data that its arguments give: there is a
// decoder that writes, or an error that fits on a line.
func FuzzAPI(f *testing.F) {
	f.Add(byte(0), false, 2, 2, 1, 0.001, 0.5, 0.1, 40, 1, []byte{1, 2}, []byte{4, 5, 0, 5})
	f.Add(byte(1), true, 3, 2, 2, 1.0, 0.0, 0.0, 1, 8, []byte{1, 2, 200, 128}, []byte{0, 4, 4, 4, 5, 5, 0, 0, 4})
	f.Add(byte(2), true, 1<<14, 2, 2, 0.1, 0.99, 0.99, 3, 1<<30, []byte{}, []byte{4, 5})
	f.Add(byte(3), true, 1<<14, 1<<14, 2, math.NaN(), 0.0, 0.0, 3, 1, []byte{129, 1}, []byte{4, 99})
	f.Add(byte(2), false, 1, 1<<16, 3, 0.01, 0.5, -1.0, 1000, 0, []byte{7, 7, 7}, []byte{})
	cells := []captioner.Cell{captioner.RNN, captioner.LSTM, captioner.GRU, "\x1b\n\u202e"}
	extremes := map[byte]float64{128: math.MaxFloat32, 129: math.NaN(), 130: math.Inf(1), 131: -math.MaxFloat32}
	f.Fuzz(func(t *testing.T, cell byte, every bool, size, batch, epochs int, rate, dropout, smooth float64, words, beam int, raw, ids []byte) {
		if size > 16 && size < 1<<14 || batch > 1<<10 && batch < 1<<16 || epochs > 3 && epochs <= 1<<20 || len(ids) > 100 || len(raw) > 10 {
			return // only slow
		}
		o := Defaults()
		o.Cell, o.Embed, o.Hidden, o.Batch, o.Epochs, o.Threads = cells[cell%4], size, size, batch, epochs, 1
		o.Rate, o.Dropout, o.Smooth, o.MaxWords = rate, dropout, smooth, words
		o.Generate = captioner.Defaults()
		o.Generate.Beam, o.Generate.MaxWords = beam, 5
		if beam > 8 && beam <= 1<<10 {
			o.Generate.Beam = 8
		}
		if !every {
			o.Entry = captioner.Init
		}
		// Each byte is a photo of one feature; a 0 ends a caption, and the captions
		// go to the photos in turn.
		d := &Data{Vocab: vocab.Build([][]string{{"a", "dog", "runs"}}, 1), Captions: make([][][]int, len(raw))}
		for _, b := range raw {
			x := float32(int8(b)) / 8
			if e, ok := extremes[b]; ok {
				x = float32(e)
			}
			d.Features = append(d.Features, []float32{x})
		}
		for i, caption := range bytes.Split(ids, []byte{0}) {
			if len(raw) == 0 {
				break
			}
			var c []int
			for _, id := range caption {
				c = append(c, int(int8(id)))
			}
			d.Captions[i%len(raw)] = append(d.Captions[i%len(raw)], c)
		}
		if len(raw) > 0 {
			d.Val = []ValSet{{Name: "v\n", Features: d.Features[:1], Refs: [][][]string{{{"a", "dog"}, nil}}}}
		}
		res, err := Run(context.Background(), d, o, nil)
		if err != nil {
			if s := err.Error(); res != nil || s == "" || len(s) > 500 || strings.ContainsAny(s, "\n\r\x1b\u202e") {
				t.Fatalf("%v, %q", res, s)
			}
			return
		}
		if err := res.Decoder.Validate(); err != nil {
			t.Fatal(err)
		}
		if n := len(res.History); n < 1 || n > epochs || res.Best < 1 || res.Best > n {
			t.Fatalf("best epoch %d of %d", res.Best, n)
		}
		g, err := captioner.NewGenerator(res.Decoder)
		if err != nil {
			t.Fatal(err)
		}
		hs, err := g.Captions(context.Background(), d.Features[0], nil)
		if err == nil && (len(hs) != 1 || len(hs[0].IDs) == 0 || d.Vocab.Decode(hs[0].IDs) == "") {
			t.Fatalf("captions %v", hs)
		}
	})
}
