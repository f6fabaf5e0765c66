// Package train learns the weights of a captioner.Decoder from feature vectors
// of photos and their captions.
//
// # What is minimised
//
// With teacher forcing the decoder reads the image, <start> and the words of a
// caption, and predicts at each the next word, <end> after the last. The loss is the
// mean of the cross-entropy with label smoothing over all predicted words. Forward
// and backward, for each part of the graph; a batch of n captions has rows rows, one
// for each word and one for each image:
//
//	inputs        x = m∘(FirstW·v + FirstB)                    [n,E]     dFirstW = (m∘dx)ᵀ·v, …
//	              x = m∘(Embed[w] + EveryW·v + EveryB)         [rows,E]  dEmbed[w] += m∘dx, …
//	recurrent     pre = Wx·x + B                               [rows,GH] dWx = dpreᵀ·x, dx = dpre·Wx
//	              rec = Wh·h(t−1) (+ BHn)                      [rows,GH] dWh = drecᵀ·h(t−1), dh(t−1) += drec·Wh
//	              h = cell(pre, rec, h(t−1))                   [rows,H]  see rnn.Cell
//	crossEntropy  y = m∘h, logits = OutW·y + OutB, p = softmax [rows,V]  dlogits = (p − target)/rows,
//	                                                                     dOutW = dlogitsᵀ·y, dh = m∘(dlogits·OutW)
//
// Each m is a dropout mask of its own. The three parts are operators of a
// Gorgonia graph with hand-written derivatives, on the matrix products of
// internal/kernels; Gorgonia's lisp machine runs them forward and backward.
// Tests hold their gradients against differences of a float64 twin and against
// the same graph made of Gorgonia's own operators.
//
// # How
//
// Weights start as the rows of captioner.Form.Params and rnn.Cells say: the LSTM's
// forget gate, for one, with a bias of 1.
//
// Batches are packed: captions of all lengths are drawn together in random order, the
// rows of a step are those of the captions that reach it, and no padding is computed.
// Adam takes the steps, with the whole gradient clipped by its norm and a learning
// rate that falls as half a cosine. A moving average of the weights is what is scored
// and kept: after each epoch it writes captions for the validation photos, scored by
// CIDEr-D, and the best epoch is kept.
//
// The same data, options and seed give the same bytes, whatever the number of
// threads. A run may be killed at any moment: with Options.Checkpoint it resumes
// after the last finished epoch and ends with the same bytes.
package train
