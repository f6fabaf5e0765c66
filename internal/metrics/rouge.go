package metrics

// rougeL is the F measure of the longest common subsequence (Lin 2004) with
// the best precision and the best recall over the references and beta 1.2, as
// rouge.py of the COCO code has it.
func rougeL(hyp []string, refs []reference) float64 {
	const beta2 = 1.2 * 1.2
	hyp = words(hyp)
	var prec, rec float64
	for _, r := range refs {
		ref := words(r.words)
		n := float64(lcs(hyp, ref))
		prec = max(prec, n/float64(len(hyp)))
		rec = max(rec, n/float64(len(ref)))
	}
	if prec == 0 || rec == 0 {
		return 0
	}
	return (1 + beta2) * prec * rec / (rec + beta2*prec)
}

// words makes the empty sentence one of an empty word, which Python's
// "".split(" ") gives.
func words(s []string) []string {
	if len(s) == 0 {
		return []string{""}
	}
	return s
}

// lcs is the length of the longest common subsequence.
func lcs(a, b []string) int {
	row := make([]int, len(b)+1) // of the table of lengths, for the words of a so far
	for _, w := range a {
		diag := 0 // row[j] of the line before
		for j, v := range b {
			up := row[j+1]
			if w == v {
				row[j+1] = diag + 1
			} else {
				row[j+1] = max(up, row[j])
			}
			diag = up
		}
	}
	return row[len(b)]
}
