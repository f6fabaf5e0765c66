// What the transforms of AVX2 and AVX-512 share.

// Offsets in constants: p = a²b², s = a²+b², a, b and their powers.
#define CP 0
#define CS 4
#define CA 8
#define CB 12
#define CA2 16
#define CB2 20
#define CA3 24
#define CB3 28
#define CD 32
#define CDA 36

// NEXTPIXEL moves R8 and R9 on to the next pixel of Y and D.
#define NEXTPIXEL \
	MOVQ  output_yCol(R13), AX; \
	LEAQ  (R8)(AX*4), R8;           \
	TESTQ R9, R9;                   \
	JZ    3(PC);                    \
	MOVQ  output_dCol(R13), AX; \
	LEAQ  (R9)(AX*4), R9
