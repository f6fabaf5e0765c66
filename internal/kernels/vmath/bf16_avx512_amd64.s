//go:build !purego

#include "textflag.h"
#include "../asm/bf16_amd64.h"

// UNARY begins a function of one slice, and its loop over 32 numbers, which NEXT ends.
#define UNARY(src) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX;  \
	MOVQ src+24(FP), SI;     \
loop: \
	MASKS

#define NEXT \
	SUBQ $32, CX;   \
	JGT  loop;      \
	VZEROUPPER;     \
	RET

#define BINARY(OP) \
	MOVQ         dst_base+0(FP), DI; \
	MOVQ         dst_len+8(FP), CX;  \
	MOVQ         a_base+24(FP), SI;  \
	MOVQ         b_base+48(FP), DX;  \
	MOVL         $0xffff0000, AX;    \
	VPBROADCASTD AX, Z28;            \
	VMOVDQU16    ·zipWords(SB), Z29; \
loop: \
	MASKS;                       \
	VMOVDQU16.Z (SI), K1, Z0;    \
	VMOVDQU16.Z (DX), K1, Z1;    \
	VPSLLD      $16, Z0, Z2;     \
	VPSLLD      $16, Z1, Z3;     \
	VPANDD      Z28, Z0, Z0;     \
	VPANDD      Z28, Z1, Z1;     \
	OP          Z3, Z2, Z2;      \
	OP          Z1, Z0, Z0;      \
	VCVTNE2PS2BF16(2, 0, 1);     \
	VPERMW      Z1, Z29, Z1;     \
	VMOVDQU16   Z1, K1, (DI);    \
	ADDQ        $64, SI;         \
	ADDQ        $64, DX;         \
	ADDQ        $64, DI;         \
	NEXT

// func toBF16Asm(dst []BF16, src []float32)
TEXT ·toBF16Asm(SB), NOSPLIT, $0-48
	UNARY(src_base)
	VMOVUPS.Z (SI), K2, Z0
	VMOVUPS.Z 64(SI), K3, Z1
	VCVTNE2PS2BF16(0, 1, 2)
	VMOVDQU16 Z2, K1, (DI)
	ADDQ      $128, SI
	ADDQ      $64, DI
	NEXT

// func fromBF16Asm(dst []float32, src []BF16)
TEXT ·fromBF16Asm(SB), NOSPLIT, $0-48
	UNARY(src_base)
	WIDE(SI, K2, K3, Z0, Z1)
	VMOVUPS Z0, K2, (DI)
	VMOVUPS Z1, K3, 64(DI)
	ADDQ    $64, SI
	ADDQ    $128, DI
	NEXT

// func accumulateBF16Asm(dst []float32, x []BF16)
TEXT ·accumulateBF16Asm(SB), NOSPLIT, $0-48
	UNARY(x_base)
	WIDE(SI, K2, K3, Z0, Z1)
	VADDPS.Z (DI), Z0, K2, Z0
	VADDPS.Z 64(DI), Z1, K3, Z1
	VMOVUPS  Z0, K2, (DI)
	VMOVUPS  Z1, K3, 64(DI)
	ADDQ     $64, SI
	ADDQ     $128, DI
	NEXT

// func addBF16Asm(dst, a, b []BF16)
TEXT ·addBF16Asm(SB), NOSPLIT, $0-72
	BINARY(VADDPS)

// func mulBF16Asm(dst, a, b []BF16)
TEXT ·mulBF16Asm(SB), NOSPLIT, $0-72
	BINARY(VMULPS)
