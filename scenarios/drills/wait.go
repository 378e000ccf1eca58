package drills

import (
	"context"
	"time"
)

// pause is the time between two probes.
const pause = time.Second

// WaitSteady probes until the system answers as before, at most for within; one probe is made in any case. Each probe
// that finds it otherwise is reported, in a phrase. Different is what was not as before in the last probe; it is empty
// once the system is steady. WaitSteady also ends when ctx does, with what the probe found until then.
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
