package result

import (
	"cmp"
	"slices"
)

// A Slowdown is a span of the load in which the target was much slower than in the rest of the run, although no fault
// was in, other than a crash whose unit stays down, and no incident was under way. Times are offsets from t0.
type Slowdown struct {
	From     Num   `json:"from"`     // begin of its first second
	To       Num   `json:"to"`       // end of its last second
	Requests int64 `json:"requests"` // requests intended in it
	P50      Num   `json:"p50"`      // median of the median response times of its seconds, seconds
	Usual    Num   `json:"usual"`    // the same of the seconds without a fault that were not slow
	Lag      Num   `json:"lag"`      // the largest p99 of brunt's own lag in one of its seconds, seconds
}

// What counts as a slowdown.
const (
	slowdownSeconds  = 2   // it lasts so many seconds or more
	slowdownRequests = 10  // each of its seconds has so many requests or more, of which half were slow
	slowdownQuiet    = 8   // so many other seconds tell what is usual, and twice as many as were slow
	slowdownTimes    = 2   // by median it takes over so many times as long as usual
	slowdownLeast    = .02 // and by so many seconds longer
	slowdownRate     = 1.5 // its rate is at most so many times the usual one, or the load explains it
	slowdownBusy     = .5  // from this CPU pressure on, a busy machine explains slow answers
)

// FindSlowdowns finds the slowdowns of a run in its seconds, in the order of time.
//
// A second is slow if half of its requests took longer than 95 % of those in a usual second, and over twice and 20 ms
// longer than the usual median. If requests were independent, one second of 10 requests would be slow by chance once in
// 15 000 (binomial, 5 of 10 at 5 %), and two of them in a row are required. Seconds are compared with seconds in which
// the same loads ran, at about the same rate.
//
// Ten times brunt's own lag is taken off each median: the largest p99 of the seconds in which its requests were under
// way. Lag is one wait for a processor. Where brunt waits, a target on the same machine waits too, and a request passes
// several processes. A second counts neither as slow nor as usual if brunt stood still while its requests were under
// way, or tasks of the machine waited for a processor half of the time: brunt then reads answers late, also where no
// arrival is due, as in a closed load.
func FindSlowdowns(r *Result) []Slowdown {
	var seconds []*Window // of all loads and steps together
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Load == "*" && w.Step == "*" {
			seconds = append(seconds, w)
		}
	}
	crowded := r.crowded()
	loads := map[uint64][]*Window{} // quiet seconds by the loads that ran in all of them
	for _, w := range seconds {
		if !(w.T >= 0) || w.D < .9 || !w.P50.Known() || !w.P95.Known() ||
			w.Offered-w.Shed-w.Skipped < slowdownRequests || r.disturbed(w) || slices.ContainsFunc(crowded, w.underWay) {
			continue
		}
		if running, whole := r.loadsIn(w); whole {
			loads[running] = append(loads[running], w)
		}
	}
	var out []Slowdown
	for _, list := range loads {
		out = append(out, slowdownsIn(list, seconds)...)
	}
	slices.SortFunc(out, func(a, b Slowdown) int { return cmp.Compare(a.From, b.From) })
	return out
}

// slowdownsIn finds the slowdowns among comparable seconds, which are in the order of time. all are all seconds of the
// run.
func slowdownsIn(list, all []*Window) (out []Slowdown) {
	p50 := func(w *Window) Num { return w.P50 }
	rate := func(w *Window) Num { return Num(w.Offered) / w.D }
	usual, often := medianOf(list, p50), medianOf(list, rate)
	least := max(medianOf(list, func(w *Window) Num { return w.P95 }), slowdownTimes*usual, usual+slowdownLeast)
	slow, n := make([]bool, len(list)), 0
	for i, w := range list {
		if w.P50 > least && rate(w) <= slowdownRate*often && w.P50-ProcessorWaits*lagAround(w, all) > least {
			slow[i] = true
			n++
		}
	}
	if quiet := len(list) - n; quiet < slowdownQuiet || quiet < 2*n {
		return nil
	}
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && slow[j] && (j == i || list[j].T-list[j-1].T-list[j-1].D < .01) {
			j++
		}
		if in := list[i:j]; len(in) >= slowdownSeconds {
			s := Slowdown{
				From: in[0].T, To: in[len(in)-1].T + in[len(in)-1].D, P50: medianOf(in, p50), Usual: usual,
			}
			for _, w := range in {
				s.Requests += w.Offered
				if w.Lag > s.Lag {
					s.Lag = w.Lag
				}
			}
			out = append(out, s)
		}
		i = max(j, i+1)
	}
	return out
}

// medianOf returns the median of a figure of windows, of which there is one at least; of an even number the upper one.
func medianOf(list []*Window, figure func(*Window) Num) Num {
	values := make([]Num, len(list))
	for i, w := range list {
		values[i] = figure(w)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// lagAround returns the largest p99 of brunt's own lag in those of all seconds in which the requests of a second were
// under way; 0 if no lag is known.
func lagAround(w *Window, all []*Window) (most Num) {
	for _, x := range all {
		if x.Lag > most && w.underWay(span{x.T, x.T + x.D}) {
			most = x.Lag
		}
	}
	return most
}

// A span is a part of the run, from one offset from t0 to another.
type span struct{ from, to Num }

// crowded returns the spans in which brunt stood still, or the machine was busy.
func (r *Result) crowded() (out []span) {
	for _, f := range r.Generator.Freezes {
		out = append(out, span{f.T, f.T + f.D})
	}
	for _, t := range r.Generator.Seconds {
		if t.contended(slowdownBusy) {
			out = append(out, span{t.T - 1, t.T})
		}
	}
	return out
}

// underWay reports whether half of the requests of a window, or more, were under way at a time of a span.
func (w *Window) underWay(s span) bool { return s.from < w.T+w.D+w.P50 && s.to > w.T }

// disturbed reports whether a fault or an incident explains the response times of a second: one that overlaps it, or
// from which the load had not recovered.
func (r *Result) disturbed(w *Window) bool {
	for i := range r.Faults {
		f := &r.Faults[i]
		end := f.Cleared
		for _, n := range []Num{f.Until, f.RecoveredAt} {
			if n.Known() {
				end = max(end, n)
			}
		}
		if f.Injected.Known() && w.T+w.D > f.Injected && (!end.Known() || f.Impact == NotRecovered || w.T < end+1) {
			return true
		}
	}
	return slices.ContainsFunc(r.Incidents, func(in Incident) bool { return w.T+w.D > in.Begin && w.T < in.End+1 })
}

// loadsIn returns the loads that ran in a second as bits. whole is false if one began or ended in it.
func (r *Result) loadsIn(w *Window) (running uint64, whole bool) {
	for i := range r.Loads {
		l := &r.Loads[i]
		begun, over := w.T >= l.Start-.001, !(w.T+w.D <= l.End+.001)
		switch {
		case w.T+w.D <= l.Start || w.T >= l.End:
		case !begun || over:
			return 0, false
		default:
			running |= 1 << (uint(i) % 64)
		}
	}
	return running, running != 0
}
