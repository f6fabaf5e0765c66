// Instructions of AVX512_BF16 that the assembler does not know, on whole
// registers, which are given by their numbers: VDPBF16PS(b, a, d) for
// VDPBF16PS Zb, Za, Zd. All of them are of the map 0F 38.
#define EVEX512(pp, op, b, a, d) \
	BYTE $0x62; \
	BYTE $(0xf2 ^ ((d&8)<<4 | (b&24)<<2 | (d&16))); \
	BYTE $((0x7c | pp) ^ (a&15)<<3); \
	BYTE $(0x48 ^ (a&16)>>1); \
	BYTE $op; \
	BYTE $(0xc0 | (d&7)<<3 | (b&7))

// VDPBF16PS adds to each float32 of d the products of a pair of a with one of b.
#define VDPBF16PS(b, a, d) EVEX512(2, 0x52, b, a, d)

// VCVTNE2PS2BF16 rounds b to the lower half of d and a to the upper half.
#define VCVTNE2PS2BF16(b, a, d) EVEX512(3, 0x72, b, a, d)

// VCVTNEPS2BF16 rounds b to the lower half of d.
#define VCVTNEPS2BF16(b, d) EVEX512(2, 0x72, b, 0, d)

// MASKS sets K1 to the numbers that are left of the next 32, K2 and K3 to those
// of its halves; CX counts those left.
#define MASKS \
	MOVL  $-1, AX; \
	CMPQ  CX, $32; \
	JGE   masks;   \
	MOVL  $1, AX;  \
	SHLQ  CX, AX;  \
	DECQ  AX;      \
masks: \
	KMOVD AX, K1;  \
	KMOVW AX, K2;  \
	SHRL  $16, AX; \
	KMOVW AX, K3

// WIDE gives the 32 BF16 numbers at p as float32 in x and y, of the lanes k and l.
#define WIDE(p, k, l, x, y) \
	VPMOVZXWD.Z (p), k, x;   \
	VPMOVZXWD.Z 32(p), l, y; \
	VPSLLD      $16, x, x;   \
	VPSLLD      $16, y, y
