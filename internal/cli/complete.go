package cli

import (
	"github.com/spf13/cobra"

	"github.com/onetomany/caption/models"
)

// Complete offers the shell a fixed list of values for a flag.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(toCompletions(values), cobra.ShellCompDirectiveNoFileComp))
}

// CompleteCNN offers the names of the known CNNs, and ONNX files.
func CompleteCNN(cmd *cobra.Command) {
	names := []string{DefaultModel}
	for _, c := range models.Catalogue {
		names = append(names, c.Name)
	}
	cmd.RegisterFlagCompletionFunc("cnn", cobra.FixedCompletions(toCompletions(names), cobra.ShellCompDirectiveDefault))
}

func toCompletions(values []string) []cobra.Completion {
	out := make([]cobra.Completion, len(values))
	for i, v := range values {
		out[i] = cobra.Completion(v)
	}
	return out
}
