// Package onnx reads an ONNX model into a graph.Graph.
//
// The graph — nodes, edges, operations, attributes — is decoded by
// github.com/owulveryck/onnx-go, which builds it through its Backend
// interface (backend.go). That decoder does not give operator set versions,
// node names, FLOAT16 or INT8 tensors, external data; it copies weights byte
// by byte, loses inputs of nodes without any, and trusts its input. So a pass
// over the protobuf wire format (model.go, tensor.go, external.go) goes
// before it: it checks the file, takes what onnx-go lacks and the tensors,
// and hands on a small model that holds the nodes and their plain attributes
// only. What the file breaks of ONNX's rules (order, single assignment,
// undefined values) is found afterwards (order.go).
//
// Large float tensors are not decoded: they stay where the files have them,
// which are mapped into memory where they can be (package mmap), until the
// engine packs them.
//
// A model is hostile until it is read: every length is checked against the
// bytes at hand before anything is allocated, and Limits bound the whole.
//
// The format is that of onnx.proto, https://github.com/onnx/onnx, IR version 13
// and before. External data follow docs/ExternalData.md there, with the
// restriction that they lie in the model's folder.
package onnx
