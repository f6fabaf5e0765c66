// Package dataset reads photos with captions and gives them their features, for
// training a decoder and for scoring it.
//
// [Open] takes a Flickr8k or Flickr30k folder, COCO captions JSON, Karpathy JSON,
// and tables of image, caption and split (CSV, TSV, JSON Lines, JSON), all of which
// become a [Set] with the splits [Train], [Val] and [Test]. Files of captions may
// come from anywhere: a path that leads out of their folder is refused, and so is
// what two readers could take for two things. Errors name file and line.
//
// [Extract] computes the features of the photos; [ReadFeatures] takes those of a
// feature file, and [Features.Attach] finds each photo's. train.NewData makes of the
// sets what train.Run learns from.
package dataset
