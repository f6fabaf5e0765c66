// Package cnn loads a pretrained ONNX classifier, cuts its classifier off, and
// runs the rest on a CPU: a picture goes in, a feature vector comes out.
//
//	net, err := cnn.Open("resnet50.onnx", nil)
//	features, err := net.Run(ctx, cnn.Tensor{Shape: []int{1, 3, 224, 224}, Data: pixels})
//
// # What loads
//
// Models of both PyTorch exporters (opset 11 and up; weights inside, or in a file
// beside the model), of the ONNX Model Zoo, and whatever else keeps to the
// operators in OPERATORS.md, which lists their opsets and limits. Weights may be
// FLOAT16 or int8 with DequantizeLinear; computing is in float32, or bf16. An operator
// that is missing is an *UnsupportedError, which names operator, node and opset.
//
// # What is cut off
//
// The classifier is found by structure, never by name: from the output back over
// Softmax, reshapes and the like to the last fully connected layer (a Gemm, a
// MatMul with its Add, or a 1×1 convolution), and that is cut too. What goes into
// it is the feature vector; where that is a map, as in SqueezeNet, its average
// over the picture. Options.Layer takes the map in front of the pooling instead,
// or any node. Info tells what was cut and what is left.
//
// # How it runs
//
// The graph comes from github.com/owulveryck/onnx-go through its Backend
// interface and is planned once: shapes inferred, constants folded, batch
// normalisation and activations fused into the convolutions, channels moved last,
// weights packed, buffers shared by lifetime. A Net is immutable and safe for
// concurrent use; Run takes any batch size, also of a model that was exported
// with batch 1, and its result depends neither on the batch a picture is in nor
// on the number of threads.
//
// With Options.Threads at two or more, the operators of one picture are split over
// goroutines that live as long as the Run; of a batch, each takes as many pictures
// of its own, and those left over are split. Runs of one Net at the same time
// share the processors: each takes those that are free and waits for one, so that
// there are never more runs at work, or sets of buffers, than processors. RunInto
// writes into the caller's memory and allocates nothing.
//
// Features are within 1e-4, relative, of ONNX Runtime's. With Options.Precision at
// BF16, for processors with AMX or AVX512_BF16, numbers take half the memory and
// features are within 0.05.
//
// A model file is hostile until it is read: sizes are checked before memory is
// allocated, all that is made of it is bounded by Options.MaxMemory, and external
// data are read from the model's own folder only.
//
// No call panics: nil where something is needed, a context too, a Net that Open has
// not made, a tensor that is none and a file system that breaks its rules are
// errors. Messages have one line of 500 bytes at most; names from files are quoted.
package cnn
