package main

import (
	"cmp"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/cmd/internal/cli"
)

// decodingFlags choose how the decoder writes; caption and eval share them.
type decodingFlags struct{ captioner.Options }

// decodingFlag is a field of captioner.Options on the command line.
type decodingFlag struct {
	name, short string
	way         string // of decoding that it is for: search, or the flag that chooses it; "" is all
	value       any    // *int, *uint64, *float64, or *bool, which chooses a way of decoding
	ok          bool   // the value is in range; captioner knows of upper bounds
	want, usage string
}

func (d *decodingFlags) flags() []decodingFlag {
	return []decodingFlag{
		{"num", "n", "", &d.Num, d.Num >= 1, "1 or more", "captions per photo, best first"},
		{"beam", "k", "search", &d.Beam, d.Beam >= 1, "1 or more", "width of the beam search; 1 is greedy"},
		{"length-power", "", "search", &d.LengthPower, d.LengthPower >= 0, "0 or more", "beams are ranked by log-probability / length^POWER; 0 favours short ones"},
		{"sample", "", "", &d.Sample, true, "", "draw words at random instead of searching"},
		{"top-k", "", "sample", &d.TopK, d.TopK >= 0, "0 (all words) or more", "with --sample: from the K most probable words; 0 is all"},
		{"top-p", "", "sample", &d.TopP, d.TopP > 0 && d.TopP <= 1, "above 0 and at most 1", "with --sample: from the most probable words that reach this probability"},
		{"temperature", "", "sample", &d.Temperature, d.Temperature > 0, "above 0", "with --sample: above 1 more daring, below 1 safer"},
		{"seed", "", "sample", &d.Seed, d.Seed >= 1, "1 or more", "with --sample: the same seed gives the same captions"},
		{"no-repeat", "", "", &d.NoRepeat, d.NoRepeat >= 0, "0 (no restriction) or more", "never write the same N words in a row twice; 0 is no restriction"},
		{"max-words", "", "", &d.MaxWords, d.MaxWords >= 1, "1 or more", "longest caption"},
	}
}

// register declares the flags but those named in without.
func (d *decodingFlags) register(fs *pflag.FlagSet, without string) {
	d.Options = *captioner.Defaults()
	for _, f := range d.flags() {
		if f.name == without {
			continue
		}
		switch p := f.value.(type) {
		case *int:
			fs.IntVarP(p, f.name, f.short, *p, f.usage)
		case *uint64:
			fs.Uint64VarP(p, f.name, f.short, *p, f.usage)
		case *float64:
			fs.Float64VarP(p, f.name, f.short, *p, f.usage)
		case *bool:
			fs.BoolVarP(p, f.name, f.short, *p, f.usage)
		}
	}
}

// options are what the flags say, unless two of them contradict each other.
func (d *decodingFlags) options(fs *pflag.FlagSet) (*captioner.Options, error) {
	const search = "search"
	way := search
	for _, f := range d.flags() {
		if chosen, ok := f.value.(*bool); ok && *chosen {
			if way != search {
				return nil, cli.Usagef("--%s does not go with --%s", f.name, way)
			}
			way = f.name
		}
	}
	for _, f := range d.flags() {
		switch {
		case !fs.Changed(f.name) || f.way == "" || f.way == way:
		case way == search:
			return nil, cli.Usagef("--%s needs --%s", f.name, f.way)
		default:
			return nil, cli.Usagef("--%s does not go with --%s", f.name, way)
		}
	}
	for _, f := range d.flags() {
		if !f.ok {
			return nil, cli.Usagef("--%s %s: want %s", f.name, fs.Lookup(f.name).Value, f.want)
		}
	}
	if fs.Changed("top-p") && !fs.Changed("top-k") {
		d.TopK = 0 // drawing by probability alone
	}
	return &d.Options, nil
}

// flagError names the flag of an option that captioner or train refuses.
func flagError(err error) error {
	field, problem := "", ""
	if e, ok := errors.AsType[*captioner.OptionError](err); ok {
		field, problem = e.Field, e.Problem
	} else if e, ok := errors.AsType[*train.OptionError](err); ok {
		field, problem = e.Field, e.Problem
	} else {
		return err
	}
	flag := map[string]string{"Entry": "image", "Threads": "jobs"}[field]
	return cli.Usagef("--%s: %s", cmp.Or(flag, kebab(field)), problem)
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
