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

// REDUCE splits x into n and eʳ − 1, which takes its place. It uses y and z.
#define REDUCE(x, n, y, z) \
	FMUL(LOG2E, x, n);   \
	FRINTN(n, n);        \
	FMLS(LN2HIGH, n, x); \
	FMLS(LN2LOW, n, x);  \
	COPY(EXP6, y);       \
	FMLA(EXP7, x, y);    \
	COPY(EXP5, z);       \
	FMLA(y, x, z);       \
	COPY(EXP4, y);       \
	FMLA(z, x, y);       \
	COPY(EXP3, z);       \
	FMLA(y, x, z);       \
	COPY(EXP2, y);       \
	FMLA(z, x, y);       \
	FMUL(x, x, z);       \
	FMLA(y, z, x)

// EXP sets x to its exponential. It uses n, y and z. 2ⁿ is 1 with n added to the
// exponent, in two steps since it may be out of range.
#define EXP(x, n, y, z) \
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

// TANH sets x to its hyperbolic tangent, (e²ˣ − 1)/(e²ˣ + 1). It uses n, y, z;
// −TANHHIGH must be in V30.
#define TANH(x, n, y, z) \
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

// SIGMOIDS sets x to one/(1+e⁻ˣ).
#define SIGMOIDS(one, x, n, y, z) \
	FNEG(x, x);       \
	EXP(x, n, y, z);  \
	FADD(ONE, x, x);  \
	FDIV(x, one, x)

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
	FMAX(ERFLOW, x, x);  \
	FMIN(ERFHIGH, x, x); \
	FMUL(x, x, v);       \
	COPY(ERFP5, y);      \
	FMLA(ERFP6, v, y);   \
	COPY(ERFP4, z);      \
	FMLA(y, v, z);       \
	COPY(ERFP3, y);      \
	FMLA(z, v, y);       \
	COPY(ERFP2, z);      \
	FMLA(y, v, z);       \
	COPY(ERFP1, y);      \
	FMLA(z, v, y);       \
	COPY(ERFP0, z);      \
	FMLA(y, v, z);       \
	COPY(ERFQ3, y);      \
	FMLA(ERFQ4, v, y);   \
	COPY(ERFQ2, w);      \
	FMLA(y, v, w);       \
	COPY(ERFQ1, y);      \
	FMLA(w, v, y);       \
	COPY(ERFQ0, w);      \
	FMLA(y, v, w);       \
	FDIV(w, z, z);       \
	FMUL(z, x, x)
