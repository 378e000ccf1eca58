package effect

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// A Slice holds the counts of an objective's requests in one window, by intended time.
type Slice struct {
	Start, End time.Duration
	N          int64 // offered requests without shed ones
	Bad        int64
	Failing    int64 // iterations with bad requests, at least; zero is unknown. One error skips the steps after it
	Offered    int64
	Good       int64
	Ended      int64 // requests that ended during the slice, whenever they were intended
	InFlight   int64 // requests in flight at its start
	Own        bool  // brunt itself stood still or was late, so that a pause of its users shows nothing

	// Marks appends the requests of the slice in the order of their intended time, without shed ones. If it is nil,
	// single requests are unknown, and edges are exact only to the slice.
	Marks func([]Mark) []Mark
}

// Stalled reports whether requests were in flight and none ended.
func (s *Slice) Stalled() bool { return s.InFlight > 0 && s.Ended == 0 }

// A Question describes the load around a fault.
type Question struct {
	Slices   []Slice       // ascending; one begins at Injected, one at Cleared
	Baseline []Slice       // requests that ended before the first injection
	Before   []Slice       // requests that ended before this injection, after the effects of earlier faults
	Caught   Slice         // N and Bad of the requests in flight at the injection
	UnderWay time.Duration // a request that takes longer hangs; zero is unknown
	Closed   bool          // only users of closed loads send the requests
	Injected time.Duration // the time just before the injecting call
	Cleared  time.Duration // the end of time if the fault was not cleared
	Horizon  time.Duration // the end of the time in which effects are attributed to this fault
	Next     string        // the fault whose injection is the horizon; empty for the end of the load
	Limit    float64       // L: the share of bad requests that counts as impact
	Hold     time.Duration
}

// An Answer is the effect of a fault. Times are offsets from t0; NaN is never.
type Answer struct {
	Impact     result.Impact
	MaySlow    bool       // the impact is unknown only because answers may have been slower
	OnsetAt    result.Num // intended time of the first bad request, not before the injection
	OnsetIn    Range
	FailoverAt result.Num
	FailoverIn Range
	// Lower bound of a failover that the requests can't show, because the fault was over too soon after they were good
	// again, and what they lack; nothing if they were bad to the end, and the fault still in. NaN if a failover is shown,
	// and if requests were bad until the fault was over.
	FailoverNotBefore result.Num
	FailoverLacks     result.Notes
	// intended time of the first good request after the last bad one; the injection, if there was no impact
	RecoveredAt result.Num
	RecoveredIn Range
	RelapsedAt  result.Num   // when requests were bad again after a recovery, without another fault; NaN means never
	Relapses    []result.Num // RelapsedAt, and the later times, in order
	// The harm of the revert, if the load was good before: when it was good again, the injection if it was good all
	// along; when requests were bad again with the clearing; and the first good request after that, NaN if there is none.
	// All are NaN without such a harm.
	BackAt, RejoinAt, RejoinedAt result.Num

	NotBefore   result.Num    // lower bound of the recovery; NaN if RecoveredAt is known, or without data
	Degraded    time.Duration // sum of the spans of bad requests
	Failed      int64
	Area        float64       // seconds
	Resolution  time.Duration // uncertainty of onset and recovery
	BadBefore   bool          // the steady state failed: windows before the injection were bad
	StuckBefore bool          // windows before the injection were bad because requests were in flight and none ended
	HungBefore  bool          // the requests in flight at the injection hung before it; see [chances.hungBefore]
	Notes       result.Notes
	// why recovery can't be shown: requests are bad at a rate near the limit even without the fault
	Usual result.Notes
	// Requests were bad, and it is not known whether the fault did it: they were so long after the injection or after the
	// end, and nothing shows that the fault did it; or they were too few to distinguish them from chance, see
	// [chances.fewBad]. This is the answer if it did.
	Doubted *Answer
}

// Harm returns the answer with the harm that may be that of the fault.
func (a *Answer) Harm() *Answer {
	if a.Doubted != nil {
		return a.Doubted
	}
	return a
}

// Doubt makes the impact unknown, for the reason in a note: with is the answer if the harm is that of the fault.
func (a *Answer) Doubt(with Answer, why result.Note) {
	a.Impact, a.RecoveredAt, a.Doubted, a.Notes = result.UnknownYet, result.NaN, &with, result.Notes{why}
}

// FewBad reports whether requests were bad, and too few to distinguish them from chance; see [chances.fewBad].
func (a *Answer) FewBad() bool { return a.Impact == result.NotImpacted && a.Doubted != nil }

// Tells reports whether the impact is known. An unknown recovery does not matter.
func (a *Answer) Tells() bool {
	return a.Impact != result.Confounded && (a.Impact != result.UnknownYet || a.OnsetAt.Known())
}

// Until returns the question about the windows that end by a time.
func (q Question) Until(at time.Duration) Question {
	q.Horizon, q.Next = at, ""
	if i := slices.IndexFunc(q.Slices, func(s Slice) bool { return s.End > at }); i >= 0 {
		q.Slices, q.Horizon = q.Slices[:i], min(at, q.Slices[i].Start)
	}
	return q
}

// Without returns the question as if no request had been bad in the windows of an incident.
func (q Question) Without(in Incident) Question {
	q.Slices = slices.Clone(q.Slices)
	for i := range q.Slices {
		s := &q.Slices[i]
		if s.End <= in.Begin || s.Start >= in.End {
			continue
		}
		s.Bad, s.Failing, s.Good, s.InFlight = 0, 0, s.Offered, 0
		if marks := s.Marks; marks != nil {
			s.Marks = func(out []Mark) []Mark {
				before := len(out)
				out = marks(out)
				for j := range out[before:] {
					out[before+j].Bad = false
				}
				return out
			}
		}
	}
	return q
}

// Unknown returns the answer for an unknown effect.
func Unknown(impact result.Impact) Answer {
	return Answer{
		Impact: impact, OnsetAt: result.NaN, FailoverAt: result.NaN, RecoveredAt: result.NaN,
		NotBefore: result.NaN, FailoverNotBefore: result.NaN,
		OnsetIn: nowhere, FailoverIn: nowhere, RecoveredIn: nowhere, RelapsedAt: result.NaN, Resolution: time.Second,
		BackAt: result.NaN, RejoinAt: result.NaN, RejoinedAt: result.NaN,
	}
}

// Hide makes all times of an answer unknown but that of the onset.
func (a *Answer) Hide() {
	a.FailoverAt, a.RecoveredAt, a.NotBefore, a.RelapsedAt = result.NaN, result.NaN, result.NaN, result.NaN
	a.BackAt, a.RejoinAt, a.RejoinedAt, a.Doubted = result.NaN, result.NaN, result.NaN, nil
	a.FailoverNotBefore, a.FailoverLacks, a.Relapses = result.NaN, nil, nil
}

// Ask finds impact and recovery.
//
// Windows decide whether requests were bad. Single requests give the begin and the end; see Range.
//
// Onset: the first bad request of the first bad window at or after the injection. Two of three consecutive windows
// must be bad, or one must be bad beyond doubt: by its share, or because so many requests in a row were bad; see
// searched.
//
// Failover: the first good request after the last bad one before a hold that is good while the fault is still active.
// If requests were good when the fault was over, and had been so for too short a time to show it, it is unknown.
//
// Recovered: the first good request after the last bad one before the first good hold. In a good hold the upper bound
// of the pooled bad share is at most the limit, and after it the load stays good up to the next fault or its end.
// Service that comes and goes has not recovered. If the target degrades again while the fault is in, or within a second
// of the clearing, that is the same degradation; if it does so later, it relapsed.
//
// Rejoined: the harm of the revert is over. That harm begins with the clearing, to a second, after the load was good
// for a second or more. It is part of the same degradation, and recovery includes it.
//
// Bad before the injection: the steady state did not hold, and the impact is unknown. That is so if two of the last
// three windows before the injection, or the whole baseline, are bad; see unsteady. So it is if the requests in flight
// at the injection hung before it, and there is harm from it on; see hungBefore.
//
// The impact is unknown without a baseline, with too few requests to fill two windows or a hold, and if the load ends
// or another fault begins within a hold of the injection.
func Ask(q Question) Answer {
	a := Unknown(result.UnknownYet)
	c := newChances(q.Baseline, q.Limit).among(q.Baseline, q.Slices)
	end := max(q.Injected, min(q.Cleared, q.Horizon))
	if c.n == 0 {
		a.Notes = result.Notes{{Kind: result.BaselineNone}}
		a.count(q, c, end)
		return a
	}
	first := 0
	for first < len(q.Slices) && q.Slices[first].Start < q.Injected {
		first++
	}
	ws := c.searched(q.Slices, first, q.Horizon)
	at, sure := firstOnset(ws)
	a.HungBefore = c.hungBefore(q, first)
	a.BadBefore, a.StuckBefore = c.unsteady(q)
	if a.HungBefore && at == 0 { // and there is harm
		a.BadBefore, a.StuckBefore = true, true
	}
	if a.BadBefore {
		a.Notes = result.Notes{{Kind: result.BeforeUnsteady}}
		a.count(q, c, end)
		return a
	}
	if at < 0 {
		if p, found := c.pausedAmong(q, first); found {
			a.pausedOnly(q, c, p)
			return a
		}
		a.untouched(q, c, ws, first)
		a.count(q, c, end)
		return a
	}
	onset := c.locate(q.Slices, ws, at, first)
	a.Impact = result.Impacted
	width := max(time.Second, ws[at].End-ws[at].Start)
	begin := c.badFrom(q, first, onset, width)
	a.OnsetAt, a.OnsetIn, a.Resolution = result.Sec(begin.At), begin.Range, begin.width()
	if s, ok := c.failover(q, onset, max(onset, ws[sure].from)); ok {
		back := c.goodFrom(q, onset, s, width)
		a.FailoverAt, a.FailoverIn = result.Sec(back.At), back.Range
	}
	until := a.recover(q, c, onset, max(onset, ws[sure].from), width)
	if !a.FailoverAt.Known() {
		a.mayFailOver(q, c, onset, max(onset, ws[sure].from))
	}
	a.rejoin(q, c, onset, until)
	if sum, known := c.badTime(q, max(first, onset-1), until); known {
		a.Degraded = sum
	} else {
		a.Degraded = max(0, q.Slices[onset].Start-begin.At) // a stall begins before the first slice without an answer
		for i := range ws {
			switch w := &ws[i]; {
			case w.verdict < bad || w.Start >= until:
			case float64(w.Bad) <= c.limit*float64(w.N): // it is bad by its stall alone
				a.Degraded += w.stall
			default:
				a.Degraded += max(0, min(until, w.End)-max(w.Start, q.Slices[onset].Start))
			}
		}
	}
	a.count(q, c, until)
	return a
}

// untouched sets the answer if there is no onset: no impact, if there is enough data.
func (a *Answer) untouched(q Question, c chances, ws []window, first int) {
	known, open := 0, -1
	for i := range ws {
		if ws[i].verdict != unknown {
			known++
		}
		if ws[i].verdict == bad {
			open = i
		}
	}
	lasted := q.Horizon - q.Injected
	switch {
	case lasted < q.Hold:
		a.Notes = result.Notes{{Kind: result.EndWithinHold, Of: q.Next, For: wholeSeconds(q.Hold - lasted)}}
	case open >= 0 && open > known-decisive: // one of the next windows could have completed an onset
		w := &ws[open]
		all := decisive * timeFor(c.window(), w.N, w.End-w.Start)
		a.Notes = result.Notes{{Kind: result.EndAfterBad, Of: q.Next, For: wholeSeconds(w.Start + all - q.Horizon)}}
	case known < 2 && c.hold(q, first, q.Horizon, q.Hold, noDegradation).state != recovered:
		a.Notes = result.Notes{c.few(q, first)}
	default:
		a.Impact = result.NotImpacted
		a.RecoveredAt = result.Sec(q.Injected)
		a.Doubted, a.Notes = c.fewBad(q, first)
	}
}

// fewBad returns the answer if bad requests from slice first on are an impact, although they are too few to show one,
// and a note about them. Their share of the requests from the injection to the last of them is larger than the limit
// and the share of the baseline together. The answer is nil if there are no two such requests.
func (c chances) fewBad(q Question, first int) (*Answer, result.Notes) {
	onset, to := -1, -1
	var n, k, count, part int64
	for i := first; i < len(q.Slices) && q.Slices[i].End <= q.Horizon; i++ {
		s := &q.Slices[i]
		n, k = n+s.N, k+s.Bad
		if onset < 0 && s.Bad > 0 {
			onset = i
		}
		if s.Bad > 0 && k > 1 && float64(k) > (c.limit+c.p0)*float64(n) {
			to, count, part = i, n, k
		}
	}
	if to < 0 {
		return nil, nil
	}
	isBad := func(m Mark) bool { return m.Bad }
	begin, back := edgeAt(q.Slices[onset].Start, time.Second), edgeAt(q.Slices[to].End, time.Second)
	if list, known := marks(q, onset, onset+1); known && slices.ContainsFunc(list, isBad) {
		i := slices.IndexFunc(list, isBad)
		begin = edge{list[i].At, Range{result.Sec(goodBefore(list, i, q.Injected)), result.Sec(list[i].At)}}
	}
	if list, known := marks(q, to, to+1); known && slices.ContainsFunc(list, isBad) {
		i := len(list) - 1
		for !list[i].Bad {
			i--
		}
		end, answered := goodAfter(list, i, q.Slices[to].End)
		back = edge{end, Range{result.Sec(list[i].At), result.Sec(answered)}}
	}
	a := Unknown(result.Impacted)
	a.OnsetAt, a.OnsetIn, a.RecoveredAt, a.RecoveredIn = result.Sec(begin.At), begin.Range, result.Sec(back.At), back.Range
	if back.At < q.Cleared {
		a.FailoverAt, a.FailoverIn = a.RecoveredAt, a.RecoveredIn
	}
	a.Degraded, a.Resolution = back.At-begin.At, max(begin.width(), back.width())
	a.count(q, c, back.At)
	return &a, result.Notes{{
		Kind: result.FewBad, Part: part, Count: count, From: a.OnsetAt, To: a.RecoveredAt, Limit: result.Num(c.limit),
	}}
}

// few says how many requests came from slice first on, and how many fill the two windows that are needed.
func (c chances) few(q Question, first int) result.Note {
	out := result.Note{Kind: result.FewAfter, Of: q.Next, Need: 2 * c.window()}
	for i := first; i < len(q.Slices) && q.Slices[i].End <= q.Horizon; i++ {
		out.Count += q.Slices[i].N
	}
	out.For = wholeSeconds(timeFor(out.Need-out.Count, out.Count, q.Horizon-q.Injected))
	return out
}

// badFrom returns the instant at which a degradation began in slice onset, not before slice first. width is the
// resolution if single requests are unknown.
func (c chances) badFrom(q Question, first, onset int, width time.Duration) edge {
	e, exact := c.begin(q, first, onset)
	if s, stalled := stallBegin(q, onset); stalled && (!exact || e.At >= q.Slices[onset].End) { // e is of later requests
		return s.notBefore(q.Injected)
	}
	if exact {
		return e
	}
	return edgeAt(q.Slices[onset].Start, width)
}

// goodFrom returns the instant at which a degradation that began in slice onset ended, by the hold from slice s on.
// width is the resolution if single requests are unknown.
func (c chances) goodFrom(q Question, onset, s int, width time.Duration) edge {
	if e, exact := c.finish(q, onset, s); exact {
		return e
	}
	if e, exact := stallEnd(q, s); exact {
		return e
	}
	return edgeAt(q.Slices[s].Start, width)
}

// recover looks for recovery after slice from and returns the end of the degradation.
func (a *Answer) recover(q Question, c chances, onset, from int, width time.Duration) time.Duration {
	last := satAdd(q.Cleared, AtOnce) // a degradation that begins by then belongs to this one
	for {
		h := c.recovery(q, onset, from)
		if h.state != recovered {
			a.Impact = result.NotRecovered
			a.NotBefore = result.Sec(c.notBefore(q, onset, h))
			a.Usual = c.usualRate(q)
			if h.state == undecided {
				a.Impact = result.UnknownYet
				a.Notes = append(result.Notes{c.lack(q, onset, h)}, a.Usual...)
			}
			return q.Horizon
		}
		ws := c.searched(q.Slices, h.from, q.Horizon)
		again, sure := firstOnset(ws)
		if again < 0 {
			back := c.goodFrom(q, onset, h.from, width)
			a.RecoveredAt, a.RecoveredIn = result.Sec(back.At), back.Range
			a.Resolution = max(a.Resolution, back.width())
			return back.At
		}
		before := h.from
		onset = max(h.from, c.locate(q.Slices, ws, again, h.from))
		if q.Slices[onset].Start > last {
			a.Relapses = append(a.Relapses, result.Sec(c.badFrom(q, before, onset, width).At))
			a.RelapsedAt = a.Relapses[0]
		}
		from = max(onset, ws[sure].from)
	}
}

// mayFailOver looks after slice from for a failover that the requests up to the end of the fault can't show.
func (a *Answer) mayFailOver(q Question, c chances, onset, from int) {
	end := min(q.Cleared, q.Horizon)
	in := q
	in.Horizon, in.Next = end, ""
	lacks := result.Note{}
	switch h := c.recovery(in, onset, from); {
	case h.state != stillBad:
		a.FailoverNotBefore = result.Sec(c.notBefore(in, onset, h))
		if c.needed(h.k, c.degradationBefore(in, onset, h.from)) > h.n { // the hold may then be as short as it was
			in.Hold = min(in.Hold, end-in.Slices[h.from].Start)
		}
		lacks = c.lack(in, onset, h)
		if q.Cleared > q.Horizon { // the fault is in, and the load ended or another fault was injected
			a.FailoverLacks = result.Notes{c.lack(q, onset, h)}
			return
		}
	case a.RecoveredIn.High < result.Sec(end): // false if it is unknown
		a.FailoverNotBefore = a.RecoveredIn.Low
	case q.Cleared > q.Horizon: // bad for as long as the requests tell, and the fault is in
		a.FailoverNotBefore = result.Sec(end)
		return
	default:
		return
	}
	lacks.Kind = result.FailoverUntold
	a.FailoverLacks = result.Notes{lacks}
}

// rejoin finds the harm of the revert in a degradation that began in slice onset and lasted until a time.
func (a *Answer) rejoin(q Question, c chances, onset int, until time.Duration) {
	if q.Cleared >= until {
		return
	}
	to := onset
	for to < len(q.Slices) && q.Slices[to].Start < until {
		to++
	}
	list := c.stretches(q, onset, to)
	for i, s := range list {
		begin, back := edge{a.OnsetAt.D(), a.OnsetIn}, result.Sec(q.Injected)
		if i > 0 {
			begin, back = s.begin, result.Sec(list[i-1].end.At)
		}
		if !begin.With(q.Cleared) || begin.At <= q.Injected+AtOnce {
			continue
		}
		a.BackAt, a.RejoinAt, a.RejoinedAt = back, result.Sec(begin.At), a.RecoveredAt
		for ; i+1 < len(list) && a.RelapsedAt.Known(); i++ { // the last recovery is that from the relapse
			if result.Sec(list[i+1].begin.At) >= a.RelapsedAt {
				a.RejoinedAt = result.Sec(list[i].end.At)
				break
			}
		}
		return
	}
}

// count adds up the losses from the injection to until.
//
// Failed counts bad requests beyond the baseline's share, plus the bad ones that were in flight at the injection.
// Area is the integral of 1 - good/offered, less that share of the baseline. A slice without offered requests counts in
// full if it belongs to a stall, such as of a closed load, that is longer than chance explains.
func (a *Answer) count(q Question, c chances, until time.Duration) {
	n, k := q.Caught.N, q.Caught.Bad
	var stall, silent time.Duration // length of the current stall, and the part of it without requests
	ends := func() {
		if c.quiet(stall) < tailBad {
			a.Area += silent.Seconds()
		}
		stall, silent = 0, 0
	}
	for i := range q.Slices {
		s := &q.Slices[i]
		if s.Start < q.Injected || s.Start >= until {
			continue
		}
		n += s.N
		k += s.Bad
		width := s.End - s.Start
		if s.Stalled() {
			stall += width
		} else {
			ends()
		}
		switch {
		case s.Offered > 0:
			a.Area += (1 - float64(s.Good)/float64(s.Offered) - c.lost) * width.Seconds()
		case s.Stalled():
			silent += width
		}
	}
	ends()
	a.Area = max(0, a.Area)
	a.Failed = max(0, int64(math.Round(float64(k)-c.p0*float64(n))))
}

// forever is later than any run.
const forever = time.Duration(math.MaxInt64)

func satAdd(a, b time.Duration) time.Duration {
	if a > forever-b {
		return forever
	}
	return a + b
}
