package journal

import (
	"context"
	"errors"
	"os"
	"time"

	"brunt/targets/platform/procgroup"
)

// lockWait waits for a file's lock.
func lockWait(ctx context.Context, f *os.File) error {
	for {
		err := procgroup.TryLock(f)
		if err == nil || !errors.Is(err, procgroup.ErrLockHeld) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("its run still holds it")
		case <-time.After(time.Millisecond):
		}
	}
}
