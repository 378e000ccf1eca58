package machine

import (
	"errors"
	"time"

	"brunt/scenarios/result"

	"golang.org/x/sys/unix"
)

// Clock reads how well the clock is synchronized (adjtimex, which changes nothing here).
func Clock() *result.Clock {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return nil
	}
	unit := 1e-6
	if t.Status&unix.STA_NANO != 0 {
		unit = 1e-9
	}
	c := &result.Clock{
		Synchronized: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0,
		Offset:       result.Num(float64(t.Offset) * unit), MaxError: result.NaN,
	}
	if c.Synchronized {
		c.MaxError = result.Num(float64(t.Maxerror) * 1e-6)
	}
	return c
}

// Suspended returns for how long the machine has been suspended since it was started. CLOCK_BOOTTIME counts such time,
// and CLOCK_MONOTONIC, by which a run measures, does not. A virtual machine whose host stops it without notice to its
// kernel counts no time at all: it shows as a step of the wall clock once that is corrected.
func Suspended() time.Duration {
	var before, boot, after unix.Timespec
	for {
		err := errors.Join(unix.ClockGettime(unix.CLOCK_MONOTONIC, &before), unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot),
			unix.ClockGettime(unix.CLOCK_MONOTONIC, &after))
		if err != nil {
			return 0
		}
		const atOnce = 10 * time.Millisecond // otherwise brunt was stopped between two readings
		if time.Duration(after.Nano()-before.Nano()) < atOnce {
			return time.Duration(boot.Nano() - before.Nano())
		}
	}
}

// Executable is the path of the running brunt program, also after its file was replaced.
func Executable() string { return "/proc/self/exe" }
