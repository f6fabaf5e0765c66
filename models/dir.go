package models

import (
	"errors"
	"os"
	"path/filepath"
)

// Dir is the folder of the models and CNNs that are used by name: the
// environment variable CAPTION_MODELS, or caption/models in the user's
// configuration folder. It need not exist.
func Dir() (string, error) {
	if dir := os.Getenv("CAPTION_MODELS"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("no folder for models: set CAPTION_MODELS")
	}
	return filepath.Join(dir, "caption", "models"), nil
}
