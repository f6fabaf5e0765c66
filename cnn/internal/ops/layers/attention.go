package layers

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var _ = op.Register([]op.Row{
	{Name: "Attention", Since: 23, Sig: "f f f a? f? f? i?", Limits: "without past keys and values, and with the output Y only", Pictures: attentionPictures, Work: 1, Bind: bindAttention,
		Attrs: "is_causal:flag=0 scale:float=0 softcap:float=0 q_num_heads:int=0 kv_num_heads:int=0 left_window_size@25:int=-1 right_window_size@25:int=-1"},
	{Name: "RotaryEmbedding", Since: 23, Sig: "f f f i?", Attrs: "interleaved:flag=0 rotary_embedding_dim:int=0 num_heads:int=0",
		Pictures: rotaryPictures, Bind: bindRotaryEmbedding},
})

// attentionPictures: pictures lie along the first axis of queries, keys and values,
// and of a mask of four dimensions, or the mask is the same for all.
var attentionPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	if axes[0] != 0 || axes[1] != 0 || axes[2] != 0 {
		return 0, false
	}
	mask := b.X(3)
	switch {
	case mask == nil || len(mask.Shape) < 4:
		return 0, mask == nil || axes[3] < 0
	case axes[3] < 0:
		return 0, mask.Shape[0] == 1
	}
	return 0, axes[3] == 0
})

// A headed is an input of an attention, [N, heads, length, width] or
// [N, length, heads·width].
type headed struct {
	heads, length, width int
	row                  int // elements from one place of the length to the next
	packed               bool
}

// newHeaded reads input i.
func newHeaded(b *op.Binding, i, heads int) headed {
	x := b.In[i].Shape
	switch {
	case len(x) == 4:
		return headed{heads: x[1], length: x[2], width: x[3], row: x[3]}
	case len(x) == 3 && heads > 0 && x[2]%heads == 0:
		return headed{heads: heads, length: x[1], width: x[2] / heads, row: x[2], packed: true}
	}
	b.Refuse("input %d %v does not have %d heads", i, x, heads)
	return headed{}
}

// of returns where head h of element n of the batch begins.
func (h headed) of(n, head int) int {
	if h.packed {
		return n*h.length*h.row + head*h.width
	}
	return (n*h.heads + head) * h.length * h.row
}

// bindAttention: Y = softmax(Q·Kᵀ·scale + mask)·V for each head. There may be fewer
// heads of keys and values than of queries, which share them then.
func bindAttention(b *op.Binding) *op.Kernel {
	for i := 4; i < len(b.In); i++ {
		if b.In[i] != nil {
			b.Unsupported("past keys and values")
		}
	}
	q, k, v := newHeaded(b, 0, b.Int("q_num_heads")), newHeaded(b, 1, b.Int("kv_num_heads")), newHeaded(b, 2, b.Int("kv_num_heads"))
	batch := b.Shape()[0]
	b.RefuseIf(b.In[1].Shape[0] != batch || b.In[2].Shape[0] != batch || q.packed != k.packed || q.packed != v.packed ||
		k.heads != v.heads || k.length != v.length || q.width != k.width || k.heads < 1 || q.heads%k.heads != 0,
		"queries %v, keys %v and values %v do not fit", b.In[0].Shape, b.In[1].Shape, b.In[2].Shape)
	m := newMask(b, batch, q, k)
	y := headed{q.heads, q.length, v.width, v.width, q.packed}
	shape := []int{batch, q.heads, q.length, v.width}
	if q.packed {
		y.row = q.heads * v.width
		shape = []int{batch, q.length, y.row}
	}
	op.Try(tensor.Count(shape))
	op.Try(tensor.Count([]int{q.length, k.length}))
	scale, softcap := float32(1/math.Sqrt(float64(q.width))), b.Float("softcap")
	if b.Has("scale") {
		scale = b.Float("scale")
	}
	kernel := b.Kernel(func(in, out op.Tensors, team *workers.Team) error {
		if len(out[0].F) == 0 {
			return nil
		}
		s := make([]float32, q.length*k.length)
		for i := range batch * q.heads {
			n, head := i/q.heads, i%q.heads
			shared := head / (q.heads / k.heads)
			rows(false, true, q.length, k.length, q.width, in[0].F, q.of(n, head), q.row, in[1].F, k.of(n, shared), k.row, s, 0, k.length, team)
			vmath.Scale(s, scale, s)
			if softcap > 0 {
				tensor.Map(s, s, func(x float32) float32 { return softcap * float32(math.Tanh(float64(x/softcap))) })
			}
			for r := range q.length {
				row := s[r*k.length : (r+1)*k.length]
				if m.add(row, in, n, head, r) {
					vmath.Softmax(row, row)
				} else {
					clear(row) // all is masked
				}
			}
			rows(false, false, q.length, v.width, k.length, s, 0, k.length, in[2].F, v.of(n, shared), v.row, out[0].F, y.of(n, head), y.row, team)
		}
		return nil
	}, op.Float(shape...))
	scores := int64(batch) * int64(q.heads) * int64(q.length) * int64(k.length)
	kernel.Work = scores * (int64(q.width+v.width)/16 + 8)
	kernel.Workspace = 4 * int64(q.length) * int64(k.length)
	return kernel
}

// rows is gemm on matrices that begin somewhere in their slices: where they are empty,
// that may be beyond the end.
func rows(transA, transB bool, m, n, k int, a []float32, atA, lda int, b []float32, atB, ldb int, c []float32, atC, ldc int, team *workers.Team) {
	if m > 0 && n > 0 && k > 0 {
		gemm(transA, transB, m, n, k, a[atA:], lda, b[atB:], ldb, c[atC:], ldc, team)
		return
	}
	for i := range m {
		if n > 0 {
			clear(c[atC+i*ldc:][:n])
		}
	}
}

// A mask says which keys a query may look at, and what is added to their scores.
type mask struct {
	strides     []int // of input 3 along batch, heads, queries and keys; nil without one
	keys        int   // that it has: none may look at further ones
	left, right int   // keys before and after the query's place that it sees; -1 for all
}

func newMask(b *op.Binding, batch int, q, k headed) *mask {
	m := &mask{keys: k.length, left: b.Int("left_window_size"), right: b.Int("right_window_size")}
	if b.Flag("is_causal") {
		m.right = 0
	}
	t := b.X(3)
	if t == nil {
		return m
	}
	b.RefuseIf(t.Type == graph.Int, "input 3 (mask) is %v", t)
	full := []int{batch, q.heads, q.length, k.length}
	if n := len(t.Shape); n > 0 {
		m.keys = min(k.length, t.Shape[n-1])
		full[3] = t.Shape[n-1]
		b.RefuseIf(full[3] > k.length, "mask %v has more than %d keys", t.Shape, k.length)
	}
	b.RefuseIf(!tensor.BroadcastsTo(t.Shape, full), "mask %v does not broadcast to %v", t.Shape, full)
	m.strides = tensor.Stretch(t.Shape, full)
	return m
}

// add adds the mask to the scores of query r. It reports whether any key is left.
func (m *mask) add(row []float32, in op.Tensors, n, head, r int) (any bool) {
	at := 0
	if m.strides != nil {
		at = n*m.strides[0] + head*m.strides[1] + r*m.strides[2]
	}
	for j := range row {
		sees := j < m.keys && (m.left < 0 || r-j <= m.left) && (m.right < 0 || j-r <= m.right)
		if sees && m.strides != nil {
			if t := in[3]; t.Type == graph.Bool {
				sees = t.B[at+j*m.strides[3]]
			} else {
				row[j] += t.F[at+j*m.strides[3]]
				sees = !math.IsInf(float64(t.F[at+j*m.strides[3]]), -1)
			}
		}
		if sees {
			any = true
		} else {
			row[j] = float32(math.Inf(-1))
		}
	}
	return any
}

// rotaryPictures: pictures lie along the first axis of all that is not the same for
// them: positions, or else the tables.
var rotaryPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	if b.X(3) != nil {
		return 0, axes[0] == 0 && axes[1] < 0 && axes[2] < 0 && axes[3] == 0
	}
	return 0, axes[0] == 0 && axes[1] == 0 && axes[2] == 0
})

// bindRotaryEmbedding turns pairs of the elements of each head by an angle for each
// place. The tables of cosines and sines are [positions, pairs] with the positions of
// input 3, [N, length], else [N, length, pairs].
func bindRotaryEmbedding(b *op.Binding) *op.Kernel {
	x, cos := newHeaded(b, 0, b.Int("num_heads")), b.In[1].Shape
	batch, turned := b.Shape()[0], b.Int("rotary_embedding_dim")
	if turned == 0 {
		turned = x.width
	}
	b.RefuseIf(turned < 0 || turned > x.width || turned%2 != 0, "rotary_embedding_dim %d does not fit heads of %d", turned, x.width)
	positions, pairs := b.X(3), turned/2
	want := []int{batch, x.length, pairs}
	if positions != nil {
		b.RefuseIf(!slices.Equal(positions.Shape, want[:2]) || len(cos) != 2, "positions %v do not fit input %v and tables %v", positions.Shape, b.Shape(), cos)
		want = []int{cos[0], pairs}
	}
	b.RefuseIf(!slices.Equal(cos, want) || !slices.Equal(b.In[2].Shape, want), "tables %v and %v are not %v", cos, b.In[2].Shape, want)
	next, step := pairs, 1 // from one element of a pair to the other, and to the next pair
	if b.Flag("interleaved") {
		next, step = 1, 2
	}
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) error {
		graph.Assign(out[0], in[0])
		for i := range batch * x.length {
			place := i
			if positions != nil {
				var err error
				if place, err = ops.Index(in[3].I[i], cos[0]); err != nil {
					return err
				}
			}
			c, s := in[1].F[place*pairs:], in[2].F[place*pairs:]
			for head := range x.heads {
				y := out[0].F[x.of(i/x.length, head)+i%x.length*x.row:]
				for p := range pairs {
					u, v := y[p*step], y[p*step+next]
					y[p*step], y[p*step+next] = c[p]*u-s[p]*v, s[p]*u+c[p]*v
				}
			}
		}
		return nil
	}, op.Float(b.Shape()...))
}
