package metrics

// maxN is the length of the longest n-grams.
const maxN = 4

// gram is an n-gram of word ids; shorter ones end in zeros.
type gram [maxN]int32

// n is the number of words less one.
func (g gram) n() int {
	for n := maxN - 1; n > 0; n-- {
		if g[n] != 0 {
			return n
		}
	}
	return 0
}

// gramCount is an n-gram and how often a sentence has it.
type gramCount struct {
	gram
	count int
}

// wordIDs numbers words from 1.
type wordIDs map[string]int32

func (ids wordIDs) add(w string) int32 {
	id, ok := ids[w]
	if !ok {
		id = int32(len(ids) + 1)
		ids[w] = id
	}
	return id
}

// countGrams counts the n-grams of a sentence. They come in a fixed order, so
// that sums over them are the same in every run.
func countGrams(words []int32) []gramCount {
	var out []gramCount
	at := make(map[gram]int, maxN*len(words))
	for n := range maxN {
		for i := range len(words) - n {
			var g gram
			copy(g[:], words[i:i+n+1])
			j, ok := at[g]
			if !ok {
				j = len(out)
				at[g] = j
				out = append(out, gramCount{gram: g})
			}
			out[j].count++
		}
	}
	return out
}
