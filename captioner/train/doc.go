// Package train learns the weights of a captioner.Decoder from feature vectors
// of photos and their captions.
//
// # What is minimised
//
// With teacher forcing the decoder reads the image, <start> and the words of a
// caption, and is to say the words and <end>. The loss is the mean over all
// words to be said of the cross-entropy with label smoothing. Forward, and what
// comes back, for each part of the graph; rows is the number of words of a batch
// of n captions, each with its image as one more:
//
//	inputs        x = m∘(FirstW·v + FirstB)                    [n,E]     dFirstW = (m∘dx)ᵀ·v, …
//	              x = m∘(Embed[w] + EveryW·v + EveryB)         [rows,E]  dEmbed[w] += m∘dx, …
//	recurrent     pre = Wx·x + B                               [rows,GH] dWx = dpreᵀ·x, dx = dpre·Wx
//	              rec = Wh·h(t−1) (+ BHn)                      [rows,GH] dWh = drecᵀ·h(t−1), dh(t−1) += drec·Wh
//	              RNN:  h = tanh(pre+rec)                      [rows,H]  see rnnBackward
//	              LSTM: c = f∘c(t−1) + i∘g, h = o∘tanh(c)      [rows,H]  see lstmBackward
//	              GRU:  h = (1−z)∘n + z∘h(t−1)                 [rows,H]  see gruBackward
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
// Batches are packed: captions of all lengths go together in random order, those
// still going at a step are its rows, and no padding is computed. Adam takes the
// steps, with clipping by the norm of the whole gradient and a learning rate that
// falls as half a cosine. A moving average of the weights is what is scored and
// kept: after each epoch it writes captions for the validation photos, scored by
// CIDEr-D, and the best epoch wins.
//
// The same data, options and seed give the same bytes, whatever the number of
// threads. A run may be killed at any moment: with Options.Checkpoint it goes on
// from the last whole epoch to the same bytes.
package train
