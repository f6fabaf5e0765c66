// What the AVX-512 kernels for strips of a depthwise convolution share.
//
// Registers; distances are in bytes:
//	R13 the strip
//	R12 position among the channels, R15 their end
//	R14 pixels left, CX then those to compute together; later rows left
//	AX  row of taps, SI tap; BX row of weights, DI weight
//	R8  from a window to the next
//	R10 from a tap to the next, R11 from a weight to the next
//	Z0…Z7 sums, Z29 bias, Z30 and Z31 bounds
// On the stack: x and y of the pixels to compute, x of the next ones.

// PIXELS1 to PIXELS8 apply OP to so many pixels: the sum of each, and its tap, where
// BP is that of the fifth and R9 three times R8.
#define PIXELS1(OP) OP(Z0, (SI))
#define PIXELS2(OP) PIXELS1(OP); OP(Z1, (SI)(R8*1))
#define PIXELS3(OP) PIXELS2(OP); OP(Z2, (SI)(R8*2))
#define PIXELS4(OP) PIXELS3(OP); OP(Z3, (SI)(R9*1))
#define PIXELS5(OP) PIXELS4(OP); OP(Z4, (BP))
#define PIXELS6(OP) PIXELS5(OP); OP(Z5, (BP)(R8*1))
#define PIXELS7(OP) PIXELS6(OP); OP(Z6, (BP)(R8*2))
#define PIXELS8(OP) PIXELS7(OP); OP(Z7, (BP)(R9*1))

#define START(z, tap) VMOVAPS Z29, z

#define PUT(z, tap) \
	CLAMP(z, Z30, Z31); \
	VMOVUPS z, (DI);    \
	ADDQ    DX, DI

// STRIP sets the registers that stay.
#define STRIP(start) \
	MOVQ         t+0(FP), R13;                                                   \
	XORL         R12, R12;                                                       \
	BYTES4(strip_channels(R13), R15);                                            \
	BYTES4(strip_xCol(R13), R10);                                                \
	BYTES4(strip_wCol(R13), R11);                                                \
	BYTES4(strip_xPix(R13), R8);                                                 \
	INFINITE(Z30, Z31);                                                          \
	LOADLIMITS(strip_clamp(R13), strip_lo(R13), strip_hi(R13), Z30, Z31, start); \
start:

// BIAS sets z to the bias of 16 channels, or 0.
#define BIAS(none, at, z) \
	VPXORQ  z, z, z;                    \
	NONZERO(strip_bias(R13), AX, none); \
	VMOVUPS at(AX)(R12*1), z;           \
none:

// CHANNELS goes on with the next 16 channels, of which the last end with the
// channels, and PIXELS with the next pixels of them: eight, or what is left in
// two parts alike. It leaves their number in CX.
#define CHANNELS(channels, whole, zero, pixels, take, halve, done) \
channels: \
	MOVQ  R15, CX;                  \
	SUBQ  R12, CX;                  \
	JLE   done;                     \
	CMPQ  CX, $64;                  \
	JGE   whole;                    \
	LEAQ  -64(R15), R12;            \
whole: \
	BIAS(zero, 0, Z29)              \
	PLACE(strip_x(R13), R12, AX);   \
	MOVQ  AX, next-24(SP);          \
	PLACE(strip_y(R13), R12, AX);   \
	MOVQ  AX, y-16(SP);             \
	MOVQ  strip_pixels(R13), R14;   \
	ADDQ  $64, R12;                 \
pixels: \
	MOVQ  R14, CX;                  \
	TESTQ CX, CX;                   \
	JZ    channels;                 \
	CMPQ  CX, $8;                   \
	JLE   take;                     \
	CMPQ  CX, $16;                  \
	JLT   halve;                    \
	MOVL  $8, CX;                   \
	JMP   take;                     \
halve: \
	INCQ  CX;                       \
	SHRQ  $1, CX;                   \
take: \
	SUBQ  CX, R14;                  \
	MOVE(next-24(SP), AX, x-8(SP)); \
	MOVQ  CX, DX;                   \
	IMULQ R8, DX;                   \
	ADDQ  DX, AX;                   \
	MOVQ  AX, next-24(SP);          \
	MOVQ  strip_w(R13), BX;         \
	LEAQ  -64(BX)(R12*1), BX

// WINDOWS computes PIXELS by ROW for each row of taps.
#define WINDOWS(label, row, pixels, PIXELS, ROW) \
label: \
	PIXELS(START);               \
	MOVQ x-8(SP), AX;            \
	MOVQ strip_kh(R13), CX;      \
row: \
	ROW;                         \
	MOVQ strip_xRow(R13), DX;    \
	LEAQ (AX)(DX*4), AX;         \
	MOVQ strip_wRow(R13), DX;    \
	LEAQ (BX)(DX*4), BX;         \
	DECQ CX;                     \
	JNZ  row;                    \
	MOVQ y-16(SP), DI;           \
	BYTES4(strip_yPix(R13), DX); \
	PIXELS(PUT);                 \
	MOVQ DI, y-16(SP);           \
	JMP  pixels
