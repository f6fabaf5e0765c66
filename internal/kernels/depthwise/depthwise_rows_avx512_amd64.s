//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "depthwise_avx512_amd64.h"

// The kernels for rows of 3, 5 or 7 taps with stride 1, or 3 or 5 with stride 2. The
// weights of a row are in registers, and each value of the picture is loaded once for
// all pixels that it counts for.
//
// Z16…Z22 are the weights of a row, Z24 a value; R9 is three times R11, BP five.

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

// The next value, and what it adds to a sum; ONLY is both for one sum.
#define NEXT \
	VMOVUPS (SI), Z24; \
	ADDQ    R10, SI

#define TO(w, z) \
	VFMADD231PS Z24, w, z

#define ONLY(w, z) \
	VFMADD231PS (SI), w, z; \
	ADDQ        R10, SI

// ROW3X4 is a row of 3 taps for four pixels, and so on. It begins with FIRST, the
// values up to the first tap of the last pixel, each pixel further on having VALUE
// more, and ends with LAST, the other taps of the last pixels. Arguments are the sums
// of the pixels that the value counts for, the last pixel first.

#define VALUE3(a, b, c) NEXT; TO(Z16, a); TO(Z17, b); TO(Z18, c)
#define LAST3(a, b) NEXT; TO(Z17, a); TO(Z18, b); ONLY(Z18, a)
#define FIRST3X4 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	VALUE3(Z2, Z1, Z0); \
	VALUE3(Z3, Z2, Z1)
#define FIRST3X5 FIRST3X4; VALUE3(Z4, Z3, Z2)
#define FIRST3X6 FIRST3X5; VALUE3(Z5, Z4, Z3)
#define FIRST3X7 FIRST3X6; VALUE3(Z6, Z5, Z4)
#define FIRST3X8 FIRST3X7; VALUE3(Z7, Z6, Z5)
#define ROW3X4 FIRST3X4; LAST3(Z3, Z2)
#define ROW3X5 FIRST3X5; LAST3(Z4, Z3)
#define ROW3X6 FIRST3X6; LAST3(Z5, Z4)
#define ROW3X7 FIRST3X7; LAST3(Z6, Z5)
#define ROW3X8 FIRST3X8; LAST3(Z7, Z6)

#define VALUE5(a, b, c, d, e) NEXT; TO(Z16, a); TO(Z17, b); TO(Z18, c); TO(Z19, d); TO(Z20, e)
#define LAST5(a, b, c, d) \
	NEXT; TO(Z17, a); TO(Z18, b); TO(Z19, c); TO(Z20, d); \
	NEXT; TO(Z18, a); TO(Z19, b); TO(Z20, c); \
	NEXT; TO(Z19, a); TO(Z20, b); \
	ONLY(Z20, a)
#define FIRST5X4 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0)
#define FIRST5X5 FIRST5X4; VALUE5(Z4, Z3, Z2, Z1, Z0)
#define FIRST5X6 FIRST5X5; VALUE5(Z5, Z4, Z3, Z2, Z1)
#define FIRST5X7 FIRST5X6; VALUE5(Z6, Z5, Z4, Z3, Z2)
#define FIRST5X8 FIRST5X7; VALUE5(Z7, Z6, Z5, Z4, Z3)
#define ROW5X4 FIRST5X4; LAST5(Z3, Z2, Z1, Z0)
#define ROW5X5 FIRST5X5; LAST5(Z4, Z3, Z2, Z1)
#define ROW5X6 FIRST5X6; LAST5(Z5, Z4, Z3, Z2)
#define ROW5X7 FIRST5X7; LAST5(Z6, Z5, Z4, Z3)
#define ROW5X8 FIRST5X8; LAST5(Z7, Z6, Z5, Z4)

// Here the first taps of the last pixel may count for all pixels: LAST7 is for six
// of them at least, and what all have in common is END7.
#define VALUE7(a, b, c, d, e, f, g) NEXT; TO(Z16, a); TO(Z17, b); TO(Z18, c); TO(Z19, d); TO(Z20, e); TO(Z21, f); TO(Z22, g)
#define SECOND7(a, b, c, d, e) NEXT; TO(Z18, a); TO(Z19, b); TO(Z20, c); TO(Z21, d); TO(Z22, e)
#define END7(a, b, c, d) \
	NEXT; TO(Z19, a); TO(Z20, b); TO(Z21, c); TO(Z22, d); \
	NEXT; TO(Z20, a); TO(Z21, b); TO(Z22, c); \
	NEXT; TO(Z21, a); TO(Z22, b); \
	ONLY(Z22, a)
#define LAST7(a, b, c, d, e, f) \
	NEXT; TO(Z17, a); TO(Z18, b); TO(Z19, c); TO(Z20, d); TO(Z21, e); TO(Z22, f); \
	SECOND7(a, b, c, d, e); \
	END7(a, b, c, d)
#define FIRST7X4 \
	WEIGHTS7; \
	ONLY(Z16, Z0); \
	NEXT; TO(Z16, Z1); TO(Z17, Z0); \
	NEXT; TO(Z16, Z2); TO(Z17, Z1); TO(Z18, Z0); \
	NEXT; TO(Z16, Z3); TO(Z17, Z2); TO(Z18, Z1); TO(Z19, Z0)
#define FIRST7X5 FIRST7X4; VALUE5(Z4, Z3, Z2, Z1, Z0)
#define FIRST7X6 FIRST7X5; VALUE5(Z5, Z4, Z3, Z2, Z1); TO(Z21, Z0)
#define FIRST7X7 FIRST7X6; VALUE7(Z6, Z5, Z4, Z3, Z2, Z1, Z0)
#define FIRST7X8 FIRST7X7; VALUE7(Z7, Z6, Z5, Z4, Z3, Z2, Z1)
#define ROW7X4 \
	FIRST7X4; \
	NEXT; TO(Z17, Z3); TO(Z18, Z2); TO(Z19, Z1); TO(Z20, Z0); \
	NEXT; TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	END7(Z3, Z2, Z1, Z0)
#define ROW7X5 \
	FIRST7X5; \
	NEXT; TO(Z17, Z4); TO(Z18, Z3); TO(Z19, Z2); TO(Z20, Z1); TO(Z21, Z0); \
	SECOND7(Z4, Z3, Z2, Z1, Z0); \
	END7(Z4, Z3, Z2, Z1)
#define ROW7X6 FIRST7X6; LAST7(Z5, Z4, Z3, Z2, Z1, Z0)
#define ROW7X7 FIRST7X7; LAST7(Z6, Z5, Z4, Z3, Z2, Z1)
#define ROW7X8 FIRST7X8; LAST7(Z7, Z6, Z5, Z4, Z3, Z2)

// Stride 2: each pixel further on has two values more.
#define VALUES3S(a, b) NEXT; TO(Z16, a); TO(Z18, b); ONLY(Z17, a)
#define FIRST3SX4 \
	WEIGHTS3; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	VALUES3S(Z1, Z0); \
	VALUES3S(Z2, Z1); \
	VALUES3S(Z3, Z2)
#define FIRST3SX5 FIRST3SX4; VALUES3S(Z4, Z3)
#define FIRST3SX6 FIRST3SX5; VALUES3S(Z5, Z4)
#define FIRST3SX7 FIRST3SX6; VALUES3S(Z6, Z5)
#define FIRST3SX8 FIRST3SX7; VALUES3S(Z7, Z6)
#define ROW3SX4 FIRST3SX4; ONLY(Z18, Z3)
#define ROW3SX5 FIRST3SX5; ONLY(Z18, Z4)
#define ROW3SX6 FIRST3SX6; ONLY(Z18, Z5)
#define ROW3SX7 FIRST3SX7; ONLY(Z18, Z6)
#define ROW3SX8 FIRST3SX8; ONLY(Z18, Z7)

#define VALUES5S(a, b, c) NEXT; TO(Z16, a); TO(Z18, b); TO(Z20, c); NEXT; TO(Z17, a); TO(Z19, b)
#define LAST5S(a, b) NEXT; TO(Z18, a); TO(Z20, b); ONLY(Z19, a); ONLY(Z20, a)
#define FIRST5SX4 \
	WEIGHTS5; \
	ONLY(Z16, Z0); \
	ONLY(Z17, Z0); \
	NEXT; TO(Z16, Z1); TO(Z18, Z0); \
	NEXT; TO(Z17, Z1); TO(Z19, Z0); \
	VALUES5S(Z2, Z1, Z0); \
	VALUES5S(Z3, Z2, Z1)
#define FIRST5SX5 FIRST5SX4; VALUES5S(Z4, Z3, Z2)
#define FIRST5SX6 FIRST5SX5; VALUES5S(Z5, Z4, Z3)
#define FIRST5SX7 FIRST5SX6; VALUES5S(Z6, Z5, Z4)
#define FIRST5SX8 FIRST5SX7; VALUES5S(Z7, Z6, Z5)
#define ROW5SX4 FIRST5SX4; LAST5S(Z3, Z2)
#define ROW5SX5 FIRST5SX5; LAST5S(Z4, Z3)
#define ROW5SX6 FIRST5SX6; LAST5S(Z5, Z4)
#define ROW5SX7 FIRST5SX7; LAST5S(Z6, Z5)
#define ROW5SX8 FIRST5SX8; LAST5S(Z7, Z6)

#define KERNEL(ROW4, ROW5, ROW6, ROW7, ROW8) \
	STRIP(start)                                                \
	LEAQ (R11)(R11*2), R9;                                      \
	LEAQ (R11)(R11*4), BP;                                      \
	CHANNELS(channels, whole, zero, pixels, take, halve, done); \
	CMPQ CX, $6;                                                \
	JEQ  six;                                                   \
	JGT  more;                                                  \
	CMPQ CX, $4;                                                \
	JEQ  four;                                                  \
	WINDOWS(five, row5, pixels, PIXELS5, ROW5);            \
	WINDOWS(four, row4, pixels, PIXELS4, ROW4);            \
	WINDOWS(six, row6, pixels, PIXELS6, ROW6);             \
more: \
	CMPQ CX, $7;                                                \
	JEQ  seven;                                                 \
	WINDOWS(eight, row8, pixels, PIXELS8, ROW8);           \
	WINDOWS(seven, row7, pixels, PIXELS7, ROW7);           \
done: \
	VZEROUPPER;                                                 \
	RET

// Each takes at least 16 channels and 4 pixels.

// func depthwise3AVX512(t *strip)
TEXT ·depthwise3AVX512(SB), NOSPLIT, $24-8
	KERNEL(ROW3X4, ROW3X5, ROW3X6, ROW3X7, ROW3X8)

// func depthwise5AVX512(t *strip)
TEXT ·depthwise5AVX512(SB), NOSPLIT, $24-8
	KERNEL(ROW5X4, ROW5X5, ROW5X6, ROW5X7, ROW5X8)

// func depthwise7AVX512(t *strip)
TEXT ·depthwise7AVX512(SB), NOSPLIT, $24-8
	KERNEL(ROW7X4, ROW7X5, ROW7X6, ROW7X7, ROW7X8)

// func depthwise3Stride2AVX512(t *strip)
TEXT ·depthwise3Stride2AVX512(SB), NOSPLIT, $24-8
	KERNEL(ROW3SX4, ROW3SX5, ROW3SX6, ROW3SX7, ROW3SX8)

// func depthwise5Stride2AVX512(t *strip)
TEXT ·depthwise5Stride2AVX512(SB), NOSPLIT, $24-8
	KERNEL(ROW5SX4, ROW5SX5, ROW5SX6, ROW5SX7, ROW5SX8)
