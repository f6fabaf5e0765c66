package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cmd/internal/byname"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/models"
)

func newModels() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Models and CNNs that are known by name",
		Long: `models tells which models -m takes by name, and which CNNs --cnn takes by name or
knows the preprocessing of.`,
		Example: `  caption models list`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.Usagef("say what to do with the models; see caption models --help")
		},
	}
	var asJSON bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List the models for -m and the CNNs for --cnn",
		Long: `list shows the embedded model, the models in the model folder, and the CNNs whose
preprocessing is known. A known CNN is recognised by its content, so its file
may have any name; saved in the model folder as NAME.onnx it is found by name.

The model folder is that of the environment variable CAPTION_MODELS, else
caption/models in the user's configuration folder.`,
		Example: `  caption models list
  caption models list --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return listModels(cmd, asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	cmd.AddCommand(list)
	return cmd
}

// listed is a line of models list.
type listed struct {
	Name    cli.RawString `json:"name"`
	Kind    string        `json:"kind"` // model or cnn
	Here    bool          `json:"here"` // on this machine
	Bytes   int64         `json:"bytes,omitempty"`
	SHA256  string        `json:"sha256,omitempty"`
	Licence string        `json:"licence,omitempty"`
	Source  cli.RawString `json:"source"`
}

func listModels(cmd *cobra.Command, asJSON bool) error {
	dir, err := models.Dir()
	if err != nil {
		return err
	}
	rows := []listed{{Name: byname.Default, Kind: "model", Here: true, Source: "embedded in the program"}}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(path, "config.json")); err == nil {
			rows = append(rows, listed{Name: cli.RawString(e.Name()), Kind: "model", Here: true, Source: cli.RawString(path)})
		}
	}
	for _, c := range models.Catalogue {
		_, err := os.Stat(filepath.Join(dir, c.Name+".onnx"))
		rows = append(rows, listed{cli.RawString(c.Name), "cnn", err == nil, c.Bytes, c.SHA256, c.Licence, cli.RawString(c.Source)})
	}
	if asJSON {
		return cli.WriteJSON(cmd.OutOrStdout(), rows)
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tNAME\tHERE\tMB\tLICENCE\tSOURCE")
	for _, r := range rows {
		here, size := "no", ""
		if r.Here {
			here = "yes"
		}
		if r.Bytes > 0 {
			size = fmt.Sprintf("%.0f", float64(r.Bytes)/1e6)
		}
		cli.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Kind, string(r.Name), here, size, r.Licence, string(r.Source))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = cli.Fprintf(cmd.OutOrStdout(), "\nmodel folder: %s\n", dir)
	return err
}
