package machine

import (
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
	c := &result.Clock{Synchronized: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, Offset: result.Num(float64(t.Offset) * unit), MaxError: result.NaN}
	if c.Synchronized {
		c.MaxError = result.Num(float64(t.Maxerror) * 1e-6)
	}
	return c
}

// Executable is the path of the running brunt program, also after its file was replaced.
func Executable() string { return "/proc/self/exe" }
