package cli

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
)

// Size is a number of bytes on the command line: 1073741824, 1GiB, 1G, 1.5GB.
type Size int64

// units are the suffixes of a Size. A letter alone counts in 1024s, as is usual.
var units = []struct {
	name  string
	bytes float64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, // as String writes them
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1},
}

// Set implements pflag.Value.
func (s *Size) Set(text string) error {
	number, unit := strings.ToLower(text), 1.0
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, strings.ToLower(u.name)); ok {
			number, unit = n, u.bytes
			break
		}
	}
	number = strings.TrimSpace(number)
	x, err := strconv.ParseFloat(number, 64)
	if x *= unit; err != nil || strings.Trim(number, "0123456789.") != "" || !(x >= 1 && x < math.MaxInt64) {
		return errors.New("want a size above 0, such as 512MiB, 1.5GB or a number of bytes")
	}
	*s = Size(x)
	return nil
}

// String implements pflag.Value.
func (s Size) String() string {
	for _, u := range units[:3] {
		if n := Size(u.bytes); s != 0 && s%n == 0 {
			return fmt.Sprintf("%d%s", s/n, u.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Type implements pflag.Value.
func (s Size) Type() string { return "size" }

// photos is what the photos may take: less than s where ulimit -v does not leave as
// much.
func (s Size) photos() int64 {
	if left, limited := addressSpace(); limited {
		return min(int64(s), max(1, left-needAddressSpace))
	}
	return int64(s)
}

// limitMemory tells the garbage collector of --max-memory, so that garbage does not
// come on top of it: without, the heap grows to twice what is in use. It is called
// once the network is open. The limit is what is in use then, the network's working
// memory, the photos, and some slack: below what the program needs it would keep the
// collector running. undo takes the limit back.
func limitMemory(photos Size, working int64) (undo func()) {
	const slack = 256 << 20
	limit := heapInUse() + working + int64(photos) + int64(photos)/4 + slack
	before := debug.SetMemoryLimit(-1) // that of GOMEMLIMIT
	if limit < 0 || limit >= before {
		return func() {}
	}
	debug.SetMemoryLimit(limit)
	return func() { debug.SetMemoryLimit(before) }
}

// heapInUse is the memory of objects, including dead ones not collected yet.
func heapInUse() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// CollectLate makes the garbage collector wait until the program has grown large:
// one photo leaves little garbage behind, and looking for it takes longer than
// reading the photo. After the first collection it works as usual, with a limit: a
// huge photo would keep it running otherwise. undo takes all back.
func (f *PhotoFlags) CollectLate() (undo func()) {
	const large = 256 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit <= large {
		return func() {}
	}
	percent := debug.SetGCPercent(-1)
	debug.SetMemoryLimit(large)
	usual := func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
	var once sync.Once
	first := new([16]byte) // found dead by the first collection
	runtime.AddCleanup(first, func(photos Size) {
		once.Do(func() {
			usual()
			limitMemory(photos, 0) // the network is in use
		})
	}, f.Memory)
	return func() {
		once.Do(usual)
		debug.SetMemoryLimit(limit)
	}
}
