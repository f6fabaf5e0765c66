// What the kernels of AVX2 and AVX-512 share. Registers are named by the caller, but for
// AX and CX.

// CLAMP limits x to lo…hi; a NaN stays one, since of two values one of which is a NaN,
// VMAXPS and VMINPS give the one that comes first here.
#define CLAMP(x, lo, hi) \
	VMAXPS x, lo, x; \
	VMINPS x, hi, x

#define ZERO4(w, x, y, z) \
	VXORPS w, w, w; \
	VXORPS x, x, x; \
	VXORPS y, y, y; \
	VXORPS z, z, z

// ONES sets AX to CX bits of 1, for the mask of as many lanes.
#define ONES \
	MOVL $1, AX;  \
	SHLQ CX, AX;  \
	DECQ AX

// BYTES4 and BYTES2 load a number of values, of 4 or 2 bytes each, as a number of bytes.
#define BYTES4(n, r) \
	MOVQ n, r; \
	SHLQ $2, r
#define BYTES2(n, r) \
	MOVQ n, r; \
	SHLQ $1, r

// PLACE sets r to the address that is in base plus at, in bytes.
#define PLACE(base, at, r) \
	MOVQ base, r; \
	ADDQ at, r

// NONZERO loads r, a pointer or a number, and jumps to none if it is 0.
#define NONZERO(from, r, none) \
	MOVQ  from, r; \
	TESTQ r, r;    \
	JZ    none

// CASE jumps to label if AX is n.
#define CASE(n, label) \
	CMPQ AX, $n; \
	JEQ  label

// FILL fills y, whose lower half is x, with bits, through r.
#define FILL(bits, r, x, y) \
	MOVL         bits, r; \
	VMOVD        r, x;    \
	VBROADCASTSS x, y

// MOVE copies 8 bytes of memory through r.
#define MOVE(from, r, to) \
	MOVQ from, r; \
	MOVQ r, to

// LOAD4 loads four vectors of AVX2, from the operand p on.
#define LOAD4(p, w, x, y, z) \
	VMOVUPS p, w;    \
	VMOVUPS 32 p, x; \
	VMOVUPS 64 p, y; \
	VMOVUPS 96 p, z

// LOADLIMITS loads the limits of a job, or jumps to none if clamp is false.
#define LOADLIMITS(clamp, lo, hi, x, y, none) \
	CMPB         clamp, $0; \
	JEQ          none;      \
	VBROADCASTSS lo, x;     \
	VBROADCASTSS hi, y

// INFINITE sets the vectors lo and hi of AVX-512 to −Inf and +Inf, which limit nothing.
#define INFINITE(lo, hi) \
	MOVL         $0xff800000, AX; \
	VPBROADCASTD AX, lo;          \
	MOVL         $0x7f800000, AX; \
	VPBROADCASTD AX, hi
