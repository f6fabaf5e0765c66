package models

import (
	_ "embed" // the files of the default model
	"io/fs"
	"unsafe"

	"github.com/onetomany/caption/internal/memfs"
)

// Default is the embedded default model, a model folder.
var Default fs.FS = memfs.Program{FS: memfs.FS{
	"config.json":         content(config),
	"cnn.onnx":            content(network),
	"decoder.safetensors": content(decoder),
	"vocab.txt":           content(words),
	"README.md":           content(card),
	"verify.jpg":          content(photo),
	"verify.safetensors":  content(proof),
}}

// Strings, since an embed.FS and a []byte would be copied when they are read, or
// lie in memory that can be written to.
var (
	//go:embed default/config.json
	config string
	//go:embed default/cnn.onnx
	network string
	//go:embed default/decoder.safetensors
	decoder string
	//go:embed default/vocab.txt
	words string
	//go:embed default/README.md
	card string
	//go:embed default/verify.jpg
	photo string
	//go:embed default/verify.safetensors
	proof string
)

// content returns the bytes of s, which are part of the program and read only.
func content(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
