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
// with FMA, AVX-512) and arm64 (NEON). Package cpu chooses at start. Each family has
// one file for each architecture, kernels_amd64.go and kernels_arm64.go, which
// enters its kernels into the family's table; the build tag purego leaves them out.
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
