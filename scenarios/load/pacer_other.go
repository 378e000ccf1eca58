//go:build !linux

package load

import "time"

func newPrecise(now func() time.Duration) Pacer { return &sleepPacer{now: now} }

func newTicks(now func() time.Duration) Pacer { return &sleepPacer{now: now, on: tick} }
