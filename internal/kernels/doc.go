// Package kernels holds the numeric inner loops shared by the CNN engine, the
// decoder and its training: matrix product, convolution and vector maths on
// float32, and for the CNN engine on BF16 as well.
//
// Every loop exists in plain Go and, where it pays, in assembly for amd64
// (AVX2 with FMA, AVX-512) and arm64 (NEON). The best version that the processor
// has is chosen once at start; the environment variable CAPTION_CPU (avx512,
// avx2, neon or generic) asks for another that it has. The build tag purego
// leaves the assembly out.
//
// Products of BF16 numbers have instructions of their own, which BF16Unit names:
// AVX512_BF16, twice as fast as float32, or AMX. They go with the version avx512
// only; without them the plain loops are slower than float32.
//
// Results do not depend on the number of threads: work is split over rows and
// columns of a result, never over the terms of a sum. They do differ in the
// last bits between versions, since only some fuse multiply and add.
//
// Sizes that do not fit the slices given are errors of the calling code and
// panic before anything is written.
package kernels
