package reporterstest

import (
	"time"

	"brunt/scenarios/result"
)

// Interval returns second s of a run: before 0 is warmup, and from 12 on the fault split is active.
func Interval(s int) result.Interval {
	iv := result.Interval{
		At: time.Duration(s) * time.Second, End: 40 * time.Second, Phase: "run", Offered: 300, Sent: 300, Ended: 300, OK: 299,
		P50: 3200 * time.Microsecond,
		P95: 12 * time.Millisecond, P99: 48 * time.Millisecond, InFlight: 7, Lag: 84 * time.Microsecond,
		Total: int64(300 * (s + 6)), Bad: 3,
	}
	switch {
	case s < 0:
		iv.Phase = "warmup"
	case s < 12:
		iv.Next, iv.NextAt = "split", 12*time.Second
	case s < 25:
		iv.Faults = []string{"split"}
	case s >= 40:
		iv.Phase = "grace"
	}
	return iv
}
