// Package ops holds the ONNX operators on arrays that the engine accepts, each a row
// and a function in a file of its family; those that are layers of neural networks are
// in package layers. Others use both by package op.
//
// To add one:
//
//  1. Write its row and its function, here or in layers.
//  2. go generate ./cnn/internal/ops enters it into OPERATORS.md, and strikes it from
//     the operators that are not there.
//  3. pip install onnx==1.23.2; python cnn/internal/ops/testdata/nodetests.py packs its
//     node tests: those of the operators that OPERATORS.md names.
//  4. go test ./cnn/... complains of a part that is missing, and tries the rest with
//     hostile nodes. Node tests that cannot pass go into skipped (node_test.go), with
//     the reason.
package ops

//go:generate go test -run TestTable -update
