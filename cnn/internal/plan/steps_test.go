package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/plan"
)

// TestSteps holds the printed plan of a network with something of everything.
func TestSteps(t *testing.T) {
	g := build(t, `b = Conv x w:32,3,3,3 strides=2,2 pads=1,1,1,1
		c = BatchNormalization b s:32 b:32 m:32 v:32
		d = Relu c
		dd = Pad d i=0,0,1,1,0,0,1,1
		e = Conv dd w:16,32,3,3 b:16
		f = HardSwish e
		g = Conv f w:16,1,5,5 group=16 pads=2,2,2,2 strides=2,2
		h = GlobalAveragePool g
		i = Conv h w:16,16,1,1 b:16
		j = Sigmoid i
		k = Mul g j
		l = Conv k w:8,16,1,1
		m = Conv l w:8,8,1,1
		n = Add m l
		o = Softplus n
		p = Concat n o axis=1
		q = MaxPool p kernel_shape=2,2 strides=2,2
		r = Add q w:16,1,1
		s = Flatten r
		u = MatMul s w:400,12
		v = Gelu u`, []int{-1, 3, 40, 40}, "v")
	g.Opset = 22
	p, err := plan.Compile(g, plan.Options{Layer: "v"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	total := int64(0)
	for _, s := range p.Steps {
		total += s.MultiplyAdds
		got = append(got, fmt.Sprintf("%s: %s, %s, fused %q, %v -> %v, %s %d+%d, %d", s.Node, s.Operator, s.Kernel, s.Fused, s.Inputs, s.Output, s.Memory, s.Offset, s.Bytes, s.MultiplyAdds))
	}
	if total != p.MultiplyAdds {
		t.Errorf("%d multiply-adds, of all %d", total, p.MultiplyAdds)
	}
	want := `node of b: convolution 3×3 stride 2,2 pads 1,1,1,1, direct, planar, fused ["scale" "bias" "relu"], [[1 3 40 40]] -> [1 20 20 32], buffer 0+51200, 345600
node of e: convolution 3×3 pads 1,1,1,1, Winograd F(4×4), fused ["padding" "bias" "hard swish"], [[1 20 20 32]] -> [1 20 20 16], buffer 51200+25600, 1843200
node of g: depthwise convolution 5×5 stride 2,2 pads 2,2,2,2, depthwise, fused [], [[1 20 20 16]] -> [1 10 10 16], buffer 0+6400, 40000
node of h: mean over the picture, strip, fused [], [[1 10 10 16]] -> [1 1 1 16], buffer 6400+64, 0
node of i: product 16×16, matrix product, fused ["bias" "sigmoid"], [[1 1 1 16]] -> [1 1 1 16], buffer 9600+64, 256
node of l: product 16×8, matrix product, fused ["gate"], [[1 10 10 16] [1 1 1 16]] -> [1 10 10 8], buffer 6400+3200, 12800
node of m: product 8×8, matrix product, fused ["residual"], [[1 10 10 8] [1 10 10 8]] -> [1 10 10 8], buffer 9600+3200, 6400
node of o: Softplus, general, fused [], [[1 10 10 8]] -> [1 10 10 8], buffer 6400+3200, 0
node of p: concat along axis 3, copy, fused [], [[1 10 10 8] [1 10 10 8]] -> [1 10 10 16], buffer 0+6400, 0
node of q: max pool 2×2 stride 2,2, strip, fused [], [[1 10 10 16]] -> [1 5 5 16], buffer 6400+1600, 0
node of r: scale, vector, fused [], [[1 5 5 16]] -> [1 5 5 16], in place 6400+1600, 0
node of r: transpose to [0 3 1 2], copy, fused [], [[1 5 5 16]] -> [1 16 5 5], buffer 0+1600, 0
node of s: reshape, view, fused [], [[1 16 5 5]] -> [1 400], view 0+1600, 0
node of u: product 400×12, matrix product, fused ["gelu"], [[1 400]] -> [1 12], result 0+48, 4800`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("the plan is\n%s\nnot\n%s", got, want)
	}
}
