package judge

import (
	"iter"
	"math"
	"slices"
	"sort"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// The texts of the adjustments for seconds in which other programs held the processors.
const (
	heldName   = "processors held"
	heldCounts = "other programs held the processors of the machine on which brunt and the target run: the seconds are " +
		"left out in which that may explain each timeout and each slow answer, or, of a delivery, each slow message, " +
		"because the target's units waited for a processor for as long, and brunt, if it used as much of one on the same " +
		"terms, for a tenth of it, or for less if a message waited for the work on others; their other " +
		"errors count, unless a unit that a fault hit was away only for as long, and an answer with a status always counts. " +
		"A percentile of an open load asks for brunt's lag at the same percentile. So are the seconds in which brunt itself used " +
		"half of its processors or more, and was late by 100 ms; or in which it was late by a tenth of the longest wait, " +
		"and it is not known who held the processors. If that leaves out more than half of the requests, these count as " +
		"answered at once"
	heldChanged = "a failure is inconclusive, as the target may have lacked a processor; it is invalid if brunt itself " +
		"lacked processor time"
)

// explains is the share of the longest answer for which the units must have waited to explain it. The rest is what the
// answer takes anyway, and the error of the readings.
const explains = .9

// A heldWindow is a window whose timeouts and slow answers a lack of processors may explain.
type heldWindow struct {
	others int64 // errors that it does not explain
	own    bool  // brunt itself lacked processor time
	away   bool  // it explains all errors that are no answers
}

// heldWindows returns the windows, by start, in which other programs held the processors, or brunt itself lacked one,
// and whose timeouts and slow answers that may explain; see [readings.waited] and [readings.overloaded]. An error other
// than a timeout is an answer of the target, or of its system, and no wait explains it, unless it has no status and a
// unit that a fault hit was down only for as long, see [readings.heldAway].
func (f *readings) heldWindows() map[time.Duration]heldWindow {
	if f.held != nil || len(f.c.Held) == 0 && len(f.c.Used) == 0 && len(f.c.Contested) == 0 {
		return f.held
	}
	out, away := map[time.Duration]heldWindow{}, f.heldAway()
	f.index()
	for next := 0; next < len(f.records); {
		start, first := f.records[next].Start, next
		for next < len(f.records) && f.records[next].Start == start {
			next++
		}
		window := f.records[first:next]
		in := requests.Span{From: start, To: f.EndOf(start)}
		if in.Covered(away) > 0 {
			w := heldWindow{away: true}
			for i := range window {
				w.others += window[i].answers
			}
			out[start] = w
			continue
		}
		longest, took, others, message := f.longestWait(window)
		wait := requests.Span{From: start, To: in.To + took}
		excess, waits := longest-f.beyond, f.processorWaits(wait, message)
		if f.beyond == 0 && slices.ContainsFunc(window, func(r record) bool { return r.Slow > 0 }) {
			excess -= f.allowed()
		}
		switch lag := f.lagOf(wait); {
		case excess < 0: // none of its answers is over the limit
			continue
		case f.overloaded(wait, longest, waits):
			out[start] = heldWindow{others: others, own: true}
		case wait.Covered(f.c.Held) > 0 && f.waited(in, longest, excess, lag, waits) && !f.light(wait, excess, lag, waits):
			out[start] = heldWindow{others: others}
		}
	}
	f.held = out
	return out
}

// allowed returns the longest time of an answer that no objective and no limit of slow answers makes bad. It is zero if
// times are compared with other times. Waits must explain only the time of a slow answer beyond it.
func (f *readings) allowed() time.Duration {
	if slices.ContainsFunc(f.c.SLO, slo.Objective.Relative) {
		return 0
	}
	allowed, _ := f.Config.SlowRange()
	for _, l := range f.Config.Limits {
		allowed = min(allowed, l.At)
	}
	return allowed
}

// overloadLag is a lag of brunt that is not that of a busy moment: ten times the largest of a healthy run.
const overloadLag = 100 * time.Millisecond

// overloaded reports whether brunt itself lacked processor time while requests of a window waited, for as long as
// longest at most. In half of the windows in which it began requests it was late by [overloadLag], and for half of that
// time it used half of its processors or more. A request then waits for brunt to send it, for a connection that brunt
// did not yet free, and for its answer to be read; that queue grows for as long as it goes on. Where brunt used less,
// but tasks of its machine waited for a processor, and the programs that held them are not known, the waits of one
// request, see [readings.processorWaits], must be as long as the longest answer.
func (f *readings) overloaded(wait requests.Span, longest time.Duration, waits int64) bool {
	half := func(spans []requests.Span) bool { return 2*wait.Covered(spans) >= wait.Length() }
	least := overloadLag
	switch {
	case longest == 0:
		return false
	case half(f.c.Used):
	case half(f.c.Contested):
		least = max(least, longest/time.Duration(waits))
	default:
		return false
	}
	late, all := 0, 0
	for lag := range f.lags(wait) {
		if lag > 0 {
			all++
			if lag >= least {
				late++
			}
		}
	}
	return all > 0 && 2*late >= all
}

// heldAway lists the spans in which a unit that a fault hit was not well, where a lack of processors may explain how
// long that was: other programs held the processors for [explains] of it, and waits may explain a request that takes as
// long; see [readings.waited]. Otherwise it lists the part of them by which waits made it longer; see
// [readings.delayed].
func (f *readings) heldAway() (out []requests.Span) {
	f.index()
	for i := range f.c.Occurrences {
		for _, s := range f.c.Occurrences[i].Unwell {
			back := s.To < f.end
			s.To = min(s.To, f.end)
			switch {
			case f.heldFor(s, explains) && f.waited(s, s.Length(), s.Length(), f.lagOf(s), result.ProcessorWaits):
				out = append(out, s)
			case back && f.c.UnitWaits != nil:
				if late := f.delayed(i, s); f.heldFor(late, .5) { // else its tasks wait for each other
					out = append(out, late)
				}
			}
		}
	}
	return out
}

// heldFor reports whether other programs held the processors for a share of a span.
func (f *readings) heldFor(s requests.Span, share float64) bool {
	held := s.Covered(f.c.Held)
	return held > 0 && float64(held) >= share*float64(s.Length())
}

// delayed returns the last part of an outage, which began when a unit that occurrence i hit was away, and lasts while
// the unit starts, until the first good window. The part is as long as tasks of the unit waited for a processor
// meanwhile, at least: without these waits, the outage would have been over by then. It consists of whole windows. If
// the waits are [explains] of the time from when the unit was away to the last bad request, it is the whole outage.
func (f *readings) delayed(i int, away requests.Span) requests.Span {
	out := requests.Span{From: away.From, To: f.badUntil(away.To)}
	exact := requests.Span{From: away.From, To: max(away.To, f.lastBadIn(requests.Span{From: away.To, To: out.To}))}
	if float64(f.unitWaits(i, exact)) >= explains*float64(exact.Length()) {
		to := max(out.To, measure.FloorSecond(exact.To)+time.Second)
		return requests.Span{From: measure.FloorSecond(out.From), To: to}
	}
	waits := min(f.unitWaits(i, out), out.Length())
	return requests.Span{From: measure.FloorSecond(out.To - waits + time.Second - 1), To: out.To}
}

// unitWaits returns how long tasks of a unit that occurrence i hit waited for a processor in a span, at least.
func (f *readings) unitWaits(i int, in requests.Span) (waited time.Duration) {
	for _, unit := range f.c.Occurrences[i].Hit {
		waited = max(waited, f.c.UnitWaits(unit, in))
	}
	return waited
}

// lastBadIn returns the time of the last bad request of the windows that a span overlaps; zero without one.
func (f *readings) lastBadIn(in requests.Span) (last time.Duration) {
	for next := f.recordAt(measure.FloorSecond(in.From)); next < len(f.records) && f.records[next].Start < in.To; next++ {
		if r := &f.records[next]; r.edges.Bad && f.Config.InSums(int(r.Series)) {
			last = max(last, r.edges.LastBad)
		}
	}
	return last
}

// badUntil returns the end of the windows from a time on in which more requests are bad than the limit allows.
func (f *readings) badUntil(from time.Duration) time.Duration {
	for start, bad := range f.badFrom(from) {
		if !bad {
			return start
		}
	}
	return f.end
}

// badFrom yields the start of each window with requests from a time on, and whether more of these are bad than the
// limit allows.
func (f *readings) badFrom(from time.Duration) iter.Seq2[time.Duration, bool] {
	return func(yield func(time.Duration, bool) bool) {
		for next := f.recordAt(measure.FloorSecond(from)); next < len(f.records); {
			start, bad, all := f.records[next].Start, int64(0), int64(0)
			for ; next < len(f.records) && f.records[next].Start == start; next++ {
				if r := &f.records[next]; f.Config.InSums(int(r.Series)) {
					bad, all = bad+r.Bad()+r.Slow, all+r.Offered()
				}
			}
			if !yield(start, float64(bad) > f.c.Limit*float64(all)) {
				return
			}
		}
	}
}

// lagOf returns how long brunt itself waited at most in a span: its largest lag, or its longest freeze.
func (f *readings) lagOf(in requests.Span) time.Duration {
	lag := measure.LongestFreeze(f.freezes(), in.From, in.To)
	for late := range f.lags(in) {
		lag = max(lag, late)
	}
	return lag
}

// lags yields the largest lag of each window that overlaps a span.
func (f *readings) lags(in requests.Span) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for start := range f.windowsIn(in) {
			if !yield(f.late[start]) {
				return
			}
		}
	}
}

// windowsIn yields the start of each window that overlaps a span.
func (f *readings) windowsIn(in requests.Span) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		first, _ := slices.BinarySearch(f.starts, measure.FloorSecond(in.From))
		for _, start := range f.starts[first:] {
			if start >= in.To || f.EndOf(start) > in.From && !yield(start) {
				return
			}
		}
	}
}

// waited reports whether waits for a processor may explain excess, a part of the time that an answer to a request of a
// span took, which was longest.
//
// While a request waits for a processor, a task of one of the units waits, or brunt does. So if the control groups or
// the threads of the units tell how long tasks of them waited, these waits and brunt's own lag, for reading the answer,
// must be [explains] of the excess.
//
// The waits of a unit are not known while threads of it end, or if they are too many. Those of the whole machine
// contain the waits of the programs that hold it, so they only tell what can't be: they must be as long as well.
// brunt's own lag then tells what may be. It is one wait for a processor, so as many times the lag as a request waits,
// see [readings.processorWaits], must be as long as the excess.
func (f *readings) waited(in requests.Span, longest, excess, lag time.Duration, waits int64) bool {
	may := time.Duration(waits)*lag >= excess
	enough := func(d time.Duration) bool { return float64(d) >= explains*float64(excess) }
	if f.c.Waited == nil {
		return may
	}
	waited, own, known := f.c.Waited(in.From, in.To, longest)
	if own && known {
		return enough(waited + lag)
	}
	return may && (!known || enough(waited+lag))
}

// light reports whether the waits of one request for a processor were too short to explain that it took as long as
// longest. The waits of the units are those of all their tasks, and on a busy machine some task always waits. But
// where the kernel gives the units processor time as it gives it to brunt, a unit that uses no more of it than brunt
// waits no longer than brunt each time, as often as [readings.processorWaits] says. One that uses twice as much has
// twice as many turns to wait for. It takes [leastLags] to know how long brunt waits at most.
func (f *readings) light(wait requests.Span, longest, lag time.Duration, waits int64) bool {
	if !f.c.Peers || f.sentIn(wait) < leastLags {
		return false
	}
	at := func(i int) (t, cpu result.Num) { return f.c.Generator[i].T, f.c.Generator[i].CPU }
	own, known := coresIn(wait, len(f.c.Generator), at)
	if !known || own == 0 {
		return false
	}
	turns := 1.0
	for i := range f.c.Usage {
		ticks := f.c.Usage[i].Seconds
		cores, known := coresIn(wait, len(ticks), func(i int) (t, cpu result.Num) { return ticks[i].T, ticks[i].CPU })
		if !known {
			return false
		}
		turns = max(turns, cores/own)
	}
	return turns*float64(waits)*float64(lag) < explains*float64(longest)
}

// processorWaits returns how often one request of a span waits for a processor at most: [result.ProcessorWaits] times.
// A message of a delivery, message being its series, waits for those before it as well, so for each of the span once.
func (f *readings) processorWaits(in requests.Span, message int32) int64 {
	if message < 0 {
		return result.ProcessorWaits
	}
	queued := int64(0)
	for next := f.recordAt(measure.FloorSecond(in.From)); next < len(f.records) && f.records[next].Start < in.To; next++ {
		if r := &f.records[next]; r.Series == message {
			queued += r.Offered()
		}
	}
	return result.ProcessorWaits * max(1, queued)
}

// aboutMessages reports whether an objective is about the times of a delivery's messages.
func (f *readings) aboutMessages(o slo.Objective) bool {
	for i := range f.Config.Steps {
		if f.ofDelivery(int32(i)) && requests.Selects(&f.Config.Series, o, i) {
			return true
		}
	}
	return false
}

// ofDelivery reports whether a series has the times of a delivery's messages.
func (f *readings) ofDelivery(i int32) bool {
	named := func(d *result.DeliveryRecord) bool { return d.Name == f.Config.Steps[i].Name }
	return f.Config.Steps[i].Part && slices.ContainsFunc(f.c.Deliveries, named)
}

// leastLags is the number of requests whose lags tell how long one of the next waits for a processor.
const leastLags = 30

// sentIn returns the number of requests of the windows that overlap a span.
func (f *readings) sentIn(in requests.Span) (n int64) {
	for start := range f.windowsIn(in) {
		n += f.lagged[start]
	}
	return n
}

// coresIn returns the mean number of cores of n readings, of the seconds that overlap a span; t is the end of such a
// second. It is not known if one of them is not, or if they do not cover the span.
func coresIn(in requests.Span, n int, at func(i int) (t, cpu result.Num)) (mean float64, known bool) {
	ended := func(i int) time.Duration { t, _ := at(i); return t.D() }
	first := sort.Search(n, func(i int) bool { return ended(i) > in.From })
	if first == n || first == 0 && ended(0) > in.From+time.Second {
		return 0, false
	}
	for i := first; i < n; i++ {
		_, cpu := at(i)
		if !cpu.Known() {
			return 0, false
		}
		mean += (float64(cpu) - mean) / float64(i-first+1)
		if ended(i) >= in.To {
			return mean, true
		}
	}
	return 0, false
}

// longestWait returns the longest wait that must be explained in a window, the longest time that a request of it took,
// both without brunt's own time, and the number of errors that no wait explains. These are all if a timeout has no
// limit that is known. A wait as long as an attempt may take explains that the request was sent again, as often as it
// was. message is the delivery whose message waited longest, by its series; it is negative where a request did. Only
// requests and messages that the objective of the readings is about count; without an objective, messages do not.
func (f *readings) longestWait(window []record) (
	longest, took time.Duration, others int64, message int32,
) {
	message = -1
	for i := range window {
		r := &window[i]
		if int(r.Series) >= len(f.Config.Steps) {
			continue
		}
		delivery := f.ofDelivery(r.Series)
		if f.asks == nil && delivery || f.asks != nil && !requests.Selects(&f.Config.Series, *f.asks, int(r.Series)) {
			continue
		}
		of, most := &f.Config.Loads[f.Config.LoadOf(int(r.Series))], r.Own.Most
		if r.timeouts() > 0 {
			most = max(most, of.Timeout)
		}
		took = max(took, most)
		if of.Attempt > 0 && !delivery {
			most = min(most, of.Attempt)
		}
		if most > longest {
			longest, message = most, -1
			if delivery {
				message = r.Series
			}
		}
		others += f.unexplained(r)
	}
	return longest, took, others, message
}

// timeouts returns the number of timeouts that brunt itself did not cause.
func (r *record) timeouts() int64 { return r.Timeouts - r.Own.Timeouts }

// unexplained returns the number of errors of a record that no wait explains and that brunt itself did not cause.
func (f *readings) unexplained(r *record) int64 {
	n := r.Kinds[scenarios.Error] - r.Own.Errors
	if int(r.Series) < len(f.Config.Steps) && f.Config.Loads[f.Config.LoadOf(int(r.Series))].Timeout == 0 {
		return n
	}
	return n - r.timeouts()
}

// withoutHeld judges a failure on bad requests or on times again without the windows of [readings.heldWindows]. It
// stands if the other windows show it, together with the errors of these that no wait explains; if they have less than
// half of the requests, they must show it although the rest was answered at once. A failure of a metric that no wait
// explains stands as well: the share of requests that the target refused, and the rate of an open load, whose arrivals
// do not wait for the target.
//
// A rate of users who wait for answers is judged by the other windows, as these users send less meanwhile. The goodput
// of an open load is judged as if each request of the windows had been good, so that a lower rate of arrivals outside
// of them does not count.
//
// An answer over the time that an objective names would be within it if waits are as long as it is over. So such a
// failure is judged a third time, without the windows in which waits explain that much alone, of the requests that it
// is about. One on the messages of a delivery is judged so only.
func (e *evaluator) withoutHeld(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	row, users := q.o.Metric.Row(), e.read.ofUsers(q.o)
	waits := row.CountsBad || row.TimesOut || row.Rate != nil && users || row.Spans != nil || q.o.Metric.Latency()
	if r.Verdict != scenarios.Fail || !waits {
		return r
	}
	messages := e.read.aboutMessages(q.o)
	percentile := (q.o.Metric.Quantile > 0 || q.o.Metric.Name == "within") && q.o.Upper() == q.o.Metric.Latency() &&
		!q.o.Relative() && !users && !messages
	if e.unheld != nil && !messages && !percentile {
		var other requests.Sum
		for s := range e.unheld[q.i] {
			if requests.Selects(&e.read.Config.Series, q.o, s) {
				other.Merge(e.unheld[q.i][s].CountsWithTimes())
			}
		}
		r = e.supposingHeld(q, r, e.read, other)
	}
	limit, timed := q.o.Metric.Span, requests.LimitIndex(e.read.Config.Limits, q.o) >= 0
	if q.o.Metric.Latency() {
		limit, timed = time.Duration(q.o.Value*float64(time.Second)), q.o.Upper()
	}
	timed = timed && !q.o.Relative()
	if r.Verdict != scenarios.Fail || !timed && !messages {
		return r
	}
	read := *e.read
	if read.held, read.asks = nil, &q.o; timed {
		read.beyond = limit
	}
	held := read.heldWindows()
	if percentile {
		held = e.explained(q, &r, held)
		read.held = held
	}
	if len(held) == 0 {
		return r
	}
	var other requests.Sum
	err := e.read.Cells(func(k measure.Key, c *measure.Cell) {
		if _, left := held[k.Start]; !left && q.p.has(&e.read.History, k) &&
			requests.Selects(&e.read.Config.Series, q.o, int(k.Series)) {
			other.Merge(c.CountsWithTimes())
		}
	})
	if err != nil { // Judge read the same cells before
		return r
	}
	return e.supposingHeld(q, r, &read, other)
}

// explained returns the windows in which brunt's own lag may explain how far a percentile is over its limit, where it
// tells that; see [readings.light]. It is the lag at the same percentile: the largest one belongs to one request of a
// second, and most answers are not slow because of it.
func (e *evaluator) explained(
	q *ask, r *result.ObjectiveResult, held map[time.Duration]heldWindow,
) map[time.Duration]heldWindow {
	at, excess := q.o.Metric.Quantile, float64(r.Measured)-q.o.Value
	if all := q.punctual.Response; at == 0 && all != nil {
		at = q.o.Value
		rank := int64(math.Ceil(at * float64(all.Total)))
		excess = all.ValueAt(rank, q.punctual.Most) - q.o.Metric.Span.Seconds()
	}
	over, out := time.Duration(min(excess, 1e6)*float64(time.Second)), map[time.Duration]heldWindow{}
	err := e.read.Cells(func(k measure.Key, c *measure.Cell) {
		w, is := held[k.Start]
		if !is || c.Lag.Total == 0 || !q.p.has(&e.read.History, k) {
			return
		}
		in, lag := requests.Span{From: k.Start, To: e.read.EndOf(k.Start)}, c.Lag.Quantile(at).D()
		switch {
		case w.own, math.IsInf(excess, 1), e.read.c.Waited == nil && result.ProcessorWaits*lag >= over,
			e.read.c.Waited != nil && !e.read.light(in, over, lag, result.ProcessorWaits):
			out[k.Start] = w
		}
	})
	if err != nil { // Judge read the same cells before
		return held
	}
	return out
}

// supposingHeld judges a failure again by the requests outside of the windows of [readings.heldWindows], of which other
// is the sum, and by the errors within them that no wait explains.
func (e *evaluator) supposingHeld(
	q *ask, r result.ObjectiveResult, of *readings, other requests.Sum,
) result.ObjectiveResult {
	row, users := q.o.Metric.Row(), of.ofUsers(q.o)
	why, held := of.heldIn(q.p.Span)
	if !held {
		return r
	}
	for i := range of.records {
		r := &of.records[i]
		if !requests.Selects(&of.Config.Series, q.o, int(r.Series)) || !q.p.has(&of.History, r.Key) {
			continue
		}
		if kept, _ := of.keptOf(r); kept.Bad() > 0 {
			if q.o.Metric.Latency() || users {
				kept.Kinds[scenarios.OK] = 0 // nothing tells how long they would have taken
			}
			other.Merge(&kept)
		}
	}
	if rest := q.punctual.Offered() - other.Offered(); rest > other.Offered() && row.Rate == nil {
		other.Merge(measure.AtOnce(rest)) // the other windows are the smaller part, and may be the slow ones by chance
	}
	supposed, read := *e, of.withHeldGood()
	supposed.read, supposed.blocks = &read, nil
	sum := *other.Punctual()
	switch {
	case row.Rate == nil:
	case users:
		read.without = of.heldWindows()
	default:
		sum = q.punctual.WithBadOf(&sum)
	}
	if supposed.punctually(q, sum).Verdict != scenarios.Fail {
		doubtHeld(&r, why)
	}
	return r
}

// ofUsers reports whether all loads that an objective selects are closed: their users wait for answers.
func (f *readings) ofUsers(o slo.Objective) bool {
	for l := range f.Config.Loads {
		if requests.About(&f.Config.Series, o, l) && !f.Config.Loads[l].Closed {
			return false
		}
	}
	return true
}

// withHeldGood judges a failure on faults again as if each request in the windows of [readings.heldWindows] had been
// good, but for errors that no wait explains.
func withHeldGood(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	why, held := f.read.heldIn(f.read.run())
	if held && q.judge(f.supposing(f.read.withHeldGood())).Verdict != scenarios.Fail {
		doubtHeld(&r, why)
	}
	return r
}

// withHeldGood returns readings in which each request of the windows of heldWindows was good, but for errors that no
// wait explains, and none of them was in flight for long; see [readings.keptOf].
func (f *readings) withHeldGood() readings {
	out := *f
	out.records, out.windows, out.flows, out.heldGood = slices.Clone(f.records), nil, nil, true
	for i := range out.records {
		r := &out.records[i]
		kept, held := f.keptOf(r)
		if !held {
			continue
		}
		r.Kinds, r.Timeouts, r.Slow, r.Checks, r.Failed = kept.Kinds, 0, 0, kept.Checks, kept.Failed
		r.Over, r.Own = make([]int64, len(r.Over)), measure.Own{Most: r.Own.Most, Over: make([]int64, len(r.Own.Over))}
		if kept.Bad() == 0 {
			r.edges = r.edges.AllGood()
		}
	}
	return out
}

// keptOf returns the counts of a record as if a processor had been free. held is false if its window is not in
// [readings.heldWindows]. Errors that no wait explains stay, and a step was skipped for each of them at most. The other
// requests of such a window count as good.
func (f *readings) keptOf(r *record) (kept measure.Counts, held bool) {
	in, held := f.heldWindows()[r.Start]
	if !held {
		return kept, false
	}
	all := r.Counts.Punctual()
	kept.Kinds[scenarios.Shed] = all.Kinds[scenarios.Shed]
	if in.others > 0 {
		if kept.Kinds[scenarios.Error] = r.answers; !in.away {
			kept.Kinds[scenarios.Error] = f.unexplained(r)
		}
		kept.Kinds[scenarios.Skipped] = min(all.Kinds[scenarios.Skipped], in.others)
	}
	kept.Kinds[scenarios.OK] = all.Offered() - kept.Offered()
	kept.Checks, kept.Failed = kept.Bad(), kept.Bad()
	return kept, true
}

// heldIn says why the windows of heldWindows in a span leave a failure open, with the number of their seconds. If brunt
// itself lacked processor time in any of them, these count alone. found is false without such a window.
func (f *readings) heldIn(in requests.Span) (why result.Note, found bool) {
	own := map[time.Duration]bool{} // by second: whether brunt itself lacked processor time
	for start, w := range f.heldWindows() {
		if start >= in.From && start < in.To {
			second := measure.FloorSecond(start)
			own[second] = own[second] || w.own
		}
	}
	n := int64(0)
	for _, is := range own {
		if is {
			n++
		}
	}
	if n > 0 {
		return result.Note{Kind: result.OwnLoadFails, Count: n}, true
	}
	return result.Note{Kind: result.MachineFails, Count: int64(len(own))}, len(own) > 0
}

// doubtHeld makes a failure that the other windows do not show inconclusive, or invalid if brunt is the reason.
func doubtHeld(r *result.ObjectiveResult, why result.Note) {
	if why.Kind == result.OwnLoadFails {
		r.Doubt(why)
		return
	}
	r.Verdict, r.Because = scenarios.Inconclusive, result.Notes{why}
}
