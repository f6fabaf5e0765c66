// Package captioner writes sentences about photos.
//
// A [Captioner] is a model opened from its folder: a CNN that turns a photo into
// features, a recurrent decoder that turns features into words, the vocabulary,
// and the preprocessing that they were trained with. [Open] and [OpenFS] check
// that they belong together; [Captioner.Caption] writes the sentences. It is safe
// for concurrent use: a service needs one.
//
//	c, err := captioner.Open("mymodel")
//	captions, err := c.Caption(ctx, photo, nil) // an io.Reader
//	fmt.Println(captions[0].Text)
//
// [Options] choose between beam search, the default, and sampling.
//
// Below it are the parts: a [Decoder] holds the weights of an RNN, LSTM or GRU,
// as training makes them, and a [Generator] writes sentences with them from
// feature vectors, as word ids. [Save] writes a model folder; docs/model-folder.md
// describes it.
//
// The package links neither Gorgonia, which only captioner/train needs, nor the
// default model of package models.
package captioner

//go:generate go test -run TestTables -update
