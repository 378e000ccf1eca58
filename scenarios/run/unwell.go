package run

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// illness are the kinds of events from which on a unit is not well, and recovered those from which on it is.
// container.oom is not an illness: if the kernel killed the main process of the container, container.die follows.
var (
	illness = []string{
		"unit.exit", "unit.error", "container.die", "container.gone", "watch.silent", "node.notready",
		"pod.unready", "pod.killed", "pod.oom", "pod.evicted", "pod.terminating",
	}
	recovered = []string{
		"unit.start", "unit.ready", "container.start", "watch.state", "node.ready", "pod.ready", "unit.replaced",
	}
)

// unwellUnits returns the spans in which a unit that a fault hit was not well, by the number of the occurrence. They
// are evidence that harm after the end of the fault is the fault's. From the injection of another fault into the unit
// on, they are evidence for that one. Events of a pod that has the place of no unit name its service alone, and are
// evidence for a fault on the service alone: a unit that loses its pod is not well until another has its place.
func unwellUnits(records []*chaos.Record, events []result.Event) map[int][]requests.Span {
	spans := map[string][]requests.Span{} // by unit
	for _, e := range slices.SortedStableFunc(slices.Values(events), byTime) {
		list := spans[e.Unit]
		open := len(list) > 0 && list[len(list)-1].To == measure.Never
		ill, well := slices.Contains(illness, e.Event), slices.Contains(recovered, e.Event)
		if e.Event == "container.health" {
			ill, well = e.Health() == result.Unhealthy, e.Health() == result.Healthy
		}
		switch {
		case ill && !open && e.Unit != "":
			spans[e.Unit] = append(list, requests.Span{From: e.T.D(), To: measure.Never})
		case well && open:
			list[len(list)-1].To = e.T.D()
		}
	}
	out := map[int][]requests.Span{}
	next := map[string]time.Duration{} // by unit: the injection of the next fault that hit it
	latestFirst := func(a, b *chaos.Record) int { return cmp.Compare(b.Injected, a.Injected) }
	for _, rec := range slices.SortedStableFunc(slices.Values(records), latestFirst) {
		if rec.N < 0 || len(spans) == 0 {
			continue
		}
		for _, unit := range rec.HitUnits() {
			to, hit := next[unit]
			if !hit {
				to = measure.Never
			}
			for _, s := range spans[unit] {
				s = requests.Span{From: max(s.From, rec.Injected), To: min(s.To, to)}
				if s.From < s.To {
					out[rec.N] = append(out[rec.N], s)
				}
			}
			next[unit] = rec.Injected
		}
	}
	return out
}

// bySignal matches the end of a process by a signal that other programs send, and that no mistake of its own raises.
var bySignal = regexp.MustCompile(`^signal: (killed|terminated|interrupt|hangup|quit)$`)

// apartFrom returns when units that an occurrence hit, by number, ended for another reason as far as is known: its
// effect on them was not shown, another program sent a signal, or they ended with the same text before the end of the
// load without a fault on them. So are recurring ends after the occurrence: the ends without a fault of units that
// ended so more than once.
func apartFrom(
	records []*chaos.Record, events []result.Event, end time.Duration,
) (apart map[int][]time.Duration, recurring []time.Duration) {
	hit := func(rec *chaos.Record, e *result.Event) bool {
		return rec.N >= 0 && e.T.D() > rec.Injected-time.Second && e.T.D() <= rec.Until &&
			slices.Contains(rec.HitUnits(), e.Unit)
	}
	own := map[[2]string][]time.Duration{} // when units ended without a fault on them, by how
	var ends []*result.Event
	for i := range events {
		e := &events[i]
		if !e.Ended() || e.T.D() > end {
			continue
		}
		ends = append(ends, e)
		if !slices.ContainsFunc(records, func(rec *chaos.Record) bool { return hit(rec, e) }) {
			how := [2]string{e.Unit, e.Text}
			own[how] = append(own[how], e.T.D())
		}
	}
	for _, at := range own {
		if len(at) > 1 {
			recurring = append(recurring, at...)
		}
	}
	apart = map[int][]time.Duration{}
	for _, rec := range records {
		if endsOrKills(rec) || slices.ContainsFunc(rec.Steps, endsOrKills) {
			continue
		}
		for _, e := range ends {
			at, without := e.T.D(), own[[2]string{e.Unit, e.Text}]
			switch {
			case hit(rec, e):
				if rec.NotShown != "" || bySignal.MatchString(e.Text) || without != nil {
					apart[rec.N] = append(apart[rec.N], max(at, rec.Injected))
				}
			case rec.N >= 0 && at > rec.Until && len(without) > 1 && slices.Contains(rec.HitUnits(), e.Unit):
				apart[rec.N] = append(apart[rec.N], at)
			}
		}
	}
	return apart, recurring
}

// endsOrKills reports whether a fault ends units, by itself, by the kernel for want of memory, or as its
// author wants.
func endsOrKills(c *chaos.Record) bool {
	return c.Nature.Does(scenarios.Ends, scenarios.Own, scenarios.Memory)
}

// staysIn reports whether an occurrence is in until the end of the run, because nothing starts its unit again. A group
// with a step that is taken back is not: what that does to the load would not be known.
func staysIn(c *chaos.Record) bool { return c.LeftDown && (c.OneShot || len(c.Steps) == 0) }

// isGone reports whether the end of a fault was proved, with each unit that it hit back.
func isGone(rec *chaos.Record) bool {
	away := func(c *chaos.Record) bool { return c.Revert == chaos.Gone || c.LeftDown || c.Down != nil }
	return rec.Gone && rec.RevertErr == nil && !away(rec) && !slices.ContainsFunc(rec.Steps, away)
}

func byTime(a, b result.Event) int { return cmp.Compare(a.T, b.T) }
