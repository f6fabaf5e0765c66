// Instructions of Advanced SIMD that Go's assembler has no name for, on vectors
// of four float32 or int32. Registers are given by their numbers, the result
// last as everywhere in Go's assembly. Encodings: Arm Architecture Reference
// Manual for A-profile, C7.2.

#define THREE(op, m, n, d) WORD $(op | (m)<<16 | (n)<<5 | (d))
#define TWO(op, n, d) WORD $(op | (n)<<5 | (d))
#define ELEMENT(op, m, i, n, d) WORD $(op | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))

#define FADD(m, n, d) THREE(0x4E20D400, m, n, d) // Vd = Vn + Vm
#define FSUB(m, n, d) THREE(0x4EA0D400, m, n, d) // Vd = Vn − Vm
#define FMUL(m, n, d) THREE(0x6E20DC00, m, n, d) // Vd = Vn · Vm
#define FDIV(m, n, d) THREE(0x6E20FC00, m, n, d) // Vd = Vn / Vm
#define FMLA(m, n, d) THREE(0x4E20CC00, m, n, d) // Vd += Vn · Vm
#define FMLS(m, n, d) THREE(0x4EA0CC00, m, n, d) // Vd −= Vn · Vm
#define FMAX(m, n, d) THREE(0x4E20F400, m, n, d) // a NaN stays one
#define FMIN(m, n, d) THREE(0x4EA0F400, m, n, d) // a NaN stays one
#define FADDP(m, n, d) THREE(0x6E20D400, m, n, d) // sums of neighbours, those of Vn first
#define FNEG(n, d) TWO(0x6EA0F800, n, d)
#define FRINTN(n, d) TWO(0x4E218800, n, d) // to a whole number, the even one of two as near
#define FCMLT0(n, d) TWO(0x4EA0E800, n, d) // all bits where Vn < 0

#define FCVTNS(n, d) TWO(0x4E21A800, n, d) // the int32 next to it
#define IADD(m, n, d) THREE(0x4EA08400, m, n, d)
#define ISUB(m, n, d) THREE(0x6EA08400, m, n, d) // Vd = Vn − Vm
#define SHL23(n, d) TWO(0x4F375400, n, d)
#define SSHR1(n, d) TWO(0x4F3F0400, n, d)

#define FCVTL(n, d) TWO(0x0E217800, n, d) // the lower four binary16 of Vn as float32
#define FCVTL2(n, d) TWO(0x4E217800, n, d) // the upper four

#define ZERO(d) THREE(0x6E201C00, d, d, d)
#define ZERO4(a, b, c, d) ZERO(a); ZERO(b); ZERO(c); ZERO(d)
#define COPY(n, d) THREE(0x4EA01C00, n, n, d)
#define BSL(m, n, d) THREE(0x6E601C00, m, n, d) // bits of Vn where Vd has one, else of Vm

// FMLAE sets Vd += Vn · Vm[i].
#define FMLAE(m, i, n, d) ELEMENT(0x4F801000, m, i, n, d)

// FILL loads all of Vd with the float32 at Rn, which moves on; FILL4 does four.
#define FILL(n, d) TWO(0x4DDFC800, n, d)
#define FILL4(n, a, b, c, d) FILL(n, a); FILL(n, b); FILL(n, c); FILL(n, d)

// LOADQ loads Vd from Rn + Rm.
#define LOADQ(m, n, d) THREE(0x3CE06800, m, n, d)

// EACH2 and EACH4 do OP(m, n, d) on so many registers from each number on.
#define EACH2(OP, m, n, d) \
	OP(m, n, d); \
	OP((m+1), (n+1), (d+1))

#define EACH4(OP, m, n, d) \
	EACH2(OP, m, n, d); \
	EACH2(OP, (m+2), (n+2), (d+2))

// BYTES4 loads a number of values, of 4 bytes each, as a number of bytes.
#define BYTES4(n, r) \
	MOVD n, r; \
	LSL  $2, r
