// What the micro kernels of AVX-512 share. Registers of a tile of 12×32:
//	AX BX CX DX SI DI R8…R13  where the segment of each row ends
//	R14 B, BP bytes between its steps
//	R15 position in the segment, from minus its length to 0, times 4 bytes
//	Z0…Z23 tile of C, a row is Z(2i), Z(2i+1); Z24, Z25 a step of B; Z26 of A
// A kernel defines SHIFT, by which positions become bytes.

#define PTR(i, p) \
	MOVQ    (i*8)(R15), p; \
	SHLQ    SHIFT, p;      \
	ADDQ    end-8(SP), p;  \
	CMOVQMI zend-16(SP), p

#define PTRS1 PTR(0, AX)
#define PTRS2 PTRS1; PTR(1, BX)
#define PTRS3 PTRS2; PTR(2, CX)
#define PTRS4 PTRS3; PTR(3, DX)
#define PTRS5 PTRS4; PTR(4, SI)
#define PTRS6 PTRS5; PTR(5, DI)
#define PTRS7 PTRS6; PTR(6, R8)
#define PTRS8 PTRS7; PTR(7, R9)
#define PTRS9 PTRS8; PTR(8, R10)
#define PTRS10 PTRS9; PTR(9, R11)
#define PTRS11 PTRS10; PTR(10, R12)
#define PTRS12 PTRS11; PTR(11, R13)

#define SEGMENT(segment, POINTERS) \
segment: \
	MOVQ off-24(SP), R15;  \
	POINTERS;              \
	ADDQ $(12*8), R15;     \
	MOVQ R15, off-24(SP);  \
	MOVQ from-48(SP), R15; \
	MOVQ ldb-40(SP), BP

#define TILE(segment, step, POINTERS, LOAD, PRODUCTS) \
	SEGMENT(segment, POINTERS); \
step: \
	LOAD;                  \
	PRODUCTS;              \
	ADDQ    BP, R14;       \
	INCQ    R15;           \
	JNZ     step;          \
	DECQ    segs-32(SP);   \
	JNZ     segment;       \
	JMP     store

#define DISPATCH(one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve) \
	CMPQ AX, $12; \
	JEQ  twelve;  \
	CMPQ AX, $11; \
	JEQ  eleven;  \
	CMPQ AX, $10; \
	JEQ  ten;     \
	CMPQ AX, $9;  \
	JEQ  nine;    \
	CMPQ AX, $8;  \
	JEQ  eight;   \
	CMPQ AX, $7;  \
	JEQ  seven;   \
	CMPQ AX, $6;  \
	JEQ  six;     \
	CMPQ AX, $5;  \
	JEQ  five;    \
	CMPQ AX, $4;  \
	JEQ  four;    \
	CMPQ AX, $3;  \
	JEQ  three;   \
	CMPQ AX, $2;  \
	JEQ  two

// EVERYROW gives every row the sums of the first.
#define EVERYROW \
	VMOVAPS Z0, Z2; \
	VMOVAPS Z1, Z3; \
	VMOVAPS Z0, Z4; \
	VMOVAPS Z1, Z5; \
	VMOVAPS Z0, Z6; \
	VMOVAPS Z1, Z7; \
	VMOVAPS Z0, Z8; \
	VMOVAPS Z1, Z9; \
	VMOVAPS Z0, Z10; \
	VMOVAPS Z1, Z11; \
	VMOVAPS Z0, Z12; \
	VMOVAPS Z1, Z13; \
	VMOVAPS Z0, Z14; \
	VMOVAPS Z1, Z15; \
	VMOVAPS Z0, Z16; \
	VMOVAPS Z1, Z17; \
	VMOVAPS Z0, Z18; \
	VMOVAPS Z1, Z19; \
	VMOVAPS Z0, Z20; \
	VMOVAPS Z1, Z21; \
	VMOVAPS Z0, Z22; \
	VMOVAPS Z1, Z23

// Of two values one of which is a NaN, VMAXPS and VMINPS give the one that
// comes first here.
#define LIMIT(z) \
	VMAXPS z, Z24, z; \
	VMINPS z, Z25, z

// LIMITALL limits all of C to Z24…Z25.
#define LIMITALL \
	LIMIT(Z0); \
	LIMIT(Z1); \
	LIMIT(Z2); \
	LIMIT(Z3); \
	LIMIT(Z4); \
	LIMIT(Z5); \
	LIMIT(Z6); \
	LIMIT(Z7); \
	LIMIT(Z8); \
	LIMIT(Z9); \
	LIMIT(Z10); \
	LIMIT(Z11); \
	LIMIT(Z12); \
	LIMIT(Z13); \
	LIMIT(Z14); \
	LIMIT(Z15); \
	LIMIT(Z16); \
	LIMIT(Z17); \
	LIMIT(Z18); \
	LIMIT(Z19); \
	LIMIT(Z20); \
	LIMIT(Z21); \
	LIMIT(Z22); \
	LIMIT(Z23)
