// Package onnx reads an ONNX model into a graph.Graph.
//
// The graph — nodes, edges, operations, attributes — is decoded by
// github.com/owulveryck/onnx-go, which builds it through its Backend
// interface (backend.go). That decoder has no operator set versions, node names,
// FLOAT16 or INT8 tensors, and no external data; it copies weights byte by byte,
// makes up inputs for nodes that have none, and trusts its input. So a pass over
// the protobuf wire format (model.go, node.go, tensor.go, external.go) comes first:
// it checks the file, takes the tensors and what onnx-go lacks, and hands on a small
// model of the nodes and their plain attributes. Violations of ONNX's rules (order,
// single assignment, undefined values) are found afterwards (order.go).
//
// Large float tensors are not decoded: they stay where the files have them,
// which are mapped into memory where they can be (package mmap), until the
// engine packs them.
//
// No model is trusted: every length is checked against the bytes at hand before
// anything is allocated, and Limits bound the whole.
//
// The format is that of onnx.proto, https://github.com/onnx/onnx, IR version 13
// and before. External data follow docs/ExternalData.md there, with the
// restriction that they lie in the model's folder.
package onnx
