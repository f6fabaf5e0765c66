package main

import (
	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/cli"
)

func newVerify() *cobra.Command {
	var model cli.ModelFlags
	cmd := &cobra.Command{
		Use:   "verify [flags]",
		Short: "Prove that a model is whole and computes here what it should",
		Long: `verify hashes every file of a model and captions the photo that is bundled with
it: its features must agree with those in the model, and its sentence exactly.`,
		Example: `  caption verify
  caption verify -m my-model`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := model.Open(cmd.Context(), captioner.Loader{})
			if err != nil {
				return err
			}
			report, err := c.Verify(cmd.Context())
			out := cmd.OutOrStdout()
			for _, f := range report.Files {
				cli.Fprintf(out, "%-20s  %10d bytes  sha256 %s  ok\n", f.Name, f.Bytes, f.SHA256[:16])
			}
			if err != nil {
				return err
			}
			if report.Photo == "" {
				cli.Fprintf(out, "no photo is bundled with this model: its sentences were not checked\n")
				return nil
			}
			cli.Fprintf(out, "%s: features within %.1g of those in the model, sentence as it should be: %s\n", report.Photo, report.Distance, report.Sentence)
			return nil
		},
	}
	model.Register(cmd)
	return cmd
}

// noArgs refuses arguments that are not flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.Usagef("%q is not expected here; see %s --help", args[0], cmd.CommandPath())
	}
	return nil
}
