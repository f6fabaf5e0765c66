//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "depthwise_avx512_amd64.h"

// The kernels for the usual windows, rows of 3, 5 or 7 taps with stride 1, or 3 or
// 5 with stride 2. The weights of a row are in registers, and each value of the
// picture is loaded once for all pixels that it counts for.
//
// Z16…Z22 are the weights of a row, Z24 a value; R9 is three times R11, BP five.

#define NEXT \
	VMOVUPS (SI), Z24; \
	ADDQ    R10, SI

#define WEIGHTS3 \
	MOVQ    AX, SI;            \
	VMOVUPS (BX), Z16;         \
	VMOVUPS (BX)(R11*1), Z17;  \
	VMOVUPS (BX)(R11*2), Z18

#define WEIGHTS5 \
	WEIGHTS3;                  \
	VMOVUPS (BX)(R9*1), Z19;   \
	VMOVUPS (BX)(R11*4), Z20

#define WEIGHTS7 \
	WEIGHTS5;                  \
	VMOVUPS (BX)(BP*1), Z21;   \
	VMOVUPS (BX)(R9*2), Z22

#define TO(w, z) \
	VFMADD231PS Z24, w, z

#define ONLY(w, z) \
	VFMADD231PS (SI), w, z; \
	ADDQ        R10, SI

// 3 taps, stride 1, for each number of pixels.
#define ROW3X4 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); \
	NEXT; TO(Z17, Z3); TO(Z18, Z2); \
	ONLY(Z18, Z3)
#define ROW3X5 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); \
	NEXT; TO(Z17, Z4); TO(Z18, Z3); \
	ONLY(Z18, Z4)
#define ROW3X6 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); \
	NEXT; TO(Z17, Z5); TO(Z18, Z4); \
	ONLY(Z18, Z5)
#define ROW3X7 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); \
	NEXT; TO(Z17, Z6); TO(Z18, Z5); \
	ONLY(Z18, Z6)
#define ROW3X8 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); \
	NEXT; TO(Z16, Z7); TO(Z17, Z6); TO(Z18, Z5); \
	NEXT; TO(Z17, Z7); TO(Z18, Z6); \
	ONLY(Z18, Z7)

// 5 taps, stride 1, for each number of pixels.
#define ROW5X4 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); \
	NEXT; TO(Z19, Z3); TO(Z20, Z2); \
	ONLY(Z20, Z3)
#define ROW5X5 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); \
	NEXT; TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); \
	NEXT; TO(Z19, Z4); TO(Z20, Z3); \
	ONLY(Z20, Z4)
#define ROW5X6 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); \
	NEXT; TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); \
	NEXT; TO(Z19, Z5); TO(Z20, Z4); \
	ONLY(Z20, Z5)
#define ROW5X7 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); \
	NEXT; TO(Z17, Z6); TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); \
	NEXT; TO(Z18, Z6); TO(Z19, Z5); TO(Z20, Z4); \
	NEXT; TO(Z19, Z6); TO(Z20, Z5); \
	ONLY(Z20, Z6)
#define ROW5X8 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); \
	NEXT; TO(Z16, Z7); TO(Z17, Z6); TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); \
	NEXT; TO(Z17, Z7); TO(Z18, Z6); TO(Z19, Z5); TO(Z20, Z4); \
	NEXT; TO(Z18, Z7); TO(Z19, Z6); TO(Z20, Z5); \
	NEXT; TO(Z19, Z7); TO(Z20, Z6); \
	ONLY(Z20, Z7)

// 7 taps, stride 1, for each number of pixels.
#define ROW7X4 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	NEXT; TO(Z19, Z3); TO(Z20, Z2); TO(Z21, Z1); TO(Z22, Z0); \
	NEXT; TO(Z20, Z3); TO(Z21, Z2); TO(Z22, Z1); \
	NEXT; TO(Z21, Z3); TO(Z22, Z2); \
	ONLY(Z22, Z3)
#define ROW7X5 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	NEXT; TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); TO(Z21, Z1); TO(Z22, Z0); \
	NEXT; TO(Z19, Z4); TO(Z20, Z3); TO(Z21, Z2); TO(Z22, Z1); \
	NEXT; TO(Z20, Z4); TO(Z21, Z3); TO(Z22, Z2); \
	NEXT; TO(Z21, Z4); TO(Z22, Z3); \
	ONLY(Z22, Z4)
#define ROW7X6 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	NEXT; TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); TO(Z21, Z1); TO(Z22, Z0); \
	NEXT; TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); TO(Z21, Z2); TO(Z22, Z1); \
	NEXT; TO(Z19, Z5); TO(Z20, Z4); TO(Z21, Z3); TO(Z22, Z2); \
	NEXT; TO(Z20, Z5); TO(Z21, Z4); TO(Z22, Z3); \
	NEXT; TO(Z21, Z5); TO(Z22, Z4); \
	ONLY(Z22, Z5)
#define ROW7X7 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); TO(Z21, Z1); TO(Z22, Z0); \
	NEXT; TO(Z17, Z6); TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); TO(Z21, Z2); TO(Z22, Z1); \
	NEXT; TO(Z18, Z6); TO(Z19, Z5); TO(Z20, Z4); TO(Z21, Z3); TO(Z22, Z2); \
	NEXT; TO(Z19, Z6); TO(Z20, Z5); TO(Z21, Z4); TO(Z22, Z3); \
	NEXT; TO(Z20, Z6); TO(Z21, Z5); TO(Z22, Z4); \
	NEXT; TO(Z21, Z6); TO(Z22, Z5); \
	ONLY(Z22, Z6)
#define ROW7X8 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z4); TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z16, Z5); TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	NEXT; TO(Z16, Z6); TO(Z17, Z5); TO(Z18, Z4); TO(Z19, Z3); TO(Z20, Z2); TO(Z21, Z1); TO(Z22, Z0); \
	NEXT; TO(Z16, Z7); TO(Z17, Z6); TO(Z18, Z5); TO(Z19, Z4); TO(Z20, Z3); TO(Z21, Z2); TO(Z22, Z1); \
	NEXT; TO(Z17, Z7); TO(Z18, Z6); TO(Z19, Z5); TO(Z20, Z4); TO(Z21, Z3); TO(Z22, Z2); \
	NEXT; TO(Z18, Z7); TO(Z19, Z6); TO(Z20, Z5); TO(Z21, Z4); TO(Z22, Z3); \
	NEXT; TO(Z19, Z7); TO(Z20, Z6); TO(Z21, Z5); TO(Z22, Z4); \
	NEXT; TO(Z20, Z7); TO(Z21, Z6); TO(Z22, Z5); \
	NEXT; TO(Z21, Z7); TO(Z22, Z6); \
	ONLY(Z22, Z7)

// 3 taps, stride 2, for each number of pixels.
#define ROW3SX4 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	ONLY(Z17, Z1); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); \
	ONLY(Z17, Z2); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); \
	ONLY(Z17, Z3); \
	ONLY(Z18, Z3)
#define ROW3SX5 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	ONLY(Z17, Z1); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); \
	ONLY(Z17, Z2); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); \
	ONLY(Z17, Z3); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); \
	ONLY(Z17, Z4); \
	ONLY(Z18, Z4)
#define ROW3SX6 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	ONLY(Z17, Z1); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); \
	ONLY(Z17, Z2); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); \
	ONLY(Z17, Z3); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); \
	ONLY(Z17, Z4); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); \
	ONLY(Z17, Z5); \
	ONLY(Z18, Z5)
#define ROW3SX7 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	ONLY(Z17, Z1); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); \
	ONLY(Z17, Z2); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); \
	ONLY(Z17, Z3); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); \
	ONLY(Z17, Z4); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); \
	ONLY(Z17, Z5); \
	NEXT; TO(Z16, Z6); TO(Z18, Z5); \
	ONLY(Z17, Z6); \
	ONLY(Z18, Z6)
#define ROW3SX8 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	ONLY(Z17, Z1); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); \
	ONLY(Z17, Z2); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); \
	ONLY(Z17, Z3); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); \
	ONLY(Z17, Z4); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); \
	ONLY(Z17, Z5); \
	NEXT; TO(Z16, Z6); TO(Z18, Z5); \
	ONLY(Z17, Z6); \
	NEXT; TO(Z16, Z7); TO(Z18, Z6); \
	ONLY(Z17, Z7); \
	ONLY(Z18, Z7)

// 5 taps, stride 2, for each number of pixels.
#define ROW5SX4 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z2); TO(Z19, Z1); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z3); TO(Z19, Z2); \
	NEXT; TO(Z18, Z3); TO(Z20, Z2); \
	ONLY(Z19, Z3); \
	ONLY(Z20, Z3)
#define ROW5SX5 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z2); TO(Z19, Z1); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z3); TO(Z19, Z2); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); TO(Z20, Z2); \
	NEXT; TO(Z17, Z4); TO(Z19, Z3); \
	NEXT; TO(Z18, Z4); TO(Z20, Z3); \
	ONLY(Z19, Z4); \
	ONLY(Z20, Z4)
#define ROW5SX6 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z2); TO(Z19, Z1); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z3); TO(Z19, Z2); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); TO(Z20, Z2); \
	NEXT; TO(Z17, Z4); TO(Z19, Z3); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); TO(Z20, Z3); \
	NEXT; TO(Z17, Z5); TO(Z19, Z4); \
	NEXT; TO(Z18, Z5); TO(Z20, Z4); \
	ONLY(Z19, Z5); \
	ONLY(Z20, Z5)
#define ROW5SX7 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z2); TO(Z19, Z1); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z3); TO(Z19, Z2); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); TO(Z20, Z2); \
	NEXT; TO(Z17, Z4); TO(Z19, Z3); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); TO(Z20, Z3); \
	NEXT; TO(Z17, Z5); TO(Z19, Z4); \
	NEXT; TO(Z16, Z6); TO(Z18, Z5); TO(Z20, Z4); \
	NEXT; TO(Z17, Z6); TO(Z19, Z5); \
	NEXT; TO(Z18, Z6); TO(Z20, Z5); \
	ONLY(Z19, Z6); \
	ONLY(Z20, Z6)
#define ROW5SX8 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	NEXT; TO(Z16, Z2); TO(Z18, Z1); TO(Z20, Z0); \
	NEXT; TO(Z17, Z2); TO(Z19, Z1); \
	NEXT; TO(Z16, Z3); TO(Z18, Z2); TO(Z20, Z1); \
	NEXT; TO(Z17, Z3); TO(Z19, Z2); \
	NEXT; TO(Z16, Z4); TO(Z18, Z3); TO(Z20, Z2); \
	NEXT; TO(Z17, Z4); TO(Z19, Z3); \
	NEXT; TO(Z16, Z5); TO(Z18, Z4); TO(Z20, Z3); \
	NEXT; TO(Z17, Z5); TO(Z19, Z4); \
	NEXT; TO(Z16, Z6); TO(Z18, Z5); TO(Z20, Z4); \
	NEXT; TO(Z17, Z6); TO(Z19, Z5); \
	NEXT; TO(Z16, Z7); TO(Z18, Z6); TO(Z20, Z5); \
	NEXT; TO(Z17, Z7); TO(Z19, Z6); \
	NEXT; TO(Z18, Z7); TO(Z20, Z6); \
	ONLY(Z19, Z7); \
	ONLY(Z20, Z7)

#define USUAL(ROW4, ROW5, ROW6, ROW7, ROW8) \
	STRIP(start)                                                \
	LEAQ (R11)(R11*2), R9;                                      \
	LEAQ (R11)(R11*4), BP;                                      \
	CHANNELS(channels, whole, zero, pixels, take, halve, done); \
	CMPQ CX, $6;                                                \
	JEQ  six;                                                   \
	JGT  more;                                                  \
	CMPQ CX, $4;                                                \
	JEQ  four;                                                  \
	WINDOWS(five, row5, pixels, START5, ROW5, PUT5);            \
	WINDOWS(four, row4, pixels, START4, ROW4, PUT4);            \
	WINDOWS(six, row6, pixels, START6, ROW6, PUT6);             \
more: \
	CMPQ CX, $7;                                                \
	JEQ  seven;                                                 \
	WINDOWS(eight, row8, pixels, START8, ROW8, PUT8);           \
	WINDOWS(seven, row7, pixels, START7, ROW7, PUT7);           \
done: \
	VZEROUPPER;                                                 \
	RET

// Each takes at least 16 channels and 4 pixels.

// func depthwise3AVX512(t *strip)
TEXT ·depthwise3AVX512(SB), NOSPLIT, $24-8
	USUAL(ROW3X4, ROW3X5, ROW3X6, ROW3X7, ROW3X8)

// func depthwise5AVX512(t *strip)
TEXT ·depthwise5AVX512(SB), NOSPLIT, $24-8
	USUAL(ROW5X4, ROW5X5, ROW5X6, ROW5X7, ROW5X8)

// func depthwise7AVX512(t *strip)
TEXT ·depthwise7AVX512(SB), NOSPLIT, $24-8
	USUAL(ROW7X4, ROW7X5, ROW7X6, ROW7X7, ROW7X8)

// func depthwise3Stride2AVX512(t *strip)
TEXT ·depthwise3Stride2AVX512(SB), NOSPLIT, $24-8
	USUAL(ROW3SX4, ROW3SX5, ROW3SX6, ROW3SX7, ROW3SX8)

// func depthwise5Stride2AVX512(t *strip)
TEXT ·depthwise5Stride2AVX512(SB), NOSPLIT, $24-8
	USUAL(ROW5SX4, ROW5SX5, ROW5SX6, ROW5SX7, ROW5SX8)
