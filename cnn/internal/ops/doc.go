// Package ops holds the ONNX operators on arrays that the engine accepts, each a row
// and a function in a file of its family; those that are layers of neural networks are
// in package layers. Others use both by package op.
//
// To add one: write both, pack its node tests (testdata/nodetests.py) and renew
// OPERATORS.md (go generate). The tests complain of a part that is missing, and try
// the rest with hostile nodes.
package ops

//go:generate go test -run TestTable -update
