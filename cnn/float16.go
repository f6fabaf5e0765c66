package cnn

import (
	"io/fs"

	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/internal/message"
)

// Float16 rewrites the model file name of fsys with its weights rounded to
// FLOAT16, which takes half the space: each is followed by a Cast back to FLOAT,
// so any ONNX runtime reads the result and computes in float32. External data
// are merged in. A weight beyond the range of FLOAT16 (±65,504) is an error.
func Float16(fsys fs.FS, name string) ([]byte, error) {
	b, err := onnx.Float16(fsys, name, onnx.Limits{})
	if err != nil {
		return nil, message.Error(err)
	}
	return b, nil
}
