// Instructions of AMX, which the assembler does not know. Tiles and general
// registers are given by their numbers: AX CX DX BX SP BP SI DI are 0…7.

// LDTILECFG_AX configures the tiles as the 64 bytes at (AX) say.
#define LDTILECFG_AX \
	BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00

#define TILERELEASE \
	BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0

#define TILEZERO(t) \
	BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0 | t<<3)

#define TILEMEM(pp, t, disp, base, stride) \
	BYTE $0xc4; \
	BYTE $(0xe2 ^ ((stride&8)<<3 | (base&8)<<2)); \
	BYTE $(0x78 | pp); \
	BYTE $0x4b; \
	BYTE $(0x44 | t<<3); \
	BYTE $((stride&7)<<3 | (base&7)); \
	BYTE $disp

// TILELOADD loads rows from disp(base), stride bytes apart.
#define TILELOADD(disp, base, stride, t) TILEMEM(3, t, disp, base, stride)

// TILESTORED stores them there.
#define TILESTORED(t, disp, base, stride) TILEMEM(2, t, disp, base, stride)

// TDPBF16PS adds to c, float32, the product of a, BF16, with b, whose rows are
// pairs of rows interleaved.
#define TDPBF16PS(b, a, c) \
	BYTE $0xc4; \
	BYTE $0xe2; \
	BYTE $(0x7a ^ b<<3); \
	BYTE $0x5c; \
	BYTE $(0xc0 | c<<3 | a)
