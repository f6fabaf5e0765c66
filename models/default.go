package models

import (
	"embed"
	"io/fs"
)

//go:embed default
var folder embed.FS

// Default is the embedded default model, a model folder.
var Default fs.FS = sub(folder, "default")

func sub(fsys fs.FS, dir string) fs.FS {
	s, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // only for an invalid dir
	}
	return s
}
