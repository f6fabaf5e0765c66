//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "winograd_amd64.h"
#include "transforms.h"

#define FADD(m, n, d) VADDPS m, n, d
#define FSUB(m, n, d) VSUBPS m, n, d
#define FMUL(m, n, d) VMULPS m, n, d
#define FMLA(m, n, d) VFMADD231PS m, n, d
#define FMLS(m, n, d) VFNMADD231PS m, n, d
#define COPY(n, d) VMOVAPS n, d

#define SIX(OP) OP(0); OP(1); OP(2); OP(3); OP(4); OP(5)

// Registers of all kernels here:
//	R13 the job, BX its memory for what is half done
//	R12 position among the channels, R15 their end, in bytes
//	R11 from a matrix to the next

// Value i of the window to register y.
#define PIXEL(i, y) \
	MOVQ    (input_ptr+i*8)(R13), AX; \
	VMOVUPS (AX)(R12*1), y

//	Y10 p, Y11 s, Y12 a, Y13 b, Y14 a², Y15 b²
#define ACROSS BT(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)

// Column c of the window: its first four values, then all six, transformed.
#define FOURROWS(c) \
	PIXEL(c, Y0);      \
	PIXEL((6+c), Y1);  \
	PIXEL((12+c), Y2); \
	PIXEL((18+c), Y3)

#define DOWN(c) \
	FOURROWS(c);                 \
	PIXEL((24+c), Y4);           \
	PIXEL((30+c), Y5);           \
	ACROSS;                      \
	VMOVUPS Y6, (32*c)(BX);      \
	VMOVUPS Y7, (32*(6+c))(BX);  \
	VMOVUPS Y8, (32*(12+c))(BX); \
	VMOVUPS Y0, (32*(18+c))(BX); \
	VMOVUPS Y9, (32*(24+c))(BX); \
	VMOVUPS Y5, (32*(30+c))(BX)

// The same of a short tile, of four rows.
#define DOWNSHORT(c) \
	FOURROWS(c);                         \
	VBROADCASTSS ·constants+CD(SB), Y4;  \
	VBROADCASTSS ·constants+CDA(SB), Y5; \
	VMULPS       Y0, Y10, Y0;            \
	VMULPS       Y2, Y4, Y4;             \
	VMULPS       Y1, Y5, Y5;             \
	VFNMADD231PS Y2, Y15, Y0;            \
	VFNMADD231PS Y1, Y14, Y3;            \
	VADDPS       Y5, Y4, Y6;             \
	VSUBPS       Y5, Y4, Y4;             \
	VMOVUPS      Y0, (32*c)(BX);         \
	VMOVUPS      Y6, (32*(6+c))(BX);     \
	VMOVUPS      Y4, (32*(12+c))(BX);    \
	VMOVUPS      Y3, (32*(18+c))(BX)

// Row i of what is half done.
#define LOADROW(i) \
	VMOVUPS (32*6*i)(BX), Y0;     \
	VMOVUPS (32*6*i+32)(BX), Y1;  \
	VMOVUPS (32*6*i+64)(BX), Y2;  \
	VMOVUPS (32*6*i+96)(BX), Y3;  \
	VMOVUPS (32*6*i+128)(BX), Y4; \
	VMOVUPS (32*6*i+160)(BX), Y5

#define ROW(i) \
	LOADROW(i); \
	ACROSS;     \
	PUT(Y6);    \
	PUT(Y7);    \
	PUT(Y8);    \
	PUT(Y0);    \
	PUT(Y9);    \
	PUT(Y5)

// func inputAsm(t *input)
// channels is a multiple of 8, and not 0.
TEXT ·inputAsm(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), R13

	// Addresses of the pixels.
	MOVQ input_x(R13), SI
	MOVQ input_zero(R13), DX
	MOVQ input_off(R13), DI
	ADDRESSES(address, input_ptr(R13)(CX*8))

	LEAQ input_tmp(R13), BX
	CONSTANTS(CP, CS, Y10, Y11, Y12, Y13, Y14, Y15)
	INPUT

channels:
	CMPQ input_rows(R13), $4
	JEQ  short
	SIX(DOWN)
	LEAQ (R10)(R12*1), DI
	SIX(ROW)

next:
	NEXTCHANNELS(32)

short:
	SIX(DOWNSHORT)
	LEAQ (R10)(R12*1), DI
	ROW(0)
	ROW(1)
	ROW(2)
	ROW(3)
	JMP  next

//	Y10 a³, Y11 b³, Y12 a, Y13 b, Y14 a², Y15 b²
#define RESULTS AT(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)

// Column c of M, whose six rows are R10 apart.
#define COLUMN(c) \
	LEAQ    (DI)(R10*1), AX;    \
	VMOVUPS (DI), Y0;           \
	ADDQ    R11, DI;            \
	VMOVUPS (AX), Y1;           \
	VMOVUPS (AX)(R10*1), Y2;    \
	LEAQ    (AX)(R10*2), AX;    \
	VMOVUPS (AX), Y3;           \
	VMOVUPS (AX)(R10*1), Y4;    \
	LEAQ    (AX)(R10*2), AX;    \
	VMOVUPS (AX), Y5;           \
	RESULTS;                    \
	VMOVUPS Y0, (32*c)(BX);     \
	VMOVUPS Y6, (32*(6+c))(BX); \
	VMOVUPS Y7, (32*(12+c))(BX); \
	VMOVUPS Y5, (32*(18+c))(BX)

// The same of a short tile, of four rows.
#define COLUMNSHORT(c) \
	LEAQ        (DI)(R10*1), AX;     \
	VMOVUPS     (DI), Y0;            \
	ADDQ        R11, DI;             \
	VMOVUPS     (AX), Y1;            \
	VMOVUPS     (AX)(R10*1), Y2;     \
	VMOVUPS     (AX)(R10*2), Y3;     \
	VADDPS      Y1, Y2, Y4;          \
	VSUBPS      Y2, Y1, Y1;          \
	VADDPS      Y4, Y0, Y0;          \
	VFMADD231PS Y1, Y12, Y3;         \
	VMOVUPS     Y0, (32*c)(BX);      \
	VMOVUPS     Y3, (32*(6+c))(BX)

// Adds to a pixel, limits it and stores it: bias in Y1, limits in Y2 and Y3.
#define STORE(y) \
	VADDPS  Y1, y, y;          \
	TESTQ   R9, R9;            \
	JZ      2(PC);             \
	VADDPS  (R9)(R12*1), y, y; \
	CLAMP(y, Y2, Y3);          \
	VMOVUPS y, (R8)(R12*1)

// func outputAsm(t *output)
// channels is a multiple of 8, and not 0.
TEXT ·outputAsm(SB), NOSPLIT, $0-8
	MOVQ         t+0(FP), R13
	CONSTANTS(CA3, CB3, Y10, Y11, Y12, Y13, Y14, Y15)
	OUTPUT

channels:
	LEAQ output_tmp(R13), BX
	PLACE(output_m(R13), R12, DI)
	CMPB output_short(R13), $0
	JNE  short
	SIX(COLUMN)

rows:
	MOVQ output_rows(R13), DX
	MOVQ output_y(R13), SI
	MOVQ output_d(R13), DI

row:
	MOVQ         SI, R8
	MOVQ         DI, R9
	LOADROW(0)
	RESULTS
	VXORPS       Y1, Y1, Y1
	MOVQ         output_bias(R13), AX
	TESTQ        AX, AX
	JZ           2(PC)
	VMOVUPS      (AX)(R12*1), Y1
	VBROADCASTSS output_lo(R13), Y2
	VBROADCASTSS output_hi(R13), Y3
	MOVQ         output_cols(R13), CX
	STORE(Y0)
	THREEPIXELS(STORE, Y6, Y7, Y5, next)

next:
	ADDQ  $192, BX
	MOVQ  output_yRow(R13), AX
	LEAQ  (SI)(AX*4), SI
	TESTQ DI, DI
	JZ    3(PC)
	MOVQ  output_dRow(R13), AX
	LEAQ  (DI)(AX*4), DI
	DECQ  DX
	JNZ   row
	NEXTCHANNELS(32)

short:
	SIX(COLUMNSHORT)
	JMP rows

// Offsets in filterConstants, the factors of filter1.
#define FK0 0
#define FKA 8
#define FKAA2 16
#define FKAA 24
#define FKB 32
#define FKBB2 40
#define FKBB 48

// G for one row or column: three values in Y0…Y2 to six results in Y0, Y3, Y4,
// Y5, Y6 and Y2.
//	Y9…Y15 the constants
#define FILTER \
	VMULPD      Y0, Y10, Y3; \
	VMULPD      Y0, Y13, Y5; \
	VMULPD      Y1, Y12, Y7; \
	VMULPD      Y1, Y15, Y8; \
	VFMADD231PD Y2, Y11, Y3; \
	VFMADD231PD Y2, Y14, Y5; \
	VMULPD      Y0, Y9, Y0;  \
	VSUBPD      Y7, Y3, Y4;  \
	VADDPD      Y7, Y3, Y3;  \
	VSUBPD      Y8, Y5, Y6;  \
	VADDPD      Y8, Y5, Y5

#define TAP(p, y) \
	VCVTPS2PD (p)(R12*1), y; \
	VMULPD    Y3, y, y

// Column c of the weights: its taps are at AX, AX + 3 widths, AX + 6 widths.
#define WEIGHTS(c) \
	VCVTPS2PD (DX)(R12*1), Y3;    \
	TAP(AX, Y0);                  \
	LEAQ      (AX)(R10*1), DI;    \
	TAP(DI, Y1);                  \
	ADDQ      R10, DI;            \
	TAP(DI, Y2);                  \
	ADDQ      R9, AX;             \
	FILTER;                       \
	VMOVUPD   Y0, (32*c)(BX);     \
	VMOVUPD   Y3, (32*(3+c))(BX); \
	VMOVUPD   Y4, (32*(6+c))(BX); \
	VMOVUPD   Y5, (32*(9+c))(BX); \
	VMOVUPD   Y6, (32*(12+c))(BX); \
	VMOVUPD   Y2, (32*(15+c))(BX)

#define PUTD(y, x) \
	VCVTPD2PSY y, x;   \
	VMOVUPS    x, (DI); \
	ADDQ       R11, DI

#define FILTERROW(i) \
	VMOVUPD (96*i)(BX), Y0;    \
	VMOVUPD (96*i+32)(BX), Y1; \
	VMOVUPD (96*i+64)(BX), Y2; \
	FILTER;                    \
	PUTD(Y0, X0);              \
	PUTD(Y3, X3);              \
	PUTD(Y4, X4);              \
	PUTD(Y5, X5);              \
	PUTD(Y6, X6);              \
	PUTD(Y2, X2)

// func filterAVX2(t *filter)
//	SI weights, R8 results of one input channel, CX channels left
//	R9 the width, R10 three times that, R15 too, in bytes
//	R12 position among the output channels
TEXT ·filterAVX2(SB), NOSPLIT, $0-8
	MOVQ         t+0(FP), R13
	LEAQ         filter_tmp(R13), BX
	VBROADCASTSD ·filterConstants+FK0(SB), Y9
	VBROADCASTSD ·filterConstants+FKA(SB), Y10
	VBROADCASTSD ·filterConstants+FKAA2(SB), Y11
	VBROADCASTSD ·filterConstants+FKAA(SB), Y12
	VBROADCASTSD ·filterConstants+FKB(SB), Y13
	VBROADCASTSD ·filterConstants+FKBB2(SB), Y14
	VBROADCASTSD ·filterConstants+FKBB(SB), Y15
	MOVQ         filter_w(R13), SI
	MOVQ         filter_u(R13), R8
	MOVQ         filter_scale(R13), DX
	MOVQ         filter_n(R13), CX
	BYTES4(filter_width(R13), R9)
	LEAQ         (R9)(R9*2), R10
	BYTES4(filter_next(R13), R11)

channel:
	XORL R12, R12

outputs:
	MOVQ SI, AX
	WEIGHTS(0)
	WEIGHTS(1)
	WEIGHTS(2)
	LEAQ (R8)(R12*1), DI
	SIX(FILTERROW)
	ADDQ $16, R12
	CMPQ R12, R9
	JLT  outputs
	LEAQ (SI)(R10*2), SI
	ADDQ R10, SI
	ADDQ R9, R8
	DECQ CX
	JNZ  channel
	VZEROUPPER
	RET
