package cluster_test

import (
	"context"
	"errors"
	"testing"

	"brunt/chaos/cluster"
)

// TestUntil_CutOff: a question that the end of the context cuts off does not hide the answer before it.
func TestUntil_CutOff(t *testing.T) {
	t.Parallel()
	refused := errors.New("a budget refuses it")
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	_, err := cluster.Until(ctx, func() (string, error) {
		if asked++; asked == 1 {
			return "", refused
		}
		cancel()
		return "", ctx.Err()
	})
	if !errors.Is(err, refused) || asked != 2 {
		t.Errorf("%d questions: %v", asked, err)
	}
}
