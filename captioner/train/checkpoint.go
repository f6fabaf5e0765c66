package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"

	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/safetensors"
	"github.com/onetomany/caption/internal/strictjson"
)

// A checkpoint is a safetensors file: the weights, their moving average, the average
// at the best epoch, and the two moments of Adam, each array named "group/weight".
// The rest of the state is JSON in the metadata, beside a checksum of both. Random
// numbers have no state: they follow from the seed and the step.

// ErrCheckpoint is wrapped by errors about a checkpoint that cannot be resumed,
// because it is damaged or of other data or options.
var ErrCheckpoint = errors.New("the checkpoint cannot be resumed")

const (
	checkpointKey    = "caption.train"
	checksumKey      = "caption.train.crc32c" // of the JSON and then of all arrays, in order: eight hexadecimal digits
	checkpointFormat = 2
)

// state is what a checkpoint holds beside arrays.
type state struct {
	Format  int     `json:"format"`
	Data    string  `json:"data"` // digest
	Options Options `json:"options"`
	Step    int     `json:"step"`
	History []Epoch `json:"history"`
	Best    int     `json:"best"`
}

// arrays lists the arrays of a checkpoint; they share the memory of the run.
func (r *run) arrays() []safetensors.Tensor {
	var ts []safetensors.Tensor
	for i, p := range learnt(r.weights.Form) {
		for _, a := range []struct {
			group string
			data  []float32
		}{
			{"weights", r.weights.Weights[p.Name]}, {"average", r.average.Weights[p.Name]}, {"best", r.best.Weights[p.Name]},
			{"adam.m", r.adam.m[i]}, {"adam.v", r.adam.v[i]},
		} {
			info := safetensors.Info{Name: a.group + "/" + p.Symbol, DType: safetensors.F32, Shape: r.weights.Shape(p)}
			ts = append(ts, safetensors.Tensor{Info: info, Data: a.data})
		}
	}
	return ts
}

// comparable returns the options on which the result depends.
func (o Options) comparable() Options {
	o.Threads, o.Checkpoint = 0, ""
	return o
}

func (r *run) save() error {
	if r.opt.Checkpoint == "" {
		return nil
	}
	if err := atomicfile.WriteFile(r.opt.Checkpoint, r.write); err != nil {
		return fmt.Errorf("train: writing the checkpoint: %w", err)
	}
	return nil
}

func (r *run) write(w io.Writer) error {
	ts := r.arrays()
	meta, err := json.Marshal(state{
		Format: checkpointFormat, Data: r.digest, Options: r.opt.comparable(),
		Step: r.adam.step, History: r.history, Best: r.bestAt,
	})
	if err != nil {
		return err
	}
	return safetensors.Write(w, ts, map[string]string{checkpointKey: string(meta), checksumKey: checksum(string(meta), ts)})
}

// load restores the state from the checkpoint, if there is one.
func (r *run) load() error {
	if r.opt.Checkpoint == "" {
		return nil
	}
	info, err := os.Stat(r.opt.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("the checkpoint %s is not a regular file", r.opt.Checkpoint)
	}
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	f, err := os.Open(r.opt.Checkpoint)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	if err := r.read(f, info.Size()); err != nil {
		return fmt.Errorf("train: %s: %w: %w; to start anew, remove the file", r.opt.Checkpoint, ErrCheckpoint, err)
	}
	return nil
}

// read restores the state from the size bytes of f. Arrays are read only once the
// header has shown that this is a checkpoint of this run.
func (r *run) read(f io.ReaderAt, size int64) error {
	file, err := safetensors.Open(f, size)
	if err != nil {
		return err
	}
	var s state
	if err := strictjson.Unmarshal([]byte(file.Metadata[checkpointKey]), &s); err != nil {
		return fmt.Errorf("it is not a checkpoint of a training run: %w", err)
	}
	if s.Format != checkpointFormat {
		return fmt.Errorf("its format is %d, this program reads %d", s.Format, checkpointFormat)
	}
	if name, was, is := difference(s.Options, r.opt.comparable()); name != "" {
		return fmt.Errorf("it was made with %s %s, not %s", name, was, is)
	}
	if s.Data != r.digest {
		return errors.New("it was made on other features, captions or validation sets")
	}
	steps := (len(r.examples) + r.opt.Batch - 1) / r.opt.Batch
	if n := len(s.History); n < 1 || n > r.opt.Epochs || s.Best < 1 || s.Best > n || s.Step != n*steps {
		return errors.New("its state is not that of a finished epoch")
	}
	ts := r.arrays()
	if n := len(file.Metadata); n != 2 {
		return fmt.Errorf("it has %d entries of metadata, want 2", n)
	}
	if n := len(file.Tensors()); n != len(ts) {
		return fmt.Errorf("it has %d arrays, want %d", n, len(ts))
	}
	for _, t := range ts {
		got, ok := file.Lookup(t.Name)
		if !ok || got.DType != t.DType || !slices.Equal(got.Shape, t.Shape) {
			return fmt.Errorf("array %s is missing or has another shape", t.Name)
		}
		data, err := file.Float32s(t.Name)
		if err != nil {
			return err
		}
		copy(t.Data, data)
	}
	if checksum(file.Metadata[checkpointKey], ts) != file.Metadata[checksumKey] {
		return errors.New("its contents do not match their checksum")
	}
	r.adam.step, r.history, r.bestAt = s.Step, s.History, s.Best
	return nil
}

// difference returns the first field in which two options differ.
func difference(a, b Options) (name, was, is string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		p, q := x.Field(i).Interface(), y.Field(i).Interface()
		if !reflect.DeepEqual(p, q) {
			s, _ := json.Marshal(p)
			t, _ := json.Marshal(q)
			return x.Type().Field(i).Name, string(s), string(t)
		}
	}
	return "", "", ""
}

func checksum(meta string, ts []safetensors.Tensor) string {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	io.WriteString(h, meta)
	for _, t := range ts {
		safetensors.WriteFloats(h, safetensors.F32, t.Data) // a hash takes all
	}
	return fmt.Sprintf("%08x", h.Sum32())
}
