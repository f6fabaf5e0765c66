package dataset

import "fmt"

// Join makes one set of several. A photo whose name is taken by another is
// renamed to SET/NAME. The same file in two sets becomes one photo with the
// captions of both; if their splits differ, it is in test rather than val and
// val rather than train, so that nothing is trained on what is evaluated.
func Join(sets ...*Set) *Set {
	if len(sets) == 1 {
		return sets[0]
	}
	all := &Set{}
	byName, byPath := map[string]bool{}, map[string]int{}
	moved := 0
	for i, s := range sets {
		if i > 0 {
			all.Name += "+"
		}
		all.Name += s.Name
		for _, n := range s.Notes {
			all.Notes = append(all.Notes, s.Name+": "+n)
		}
		all.Missing = append(all.Missing, s.Missing...)
		for _, p := range s.Photos {
			if at, ok := byPath[p.Path]; ok && p.Path != "" {
				if merge(&all.Photos[at], p) {
					moved++
				}
				continue
			}
			p.Name = freeName(byName, s.Name, p.Name)
			byName[p.Name] = true
			byPath[p.Path] = len(all.Photos)
			all.Photos = append(all.Photos, p)
		}
	}
	if moved > 0 {
		all.Notes = append(all.Notes, fmt.Sprintf("%s in several sets with different splits: taken for test or val, not for train", count(moved, "photo")))
	}
	return all
}

// freeName changes a name until it is not taken.
func freeName(taken map[string]bool, set, name string) string {
	free := name
	for n := 1; taken[free]; n++ {
		free = set + "/" + name
		if n > 1 {
			free = fmt.Sprintf("%s-%d/%s", set, n, name)
		}
	}
	return free
}

// merge adds the captions of a second copy that are new, and reports whether
// the splits differed.
func merge(p *Photo, q Photo) bool {
	seen := map[string]bool{}
	for _, c := range p.Captions {
		seen[c] = true
	}
	captions := p.Captions[:len(p.Captions):len(p.Captions)] // leave the set's own alone
	for _, c := range q.Captions {
		if !seen[c] {
			captions = append(captions, c)
		}
	}
	p.Captions = captions
	if p.Split == q.Split {
		return false
	}
	if p.Split == Test || q.Split == Test {
		p.Split = Test
	} else {
		p.Split = Val
	}
	return true
}
