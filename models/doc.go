// Package models holds the model that the programs use when none is named, and
// a catalogue of pretrained CNNs.
//
// [Default] is a model folder (see docs/model-folder.md) embedded in the
// binary: an EfficientNet-Lite2 and an LSTM decoder trained on Flickr8k,
// MS-COCO and Pascal photos. Importing this package adds about 25 MB to a
// program; services that bring a model of their own do not need it:
//
//	c, err := captioner.OpenFS(models.Default)
//
// The photos and captions that the default decoder was trained on are research
// data for non-commercial use; its model card, models/default/README.md, tells
// how to train one's own.
//
// [Catalogue] lists CNNs whose preprocessing is known, by the SHA-256 of their
// files. The package knows nothing of how a model runs.
package models
