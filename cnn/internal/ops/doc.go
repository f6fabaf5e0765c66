// Package ops holds the ONNX operators that the engine accepts, each a row and a
// function in a file of its family; see package op, which others use them by.
//
// To add one: write both, pack its node tests (testdata/nodetests.py) and renew
// OPERATORS.md (go generate). The tests complain of a part that is missing, and try
// the rest with hostile nodes.
package ops

//go:generate go test -run TestTable -update
