package models

import (
	_ "embed" // the files of the default model
	"io/fs"
	"unsafe"

	"github.com/onetomany/caption/internal/memfs"
)

// Default is the embedded default model, a model folder.
var Default fs.FS = memfs.Program{
	FS: memfs.FS{
		"config.json":         content(config),
		"cnn.onnx":            content(network),
		"decoder.safetensors": content(decoder),
		"vocab.txt":           content(words),
		"README.md":           content(card),
		"verify.jpg":          content(photo),
		"verify.safetensors":  content(proof),
	},
	// config.json has a checksum in it.
	Sums: map[string]uint32{
		"cnn.onnx":            0x3ab55177,
		"decoder.safetensors": 0xdc384ac9,
		"vocab.txt":           0x31bc953c,
		"README.md":           0xbe78cc78,
		"verify.jpg":          0xcf23d67a,
		"verify.safetensors":  0x2f41106d,
	},
}

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
