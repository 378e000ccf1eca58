package container

import (
	"slices"
	"strings"
	"time"

	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// endNothing are the signals that do not end a process.
var endNothing = []string{"STOP", "TSTP", "TTIN", "TTOU", "CONT", "CHLD", "CLD", "URG", "WINCH"}

// CheckSignal refuses a signal that would not end a process; instead names the fault to use.
func CheckSignal(at syntax.Pos, signal, what, instead string, m *syntax.Mistakes) {
	switch {
	case slices.Contains(endNothing, signal):
		m.AddHint(at, instead, "SIG%s ends no %s", signal, what)
	case !proc.KnownSignal(signal):
		hint := "such as KILL, TERM, ABRT or SEGV"
		if short, long := strings.CutPrefix(signal, "SIG"); long && proc.KnownSignal(short) {
			hint = "write " + short + ", without SIG"
		}
		m.AddHint(at, hint, "there is no signal %q", signal)
	}
}

const defaultGrace = 5 * time.Second

// GraceOf returns the time from a polite signal to SIGKILL of a setting; for nil it is the default, 5 s.
func GraceOf(d *quantity.Duration) time.Duration {
	if d == nil {
		return defaultGrace
	}
	return d.D()
}
