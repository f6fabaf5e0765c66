// Package vocab holds the words of a captioner: how a caption is split into
// words, which words are known, and the file that lists them.
//
// Tokenize splits as the COCO caption evaluation does (Penn Treebank tokens in
// lower case, punctuation dropped), so that a vocabulary, a model and a score
// agree on what a word is. Captions of languages written without spaces must
// be segmented first: words are what stands between spaces and punctuation.
//
// The ids 0 to 3 of every vocabulary are the special tokens Pad, Start, End
// and Unk. Tokens never contain '<', so no caption can name them.
package vocab
