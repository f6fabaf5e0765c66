//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "../asm/bf16_amd64.h"

#define COPYPTR(i) \
	MOVQ    (smallInput_off+i*8)(R13), AX; \
	SHLQ    $1, AX;                        \
	ADDQ    DX, AX;                        \
	CMOVQMI CX, AX;                        \
	MOVQ    AX, (smallInput_ptr+i*8)(R13)

#define COPYPTRS(i) COPYPTR(i); COPYPTR((i+1)); COPYPTR((i+2)); COPYPTR((i+3))

#define EVEN(i, z) \
	MOVQ   (smallInput_ptr+i*8)(R13), AX; \
	VPSLLD $16, (AX)(R12*1), z

#define ODD(i, z) \
	MOVQ   (smallInput_ptr+i*8)(R13), AX; \
	VPANDD (AX)(R12*1), Z31, z

// ROW4 is Bᵀ for a, b, c, d, which become a, t, c, d.
#define ROW4(a, b, c, d, t) \
	VSUBPS c, a, a; \
	VADDPS c, b, t; \
	VSUBPS d, b, d; \
	VSUBPS b, c, c

#define PUTV(i) \
	VCVTNEPS2BF16(i, 24);  \
	VMOVDQU16 Y24, (DI);   \
	ADDQ      R11, DI

#define COLUMN4(LOAD, i, a, b, c, d, t) \
	LOAD(i, a);      \
	LOAD((i+4), b);  \
	LOAD((i+8), c);  \
	LOAD((i+12), d); \
	ROW4(a, b, c, d, t)

// HALF transforms the even or the odd channels of 32 and stores them disp bytes
// from where the 32 belong.
#define HALF(LOAD, disp) \
	COLUMN4(LOAD, 0, Z0, Z4, Z8, Z12, Z16);  \
	COLUMN4(LOAD, 1, Z1, Z5, Z9, Z13, Z17);  \
	COLUMN4(LOAD, 2, Z2, Z6, Z10, Z14, Z18); \
	COLUMN4(LOAD, 3, Z3, Z7, Z11, Z15, Z19); \
	ROW4(Z0, Z1, Z2, Z3, Z20);               \
	ROW4(Z16, Z17, Z18, Z19, Z21);           \
	ROW4(Z8, Z9, Z10, Z11, Z22);             \
	ROW4(Z12, Z13, Z14, Z15, Z23);           \
	LEAQ disp(BX)(R12*1), DI;                \
	PUTV(0); PUTV(20); PUTV(2); PUTV(3);     \
	PUTV(16); PUTV(21); PUTV(18); PUTV(19);  \
	PUTV(8); PUTV(22); PUTV(10); PUTV(11);   \
	PUTV(12); PUTV(23); PUTV(14); PUTV(15)

// Registers of the first transform:
//	R13 the job, R12 position among the channels, R15 their end, in bytes
//	BX  the row of V, DI where the next value goes, R11 from a matrix to the next
//	Z0…Z15 the window, row by row; Z16…Z23 results in the place of others

// func smallInputAVX512(t *smallInput)
TEXT ·smallInputAVX512(SB), NOSPLIT, $0-8
	MOVQ         t+0(FP), R13
	MOVL         $0xffff0000, AX
	VPBROADCASTD AX, Z31
	MOVQ         smallInput_x(R13), DX
	MOVQ         smallInput_zero(R13), CX
	COPYPTRS(0)
	COPYPTRS(4)
	COPYPTRS(8)
	COPYPTRS(12)
	MOVQ smallInput_v(R13), BX
	BYTES2(smallInput_next(R13), R11)
	BYTES2(smallInput_channels(R13), R15)
	XORL R12, R12

loop:
	HALF(EVEN, 0)
	HALF(ODD, 32)
	ADDQ $64, R12
	CMPQ R12, R15
	JLT  loop
	VZEROUPPER
	RET

// OUT2 is Aᵀ for a, b, c, d, which become x, y; x may be a, y may be b.
#define OUT2(a, b, c, d, x, y) \
	VADDPS b, a, x; \
	VADDPS c, x, x; \
	VSUBPS c, b, y; \
	VSUBPS d, y, y

// PRODUCTS loads the products of four matrices from DX on; it then is that of the second.
#define PRODUCTS(a, b, c, d) \
	VMOVUPS (DX), a;        \
	VMOVUPS (DX)(R11*1), b; \
	VMOVUPS (DX)(R11*2), c; \
	ADDQ    R11, DX;        \
	VMOVUPS (DX)(R11*2), d

// PIXEL finishes and stores one pixel. R8 is its place in Y and R9 in D, in
// values.
#define PIXEL(z, n, plain, narrow, part, done) \
	VADDPS      Z28, z, z;            \
	TESTQ       R10, R10;             \
	JZ          plain;                \
	VPMOVZXWD.Z (R10)(R9*2), K1, Z24; \
	VPSLLD      $16, Z24, Z24;        \
	VADDPS      Z24, z, z;            \
plain: \
	CLAMP(z, Z29, Z30);               \
	TESTQ       DI, DI;               \
	JZ          narrow;               \
	VMOVUPS     z, K1, (DI)(R8*4);    \
	JMP         done;                 \
narrow: \
	VCVTNEPS2BF16(n, 24);             \
	CMPQ        CX, $16;              \
	JLT         part;                 \
	VMOVDQU16   Y24, (BX)(R8*2);      \
	JMP         done;                 \
part: \
	VMOVDQU16   Y24, K1, (BX)(R8*2);  \
done:

// Registers of the last transform:
//	R13 the job, CX channels left
//	SI  the row of M, R11 from a matrix to the next, DX position
//	BX  Y, DI Y in float32, R10 D, R12 bias: for the next channel
//	Z0…Z15 products, then Z0…Z3 and Z4…Z7 for rows, then Z0, Z1, Z4, Z5 pixels

// func smallOutputAVX512(t *smallOutput)
TEXT ·smallOutputAVX512(SB), NOSPLIT, $0-8
	MOVQ         t+0(FP), R13
	MOVQ         smallOutput_m(R13), SI
	BYTES4(smallOutput_next(R13), R11)
	MOVQ         smallOutput_y(R13), BX
	MOVQ         smallOutput_f(R13), DI
	MOVQ         smallOutput_d(R13), R10
	MOVQ         smallOutput_bias(R13), R12
	MOVQ         smallOutput_channels(R13), CX
	VBROADCASTSS smallOutput_lo(R13), Z29
	VBROADCASTSS smallOutput_hi(R13), Z30
	VPXORQ       Z28, Z28, Z28

loop:
	MOVL  $0xffff, AX
	CMPQ  CX, $16
	JGE   mask
	ONES

mask:
	KMOVW AX, K1
	TESTQ R12, R12
	JZ    products
	VMOVUPS.Z (R12), K1, Z28
	ADDQ  $64, R12

products:
	MOVQ    SI, DX
	PRODUCTS(Z0, Z1, Z2, Z3)
	LEAQ    (SI)(R11*4), DX
	PRODUCTS(Z4, Z5, Z6, Z7)
	LEAQ    (SI)(R11*8), DX
	PRODUCTS(Z8, Z9, Z10, Z11)
	ADDQ    R11, DX
	LEAQ    (DX)(R11*2), DX
	PRODUCTS(Z12, Z13, Z14, Z15)
	OUT2(Z0, Z4, Z8, Z12, Z0, Z4)
	OUT2(Z1, Z5, Z9, Z13, Z1, Z5)
	OUT2(Z2, Z6, Z10, Z14, Z2, Z6)
	OUT2(Z3, Z7, Z11, Z15, Z3, Z7)
	OUT2(Z0, Z1, Z2, Z3, Z0, Z1)
	OUT2(Z4, Z5, Z6, Z7, Z4, Z5)

	XORL R8, R8
	XORL R9, R9
	PIXEL(Z0, 0, plain0, narrow0, part0, done0)
	CMPQ smallOutput_cols(R13), $1
	JEQ  second
	MOVQ smallOutput_yCol(R13), R8
	MOVQ smallOutput_dCol(R13), R9
	PIXEL(Z1, 1, plain1, narrow1, part1, done1)

second:
	CMPQ smallOutput_rows(R13), $1
	JEQ  next
	MOVQ smallOutput_yRow(R13), R8
	MOVQ smallOutput_dRow(R13), R9
	PIXEL(Z4, 4, plain2, narrow2, part2, done2)
	CMPQ smallOutput_cols(R13), $1
	JEQ  next
	ADDQ smallOutput_yCol(R13), R8
	ADDQ smallOutput_dCol(R13), R9
	PIXEL(Z5, 5, plain3, narrow3, part3, done3)

next:
	ADDQ  $64, SI
	ADDQ  $32, BX
	TESTQ DI, DI
	JZ    residual
	ADDQ  $64, DI

residual:
	TESTQ R10, R10
	JZ    more
	ADDQ  $32, R10

more:
	SUBQ $16, CX
	JGT  loop
	VZEROUPPER
	RET
