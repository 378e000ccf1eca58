package drills

import (
	"context"
	"time"
)

// pause is the time between two probes.
const pause = time.Second

// WaitSteady probes until the system answers as before, for at most within. It makes at least one probe. It calls
// report, with a phrase, for each probe that finds a difference. Different is the difference that the last probe
// found; it is empty once the system is steady. WaitSteady also ends when ctx does, and then returns the last
// difference.
func WaitSteady(
	ctx context.Context, before SteadyState, within time.Duration, probe func(context.Context) (SteadyState, error),
	report func(different string),
) (different string, err error) {
	until := time.Now().Add(within)
	for {
		found, err := probe(ctx)
		if err != nil {
			return "", err
		}
		if different = found.Differs(before); different == "" || ctx.Err() != nil {
			return different, nil
		}
		report(different)
		if !time.Now().Add(pause).Before(until) {
			return different, nil
		}
		select {
		case <-ctx.Done():
			return different, nil
		case <-time.After(pause):
		}
	}
}
