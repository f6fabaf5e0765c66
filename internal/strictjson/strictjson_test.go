package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	N    int        `json:"n"`
	Mean [2]float32 `json:"mean"`
}

type outer struct {
	Name   string             `json:"name,omitempty"`
	Inner  inner              `json:"inner"`
	More   *inner             `json:"more"`
	List   []inner            `json:"list"`
	Scores map[string]float64 `json:"scores"`
	Raw    json.RawMessage    `json:"raw"`
	Plain  string
	hidden int
	Never  int `json:"-"`
}

const good = `{"name":"a","inner":{"n":1,"mean":[1,2]},"more":null,"list":[{"n":2},{"n":3}],"scores":{"x":1,"X":2},"raw":{"a":1,"a":2},"Plain":"p"}`

func TestUnmarshal(t *testing.T) {
	want := outer{
		Name: "a", Inner: inner{1, [2]float32{1, 2}}, List: []inner{{N: 2}, {N: 3}}, Scores: map[string]float64{"x": 1, "X": 2},
		Raw: json.RawMessage(`{"a":1,"a":2}`), Plain: "p",
	}
	for _, read := range []func([]byte, any) error{Unmarshal, UnmarshalKnown} {
		var v outer
		if err := read([]byte(" "+good+"\n"), &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

// Each is taken by encoding/json, but for the last ones.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ old, new, says string }{
		{`"name":"a"`, `"name":"a","name":"b"`, `field "name" is there twice`},
		{`"name":"a"`, `"name":"a","n\u0061me":"b"`, `field "name" is there twice`},
		{`"name":"a"`, `"Name":"a"`, `field "Name"; it is written "name"`},
		{`"name":"a"`, `"\u017fcores":null`, `it is written "scores"`}, // ſ folds to s
		{`"Plain"`, `"plain"`, `it is written "Plain"`},
		{`"n":1`, `"n":1,"n":2`, `inner: field "n" is there twice`},
		{`"n":1`, `"N":1`, `inner: field "N"`},
		{`"n":1`, `"n":null`, `inner.n: null`},
		{`{"n":3}`, `{"n":3,"n":3}`, `list[1]: field "n" is there twice`},
		{`{"n":3}`, `null`, `list[1]: null`},
		{`"more":null`, `"more":{"n":1,"n":1}`, `more: field "n"`},
		{`"x":1`, `"X":1`, `scores: field "X" is there twice`},
		{`"x":1`, `"x\n":null`, `scores."x\n": null`},
		{`[1,2]`, `[1,2,3]`, `inner.mean: 3 values; 2 are expected`},
		{`[1,2]`, `[1]`, `inner.mean: 1 values`},
		{`[1,2]`, `[1,null]`, `inner.mean[1]: null`},
		{`"a"`, "\"\xff\"", "UTF-8"},
		{good, `null`, "null"},
		{`{"n":2}`, `2`, "list[0]: an object is expected"},
		{good, `[]`, "an object is expected"},
		{`"n":1`, `"n":"1"`, "cannot unmarshal string"},
		{`"list":[`, `"list":[[`, "invalid character"},
		{good, good + "{}", "after top-level"},
		{good, "", "unexpected end"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s does not occur", c.old)
		}
		for i, read := range []func([]byte, any) error{Unmarshal, UnmarshalKnown} {
			if i == 1 && strings.HasSuffix(c.says, ": null") {
				continue
			}
			if err := read([]byte(text), new(outer)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want %q", c.new, err, c.says)
			}
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, key := range []string{"other", "hidden", "Never", "-"} {
		text := []byte(strings.Replace(good, `"n":1`, `"n":1,"`+key+`":{"a":1}`, 1))
		if err := Unmarshal(text, new(outer)); err == nil || !strings.Contains(err.Error(), "inner: unknown field") {
			t.Errorf("%s: %v", key, err)
		}
		if err := UnmarshalKnown(text, new(outer)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// What is taken means the same to whoever reads it: written again, and read by
// encoding/json alone, it gives the same.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"name":"a","Name":"b"}`))
	f.Add([]byte(`{"inner":{"mean":[1,2]},"list":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v outer
		if err := Unmarshal(data, &v); err != nil {
			return
		}
		keys := strings.Count(string(data), ":")
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil || len(fields) > 7 || len(fields) > keys {
			t.Fatalf("%d fields, %v", len(fields), err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var again outer
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		written, _ := json.Marshal(again)
		if string(written) != string(text) {
			t.Fatalf("%s became %s", text, written)
		}
	})
}
