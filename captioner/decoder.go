package captioner

// Cell is the kind of recurrent cell.
type Cell string

const (
	RNN  Cell = "rnn"
	LSTM Cell = "lstm"
	GRU  Cell = "gru"
)

// Entry is how the image enters the decoder.
type Entry string

const (
	// Init feeds the projected features as the first input, in front of
	// <start>, and never again (Vinyals et al. 2015, "Show and Tell").
	Init Entry = "init"
	// Every does that and adds a second projection of the features to the
	// input of every word: h = tanh(Whh·h + Wxh·x + Wih·v + b) with
	// Wih = Wxh·Pevery kept factored.
	Every Entry = "every"
)

// Decoder holds the weights of a recurrent decoder, row-major. With D the
// feature size, E the embedding size, H the hidden size, V the vocabulary size
// and G the number of gates (1 for RNN, 3 for GRU, 4 for LSTM):
//
//	v  = (features − Mean) / Std                                        [D]
//	x₀ = FirstW·v + FirstB; x_t = Embed[w_t] (+ EveryW·v + EveryB)      [E]
//	RNN:  h = tanh(Wx·x + Wh·h + B)
//	LSTM: gates i, f, o, g in this order of rows; c = f∘c + i∘g; h = o∘tanh(c)
//	GRU:  gates r, z, n in this order; n = tanh(Wx·x + B + r∘(Wh·h + BHn)); h = (1−z)∘n + z∘h
//	logits = OutW·h + OutB                                              [V]
//
// The logits after x₀ are not used; <start> is the input of step 1.
type Decoder struct {
	Cell           Cell
	Entry          Entry
	D, E, H, V     int
	Mean, Std      []float32 // [D]
	FirstW, FirstB []float32 // [E,D], [E]
	EveryW, EveryB []float32 // [E,D], [E]; nil for Init
	Embed          []float32 // [V,E]
	Wx, Wh, B      []float32 // [G·H,E], [G·H,H], [G·H]
	BHn            []float32 // [H]; GRU only
	OutW, OutB     []float32 // [V,H], [V]
}
