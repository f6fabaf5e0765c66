package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/byname"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

// Complete offers the shell a fixed list of values for a flag.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// ModelFlags choose a model, and what its CNN computes in.
type ModelFlags struct {
	Name      string
	Precision cnn.Precision
}

// Register declares -m.
func (f *ModelFlags) Register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.Name, "model", "m", byname.Default, "`NAME` of a model or folder that holds one")
}

// Open opens the model, as l says.
func (f *ModelFlags) Open(ctx context.Context, l captioner.Loader) (*captioner.Captioner, error) {
	l.Precision = f.Precision
	c, err := Await(ctx, func() (*captioner.Captioner, error) { return byname.OpenModel(f.Name, l) })
	return c, precisionError(f.Precision, err)
}

// AddPrecision declares --precision.
func AddPrecision(cmd *cobra.Command, p *cnn.Precision) {
	cmd.Flags().TextVar(p, "precision", cnn.Float32, "what the CNN computes in, `TYPE` float32 or bf16; bf16 is faster, on processors with AMX or AVX512_BF16 only")
	Complete(cmd, "precision", cnn.Float32.String(), cnn.BF16.String())
}

// precisionError names the flag where the machine cannot follow it.
func precisionError(p cnn.Precision, err error) error {
	if errors.Is(err, cnn.ErrPrecision) {
		return fmt.Errorf("--precision %v: %w", p, err)
	}
	return err
}

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
	fs.StringVar(&f.CNN, "cnn", byname.Default, "CNN as an ONNX `FILE` or the name of a known one (caption models list)")
	AddPrecision(cmd, &f.Precision)
	fs.StringVar(&f.Resize, "resize", "", "`HOW` photos are fitted: squash or crop (default: as the model says, else squash)")
	fs.IntVar(&f.Size, "size", 0, "height and width of the input, where the CNN leaves it open")
	fs.StringSliceVar(&f.Mean, "mean", nil, "`R,G,B` to subtract, on values 0..1 (default: the model's own)")
	fs.StringSliceVar(&f.Std, "std", nil, "`R,G,B` to divide by, on values 0..1 (default: the model's own)")
	Complete(cmd, "resize", features.Squash, features.Crop)
	cmd.RegisterFlagCompletionFunc("cnn", cobra.FixedCompletions(byname.Names(), cobra.ShellCompDirectiveDefault))
}

// RegisterLayer declares --layer.
func (f *NetworkFlags) RegisterLayer(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Layer, "layer", cnn.Pooled, "pooled, map, or the name of a `NODE` of the network")
	Complete(cmd, "layer", cnn.Pooled, cnn.Map)
}

// Open opens the CNN, to run on one thread.
func (f *NetworkFlags) Open(ctx context.Context) (*byname.CNN, error) {
	if f.Size < 0 {
		return nil, Usagef("--size %d: want 1 or more", f.Size)
	}
	opt := &cnn.Options{Layer: f.Layer, Height: f.Size, Width: f.Size, Precision: f.Precision}
	n, err := Await(ctx, func() (*byname.CNN, error) { return byname.OpenCNN(f.CNN, opt) })
	if err != nil {
		return nil, precisionError(f.Precision, err)
	}
	p := &n.Preprocessing
	if f.Size > 0 && (p.Width != f.Size || p.Height != f.Size) {
		return nil, Usagef("--size %d: the CNN %s takes pictures of %d×%d only", f.Size, n.Name, p.Width, p.Height)
	}
	switch f.Resize {
	case "":
	case features.Squash, features.Crop:
		p.Resize = f.Resize
	default:
		return nil, Usagef("--resize %s: want %s or %s", f.Resize, features.Squash, features.Crop)
	}
	if err := triple(&p.Mean, "mean", f.Mean); err != nil {
		return nil, err
	}
	if err := triple(&p.Std, "std", f.Std); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, Usagef("%w", err)
	}
	return n, nil
}

// triple sets v to the numbers of a flag, where it is given.
func triple(v *[3]float32, flag string, s []string) error {
	if s == nil {
		return nil
	}
	if len(s) != 3 {
		return Usagef("--%s %s: want three numbers R,G,B", flag, strings.Join(s, ","))
	}
	for i := range v {
		x, err := strconv.ParseFloat(strings.TrimSpace(s[i]), 32)
		if err != nil {
			return Usagef("--%s: %q is not a number", flag, s[i])
		}
		v[i] = float32(x)
	}
	return nil
}

// PhotoFlags say how many photos are worked on together, and what they may take.
type PhotoFlags struct {
	Jobs   int
	Batch  int // 0 is 1
	Memory Size
	Quiet  bool
}

// Register declares -j, --max-memory and -q of cmd.
func (f *PhotoFlags) Register(cmd *cobra.Command, jobs, quiet string) {
	f.RegisterJobs(cmd, jobs)
	f.RegisterQuiet(cmd, quiet)
}

// RegisterJobs declares -j, for a number of what jobs says, and --max-memory.
func (f *PhotoFlags) RegisterJobs(cmd *cobra.Command, jobs string) {
	f.Memory = features.DefaultMaxMemory
	cmd.Flags().IntVarP(&f.Jobs, "jobs", "j", 0, jobs+" (default: one per processor)")
	cmd.Flags().Var(&f.Memory, "max-memory", "memory that photos may take while they are decoded, all together, `SIZE` such as 512MiB; the model takes its own")
}

// RegisterQuiet declares -q, which does what quiet says.
func (f *PhotoFlags) RegisterQuiet(cmd *cobra.Command, quiet string) {
	cmd.Flags().BoolVarP(&f.Quiet, "quiet", "q", false, quiet)
}

// Check says what is wrong with --jobs.
func (f *PhotoFlags) Check() error {
	jobs := f.Jobs
	if jobs < 0 || jobs > 1024 {
		return Usagef("--jobs %d: want 1 to 1024, or 0 for one per processor", jobs)
	}
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	if err := checkFiles(needFiles + jobs); err != nil {
		return fmt.Errorf("%w; raise ulimit -n, or give a smaller --jobs", err)
	}
	return nil
}

// Notes is where remarks go that -q leaves out.
func (f *PhotoFlags) Notes(stderr io.Writer) io.Writer {
	if f.Quiet {
		return io.Discard
	}
	return stderr
}

// Limits bound the photos by --max-memory.
func (f *PhotoFlags) Limits() *features.Limits {
	return &features.Limits{MaxMemory: f.Memory.photos()}
}

// Stream are the options for many photos.
func (f *PhotoFlags) Stream() features.StreamOptions {
	return features.StreamOptions{Jobs: f.Jobs, Batch: f.Batch, Limits: f.Limits()}
}

// LimitMemory lets the garbage collector know of --max-memory, when the CNN is open:
// see limitMemory.
func (f *PhotoFlags) LimitMemory(net cnn.Info) (undo func()) {
	jobs := f.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	return limitMemory(f.Memory, net.PeakBytes*int64(jobs*max(1, f.Batch)))
}
