// Package features turns photos into feature vectors: it decodes and orients a
// picture, resizes and normalises it as the CNN was trained, runs the CNN, and
// reads and writes files of features.
//
// # One photo
//
// [Decode] reads the formats that [PictureFormats] names, told apart by content,
// never by name; of an animation, the first frame. The picture comes upright: the
// EXIF orientation is applied. Size limits are checked on the file's header, before
// pixels take memory; a file that ends early is an error, never a half-grey
// picture. A colour profile is not applied.
//
// [Preprocessing] says how a picture becomes the input of a CNN: squashed or
// cropped to its size, transparent parts over white, (value/255 − mean)/std,
// channels first. An [Extractor] joins it to a [cnn.Net].
//
// Arguments that break their contract give errors: nil contexts, readers and
// pictures, readers that count wrongly, pictures with less memory than pixels,
// anything that panics. [Limits] bounds what a photo may take.
//
// # Many photos
//
// [Expand] turns command-line arguments (files, folders, globs, "-") into
// sources; [Extractor.Stream] runs over any sequence of them on several cores
// with bounded memory and yields results in the order of the sources. A photo
// that fails is a result with an error, and the others go on.
//
// # Feature files
//
// [Extractor.WriteFile] extracts the features of many photos into a file;
// [ReadFile] reads one. The extension gives the format:
//
//	.npy          float32 [N,D] ([N,H,W,C] for a feature map), names in FILE.names.txt beside it
//	.npz          arrays "features" and "names"
//	.safetensors  tensor "features"; names as a JSON array in the metadata
//	.jsonl        {"path":…,"features":[…]} a line
//
// numpy and the Python package safetensors read them as they are. An .npy file
// has its names inside too, as a second array behind the features (uint8, the
// bytes of FILE.names.txt), which numpy.load does not look at. ReadFile goes by
// them, refuses a FILE.names.txt that says something else, and needs that file
// only where there are none inside, as in files of numpy.save.
//
// A file appears complete or not at all, and rows never stand beside the names of
// other rows: while a pair is replaced, FILE.names.txt is missing for a moment. The
// rows of an interrupted run wait in FILE.part, and a second run goes on from there.
// One run at a time can write a file; another one fails with [ErrBusy], except on
// the few file systems without locks (some network mounts).
package features
