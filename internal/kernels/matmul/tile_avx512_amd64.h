// What the micro kernels of AVX-512 share. Registers of a tile of 12×32:
//	AX BX CX DX SI DI R8…R13  where the segment of each row ends
//	R14 B, BP bytes between its steps
//	R15 position in the segment, from minus its length to 0, times 4 bytes
//	Z0…Z23 tile of C, a row is Z(2i), Z(2i+1); Z24, Z25 a step of B; Z26 of A
// A kernel defines SHIFT, by which positions become bytes.

// ROWS1 to ROWS12 apply OP to so many rows, each given by its number, its register
// and its two registers of the tile, as numbers and by their names.
#define ROWS1(OP) OP(0, AX, 0, 1, Z0, Z1, Y0, Y1)
#define ROWS2(OP) ROWS1(OP); OP(1, BX, 2, 3, Z2, Z3, Y2, Y3)
#define ROWS3(OP) ROWS2(OP); OP(2, CX, 4, 5, Z4, Z5, Y4, Y5)
#define ROWS4(OP) ROWS3(OP); OP(3, DX, 6, 7, Z6, Z7, Y6, Y7)
#define ROWS5(OP) ROWS4(OP); OP(4, SI, 8, 9, Z8, Z9, Y8, Y9)
#define ROWS6(OP) ROWS5(OP); OP(5, DI, 10, 11, Z10, Z11, Y10, Y11)
#define ROWS7(OP) ROWS6(OP); OP(6, R8, 12, 13, Z12, Z13, Y12, Y13)
#define ROWS8(OP) ROWS7(OP); OP(7, R9, 14, 15, Z14, Z15, Y14, Y15)
#define ROWS9(OP) ROWS8(OP); OP(8, R10, 16, 17, Z16, Z17, Y16, Y17)
#define ROWS10(OP) ROWS9(OP); OP(9, R11, 18, 19, Z18, Z19, Y18, Y19)
#define ROWS11(OP) ROWS10(OP); OP(10, R12, 20, 21, Z20, Z21, Y20, Y21)
#define ROWS12(OP) ROWS11(OP); OP(11, R13, 22, 23, Z22, Z23, Y22, Y23)

#define PTR(n, p, i, j, zi, zj, yi, yj) \
	MOVQ    (n*8)(R15), p; \
	SHLQ    SHIFT, p;      \
	ADDQ    end-8(SP), p;  \
	CMOVQMI zend-16(SP), p

#define SEGMENT(segment, ROWS) \
segment: \
	MOVQ off-24(SP), R15;  \
	ROWS(PTR);             \
	ADDQ $(12*8), R15;     \
	MOVQ R15, off-24(SP);  \
	MOVQ from-48(SP), R15; \
	MOVQ ldb-40(SP), BP

#define TILE(segment, step, ROWS, LOAD, ROW) \
	SEGMENT(segment, ROWS); \
step: \
	LOAD;                  \
	ROWS(ROW);             \
	ADDQ    BP, R14;       \
	INCQ    R15;           \
	JNZ     step;          \
	DECQ    segs-32(SP);   \
	JNZ     segment;       \
	JMP     store

#define DISPATCH(one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve) \
	CASE(12, twelve); \
	CASE(11, eleven); \
	CASE(10, ten);    \
	CASE(9, nine);    \
	CASE(8, eight);   \
	CASE(7, seven);   \
	CASE(6, six);     \
	CASE(5, five);    \
	CASE(4, four);    \
	CASE(3, three);   \
	CASE(2, two)

// TILES computes AX rows, of one to twelve: each number has a label, and one for its
// steps. LOAD gets a step of B and ROW multiplies it with one row of A.
#define TILES(LOAD, ROW, t1, s1, t2, s2, t3, s3, t4, s4, t5, s5, t6, s6, t7, s7, t8, s8, t9, s9, t10, s10, t11, s11, t12, s12) \
	DISPATCH(t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12); \
	TILE(t1, s1, ROWS1, LOAD, ROW); \
	TILE(t2, s2, ROWS2, LOAD, ROW); \
	TILE(t3, s3, ROWS3, LOAD, ROW); \
	TILE(t4, s4, ROWS4, LOAD, ROW); \
	TILE(t5, s5, ROWS5, LOAD, ROW); \
	TILE(t6, s6, ROWS6, LOAD, ROW); \
	TILE(t7, s7, ROWS7, LOAD, ROW); \
	TILE(t8, s8, ROWS8, LOAD, ROW); \
	TILE(t9, s9, ROWS9, LOAD, ROW); \
	TILE(t10, s10, ROWS10, LOAD, ROW); \
	TILE(t11, s11, ROWS11, LOAD, ROW); \
	TILE(t12, s12, ROWS12, LOAD, ROW)

// LOAD32 loads a step of B of 32 columns, LOAD16 of 16.
#define LOAD16 VMOVUPS (R14), Z24
#define LOAD32 \
	LOAD16; \
	VMOVUPS 64(R14), Z25

// EVERYROW gives every row the sums of the first.
#define SAME(x, y) \
	VMOVAPS Z0, x; \
	VMOVAPS Z1, y
#define EVERYROW \
	SAME(Z2, Z3); SAME(Z4, Z5); SAME(Z6, Z7); SAME(Z8, Z9); SAME(Z10, Z11); SAME(Z12, Z13); \
	SAME(Z14, Z15); SAME(Z16, Z17); SAME(Z18, Z19); SAME(Z20, Z21); SAME(Z22, Z23)

// LIMIT limits a row to Z24…Z25.
#define LIMIT(n, p, i, j, zi, zj, yi, yj) \
	CLAMP(zi, Z24, Z25); \
	CLAMP(zj, Z24, Z25)

// NEXTROW goes on to the next row of C or D, or to done after the last: AX is where,
// BX bytes between them, CX rows left.
#define NEXTROW(done) \
	ADDQ BX, AX; \
	DECQ CX;     \
	JZ   done

// PUTFLOATS stores a row of float32.
#define PUTFLOATS(n, p, i, j, zi, zj, yi, yj) \
	VMOVUPS zi, K1, (AX);   \
	VMOVUPS zj, K2, 64(AX); \
	NEXTROW(done)

// The parts of a kernel that begin and end its products take the fields of the tile,
// which is in BP. SEGMENTS puts on the stack where segments end, and where positions are.
#define SEGMENTS(length, a, zero, offsets) \
	MOVQ t+0(FP), BP;     \
	MOVQ length(BP), AX;  \
	MOVQ AX, BX;          \
	NEGQ BX;              \
	MOVQ BX, from-48(SP); \
	MOVQ a(BP), CX;       \
	LEAQ (CX)(AX*4), CX;  \
	MOVQ CX, end-8(SP);   \
	MOVQ zero(BP), CX;    \
	LEAQ (CX)(AX*4), CX;  \
	MOVQ CX, zend-16(SP); \
	MOVE(offsets(BP), CX, off-24(SP))

// SUMS begins the next 12 rows, whose sums start from the bias, and sets AX to their
// number.
#define SUMS(tile, start, fits, b, segments, bias) \
tile: \
	MOVQ      b(BP), R14;                \
	MOVE(segments(BP), CX, segs-32(SP)); \
	VPXORQ    Z0, Z0, Z0;                \
	VPXORQ    Z1, Z1, Z1;                \
	NONZERO(bias(BP), AX, start);        \
	VMOVUPS.Z (AX), K1, Z0;              \
	VMOVUPS.Z 64(AX), K2, Z1;            \
start: \
	EVERYROW;                            \
	MOVQ      rows-72(SP), AX;           \
	CMPQ      AX, $12;                   \
	JLE       fits;                      \
	MOVL      $12, AX;                   \
fits:

// FETCH brings AX rows from CX on, BX values apart, into the cache while the
// products are computed: what is to be added, and the lines to be stored to. LINES
// are those of a row.
#define FETCH(row, LINES) \
	SHLQ SHIFT, BX; \
	MOVQ AX, DX;    \
row: \
	LINES;          \
	ADDQ BX, CX;    \
	DECQ DX;        \
	JNZ  row

// FINISH adds D to the sums, by ADDROW, and limits them. On the stack d then is that of
// the rows that follow.
#define FINISH(store, limit, put, ldd, clamp, lo, hi) \
store: \
	MOVQ  t+0(FP), BP;                                    \
	NONZERO(d-64(SP), AX, limit);                         \
	MOVQ  ldd(BP), BX;                                    \
	SHLQ  SHIFT, BX;                                      \
	MOVQ  rows-72(SP), CX;                                \
	ROWS12(ADDROW);                                       \
	MOVQ  AX, d-64(SP);                                   \
limit: \
	LOADLIMITS(clamp(BP), lo(BP), hi(BP), Z24, Z25, put); \
	ROWS12(LIMIT);                                        \
put:
