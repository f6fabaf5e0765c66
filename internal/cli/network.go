package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/models"
)

// DefaultModel is the name of the embedded model, and of its CNN.
const DefaultModel = "default"

// NetworkFlags choose a CNN, how it computes, and its preprocessing.
type NetworkFlags struct {
	CNN       string
	Layer     string
	Precision cnn.Precision
	Resize    string
	Size      int
	Mean      []string
	Std       []string
}

// Register declares the flags of cmd.
func (f *NetworkFlags) Register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.CNN, "cnn", DefaultModel, "CNN as an ONNX `FILE` or the name of a known one (caption models list)")
	AddPrecision(cmd, &f.Precision)
	fs.StringVar(&f.Resize, "resize", "", "`HOW` photos are fitted: squash or crop (default: as the model says, else squash)")
	fs.IntVar(&f.Size, "size", 0, "height and width of the input, where the CNN leaves it open")
	fs.StringSliceVar(&f.Mean, "mean", nil, "`R,G,B` to subtract, on values 0..1 (default: the model's own)")
	fs.StringSliceVar(&f.Std, "std", nil, "`R,G,B` to divide by, on values 0..1 (default: the model's own)")
}

// Network is an opened CNN with its files and its preprocessing.
type Network struct {
	Name          string
	Layer         string
	FS            fs.FS    // in which Files are
	Files         []string // the ONNX file, then its external data
	Net           *cnn.Net
	Preprocessing features.Preprocessing

	sum string // SHA-256 of Files where it is known
}

// Open opens the network that the flags choose.
func (f *NetworkFlags) Open(ctx context.Context, threads int) (*Network, error) {
	return Await(ctx, func() (*Network, error) { return f.open(threads) })
}

func (f *NetworkFlags) open(threads int) (*Network, error) {
	if f.Size < 0 {
		return nil, Usagef("--size %d: want 1 or more", f.Size)
	}
	n := &Network{Name: f.CNN, Layer: cmp.Or(f.Layer, cnn.Pooled)}
	opt := &cnn.Options{Layer: n.Layer, Height: f.Size, Width: f.Size, Precision: f.Precision, Threads: threads}
	var known features.Preprocessing
	var err error
	if f.CNN == DefaultModel {
		known, err = n.openDefault(opt)
	} else {
		known, err = n.openFile(f.CNN, opt)
	}
	if err != nil {
		return nil, precisionError(f.Precision, err)
	}
	info := n.Net.Info()
	if f.Size > 0 && (info.Width != f.Size || info.Height != f.Size) {
		return nil, Usagef("--size %d: the CNN %s takes pictures of %d×%d only", f.Size, n.Name, info.Width, info.Height)
	}
	known.Width, known.Height = info.Width, info.Height
	n.Preprocessing, err = f.override(known)
	return n, err
}

// openDefault opens the CNN of the embedded model.
func (n *Network) openDefault(opt *cnn.Options) (pre features.Preprocessing, err error) {
	model, err := captioner.ReadNetwork(models.Default)
	if err != nil {
		return pre, err
	}
	for _, f := range model.Files {
		n.Files = append(n.Files, f.Name)
	}
	if len(n.Files) == 1 {
		n.sum = model.Files[0].SHA256 // caption verify checks it
	}
	n.Name, n.FS = model.Name, models.Default
	n.Net, err = cnn.OpenFS(n.FS, n.Files[0], opt)
	return model.Preprocessing, err
}

// openFile opens an ONNX file; name may be that of a known CNN in models.Dir.
func (n *Network) openFile(name string, opt *cnn.Options) (pre features.Preprocessing, err error) {
	path, err := cnnPath(name)
	if err != nil {
		return pre, err
	}
	if n.Net, err = cnn.Open(path, opt); err != nil {
		return pre, err
	}
	base := filepath.Base(path)
	n.Name = strings.TrimSuffix(base, filepath.Ext(base))
	n.FS, n.Files = os.DirFS(filepath.Dir(path)), append([]string{base}, n.Net.Info().ExternalData...)
	in := models.DefaultInput
	if k, ok, err := n.known(); err != nil {
		return pre, err
	} else if ok {
		n.Name, in = k.Name, k.Input
	}
	pre = features.Preprocessing{Mean: in.Mean, Std: in.Std, Resize: features.Squash, Order: "rgb"}
	if in.BGR {
		pre.Order = "bgr"
	}
	return pre, nil
}

// known finds the network in the catalogue. It is hashed only if its size is that
// of a network there.
func (n *Network) known() (c models.CNN, ok bool, err error) {
	fi, err := fs.Stat(n.FS, n.Files[0])
	if err != nil || !slices.ContainsFunc(models.Catalogue, func(c models.CNN) bool { return c.Bytes == fi.Size() }) {
		return c, false, err
	}
	sum, err := hashFiles(n.FS, n.Files[:1])
	if err != nil {
		return c, false, err
	}
	if len(n.Files) == 1 {
		n.sum = sum
	}
	c, ok = models.Known(sum)
	return c, ok, nil
}

// cnnPath returns the file of a CNN: name itself if there is such a file, else
// that of a known CNN.
func cnnPath(name string) (string, error) {
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	for _, c := range models.Catalogue {
		if c.Name != name {
			continue
		}
		dir, err := models.Dir()
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, name+".onnx")
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("the CNN %s is not on this machine; fetch it from the %s and save it as %s", name, c.Source, path)
		}
		return path, nil
	}
	return "", fmt.Errorf("no CNN %s: neither a file nor a known name; see caption models list", name)
}

// override applies --resize, --mean and --std.
func (f *NetworkFlags) override(p features.Preprocessing) (features.Preprocessing, error) {
	switch f.Resize {
	case "":
	case features.Squash, features.Crop:
		p.Resize = f.Resize
	default:
		return p, Usagef("--resize %s: want %s or %s", f.Resize, features.Squash, features.Crop)
	}
	var err error
	if f.Mean != nil {
		if p.Mean, err = triple("mean", f.Mean); err != nil {
			return p, err
		}
	}
	if f.Std != nil {
		if p.Std, err = triple("std", f.Std); err != nil {
			return p, err
		}
	}
	if err := p.Validate(); err != nil {
		return p, Usagef("%w", err)
	}
	return p, nil
}

func triple(flag string, s []string) (v [3]float32, err error) {
	if len(s) != 3 {
		return v, Usagef("--%s %s: want three numbers R,G,B", flag, strings.Join(s, ","))
	}
	for i := range v {
		x, err := strconv.ParseFloat(strings.TrimSpace(s[i]), 32)
		if err != nil {
			return v, Usagef("--%s: %q is not a number", flag, s[i])
		}
		v[i] = float32(x)
	}
	return v, nil
}

// hashFiles returns the SHA-256 of a file, or of several one after the other.
func hashFiles(fsys fs.FS, names []string) (string, error) {
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
