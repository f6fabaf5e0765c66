// The transforms of a row or a column as AVX2 and NEON compute them, by FADD, FSUB, FMUL,
// FMLA, FMLS and COPY, which take registers as theirs of NEON do. x0…x9 are vectors,
// p = a²b², s = a²+b², a, b and their powers constants.

// BT is Bᵀ: six values in x0…x5 to six results in x6, x7, x8, x0, x9, x5.
#define BT(x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, p, s, a, b, a2, b2) \
	COPY(x4, x6);     \
	COPY(x4, x7);     \
	COPY(x3, x9);     \
	FMLS(x2, s, x6);  \
	FMLS(x3, s, x5);  \
	FMLS(x2, b2, x7); \
	FMLS(x1, b2, x9); \
	FMLS(x2, a2, x4); \
	FMLS(x1, a2, x3); \
	FMLA(x0, p, x6);  \
	FMLA(x1, p, x5);  \
	COPY(x7, x8);     \
	FMLA(x9, a, x7);  \
	FMLS(x9, a, x8);  \
	COPY(x4, x0);     \
	COPY(x4, x9);     \
	FMLA(x3, b, x0);  \
	FMLS(x3, b, x9)

// AT is Aᵀ: six values in x0…x5 to four results in x0, x6, x7, x5, with x8 and x9.
#define AT(x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, a3, b3, a, b, a2, b2) \
	FADD(x1, x2, x8); \
	FADD(x3, x4, x9); \
	FSUB(x2, x1, x1); \
	FSUB(x4, x3, x3); \
	FADD(x8, x0, x0); \
	FMUL(x1, a, x6);  \
	FMUL(x8, a2, x7); \
	FMLA(x1, a3, x5); \
	FADD(x9, x0, x0); \
	FMLA(x3, b, x6);  \
	FMLA(x9, b2, x7); \
	FMLA(x3, b3, x5)
