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

// CONSTANTS loads the two at x and y, then a, b, a² and b².
#define CONSTANTS(x, y, v0, v1, v2, v3, v4, v5) \
	VBROADCASTSS ·constants+x(SB), v0;   \
	VBROADCASTSS ·constants+y(SB), v1;   \
	VBROADCASTSS ·constants+CA(SB), v2;  \
	VBROADCASTSS ·constants+CB(SB), v3;  \
	VBROADCASTSS ·constants+CA2(SB), v4; \
	VBROADCASTSS ·constants+CB2(SB), v5

// ADDRESSES stores the addresses of the pixels of a window: DI are their offsets from SI,
// in values, a negative one stands for the zeros at DX, and table is the place of
// address CX.
#define ADDRESSES(address, table) \
	XORL    CX, CX;               \
address: \
	MOVQ    (DI)(CX*8), AX;       \
	SHLQ    $2, AX;               \
	ADDQ    SI, AX;               \
	CMOVQMI DX, AX;               \
	MOVQ    AX, table;            \
	INCQ    CX;                   \
	CMPQ    CX, input_off+8(R13); \
	JLT     address

// INPUT and OUTPUT set the registers that both instruction sets use alike: R11 from a
// matrix to the next, R12 and R15 position and end of the channels; R10 is V, or six
// matrices.
#define INPUT \
	BYTES4(input_next(R13), R11);     \
	MOVQ input_v(R13), R10;           \
	BYTES4(input_channels(R13), R15); \
	XORL R12, R12

#define OUTPUT \
	BYTES4(output_next(R13), R11);     \
	LEAQ (R11)(R11*2), R10;            \
	ADDQ R10, R10;                     \
	BYTES4(output_channels(R13), R15); \
	XORL R12, R12

// PUT stores a vector of V at DI, which moves on to the next matrix.
#define PUT(v) \
	VMOVUPS v, (DI); \
	ADDQ    R11, DI

// NEXTPIXEL moves R8 and R9 on to the next pixel of Y and D, if CX has one more.
#define NEXTPIXEL(done) \
	DECQ  CX;                   \
	JZ    done;                 \
	MOVQ  output_yCol(R13), AX; \
	LEAQ  (R8)(AX*4), R8;       \
	TESTQ R9, R9;               \
	JZ    3(PC);                \
	MOVQ  output_dCol(R13), AX; \
	LEAQ  (R9)(AX*4), R9

// THREEPIXELS stores up to three more pixels, as many as CX says.
#define THREEPIXELS(STORE, x, y, z, done) \
	NEXTPIXEL(done); \
	STORE(x);        \
	NEXTPIXEL(done); \
	STORE(y);        \
	NEXTPIXEL(done); \
	STORE(z)

// NEXTCHANNELS goes on with the next vector of channels or, after the last, returns.
#define NEXTCHANNELS(bytes) \
	ADDQ $bytes, R12; \
	CMPQ R12, R15;    \
	JLT  channels;    \
	VZEROUPPER;       \
	RET
