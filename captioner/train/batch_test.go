package train

import (
	"reflect"
	"testing"

	"github.com/onetomany/caption/vocab"
)

func TestPack(t *testing.T) {
	const s, e = vocab.Start, vocab.End
	es := []example{{1, []int{7}, true}, {0, []int{4, 5}, true}, {2, []int{8, 9}, false}}
	var b batch
	for range 2 { // into used memory too
		b.pack(es, []float32{10, 11, 20, 21, 30, 31}, 2)
		// The one of two words that is whole has a step more; the others keep
		// their order.
		want := batch{
			n:       3,
			off:     []int{0, 3, 6, 9, 10},
			caption: []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0},
			input:   []int{-1, -1, -1, s, s, s, 4, 7, 8, 5},
			target:  []int{-1, -1, -1, 4, 7, 8, 5, e, 9, e},
			feature: []float32{10, 11, 20, 21, 30, 31},
		}
		if !reflect.DeepEqual(b, want) {
			t.Fatalf("got  %+v\nwant %+v", b, want)
		}
		if got := []int{b.steps(), b.rows()}; !reflect.DeepEqual(got, []int{4, 10}) {
			t.Error(got)
		}
		if n := maxRows(es, 2); n != 7 {
			t.Errorf("two captions have up to %d rows, want 7", n)
		}
	}
}
