package cluster

import (
	"context"
	"time"
)

const (
	askEvery = 50 * time.Millisecond // first pause
	askMost  = 500 * time.Millisecond
	askFor   = 10 * time.Second // bounds a question of a caller without a deadline
)

// Until asks until there is an answer without an error, or ctx ends. Then it returns the error of the last answer.
func Until(ctx context.Context, ask func() (string, error)) (string, error) {
	for pause := askEvery; ; pause = min(2*pause, askMost) {
		text, err := ask()
		if err == nil {
			return text, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return "", err
		}
	}
}
