package byname

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/models"
)

// CNN is an open network with its files and its preprocessing.
type CNN struct {
	Name          string
	Layer         string   // whose values Net returns
	FS            fs.FS    // in which Files are
	Files         []string // the ONNX file, then its external data
	Net           *cnn.Net
	Preprocessing features.Preprocessing

	sum string // SHA-256 of Files where it is known
}

// OpenCNN opens the CNN of the embedded model, an ONNX file, or the file of a known
// CNN in models.Dir. Its preprocessing is that of the model or the catalogue, else
// models.DefaultInput.
func OpenCNN(name string, opt *cnn.Options) (*CNN, error) {
	open := openFile
	if name == Default {
		open = openDefault
	}
	n, err := open(name, opt)
	if err != nil {
		return nil, err
	}
	n.Layer = cmp.Or(opt.Layer, cnn.Pooled)
	info := n.Net.Info()
	n.Preprocessing.Width, n.Preprocessing.Height = info.Width, info.Height
	return n, nil
}

func openDefault(_ string, opt *cnn.Options) (*CNN, error) {
	model, err := captioner.ReadNetwork(models.Default)
	if err != nil {
		return nil, err
	}
	n := &CNN{Name: model.Name, FS: models.Default, Preprocessing: model.Preprocessing}
	for _, f := range model.Files {
		n.Files = append(n.Files, f.Name)
	}
	if len(n.Files) == 1 {
		n.sum = model.Files[0].SHA256 // caption verify checks it
	}
	n.Net, err = cnn.OpenFS(n.FS, n.Files[0], opt)
	return n, err
}

func openFile(name string, opt *cnn.Options) (*CNN, error) {
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	net, err := cnn.Open(path, opt)
	if err != nil {
		return nil, err
	}
	dir, base := filepath.Split(path)
	n := &CNN{
		Name: strings.TrimSuffix(base, filepath.Ext(base)),
		FS:   os.DirFS(filepath.Clean(dir)), Files: append([]string{base}, net.Info().ExternalData...),
		Net: net,
	}
	in := models.DefaultInput
	if k, ok, err := n.known(); err != nil {
		return nil, err
	} else if ok {
		n.Name, in = k.Name, k.Input
	}
	n.Preprocessing = features.Preprocessing{Mean: in.Mean, Std: in.Std, Resize: features.Squash, Order: "rgb"}
	if in.BGR {
		n.Preprocessing.Order = "bgr"
	}
	return n, nil
}

// find returns the file of a CNN: name itself if there is such a file, else that of
// a known CNN.
func find(name string) (string, error) {
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	at := slices.IndexFunc(models.Catalogue, func(c models.CNN) bool { return c.Name == name })
	if at < 0 {
		return "", fmt.Errorf("no CNN %s: neither a file nor a known name; see caption models list", name)
	}
	dir, err := models.Dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name+".onnx")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the CNN %s is not on this machine; fetch it from the %s and save it as %s", name, models.Catalogue[at].Source, path)
	}
	return path, nil
}

// known finds the network in the catalogue. It is hashed only if its size is that
// of a network there.
func (n *CNN) known() (c models.CNN, ok bool, err error) {
	fi, err := fs.Stat(n.FS, n.Files[0])
	if err != nil || !slices.ContainsFunc(models.Catalogue, func(c models.CNN) bool { return c.Bytes == fi.Size() }) {
		return c, false, err
	}
	sum, err := hash(n.FS, n.Files[:1])
	if err != nil {
		return c, false, err
	}
	if len(n.Files) == 1 {
		n.sum = sum
	}
	c, ok = models.Known(sum)
	return c, ok, nil
}

// Names are those that OpenCNN knows.
func Names() []string {
	names := []string{Default}
	for _, c := range models.Catalogue {
		names = append(names, c.Name)
	}
	return names
}

// Meta identifies the network in a feature file.
func (n *CNN) Meta() (map[string]string, error) {
	if n.sum == "" {
		sum, err := hash(n.FS, n.Files)
		if err != nil {
			return nil, fmt.Errorf("hashing the CNN %s: %w", n.Name, err)
		}
		n.sum = sum
	}
	return map[string]string{"cnn": n.Name, "sha256": n.sum}, nil
}

// Float16 writes the network with its weights rounded to float16 into the folder
// dir, and opens that: a decoder is trained on what its model will hold.
func (n *CNN) Float16(dir string) (*CNN, error) {
	b, err := cnn.Float16(n.FS, n.Files[0])
	if err != nil {
		return nil, err
	}
	const file = "cnn.onnx"
	err = atomicfile.WriteFile(filepath.Join(dir, file), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	half := &CNN{Name: n.Name, Layer: n.Layer, FS: os.DirFS(dir), Files: []string{file}, Preprocessing: n.Preprocessing}
	info := n.Net.Info()
	half.Net, err = cnn.OpenFS(half.FS, file, &cnn.Options{Layer: n.Layer, Height: info.Height, Width: info.Width, Precision: info.Precision})
	return half, err
}

// hash returns the SHA-256 of a file, or of several one after the other.
func hash(fsys fs.FS, names []string) (string, error) {
	h := sha256.New()
	for _, name := range names {
		f, err := fsys.Open(name)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
