package dataset

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// The splits that a photo can be in.
const (
	Train = "train"
	Val   = "val"
	Test  = "test"
)

// Photo is a photo with its captions.
type Photo struct {
	Name     string   // unique in its set; as in the data set, with slashes
	Path     string   // of the file; "" if OpenCaptions found none
	Split    string   // Train, Val or Test
	Captions []string // at least one; not tokenised

	Features []float32 // what the CNN gives; nil until Attach or Extract sets it
}

// Set is a data set. Its photos come in the order of the data set's file.
type Set struct {
	Name    string
	Photos  []Photo
	Missing []string // names of the photos without a file, which Open leaves out
	Notes   []string // what the user should know, a sentence each, without the set's name
}

// Split returns the photos of a split as a set of the same name.
func (s *Set) Split(name string) *Set {
	part := &Set{Name: s.Name}
	for _, p := range s.Photos {
		if p.Split == name {
			part.Photos = append(part.Photos, p)
		}
	}
	return part
}

// Split returns the photos of a split of each set that has any.
func Split(sets []*Set, name string) []*Set {
	var parts []*Set
	for _, s := range sets {
		if part := s.Split(name); len(part.Photos) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// Captions counts the captions of all photos.
func (s *Set) Captions() int {
	n := 0
	for _, p := range s.Photos {
		n += len(p.Captions)
	}
	return n
}

// valShare is the share of photos that EnsureVal takes: one in so many.
const valShare = 20

// EnsureVal makes a val split of one in twenty train photos if there is none,
// and says so in Notes. The choice depends on the photos' names alone, so that
// training and evaluation of the same set agree on it. Open does it for sets
// that have no splits at all.
func (s *Set) EnsureVal() {
	var train, chosen []int
	for i, p := range s.Photos {
		switch p.Split {
		case Val:
			return
		case Train:
			train = append(train, i)
			if nameHash(p)%valShare == 0 {
				chosen = append(chosen, i)
			}
		}
	}
	if len(train) < 2 {
		return
	}
	if len(chosen) == 0 || len(chosen) == len(train) {
		chosen = []int{slices.MinFunc(train, func(i, j int) int {
			return cmp.Compare(nameHash(s.Photos[i]), nameHash(s.Photos[j]))
		})}
	}
	for _, i := range chosen {
		s.Photos[i].Split = Val
	}
	s.Notes = append(s.Notes, fmt.Sprintf("no val split: took %d of %d train photos for it, chosen by name", len(chosen), len(train)))
}

func nameHash(p Photo) uint64 {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	return h.Sum64()
}

// splits are the names of splits that data sets use.
var splits = map[string]string{
	"train": Train, "training": Train, "restval": Train,
	"val": Val, "valid": Val, "validation": Val, "dev": Val,
	"test": Test, "testing": Test,
}

// splitOf reads the name of a split; "" is none.
func splitOf(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	split, ok := splits[s]
	if !ok && s != "" {
		return "", fmt.Errorf("split %.50q; train, val (dev) or test is expected", s)
	}
	return split, nil
}

// splitOfFile finds a split in a file name such as captions_val2014.json.
func splitOfFile(file string) string {
	words := strings.FieldsFunc(strings.ToLower(stem(file)), func(r rune) bool { return !unicode.IsLetter(r) })
	if i := slices.IndexFunc(words, func(w string) bool { return splits[w] != "" }); i >= 0 {
		return splits[words[i]]
	}
	return ""
}

// stem is a file's name without folder and extension.
func stem(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
