package casefile

import (
	"cmp"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/result"
	"brunt/scenarios/run/outcome"
)

// played returns the case of a recording that was played without a run: as if brunt had injected each fault in a unit,
// verified it, and taken it back.
func played(name string, r *measure.Recording, c judge.Case, found *judge.Findings) (*Case, error) {
	known := &result.Result{
		Version: result.ResultVersion, Definitions: result.Definitions, Run: name, Name: name,
		T0: time.Unix(1_000_000, 0).UTC(), Chaos: len(r.Faults) > 0, Consistency: c.Consistency, Deliveries: c.Deliveries,
		Usage: c.Usage, Series: c.Series, Links: c.Links, Incidents: []result.Incident{},
		Generator: result.Generator{Spoken: []string{}, Seconds: c.Generator, Pressure: result.NaN, Steal: result.NaN},
	}
	known.SetLedgers(c.Ledgers)
	of := &outcome.Run{Known: known, LagLimit: 10 * time.Millisecond, Machine: outcome.Machine{Procs: 2, Ports: 28232}}
	for i, span := range c.Loads {
		load := r.Config.Loads[i]
		info := result.LoadInfo{
			Name: load.Name, Executor: "constant-arrival-rate", Closed: load.Closed, Start: result.Sec(span.From),
			End: result.Sec(span.To), Timeout: result.Sec(cmp.Or(load.Timeout, r.Config.Timeout)),
		}
		for _, s := range r.Config.Steps {
			if s.Load == i {
				info.Steps = append(info.Steps, s.Name)
			}
		}
		known.Loads, known.Duration = append(known.Loads, info), max(known.Duration, result.Sec(span.To))
	}
	for n, f := range r.Faults {
		of.Faults = append(of.Faults, playedFault(n, f, c.Of(n), known.Duration))
	}
	var beside Beside
	if c.Waited != nil {
		beside.Waits = tabulated(c.Waited, known.Duration.D())
	}
	return Taken(r, &c, of, beside, found)
}

// KeepPlayed keeps the case of a recording that was played.
func KeepPlayed(name string, r *measure.Recording, c judge.Case, found *judge.Findings) error {
	of, err := played(name, r, c, found)
	if err != nil {
		return err
	}
	return of.Keep(name)
}

// playedFault returns the record of an occurrence. One that was not cleared is in to the end.
func playedFault(n int, f measure.Occurrence, of judge.Occurrence, end result.Num) outcome.Fault {
	out := outcome.Fault{N: n, FaultRecord: result.FaultRecord{
		Name: f.Name, Kind: "process.pause", Units: []string{"web[0]"}, Via: "played", Planned: result.Sec(f.Injected),
		Injected: result.Sec(f.Injected), Verified: result.Sec(f.Injected), Evidence: "the process is stopped",
		Cleared: end, Until: end, Revert: "ok", Gone: of.Gone, Limit: result.NaN,
		Onset: result.NaN, Failover: result.NaN, Recover: result.NaN, Heal: result.NaN, Rejoin: result.NaN,
		RejoinAt: result.NaN, Back: result.NaN, Detect: result.NaN, DetectResolution: result.NaN, OnsetAt: result.NaN,
		RecoveredAt: result.NaN, RecoveredLow: result.NaN, RecoveredHigh: result.NaN, RelapsedAt: result.NaN,
		Within: result.NaN, Slow: result.NaN,
	}}
	if f.Over {
		out.Cleared, out.Until = result.Sec(f.Cleared), result.Sec(f.Cleared)
	}
	if of.Ended != nil {
		out.Cleared = result.Sec(*of.Ended)
	}
	if of.Group {
		out.Kind = result.GroupKind
	}
	return out
}

// tabulated returns waits as readings, each as long as the longest wait in the time since the one before.
func tabulated(
	waited func(from, to, most time.Duration) (time.Duration, bool, bool), end time.Duration,
) *observe.Waits {
	const every = 50 * time.Millisecond
	var all observe.Readings
	sum, ours := time.Duration(0), false
	for at := time.Duration(0); at <= end+20*time.Second; at += every {
		all = append(all, observe.Reading{At: at, Waited: sum, Least: sum})
		more, own, _ := waited(at, at, every)
		sum, ours = sum+more, own
	}
	if ours {
		return &observe.Waits{Units: []observe.UnitWaits{{Unit: "web[0]", Readings: all}}}
	}
	return &observe.Waits{Machine: all}
}
