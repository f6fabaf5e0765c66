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

#define START1 VMOVAPS Z29, Z0
#define START2 START1; VMOVAPS Z29, Z1
#define START3 START2; VMOVAPS Z29, Z2
#define START4 START3; VMOVAPS Z29, Z3
#define START5 START4; VMOVAPS Z29, Z4
#define START6 START5; VMOVAPS Z29, Z5
#define START7 START6; VMOVAPS Z29, Z6
#define START8 START7; VMOVAPS Z29, Z7

// Of two values one of which is a NaN, VMAXPS and VMINPS give the one that
// comes first here.
#define PUT(z) \
	VMAXPS  z, Z30, z; \
	VMINPS  z, Z31, z; \
	VMOVUPS z, (DI);   \
	ADDQ    DX, DI

#define PUT1 PUT(Z0)
#define PUT2 PUT1; PUT(Z1)
#define PUT3 PUT2; PUT(Z2)
#define PUT4 PUT3; PUT(Z3)
#define PUT5 PUT4; PUT(Z4)
#define PUT6 PUT5; PUT(Z5)
#define PUT7 PUT6; PUT(Z6)
#define PUT8 PUT7; PUT(Z7)

// STRIP sets the registers that stay; −Inf and +Inf limit nothing.
#define STRIP(start) \
	MOVQ         t+0(FP), R13;             \
	XORL         R12, R12;                 \
	MOVQ         strip_channels(R13), R15; \
	SHLQ         $2, R15;                  \
	MOVQ         strip_xCol(R13), R10;     \
	SHLQ         $2, R10;                  \
	MOVQ         strip_wCol(R13), R11;     \
	SHLQ         $2, R11;                  \
	MOVQ         strip_xPix(R13), R8;      \
	SHLQ         $2, R8;                   \
	MOVL         $0xff800000, AX;          \
	VPBROADCASTD AX, Z30;                  \
	MOVL         $0x7f800000, AX;          \
	VPBROADCASTD AX, Z31;                  \
	CMPB         strip_clamp(R13), $0;     \
	JEQ          start;                    \
	VBROADCASTSS strip_lo(R13), Z30;       \
	VBROADCASTSS strip_hi(R13), Z31;       \
start:

// BIAS sets z to the bias of 16 channels, or 0.
#define BIAS(none, at, z) \
	VPXORQ  z, z, z;             \
	MOVQ    strip_bias(R13), AX; \
	TESTQ   AX, AX;              \
	JZ      none;                \
	VMOVUPS at(AX)(R12*1), z;    \
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
	BIAS(zero, 0, Z29)               \
	MOVQ  strip_x(R13), AX;         \
	ADDQ  R12, AX;                  \
	MOVQ  AX, next-24(SP);          \
	MOVQ  strip_y(R13), AX;         \
	ADDQ  R12, AX;                  \
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
	MOVQ  next-24(SP), AX;          \
	MOVQ  AX, x-8(SP);              \
	MOVQ  CX, DX;                   \
	IMULQ R8, DX;                   \
	ADDQ  DX, AX;                   \
	MOVQ  AX, next-24(SP);          \
	MOVQ  strip_w(R13), BX;         \
	LEAQ  -64(BX)(R12*1), BX

// WINDOWS computes pixels by ROW for each row of taps.
#define WINDOWS(label, row, pixels, START, ROW, PUTS) \
label: \
	START;                       \
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
	MOVQ strip_yPix(R13), DX;    \
	SHLQ $2, DX;                 \
	PUTS;                        \
	MOVQ DI, y-16(SP);           \
	JMP  pixels
