package cluster

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	askEvery = 50 * time.Millisecond // first pause
	askMost  = 500 * time.Millisecond
	askFor   = 10 * time.Second // bounds a question of a caller without a deadline
)

// Until asks until there is an answer without an error, or ctx ends. Then it returns the error of the last answer that
// came before that, as a question that is cut off says less.
func Until(ctx context.Context, ask func() (string, error)) (text string, err error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = askEvery, askMost
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		said, failed := ask()
		if failed == nil || err == nil || ctx.Err() == nil {
			text, err = said, failed
		}
		return struct{}{}, failed
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return "", err
	}
	return text, nil
}
