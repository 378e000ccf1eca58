package journal

import (
	"context"
	"errors"
	"os"
	"time"

	"brunt/targets/platform/filelock"
)

// lockWait waits for a file's lock.
func lockWait(ctx context.Context, f *os.File) error {
	for {
		err := filelock.Try(f)
		if err == nil || !errors.Is(err, filelock.ErrHeld) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("its run still holds it")
		case <-time.After(time.Millisecond):
		}
	}
}
