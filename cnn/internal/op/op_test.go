package op

import (
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// TestRegister: an operator has one row, which is well formed.
func TestRegister(t *testing.T) {
	registry = map[string]*Row{}
	Register([]Row{{Name: "Old", Since: 1, Sig: "f i? b*", Attrs: "axis:int=0 axis@13:int=-1 mode-9:a|b", Pictures: Unknown}})
	for _, o := range []Row{
		{Name: "Old", Since: 1}, {Name: "New", Sig: "x"}, {Name: "New", Sig: "f!"}, {Name: "New", Attrs: "axis:int=one"},
		{Name: "New", Attrs: "axis"}, {Name: "New", Attrs: "axis@x:int=0"}, {Name: "New", Attrs: "axis@9:int=0 axis:int=1"},
		{Name: "New", Since: 9, Attrs: "axis-8:ints"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is registered", o)
				}
			}()
			Register([]Row{o})
		}()
	}
}

// TestAttributes reads attributes that operator sets have differently.
func TestAttributes(t *testing.T) {
	registry = map[string]*Row{}
	Register([]Row{{Name: "Op", Since: 1, Attrs: "axis:int=1 axis@13:int=-1 keep@9:flag=1 mode:a|b mode@11:b|c pads-10:ints eps:float=0.5"}})
	for _, c := range []struct {
		opset int
		attrs map[string]graph.Attr
		axis  int
		keep  bool
		mode  string
		pads  int
		eps   float32
	}{
		{8, nil, 1, true, "a", 0, 0.5},
		{13, nil, -1, true, "b", 0, 0.5},
		{13, map[string]graph.Attr{"axis": {I: 2}, "keep": {}, "mode": {S: "c"}, "pads": {Ints: []int64{1}}, "eps": {F: 2}}, 2, false, "c", 0, 2},
		{8, map[string]graph.Attr{"keep": {I: 7}, "mode": {S: "b"}, "pads": {Ints: []int64{1}}}, 1, true, "b", 1, 0.5},
	} {
		b := &Binding{Node: &graph.Node{Attrs: c.attrs}, row: Get("Op"), Opset: c.opset}
		if err := b.checkAttrs(); err != nil {
			t.Error(err)
		}
		if b.Int("axis") != c.axis || b.Flag("keep") != c.keep || b.Word("mode") != c.mode || len(b.Ints("pads")) != c.pads || b.Float("eps") != c.eps {
			t.Errorf("opset %d: %d %t %s %v %g, want %+v", c.opset, b.Int("axis"), b.Flag("keep"), b.Word("mode"), b.Ints("pads"), b.Float("eps"), c)
		}
	}
	for _, bad := range []map[string]graph.Attr{{"keep": {I: 2}}, {"mode": {S: "a"}}} {
		b := &Binding{Node: &graph.Node{Attrs: bad}, row: Get("Op"), Opset: 13}
		if b.checkAttrs() == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}
