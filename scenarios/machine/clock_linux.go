package machine

import (
	"errors"
	"time"

	"brunt/scenarios/result"

	"golang.org/x/sys/unix"
)

// Clock reads how well the clock is synchronized. It uses adjtimex, which changes nothing here.
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

// Suspended returns how long the machine has been suspended since boot. CLOCK_BOOTTIME includes such time, and
// CLOCK_MONOTONIC, which runs use, does not. If a host stops a virtual machine without telling its kernel, no clock
// includes the time: it shows as a step of the wall clock after the clock is corrected.
func Suspended() time.Duration {
	var before, boot, after unix.Timespec
	for {
		err := errors.Join(unix.ClockGettime(unix.CLOCK_MONOTONIC, &before), unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot),
			unix.ClockGettime(unix.CLOCK_MONOTONIC, &after))
		if err != nil {
			return 0
		}
		const atOnce = 10 * time.Millisecond // if it took longer, brunt was stopped between two readings
		if time.Duration(after.Nano()-before.Nano()) < atOnce {
			return time.Duration(boot.Nano() - before.Nano())
		}
	}
}

// executable returns the path of the running brunt program, which is valid even after its file was replaced.
func executable() string { return "/proc/self/exe" }
