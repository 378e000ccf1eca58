package workers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// An Account lists the iterations that the workers of a run owed and reported.
type Account struct {
	Workers []result.Worker
	Lost    *requests.LostWorkers // nil if no worker was lost with a part of the load
	Limits  []result.Limit        // workers that were late themselves
	Notes   []string
}

// Account returns the account of the load when it is over. ends are the ends of the loads, and lag is the limit of a
// worker's own p99 lag.
func (c *Crew) Account(ends []time.Duration, lag time.Duration) (*Account, error) {
	a := &Account{}
	out := &requests.LostWorkers{}
	var why, notes []string
	by := map[string][]string{} // workers by the notes that they left
	for _, m := range c.members {
		s, share := m.read(), c.host.Recorder.Share(m.n)
		w := result.Worker{
			N: m.n + 1, Sent: share.Counts.Sent, Bad: share.Counts.Bad(), CPU: s.last.Health.CPU, Memory: s.last.Health.Memory,
			Throttled: s.last.Health.Throttled, Silent: result.Sec(s.stood), P50: share.Response.Quantile(.5),
			P95: share.Response.Quantile(.95),
			P99: share.Response.Quantile(.99), Lag: result.NaN,
		}
		m.post.Describe(&w)
		w.Clock = result.Sec(m.unsure)
		if t := share.Lag[measure.PhaseRun]; t != nil {
			w.Lag = t.Quantile(.99)
		}
		a.Limits = append(a.Limits, c.late(m, share, lag)...)
		if s.off > c.terms.Skew {
			a.Limits = append(a.Limits, result.Limit{
				Kind: result.LimitClock, Worker: m.n + 1, Value: result.Sec(s.off), Most: result.Sec(c.terms.Skew),
				Sentence: fmt.Sprintf("worker %d of %d: its clock was off by %s at least, and `skew` allows %s",
					m.n+1, len(c.members),
					quantity.FormatDuration(s.off), quantity.FormatDuration(c.terms.Skew)),
			})
		}
		for i := range c.host.Plan.Loads {
			if err := c.settle(m, s, share, i, ends[i], &w, out); err != nil {
				return nil, err
			}
		}
		if s.lost != nil {
			w.LostAt, w.LostWhy = result.Sec(s.at), c.host.Plan.Scenario.Secrets.Mask(oneLine(s.lost))
			if w.Lost > 0 || w.LostTime > 0 {
				why = append(why, c.describe(m, &w, min(share.Known, s.at)))
			}
		}
		if s.end != nil {
			for _, n := range s.end.Opened {
				w.Connections += n
			}
			for _, note := range s.end.Notes {
				if by[note] == nil {
					notes = append(notes, note)
				}
				by[note] = append(by[note], strconv.Itoa(w.N))
			}
		}
		a.Workers = append(a.Workers, w)
	}
	for _, note := range notes {
		a.Notes = append(a.Notes, fmt.Sprintf("worker %s: %s", strings.Join(by[note], ", "), note))
	}
	if len(why) > 0 {
		out.Why = why[0]
		if len(why) > 1 {
			out.Why = fmt.Sprintf("%s are lost: %s", syntax.Amount(len(why), "worker"), strings.Join(why, "; "))
		}
		a.Lost, a.Notes = out, append(a.Notes, syntax.Sentence(out.Why))
	}
	return a, nil
}

// Unreported says why the run does not know all writes of its workers. It is empty if it does.
func (c *Crew) Unreported() string {
	var lost []string
	for _, m := range c.members {
		if s := m.read(); s.end == nil {
			lost = append(lost, fmt.Sprintf("worker %d of %d was lost at %s", m.n+1, len(c.members),
				quantity.FormatInstant(s.at)))
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return strings.Join(lost, ", ") + "; writes that were acknowledged shortly before are not known"
}

// AddHealth adds the workers' health to the health of the process that runs them.
func (c *Crew) AddHealth(g *result.Generator) {
	for _, m := range c.members {
		s := m.read()
		h := s.last.Health
		g.CPU += h.CPU
		g.Memory += h.Memory
		if h.Throttled > g.Throttled {
			g.Throttled, g.Quota = h.Throttled, h.Quota
		}
		g.GCPauses += h.GCPauses
		g.GCPauseMax = max(g.GCPauseMax, h.GCPauseMax)
		g.ClockSteps = max(g.ClockSteps, h.ClockSteps)
		for _, f := range s.froze {
			if f.To-f.From >= measure.LeastFreeze {
				g.Freezes = append(g.Freezes, result.Freeze{T: result.Sec(f.From), D: result.Sec(f.To - f.From)})
			}
		}
	}
	slices.SortStableFunc(g.Freezes, func(a, b result.Freeze) int { return cmp.Compare(a.T, b.T) })
}

// settle adds the iterations of load i that a worker owed and reported to its row, and the lost ones to out.
func (c *Crew) settle(
	m *member, s state, share *measure.Share, i int, end time.Duration, w *result.Worker, out *requests.LostWorkers,
) error {
	lp := &c.host.Plan.Loads[i]
	if lp.Script != nil {
		return nil
	}
	reported := share.Iterations[i]
	w.Reported += reported
	if s.end != nil && s.lost == nil {
		w.Owed += s.end.Stats[i].Owed
		w.Lost += s.end.Stats[i].Owed - reported
		return nil
	}
	part := c.part(m)
	known := min(share.Known, s.at)
	l := requests.LostLoad{Index: i, Known: known, Early: -reported, From: known - lp.Timeout.D(), To: end}
	for _, f := range lp.Flows {
		var steps []int32
		for _, step := range f.Steps {
			if step.Call != nil {
				steps = append(steps, step.Index)
			}
		}
		l.Flows = append(l.Flows, steps)
	}
	owed := reported
	if lp.Schedule.Closed() {
		missing := lp.Schedule.UserTime(part, max(known, lp.Schedule.Start()), end)
		w.LostTime += result.Sec(missing)
		if n := lp.Schedule.Iterations(part); n > 0 {
			owed = n
		} else if had := lp.Schedule.UserTime(part, lp.Schedule.Start(), min(known, end)); had > 0 && missing > 0 {
			// an estimate, which is not part of the account
			l.Most = int64(float64(reported)*float64(missing)/float64(had)) + 1
		}
	} else {
		owed = 0
		settings := load.Settings{Name: lp.Name, Plan: lp.Schedule, Seed: c.host.Plan.Scenario.Seed}
		if err := settings.Owed(part, func(at time.Duration) {
			if at < end {
				if owed++; at >= l.From {
					l.At = append(l.At, at)
				}
				switch {
				case at < known:
					l.Early++
				case at < s.at:
					w.Unsure++
				}
			}
		}); err != nil {
			return err
		}
	}
	if i < len(s.last.InFlight) {
		w.Unsure += s.last.InFlight[i]
	}
	w.Owed += owed
	w.Lost += owed - reported
	if l.Most = max(l.Most, owed-reported); l.Most > 0 {
		out.Loads = append(out.Loads, l)
	}
	w.Unsure = min(w.Unsure, w.Lost)
	return nil
}

func (c *Crew) part(m *member) load.Part {
	return load.Part{Index: int64(m.n), Of: int64(len(c.members))}
}

// describe describes a lost worker in a sentence without its period.
func (c *Crew) describe(m *member, w *result.Worker, known time.Duration) string {
	text := fmt.Sprintf("worker %d of %d (%s, %s at %s) is lost with ", w.N, len(c.members), m.post.Name(), w.LostWhy,
		quantity.FormatInstant(w.LostAt.D()))
	if w.Lost > 0 {
		text += fmt.Sprintf("%d of the %d iterations that it was to make", w.Lost, w.Owed)
	} else {
		text += quantity.FormatSeconds(float64(w.LostTime)) + " of its virtual users' time"
	}
	text += ", from " + quantity.FormatInstant(max(0, known)) + " on"
	if w.Unsure > 0 {
		text += "; up to " + strconv.FormatInt(w.Unsure, 10) + " of them were sent"
	}
	return text
}

// enoughForLag is the least number of iterations for which a worker's lag is judged.
const enoughForLag = 100

// late lists the phases in which a worker was later than the limit.
func (c *Crew) late(m *member, share *measure.Share, limit time.Duration) (out []result.Limit) {
	names := map[int32]slo.Phase{
		measure.PhaseRun: {Kind: slo.RunPhase}, measure.PhaseBaseline: {Kind: slo.BaselinePhase},
	}
	for n, oc := range c.host.Recorder.Occurrences() {
		if oc.Name != "" {
			names[int32(n)] = oc.Phase()
		}
	}
	for _, phase := range slices.Sorted(maps.Keys(share.Lag)) {
		t := share.Lag[phase]
		name, known := names[phase]
		if !known {
			continue
		}
		if p99 := t.Quantile(.99); t.Total >= enoughForLag && p99.D() > limit {
			out = append(out, result.Limit{
				Kind: result.LimitWorkerLag, Phase: name, Worker: m.n + 1, Value: p99, Most: result.Sec(limit),
				Sentence: fmt.Sprintf("worker %d of %d: p99 lag %s in %s is over %s", m.n+1, len(c.members),
					quantity.FormatSeconds(float64(p99)), name,
					quantity.FormatSeconds(limit.Seconds())),
			})
		}
	}
	return out
}
