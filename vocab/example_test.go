package vocab_test

import (
	"fmt"
	"os"

	"github.com/onetomany/caption/vocab"
)

func Example() {
	var tokens [][]string
	for _, caption := range []string{
		"A man's dog runs on the beach.",
		"A dog runs.",
	} {
		tokens = append(tokens, vocab.Tokenize(caption))
	}
	v := vocab.Build(tokens, 2) // words seen at least twice
	v.Write(os.Stdout)

	ids := v.Encode(vocab.Tokenize("The dog runs!"))
	fmt.Println(ids, v.Decode(ids))
	// Output:
	// <pad>
	// <start>
	// <end>
	// <unk>
	// a
	// dog
	// runs
	// [3 5 6] dog runs
}

func ExampleTokenize() {
	fmt.Printf("%q\n", vocab.Tokenize(`A man's T-shirt says "Hello"!`))
	// Output: ["a" "man" "'s" "t-shirt" "says" "hello"]
}
