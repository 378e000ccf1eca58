package machine

import (
	"brunt/scenarios"

	"golang.org/x/sys/unix"
)

// Clock asks the kernel how well the clock is kept (adjtimex, which changes nothing here).
func Clock() *scenarios.Clock {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return nil
	}
	unit := 1e-6
	if t.Status&unix.STA_NANO != 0 {
		unit = 1e-9
	}
	c := &scenarios.Clock{Synchronized: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, Offset: scenarios.Num(float64(t.Offset) * unit), MaxError: scenarios.NaN}
	if c.Synchronized {
		c.MaxError = scenarios.Num(float64(t.Maxerror) * 1e-6)
	}
	return c
}

// Executable is brunt's own program, even where another was put in its place since.
func Executable() string { return "/proc/self/exe" }
