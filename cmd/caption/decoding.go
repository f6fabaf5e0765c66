package main

import (
	"cmp"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/internal/cli"
)

// decodingFlags choose how the decoder writes; caption and eval share them.
type decodingFlags struct {
	num         int
	beam        int
	lengthPower float64
	sample      bool
	topK        int
	topP        float64
	temperature float64
	seed        uint64
	noRepeat    int
	maxWords    int
}

func (d *decodingFlags) register(fs *pflag.FlagSet) {
	fs.IntVarP(&d.beam, "beam", "k", 3, "width of the beam search; 1 is greedy")
	fs.Float64Var(&d.lengthPower, "length-power", 0.7, "beams are ranked by log-probability / length^POWER; 0 favours short ones")
	fs.BoolVar(&d.sample, "sample", false, "draw words at random instead of searching")
	fs.IntVar(&d.topK, "top-k", 3, "with --sample: from the K most probable words; 0 is all")
	fs.Float64Var(&d.topP, "top-p", 1, "with --sample: from the most probable words that reach this probability")
	fs.Float64Var(&d.temperature, "temperature", 1, "with --sample: above 1 more daring, below 1 safer")
	fs.Uint64Var(&d.seed, "seed", 1, "with --sample: the same seed gives the same captions")
	fs.IntVar(&d.noRepeat, "no-repeat", 3, "never write the same N words in a row twice; 0 is no restriction")
	fs.IntVar(&d.maxWords, "max-words", 20, "longest caption")
}

// options turns the flags into captioner's options.
func (d *decodingFlags) options(fs *pflag.FlagSet) (*captioner.Options, error) {
	for _, name := range []string{"top-k", "top-p", "temperature", "seed"} {
		if fs.Changed(name) && !d.sample {
			return nil, cli.Usagef("--%s needs --sample", name)
		}
	}
	for _, name := range []string{"beam", "length-power"} {
		if fs.Changed(name) && d.sample {
			return nil, cli.Usagef("--%s does not go with --sample", name)
		}
	}
	switch {
	case fs.Lookup("num") != nil && d.num < 1:
		return nil, cli.Usagef("--num %d: want 1 or more", d.num)
	case d.beam < 1:
		return nil, cli.Usagef("--beam %d: want 1 or more", d.beam)
	case d.noRepeat < 0:
		return nil, cli.Usagef("--no-repeat %d: want 0 (no restriction) or more", d.noRepeat)
	case d.maxWords < 1:
		return nil, cli.Usagef("--max-words %d: want 1 or more", d.maxWords)
	case d.topK < 0:
		return nil, cli.Usagef("--top-k %d: want 0 (all words) or more", d.topK)
	case !(d.topP > 0 && d.topP <= 1):
		return nil, cli.Usagef("--top-p %v: want above 0 and at most 1", d.topP)
	case !(d.temperature > 0):
		return nil, cli.Usagef("--temperature %v: want above 0", d.temperature)
	case fs.Changed("seed") && d.seed == 0:
		return nil, cli.Usagef("--seed 0: want 1 or more")
	case !(d.lengthPower >= 0):
		return nil, cli.Usagef("--length-power %v: want 0 or more", d.lengthPower)
	}
	opt := &captioner.Options{
		Num: cmp.Or(d.num, 1), Beam: d.beam, LengthPower: d.lengthPower,
		Sample: d.sample, TopK: d.topK, TopP: d.topP, Temperature: d.temperature, Seed: d.seed,
		NoRepeat: d.noRepeat, MaxWords: d.maxWords,
	}
	if fs.Changed("top-p") && !fs.Changed("top-k") {
		opt.TopK = 0
	}
	return opt, nil
}

// flagError names the flag of an option that captioner or train refuses.
func flagError(err error) error {
	if e, ok := errors.AsType[*captioner.OptionError](err); ok {
		return cli.Usagef("--%s: %s", kebab(e.Field), e.Problem)
	}
	if e, ok := errors.AsType[*train.OptionError](err); ok {
		flag := map[string]string{"Entry": "image", "Threads": "jobs"}[e.Field]
		return cli.Usagef("--%s: %s", cmp.Or(flag, kebab(e.Field)), e.Problem)
	}
	return err
}

// kebab turns a field name into its flag: MaxWords into max-words.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
