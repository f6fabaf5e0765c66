// Exponential and error function of vectors; constants are in the registers from
// V16 on.

// The constants of the exponential.
#define EXPLOW 16
#define EXPHIGH 17
#define LOG2E 18
#define LN2HIGH 19
#define LN2LOW 20
#define EXP7 21
#define EXP6 22
#define EXP5 23
#define EXP4 24
#define EXP3 25
#define EXP2 26
#define ONE 27
#define TWOS 28
#define TANHHIGH 29

#define EXPCONSTANTS \
	MOVD  $·expConstants(SB), R4; \
	FILL4(4, 16, 17, 18, 19);     \
	FILL4(4, 20, 21, 22, 23);     \
	FILL4(4, 24, 25, 26, 27);     \
	FILL(4, 28);                  \
	VLD1R (R4), [V29.S4]

// TERM is a step of a polynomial: y = c + s·x.
#define TERM(c, s, x, y) \
	COPY(c, y); \
	FMLA(s, x, y)

// REDUCE splits x into n and eʳ − 1, which takes its place. It uses y and z.
#define REDUCE(x, n, y, z) \
	FMUL(LOG2E, x, n);      \
	FRINTN(n, n);           \
	FMLS(LN2HIGH, n, x);    \
	FMLS(LN2LOW, n, x);     \
	TERM(EXP6, EXP7, x, y); \
	TERM(EXP5, y, x, z);    \
	TERM(EXP4, z, x, y);    \
	TERM(EXP3, y, x, z);    \
	TERM(EXP2, z, x, y);    \
	FMUL(x, x, z);          \
	FMLA(y, z, x)

// EXP sets x to its exponential. It uses n, y and z, not w. 2ⁿ is 1 with n added
// to the exponent, in two steps since it may be out of range.
#define EXP(x, n, y, z, w) \
	FMAX(EXPLOW, x, x);  \
	FMIN(EXPHIGH, x, x); \
	REDUCE(x, n, y, z);  \
	FCVTNS(n, n);        \
	SSHR1(n, y);         \
	ISUB(y, n, n);       \
	SHL23(y, y);         \
	SHL23(n, n);         \
	IADD(ONE, y, y);     \
	IADD(ONE, n, n);     \
	FMLA(x, y, y);       \
	FMUL(n, y, x)

// TANH sets x to its hyperbolic tangent, (e²ˣ − 1)/(e²ˣ + 1). It uses n, y, z, not w;
// −TANHHIGH must be in V30, where TANHCONSTANTS puts it.
#define TANH(x, n, y, z, w) \
	FMAX(30, x, x);       \
	FMIN(TANHHIGH, x, x); \
	FADD(x, x, x);        \
	REDUCE(x, n, y, z);   \
	FCVTNS(n, n);         \
	SHL23(n, n);          \
	IADD(ONE, n, n);      \
	FSUB(ONE, n, y);      \
	FMLA(x, n, y);        \
	FADD(TWOS, y, z);     \
	FDIV(z, y, x)

// SILU sets x to w/(1+e⁻ˣ), where w is a copy of x.
#define SILU(x, n, y, z, w) \
	FNEG(x, x);         \
	EXP(x, n, y, z, w); \
	FADD(ONE, x, x);    \
	FDIV(x, w, x)

#define SIGMOID(x, n, y, z, w) SILU(x, n, y, z, ONE)

#define TANHCONSTANTS \
	EXPCONSTANTS; \
	FNEG(TANHHIGH, 30)

// The constants of the error function.
#define ERFLOW 16
#define ERFHIGH 17
#define ERFP6 18
#define ERFP5 19
#define ERFP4 20
#define ERFP3 21
#define ERFP2 22
#define ERFP1 23
#define ERFP0 24
#define ERFQ4 25
#define ERFQ3 26
#define ERFQ2 27
#define ERFQ1 28
#define ERFQ0 29
#define ROOTHALF 30
#define HALF 31

#define ERFCONSTANTS \
	MOVD  $·erfConstants(SB), R4; \
	FILL(4, ERFHIGH);             \
	FNEG(ERFHIGH, ERFLOW);        \
	FILL4(4, 18, 19, 20, 21);     \
	FILL4(4, 22, 23, 24, 25);     \
	FILL4(4, 26, 27, 28, 29);     \
	FILL(4, 30);                  \
	VLD1R (R4), [V31.S4]

// ERF sets x to its error function. It uses v, y, z and w.
#define ERF(x, v, y, z, w) \
	FMAX(ERFLOW, x, x);       \
	FMIN(ERFHIGH, x, x);      \
	FMUL(x, x, v);            \
	TERM(ERFP5, ERFP6, v, y); \
	TERM(ERFP4, y, v, z);     \
	TERM(ERFP3, z, v, y);     \
	TERM(ERFP2, y, v, z);     \
	TERM(ERFP1, z, v, y);     \
	TERM(ERFP0, y, v, z);     \
	TERM(ERFQ3, ERFQ4, v, y); \
	TERM(ERFQ2, y, v, w);     \
	TERM(ERFQ1, w, v, y);     \
	TERM(ERFQ0, y, v, w);     \
	FDIV(w, z, z);            \
	FMUL(z, x, x)
