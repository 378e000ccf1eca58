package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"brunt/scenarios/load"
)

// HoldOnce runs steps in n iterations, one after another, and leaves them open. Closing the result closes all of
// them. After an error none is open.
func HoldOnce(ctx context.Context, steps []load.Step, n int, prepare func() *Iteration) (io.Closer, error) {
	var all held
	for i := range n {
		it := prepare()
		it.bound = i > 0
		all = append(all, it)
		if err := it.Run(ctx, steps); err != nil {
			_ = all.Close()
			if n > 1 {
				err = fmt.Errorf("session %d of %d: %w", i+1, n, err)
			}
			return nil, err
		}
	}
	return all, nil
}

// held holds open iterations.
type held []*Iteration

func (h held) Close() error {
	var errs []error
	for _, it := range slices.Backward(h) {
		errs = append(errs, it.Close())
	}
	return errors.Join(errs...)
}
