package train

import (
	"context"
	"fmt"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/metrics"
)

// validate lets the averaged weights write captions for the validation photos
// and scores them.
func (r *run) validate(ctx context.Context, e Epoch) (Epoch, error) {
	if len(r.data.Val) == 0 {
		return e, nil
	}
	g, err := captioner.NewGenerator(r.average)
	if err != nil {
		return e, err
	}
	for _, set := range r.data.Val {
		out, err := g.Batch(ctx, set.Features, r.opt.Generate, r.opt.Threads)
		if err != nil {
			return e, fmt.Errorf("validating on %s: %w", set.Name, err)
		}
		hyps := make([][]string, len(out))
		for i, h := range out {
			for _, id := range h[0].IDs {
				hyps[i] = append(hyps[i], r.data.Vocab.Word(id))
			}
		}
		score := metrics.Score(hyps, set.Refs).CIDErD
		e.Scores = append(e.Scores, score)
		e.Score += score / float64(len(r.data.Val))
	}
	return e, nil
}
