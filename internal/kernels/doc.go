// Package kernels holds what the numeric inner loops of the CNN engine, the decoder
// and its training have in common. The loops are in folders by family:
//
//	matmul     products of matrices, and convolutions as such products
//	depthwise  convolutions channel by channel, and pooling
//	winograd   3×3 convolutions by Winograd's minimal filtering
//	vmath      functions of vectors, sums, bfloat16 numbers
//	workers    goroutines that share the work of an operator
//	cpu        which instruction sets there are
//
// Every loop exists in plain Go and, where it pays, in assembly for amd64 (AVX2
// with FMA, AVX-512) and arm64 (NEON); package cpu chooses at start. The Go side of
// the assembly is in kernels_amd64.go and kernels_arm64.go, with what the two have
// alike, where functions end in Asm, in kernels_asm.go (lanes.go of vmath). Their init
// functions enter kernels and sizes of tiles into the family's tables, levels for
// float32 and units for BF16, from which portable code takes them. Only vmath calls
// its assembly directly, lest slices on the stack escape. The build tag purego leaves
// the assembly out.
//
// Products of BF16 numbers have instructions of their own, see cpu.Unit: AVX512_BF16,
// twice as fast as float32, or AMX. They go with AVX-512 only; without them the plain
// loops are slower than float32.
//
// Results do not depend on the number of threads: work is split over rows and
// columns of a result, never over the terms of a sum. They do differ in the last
// bits between instruction sets, since only some fuse multiply and add.
//
// Sizes that do not fit the slices given are errors of the calling code and
// panic before anything is written.
package kernels
