// Package captioner turns feature vectors and photos into sentences.
//
// A [Decoder] holds the weights of a recurrent network (RNN, LSTM or GRU). A
// [Generator] prepares them once and writes sentences from feature vectors, as
// word ids, by beam search or by sampling.
package captioner
