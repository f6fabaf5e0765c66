// Caption says what is in photos, and trains and checks the models that do so.
package main

import (
	"os"

	"github.com/onetomany/caption/cmd/internal/cli"
)

func main() {
	os.Exit(cli.Run(newCommand(), os.Args[1:]))
}
