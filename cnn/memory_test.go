package cnn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// small makes small files that stand for much more: each takes gigabytes, or
// minutes, where nothing bounds what is made of it.
var small = map[string]func(b *builder) []byte{
	// Constants, of which in the end one element is used.
	"concat": folded(18, "Concat %s %s axis=0"),
	"tile":   folded(18, "Tile %s two"),
	"pad":    folded(18, "Pad %s half"),
	"add":    foldedInt(40, "Concat %s %s axis=0"),
	"resize": folded(18, "Resize %s _ twice"),
	"gather": folded(18, "Gather %s zeros1k axis=0"),
	"expand": func(b *builder) []byte {
		return b.ints("s", 1<<14, 1<<14).node("e = Expand w s").chain(4, "e", "Add %s %s").pick(b.last)
	},
	"constant of shape": func(b *builder) []byte {
		return b.ints("s", 1<<24).node("e0 = ConstantOfShape s").node("e1 = ConstantOfShape s").node("e2 = ConstantOfShape s").
			node("e3 = ConstantOfShape s").node("e4 = ConstantOfShape s").node("e5 = ConstantOfShape s").
			node("e6 = ConstantOfShape s").node("e7 = ConstantOfShape s").node("e8 = ConstantOfShape s").
			node("e = Sum e0 e1 e2 e3 e4 e5 e6 e7 e8").pick("e")
	},
	"broadcast": func(b *builder) []byte {
		return b.floats("c", 1, 1<<14, 1).floats("r", 1, 1, 1<<14).node("e = Add c r").chain(4, "e", "Mul %s %s").pick(b.last)
	},
	"outer product": func(b *builder) []byte {
		return b.floats("c", 1, 1<<14, 1).floats("r", 1, 1, 1<<14).node("e = MatMul c r").chain(4, "e", "Relu %s").pick(b.last)
	},
	"range": func(b *builder) []byte {
		return b.scalar("from", 0).scalar("to", 1<<27).scalar("by", 1).node("e = Range from to by").chain(4, "e", "Add %s %s").
			node("f = Cast " + b.last + " to=1").pick("f")
	},
	"where": func(b *builder) []byte {
		return b.floats("c", 1, 1<<14, 1).floats("r", 1, 1, 1<<14).node("l = Less c r").node("e = Where l c r").chain(4, "e", "Abs %s").pick(b.last)
	},
	"large shape": func(b *builder) []byte {
		b.ints("i", 1).chain(24, "i", "Concat %s %s axis=0")
		return b.node("e = Expand w " + b.last).pick("e")
	},
	// Constants that a run needs, weights that are packed.
	"kept": func(b *builder) []byte {
		b.ints("s", 1, 3, 1<<11, 1<<11).node("e = Expand w s").node("x0 = ReduceMean x axes=2,3")
		for i := range 40 {
			b.floats(fmt.Sprintf("k%d", i), float32(i), 1).node(fmt.Sprintf("y%d = Add e k%d", i, i)).node(fmt.Sprintf("x%d = Mul x%d y%d", i+1, i, i))
		}
		return b.node("y = ReduceMean x40 axes=2,3 keepdims=0").model("y")
	},
	"shared weights": func(b *builder) []byte {
		return b.floats("k", 0.01, 64, 64, 3, 3).floats("k0", 0.01, 64, 3, 3, 3).node("x0 = Conv x k0 pads=1,1,1,1").
			chain(5000, "x0", "Conv %s k pads=1,1,1,1").node("y = GlobalAveragePool " + b.last).model("y")
	},
	"expanded weights": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1024, 1024, 3, 3).node("k = Expand c s").ints("s0", 1024, 3, 1, 1).node("k0 = Expand c s0").node("x0 = Conv x k0")
		return b.chain(20, "x0", "Conv %s k pads=1,1,1,1").node("y = GlobalAveragePool " + b.last).model("y")
	},
	"normalisations": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 150528).node("k = Expand c s").ints("f", 1, 150528, 1, 1).node("x0 = Reshape x f")
		for i := range 3000 {
			b.node(fmt.Sprintf("a%d = Relu x%d", i, i)).node(fmt.Sprintf("x%d = BatchNormalization a%d k k k k", i+1, i))
		}
		return b.node("y = Flatten x3000").model("y")
	},
	// Activations.
	"activations":       grown(10, "Concat %s %s axis=1"),
	"tiled activations": grown(10, "Tile %s channels"),
	"expanded activations": func(b *builder) []byte {
		return b.ints("s", 1, 3, 1, 1).node("a = ReduceMean x axes=2,3").ints("t", 1<<6, 3, 1<<10, 1<<10).node("e = Expand a t").
			node("y = ReduceMean e axes=0,2,3 keepdims=0").node("z = Reshape y minus").model("z")
	},
	"outer activations": func(b *builder) []byte {
		return b.ints("c", 1, -1, 1).ints("r", 1, 1, -1).node("a = Reshape x c").node("b = Reshape x r").node("e = MatMul a b").
			node("y = ReduceMean e axes=2 keepdims=0").model("y")
	},
	"integer activations": func(b *builder) []byte {
		b.node("i0 = Cast x to=7").ints("four", 1, 4, 1, 1).node("j = Tile i0 four").node("k = Tile j four").node("l = Tile k four").node("m = Tile l four")
		return b.node("n = Cast m to=1").node("y = GlobalAveragePool n").model("y")
	},
	"a transposed convolution": func(b *builder) []byte {
		return b.floats("k", 1, 3, 16, 2, 2).node("e = ConvTranspose x k strides=40,40").node("y = GlobalAveragePool e").model("y")
	},
	"filters": func(b *builder) []byte {
		return b.floats("k", 1, 1<<14, 3, 1, 1).node("e = Conv x k").node("y = GlobalAveragePool e").model("y")
	},
	// Walks.
	"identities": grown(19_000, "Identity %s"),
	"relus":      grown(19_000, "Relu %s"),
	"reshapes": func(b *builder) []byte {
		b.ints("a", 1, 3, -1, 1).ints("b", 1, 3, 1, -1)
		for i := range 9500 {
			b.chain(1, cmp0(b, i), "Reshape %s a").chain(1, b.last, "Reshape %s b")
		}
		return b.node("y = Flatten " + b.last).model("y")
	},
	"transposes": func(b *builder) []byte {
		return b.chain(19_000, "x", "Transpose %s perm=0,2,3,1").node("y = Flatten " + b.last).model("y")
	},
	"adds": grown(19_000, "Add %s x"),
	"nodes": func(b *builder) []byte {
		b.chain(50_000, "x", "Relu %s")
		return b.node("y = GlobalAveragePool " + b.last).model("y")
	},
	"inputs": func(b *builder) []byte {
		return b.node("a = Concat" + strings.Repeat(" x", 100_000) + " axis=1").node("y = GlobalAveragePool a").model("y")
	},
	"sums": func(b *builder) []byte {
		return b.node("a = Sum" + strings.Repeat(" x", 100_000)).node("y = GlobalAveragePool a").model("y")
	},
	"outputs of a node": func(b *builder) []byte {
		b.ints("f", 1, -1).node("a = Reshape x f")
		var names []string
		for i := range 100_352 {
			names = append(names, fmt.Sprint("s", i))
		}
		return b.node(strings.Join(names, ",") + " = Split a axis=1").node("y = Concat s7 s9 axis=1").model("y")
	},
	"outputs left out": func(b *builder) []byte {
		at := "x"
		for i := range 15_000 {
			b.node(fmt.Sprintf("v%d,m%d = Dropout %s", i, i, at))
			at = fmt.Sprint("v", i)
		}
		return b.node("y = GlobalAveragePool " + at).model("y")
	},
	"outputs": func(b *builder) []byte {
		b.chain(15_000, "x", "Relu %s")
		var names []string
		for i := range 15_000 {
			names = append(names, fmt.Sprint("v", i))
		}
		return b.model(names...)
	},
	"classifiers": func(b *builder) []byte {
		b.floats("k", 1, 3, 3).node("a = ReduceMean x axes=2,3 keepdims=0").chain(9_000, "a", "Relu %s")
		var names []string
		for i := 1; i < 9_000; i++ {
			b.node(fmt.Sprintf("h%d = MatMul v%d k", i, i))
			names = append(names, fmt.Sprint("h", i))
		}
		return b.model(names...)
	},
	"dead": func(b *builder) []byte {
		b.chain(19_000, "x", "Relu %s")
		return b.node("y = GlobalAveragePool x").model("y")
	},
	"permutations": func(b *builder) []byte {
		b.ints("f", 1, 3, 2, 2, 2, 7, 4, 224).node("a = Reshape x f")
		perm := []int{0, 1, 2, 3, 4, 5, 6, 7}
		sum := ""
		for i := range 9000 {
			permute(perm[1:])
			p := strings.Trim(strings.ReplaceAll(fmt.Sprint(perm), " ", ","), "[]")
			b.node(fmt.Sprintf("t%d = Transpose a perm=%s", i, p)).node(fmt.Sprintf("r%d = ReduceMean t%d", i, i))
			sum += fmt.Sprint(" r", i)
		}
		return b.node("s = Sum" + sum).node("p = Mul x s").node("y = GlobalAveragePool p").model("y")
	},
	// Work.
	"products": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1024, 1024).node("k = Expand c s")
		return b.chain(3000, "k", "MatMul %s k").pick(b.last)
	},
	"functions": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1<<22).node("k = Expand c s")
		return b.chain(3000, "k", "Atanh %s").pick(b.last)
	},
	"powers": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1<<22).node("k = Expand c s")
		return b.chain(3000, "k", "Pow %s k").pick(b.last)
	},
	"pools": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1, 1, 512, 512).node("k = Expand c s")
		return b.chain(100, "k", "AveragePool %s kernel_shape=255,255 pads=127,127,127,127").pick(b.last)
	},
	"convolutions": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1, 64, 64, 64).node("k = Expand c s").ints("t", 64, 64, 31, 31).node("w2 = Expand c t")
		return b.chain(100, "k", "Conv %s w2 pads=15,15,15,15").pick(b.last)
	},
	"reductions": func(b *builder) []byte {
		b.floats("c", 1, 1).ints("s", 1<<24).node("k = Expand c s").node("r = ReduceMean k axes=0")
		for i := range 3000 {
			b.node(fmt.Sprintf("r%d = ReduceLogSumExp k axes=0", i))
		}
		return b.node("q = Add r r2999").pick("q")
	},
	"gathers": func(b *builder) []byte {
		b.ints("s", 1<<23).node("i0 = ConstantOfShape s").node("i = Cast i0 to=7")
		for i := range 300 {
			b.node(fmt.Sprintf("r%d = GatherElements i0 i axis=0", i))
		}
		return b.node("q = Add r0 r299").pick("q")
	},
}

func cmp0(b *builder, i int) string {
	if i == 0 {
		return "x"
	}
	return b.last
}

// permute makes the next permutation of p.
func permute(p []int) {
	i := len(p) - 2
	for i >= 0 && p[i] > p[i+1] {
		i--
	}
	if i < 0 {
		slices.Reverse(p)
		return
	}
	j := len(p) - 1
	for p[j] < p[i] {
		j--
	}
	p[i], p[j] = p[j], p[i]
	slices.Reverse(p[i+1:])
}

// pick makes the feature of the picture's mean and one element of v, a constant.
func (b *builder) pick(v string) []byte {
	b.ints("all", -1).node("flat = Reshape "+v+" all").scalar("at", 0).node("one = Gather flat at axis=0")
	return b.node("mean = ReduceMean x axes=2,3 keepdims=0").node("y = Add mean one").model("y")
}

// folded makes a chain of constants that grow.
func folded(n int, line string) func(*builder) []byte {
	return func(b *builder) []byte {
		return b.floats("c", 1, 1000).ints("two", 2).ints("half", 0, 500).tensor("twice", 1, []int64{1}, []byte("\x00\x00\x00\x40")).
			ints("zeros1k", make([]int64, 1000)...).chain(n, "c", line).pick(b.last)
	}
}

func foldedInt(n int, line string) func(*builder) []byte {
	return func(b *builder) []byte {
		return b.ints("c", 1, 2, 3).chain(n, "c", line).node("f = Cast " + b.last + " to=1").pick("f")
	}
}

// grown makes a chain of activations that grow.
func grown(n int, line string) func(*builder) []byte {
	return func(b *builder) []byte {
		return b.ints("channels", 1, 2, 1, 1).ints("around", 0, 0, 200, 200, 0, 0, 200, 200).
			tensor("double", 1, []int64{4}, []byte("\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x00\x40")).
			ints("zeros1k", make([]int64, 1000)...).chain(n, "x", line).node("y = GlobalAveragePool " + b.last).model("y")
	}
}

func smallModel(name string) []byte {
	b := new(builder).input(1, 3, 224, 224).floats("w", 1, 1).ints("minus", 1, -1)
	return small[name](b)
}

// TestSmallChild opens the model CNN_CHILD and runs it on one picture, in a
// process of its own, for TestSmallFiles.
func TestSmallChild(t *testing.T) {
	path := os.Getenv("CNN_CHILD")
	if path == "" {
		t.Skip("for TestSmallFiles")
	}
	start := cpuTime(t)
	net, err := Open(path, nil)
	fmt.Printf("opened\t%d\n", (cpuTime(t) - start).Milliseconds())
	fmt.Printf("after opening\t%d\n", peak(t))
	if err != nil {
		fmt.Printf("error\t%s\n", strconv.Quote(err.Error()))
		var m *MemoryError
		fmt.Printf("memory error\t%v\n", errors.As(err, &m))
		return
	}
	i := net.Info()
	fmt.Printf("info\t%d %d\n", i.WeightBytes, i.PeakBytes)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = net.Run(ctx, picture(1, i.Height, i.Width))
	fmt.Printf("run\t%v\n", err)
	fmt.Printf("after run\t%d\n", peak(t))
}

// cpuTime returns how long the process has kept processors busy: unlike the time that
// passes, it is the same while others compute too.
func cpuTime(t *testing.T) time.Duration {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from the third field on
	user, err := strconv.Atoi(f[14-3])
	system, err2 := strconv.Atoi(f[15-3])
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // the tick of Linux
}

// peak returns the most memory that the process has had, in kB.
func peak(t *testing.T) int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, _ := strings.Cut(s.Text(), ":"); name == "VmHWM" {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n
		}
	}
	t.Fatal("no VmHWM in /proc/self/status")
	return 0
}

// TestSmallFiles opens small files that stand for much and runs them: no file of
// less than 2 MB takes more than 512 MB, or 3 s of a processor, to be opened or refused,
// and a run takes no more memory either.
func TestSmallFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc")
	}
	only := strings.Fields(os.Getenv("CNN_SMALL"))
	dir := t.TempDir()
	for name := range small {
		if testing.Short() && !slices.Contains([]string{"concat", "kept", "activations", "nodes"}, name) || len(only) > 0 && !slices.Contains(only, strings.ReplaceAll(name, " ", "-")) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			model := smallModel(name)
			if len(model) > 2<<20 {
				t.Fatalf("%d bytes are not small", len(model))
			}
			path := filepath.Join(dir, "m.onnx")
			if err := os.WriteFile(path, model, 0o600); err != nil {
				t.Fatal(err)
			}
			said := child(t, path)
			t.Logf("%d bytes: opened in %s ms of a processor, %s kB, then %s kB; weights and scratch memory %s; %s %s", len(model),
				said["opened"], said["after opening"], said["after run"], said["info"], said["error"], said["run"])
			for _, when := range []string{"after opening", "after run"} {
				if n, _ := strconv.Atoi(said[when]); n > 512_000 {
					t.Errorf("%s: %d kB", when, n)
				}
			}
			if ms, err := strconv.Atoi(said["opened"]); err != nil || ms > 3000*slow {
				t.Errorf("opened in %q ms of a processor (%v)", said["opened"], err)
			}
			if n := len(said["error"]); n > 500 {
				t.Errorf("an error of %d characters", n)
			}
		})
	}
}

// child runs TestSmallChild and returns what it says.
func child(t *testing.T, path string) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestSmallChild$", "-test.v")
	cmd.Env = append(os.Environ(), "CNN_CHILD="+path, "GOMEMLIMIT=off", "GOGC=100")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	lines, _ := io.ReadAll(out)
	for line := range strings.Lines(string(lines)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			said[name] = value
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v", err)
	}
	return said
}

// TestMemory holds what Info says of a constant that a run needs, and that MaxMemory
// counts it, and the buffers.
func TestMemory(t *testing.T) {
	const plane = 3 << 20 // elements
	model := new(builder).input(1, 3, 32, 32).floats("w", 1, 1).ints("s", 1, 3, 1<<10, 1<<10).node("e = Expand w s").
		node("a = ReduceMean x axes=2,3").node("b = Add a e").node("y = GlobalAveragePool b").model("y")
	net, err := openBytes(t, model, nil)
	if err != nil {
		t.Fatal(err)
	}
	if i := net.Info(); i.WeightBytes < 4*plane || i.WeightBytes > 5*plane || i.PeakBytes < 4*plane || i.PeakBytes > 9*plane {
		t.Errorf("%d bytes of weights, %d of a run", i.WeightBytes, i.PeakBytes)
	}
	for limit, ok := range map[int64]bool{64 << 20: true, 20 << 20: false, 5 << 20: false, 1 << 10: false} {
		_, err := openBytes(t, model, &Options{MaxMemory: limit})
		var e *MemoryError
		if ok != (err == nil) || err != nil && (!errors.As(err, &e) || e.Limit != limit || !strings.Contains(err.Error(), "raise MaxMemory")) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}
