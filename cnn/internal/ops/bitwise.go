package ops

import "github.com/onetomany/caption/cnn/internal/op"

var _ = op.Register([]op.Row{
	{Name: "BitwiseAnd", Since: 18, Sig: "i i", Pictures: op.Elementwise, Work: 1, Bind: bitwise(func(x, y int64) int64 { return x & y })},
	{Name: "BitwiseOr", Since: 18, Sig: "i i", Pictures: op.Elementwise, Work: 1, Bind: bitwise(func(x, y int64) int64 { return x | y })},
	{Name: "BitwiseXor", Since: 18, Sig: "i i", Pictures: op.Elementwise, Work: 1, Bind: bitwise(func(x, y int64) int64 { return x ^ y })},
	{Name: "BitShift", Since: 11, Sig: "i i", Attrs: "direction:LEFT|RIGHT", Limits: "bits shifted out to the left stay", Pictures: op.Elementwise, Work: 1, Bind: bindBitShift},
})

func bitwise(f func(x, y int64) int64) func(*op.Binding) *op.Kernel {
	return arithmetic(nil, EachRow(f))
}

// bindBitShift: the sign stays where it shifts to the right.
func bindBitShift(b *op.Binding) *op.Kernel {
	b.RefuseIf(!b.Has("direction"), "direction is missing")
	if b.Word("direction") == "LEFT" {
		return bitwise(func(x, y int64) int64 { return x << uint64(y) })(b)
	}
	return bitwise(func(x, y int64) int64 { return x >> uint64(y) })(b)
}
