package captioner

import "strings"

// A ModelError says why a model folder is refused, and what would help. It
// wraps its cause: errors.Is(err, fs.ErrNotExist) holds for a missing file.
type ModelError struct {
	Dir   string // the folder, "" for a file system without a name
	File  string // the file in it, "" where the folder as a whole is meant
	Field string // field of config.json or tensor of decoder.safetensors, "" where unknown
	Err   error  // what is wrong
	Hint  string // what would do
}

func (e *ModelError) Error() string {
	var b strings.Builder
	b.WriteString("model")
	if e.Dir != "" {
		b.WriteString(" " + e.Dir)
	}
	for _, s := range []string{e.File, e.Field, e.Err.Error()} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

func (e *ModelError) Unwrap() error { return e.Err }

const (
	hintRestore   = "the file was changed, cut off or taken from another model: fetch or train the model again"
	hintMixed     = "the folder mixes files of two models: fetch or train the model again"
	hintReinstall = "install caption again"
	hintUpgrade   = "upgrade caption"
)
