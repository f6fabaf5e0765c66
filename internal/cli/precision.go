package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cnn"
)

// AddPrecision declares --precision.
func AddPrecision(cmd *cobra.Command, p *cnn.Precision) {
	cmd.Flags().TextVar(p, "precision", cnn.Float32, "what the CNN computes in, `TYPE` float32 or bf16; bf16 is faster, on processors with AMX or AVX512_BF16 only")
	Complete(cmd, "precision", cnn.Float32.String(), cnn.BF16.String())
}

// precisionError names the flag where the machine cannot follow it.
func precisionError(p cnn.Precision, err error) error {
	if errors.Is(err, cnn.ErrPrecision) {
		return fmt.Errorf("--precision %v: %w", p, err)
	}
	return err
}
