package journal

import (
	"context"
	"errors"
	"os"
	"time"
)

// lockWait waits for a file's lock.
func lockWait(ctx context.Context, f *os.File) error {
	for {
		err := lock(f)
		if err == nil || !errors.Is(err, errHeld) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("its run still holds it")
		case <-time.After(time.Millisecond):
		}
	}
}
