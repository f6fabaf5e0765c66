package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/safetensors"
)

// TestGolden compares loss and gradients with those of PyTorch's recurrent
// layers; testdata/golden.py made them.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	array := func(name string) []float32 {
		x, err := file.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	number := func(name string) float64 {
		x, err := strconv.ParseFloat(file.Metadata[name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	var examples []example
	var raw [][3]json.RawMessage
	if err := json.Unmarshal([]byte(file.Metadata["examples"]), &raw); err != nil {
		t.Fatal(err)
	}
	for _, r := range raw {
		var e example
		for i, to := range []any{&e.photo, &e.words, &e.whole} {
			if err := json.Unmarshal(r[i], to); err != nil {
				t.Fatal(err)
			}
		}
		examples = append(examples, e)
	}

	for _, cell := range []captioner.Cell{captioner.RNN, captioner.LSTM, captioner.GRU} {
		for _, entry := range []captioner.Entry{captioner.Init, captioner.Every} {
			name := fmt.Sprintf("%s/%s", cell, entry)
			t.Run(name, func(t *testing.T) {
				d, err := captioner.NewDecoder(captioner.Form{Cell: cell, Entry: entry, Features: []int{5}, E: 6, H: 7, V: 11})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range learnt(d.Form) {
					copy(d.Weights[p.Name], array(name+"/weight/"+p.Symbol))
				}
				m, err := newGraph(d, maxRows(examples, len(examples)), number("smooth"), 2)
				if err != nil {
					t.Fatal(err)
				}
				m.batch.pack(examples, array("features"), d.D())
				got, err := m.run()
				if err != nil {
					t.Fatal(err)
				}
				if want := number(name); math.Abs(got-want) > 1e-6*want {
					t.Errorf("loss %v, want %v", got, want)
				}
				for i, p := range learnt(d.Form) {
					g, err := m.params[i].Grad()
					if err != nil {
						t.Fatal(err)
					}
					var want []float64
					for _, x := range array(name + "/gradient/" + p.Symbol) {
						want = append(want, float64(x))
					}
					if rel := distance(g.Data().([]float32), want); !(rel < 2e-6) {
						t.Errorf("gradient of %s: off by %.2g of its length", p.Symbol, rel)
					}
				}
			})
		}
	}
}
