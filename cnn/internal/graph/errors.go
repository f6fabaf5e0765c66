package graph

import (
	"fmt"

	"github.com/onetomany/caption/internal/message"
)

// UnsupportedError says that a model is valid but uses something that this
// engine does not have. It names the operator, the node and the operator set.
type UnsupportedError struct {
	Op     string // operator type, with its domain unless that is the default one; "" where no operator is concerned
	Node   string // name of the node; "" where no node is concerned
	Opset  int    // version of the operator set that the model imports
	Reason string // what exactly is not supported; "" for the operator as a whole
}

func (e *UnsupportedError) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = "this operator is not supported"
	}
	if e.Op == "" {
		return message.Clean(reason, message.Max)
	}
	return message.Clean(fmt.Sprintf("operator %s (node %s, opset %d): %s", Word(e.Op), Name(e.Node), e.Opset, reason), message.Max)
}
