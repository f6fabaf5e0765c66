package captioner

import (
	"errors"
	"strings"

	"github.com/onetomany/caption/internal/message"
)

var (
	errNotOpen   = errors.New("captioner: the Captioner or Generator is empty: Open, OpenFS and NewGenerator make one that works")
	errNoContext = errors.New("captioner: the context is nil: context.Background() will do")
)

// A ModelError says why a model folder is refused, and what would help. It
// wraps its cause: errors.Is(err, fs.ErrNotExist) is true for a missing file.
type ModelError struct {
	Dir   string // the folder; "" for a file system
	File  string // the file in it; "" for the folder as a whole
	Field string // field of config.json or tensor of decoder.safetensors; may be ""
	Err   error  // what is wrong
	Hint  string // what to do
}

func (e *ModelError) Error() string {
	var b strings.Builder
	b.WriteString("model")
	if e.Dir != "" {
		b.WriteString(" " + message.Clean(e.Dir, 160))
	}
	for _, s := range []string{e.File, e.Field} {
		if s != "" {
			b.WriteString(": " + message.Clean(s, 60))
		}
	}
	hint := e.Hint
	if hint != "" {
		hint = "; " + hint
	}
	if e.Err != nil {
		b.WriteString(": " + message.Clean(e.Err.Error(), message.Max-b.Len()-len(hint)))
	}
	return message.Clean(b.String()+hint, message.Max)
}

func (e *ModelError) Unwrap() error { return e.Err }

// inDir notes the folder in a ModelError.
func inDir(err error, dir string) error {
	if e, ok := errors.AsType[*ModelError](err); ok {
		e.Dir = dir
	}
	return err
}

const (
	hintRestore   = "the file was changed, cut off or taken from another model: fetch or train the model again"
	hintMixed     = "the folder mixes files of two models: fetch or train the model again"
	hintReinstall = "install caption again"
	hintUpgrade   = "upgrade caption"
)
