// Package layers holds the ONNX operators that are layers of neural networks:
// products with weights, poolings, normalisations, attention. The others, on arrays in
// general, are in package ops.
package layers
