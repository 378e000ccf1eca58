package html

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Follower follows a run second by second. It keeps the last minute and a log of what happened, and describes both
// for the live page. The zero value follows a run that has not begun.
type Follower struct {
	last   result.Interval
	begun  bool     // an interval was added
	minute []second // the oldest first
	log    []Happening

	in     map[string]time.Duration // active faults, with the time at which they were first seen
	states []scenarios.Verdict      // of the objectives
	faulty bool                     // a fault was active: the baseline is over
	people bool                     // people are expected to act, or did
	wrong  *trouble                 // requests fail; nil: none does
	slow   *trouble                 // answers are slow; nil: they are not
}

// A second is what the small lines of the live page show of one interval.
type second struct {
	at     time.Duration
	rate   float64 // requests that ended, per second
	asked  float64 // requests offered, per second
	failed float64 // share of the requests that ended, 0 to 1
	p95    float64 // seconds; NaN: nothing was answered
	faulty bool    // a fault was active
}

// A trouble lasts until the load has been calm for some intervals.
type trouble struct {
	since time.Duration
	calm  int // intervals without it
	count int64
	from  float64 // p95 before it, in seconds
}

// A Happening is an entry of the log of a run.
type Happening struct {
	At   string `json:"at"`
	Text string `json:"text"`
	Tone string `json:"tone"` // good, bad, unsure, chaos or empty
}

const (
	minuteLong   = time.Minute
	mostLogged   = 40 // entries of the log that are kept
	calmAfter    = 3  // intervals without trouble after which it is over
	knownAfter   = 5  // intervals that make a level of response times
	slowerBy     = 3  // factor by which p95 exceeds its level where answers are slow
	leastSlower  = .020
	mostChips    = 24
	mostReasons  = 2
	lineWidth    = 120.0
	lineHeight   = 32.0
	secondsWidth = lineWidth / 60
)

// Add adds the next interval of the run.
func (f *Follower) Add(iv result.Interval) {
	before, first := f.last, !f.begun
	f.last, f.begun = iv, true
	f.faulty = f.faulty || len(iv.Faults) > 0
	f.people = f.people || forPeople(&iv)
	if iv.ToAsk > 0 {
		if before.ToAsk == 0 {
			f.note(iv.At, "", "The load is over. The target is asked for the writes that it confirmed.")
		}
		return
	}
	if phase := iv.Phase; first || phase != before.Phase {
		f.enter(iv)
	}
	f.faults(iv)
	f.marks(&before, &iv)
	f.failures(iv)
	f.times(iv)
	f.objectives(iv)
	f.keep(iv)
}

// keep adds the interval to the last minute.
func (f *Follower) keep(iv result.Interval) {
	long := cmp.Or(iv.Span, time.Second).Seconds()
	ended := iv.Made()
	s := second{
		at: iv.At, rate: float64(ended) / long, asked: float64(iv.Offered) / long, p95: math.NaN(),
		faulty: len(iv.Faults) > 0,
	}
	if ended > 0 {
		s.failed = float64(iv.Errors) / float64(ended)
	}
	if iv.P95 > 0 {
		s.p95 = iv.P95.Seconds()
	}
	f.minute = append(f.minute, s)
	f.minute = slices.DeleteFunc(f.minute, func(s second) bool { return s.at <= iv.At-minuteLong })
}

func (f *Follower) note(at time.Duration, tone, format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	clock := words.Clock(at.Seconds())
	if at < 0 {
		clock = "−" + words.Clock(-at.Seconds())
	}
	f.log = append(f.log, Happening{clock, text, tone})
	if over := len(f.log) - mostLogged; over > 0 {
		f.log = slices.Delete(f.log, 0, over)
	}
}

// clockNear formats a length of time to the nearest second, as 00:42.
func clockNear(d time.Duration) string { return words.Clock(d.Round(time.Second).Seconds()) }

// enter notes that a phase of the run begins.
func (f *Follower) enter(iv result.Interval) {
	switch iv.Phase {
	case "warmup":
		if iv.At > -time.Second { // the moment before a load without a warm-up
			return
		}
		f.note(iv.At, "", "The warm-up began; nothing is judged yet.")
	case "run":
		f.note(iv.At, "", "The judged load began. It lasts %s.", clockNear(iv.End))
	case "escape":
		f.note(iv.At, "", "The load goes on, to find out whether it keeps the target from recovering.")
	case "grace":
		f.note(iv.At, "", "The load is over; the last answers are awaited.")
	}
}

// faults notes which faults were injected and taken back.
func (f *Follower) faults(iv result.Interval) {
	if f.in == nil {
		f.in = map[string]time.Duration{}
	}
	for _, name := range iv.Faults {
		if _, known := f.in[name]; known {
			continue
		}
		f.in[name] = iv.At
		kind := ""
		if k := slices.IndexFunc(iv.Timetable, func(p result.PlannedFault) bool { return p.Name == name }); k >= 0 {
			kind = " (" + words.Clean(iv.Timetable[k].Kind) + ")"
		}
		f.note(iv.At, "chaos", "%s%s is in.", words.Clean(name), kind)
	}
	for _, name := range slices.Sorted(maps.Keys(f.in)) {
		if !slices.Contains(iv.Faults, name) {
			long := clockNear(iv.At - f.in[name])
			delete(f.in, name)
			f.note(iv.At, "chaos", "%s is out, after %s.", words.Clean(name), long)
		}
	}
}

// marks notes the waits for an operator, and the marks of people.
func (f *Follower) marks(before, iv *result.Interval) {
	for _, w := range iv.Waiting {
		if !slices.ContainsFunc(before.Waiting, func(b result.WaitingFault) bool { return b.Name == w.Name }) {
			f.note(iv.At, "unsure", "%s waits for an operator.", words.Clean(w.Name))
		}
	}
	for _, m := range iv.Marked {
		i := slices.IndexFunc(before.Marked, func(b result.MarkedFault) bool { return b.Name == m.Name })
		for _, k := range m.Marks {
			if i < 0 || !before.Marked[i].Has(k) {
				f.note(iv.At, "", "%s", words.MarkTaken(k, m.Name))
			}
		}
	}
}

// failures notes when requests begin to fail, and when they no longer do.
func (f *Follower) failures(iv result.Interval) {
	switch {
	case iv.Errors > 0 && f.wrong == nil:
		f.wrong = &trouble{since: iv.At, count: iv.Errors}
		ended := iv.Made()
		f.note(iv.At, "bad", "Requests fail: %s of %s that ended%s.", words.Count(iv.Errors), words.Count(ended), causes(iv))
	case iv.Errors > 0:
		f.wrong.count += iv.Errors
		f.wrong.calm = 0
	case f.wrong != nil && iv.OK > 0:
		if f.wrong.calm++; f.wrong.calm == calmAfter {
			f.note(iv.At, "good", "No request has failed for %d s. %s failed in all since %s.", calmAfter,
				words.Plural(f.wrong.count, "request", "requests"), words.Clock(f.wrong.since.Seconds()))
			f.wrong = nil
		}
	}
}

// causes names the most frequent causes of the errors of an interval.
func causes(iv result.Interval) string {
	counts := map[string]int64{}
	for i := range iv.Steps {
		for cause, n := range iv.Steps[i].Causes {
			counts[cause] += n
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if len(names) == 0 {
		return ""
	}
	names = names[:min(len(names), mostReasons)]
	for i := range names {
		names[i] = words.Clean(names[i])
	}
	return ", by " + words.Join(names)
}

// times notes when answers become slow, and when they are as fast as before.
func (f *Follower) times(iv result.Interval) {
	if iv.P95 == 0 || iv.At < 0 {
		return
	}
	p95 := iv.P95.Seconds()
	if f.slow == nil {
		var calm []float64
		for _, s := range f.minute {
			if !math.IsNaN(s.p95) && s.at >= 0 {
				calm = append(calm, s.p95)
			}
		}
		if len(calm) < knownAfter {
			return
		}
		slices.Sort(calm)
		level := calm[len(calm)/2]
		if p95 > slowerBy*level && p95 > level+leastSlower {
			f.slow = &trouble{since: iv.At, from: level}
			f.note(iv.At, "unsure", "Answers are slower: p95 is %s, and was %s.", words.Duration(iv.P95),
				words.Seconds(result.Num(level)))
		}
		return
	}
	if p95 > 2*f.slow.from {
		f.slow.calm = 0
		return
	}
	if f.slow.calm++; f.slow.calm == calmAfter {
		f.note(iv.At, "good", "Answers are as fast as before: p95 is %s, %s after they became slower.", words.Duration(iv.P95),
			clockNear(iv.At-f.slow.since))
		f.slow = nil
	}
}

// objectives notes which objectives begin to fail, and which hold again.
func (f *Follower) objectives(iv result.Interval) {
	for i := range iv.Objectives {
		o := &iv.Objectives[i]
		if i == len(f.states) {
			f.states = append(f.states, scenarios.Pending)
		}
		switch was := f.states[i]; {
		case o.Verdict == scenarios.Fail && was != scenarios.Fail:
			f.note(iv.At, "bad", "Objective %s fails as it stands.", words.Clean(o.Text))
		case o.Verdict == scenarios.Pass && was == scenarios.Fail:
			f.note(iv.At, "good", "Objective %s holds again.", words.Clean(o.Text))
		}
		f.states[i] = o.Verdict
	}
}

// A Now describes the last second of a run in words.
type Now struct {
	Title      string       `json:"title"` // of the page
	Phase      string       `json:"phase"`
	Left       string       `json:"left"`
	Done       float64      `json:"done"`  // share of the judged load
	State      string       `json:"state"` // how many objectives fail
	StateTone  string       `json:"tone"`
	Big        []Dial       `json:"big"`
	Figures    []words.Pair `json:"figures"`
	Objectives []Chip       `json:"objectives"`
	More       string       `json:"more"` // counts the objectives without a chip
	Log        []Happening  `json:"log"`  // the newest first
	Desk       []DeskRow    `json:"desk"` // faults that wait for people
}

// A Dial is a large figure with its last minute as a small line.
type Dial struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Note  string `json:"note"`
	Tone  string `json:"tone"`
	Label string `json:"label"` // of the line, for readers who cannot see it
	// paths in lineWidth by lineHeight units: the line, a second one behind it, a limit, and the time of faults
	Line   string `json:"line"`
	Behind string `json:"behind"`
	Aim    string `json:"aim"`
	Shade  string `json:"shade"`
}

// A Chip is an objective as it stands.
type Chip struct {
	Mark string `json:"mark"`
	Tone string `json:"tone"`
	Text string `json:"text"`
	Left string `json:"left"` // its value, its target and what is left, as the terminal says them
	Bar  string `json:"bar"`  // a path of 100 units: the share that is left; empty: it has no budget
}

// Now describes the last second and what led to it.
func (f *Follower) Now() Now {
	iv := f.last
	n := Now{Phase: cmp.Or(words.PhaseOf(iv), "start")}
	n.Left, n.Done = words.TimeLeft(iv)
	if iv.ToAsk > 0 {
		n.Phase, n.Left, n.Done = "ledger", words.LedgerProgress(iv), 1
	}
	failing := 0
	for i := range iv.Objectives {
		if iv.Objectives[i].Verdict == scenarios.Fail {
			failing++
		}
	}
	mark := words.Mark(scenarios.Running)
	switch {
	case failing > 0:
		mark, n.StateTone = words.Mark(scenarios.Fail), "bad"
		n.State = mark + " " + fmt.Sprint(failing) + " failing"
	case len(iv.Objectives) > 0:
		n.State, n.StateTone = "none failing", "going"
	}
	n.Title = strings.TrimSpace(cmp.Or(n.State, mark)) + " · " + clockOf(iv)
	if failing == 0 {
		n.Title = mark + " " + clockOf(iv)
	}
	n.Figures = []words.Pair{
		pair("offered", words.PerSecond(iv.Offered, iv.Span)), pair("ok", words.PerSecond(iv.OK, iv.Span)),
		pair("p50", words.AnswerTime(iv.P50)), pair("p99", words.AnswerTime(iv.P99)),
		pair("in flight", words.Int(iv.InFlight)), pair("lag", words.Duration(iv.Lag)),
		pair("so far", words.Count(iv.Total)+soFarBad(iv.Bad)),
	}
	n.Big = f.dials()
	n.Objectives, n.More = chips(&iv)
	n.Desk = f.desk()
	n.Log = slices.Clone(f.log)
	slices.Reverse(n.Log)
	return n
}

func soFarBad(bad int64) string {
	if bad == 0 {
		return ""
	}
	return ", " + words.Count(bad) + " bad"
}

// clockOf writes the time of the judged load, such as 00:15/00:30.
func clockOf(iv result.Interval) string {
	if iv.End == 0 {
		return "not begun"
	}
	if iv.At < 0 {
		return "warm-up"
	}
	return words.Clock(min(iv.At, iv.End).Seconds()) + "/" + words.Clock(iv.End.Seconds())
}

// dials are the large figures: rate, failed requests, p95, and the time of the next fault.
func (f *Follower) dials() []Dial {
	iv := f.last
	ended := iv.Made()
	rate := Dial{
		Name: "Rate", Value: words.PerSecond(ended, iv.Span),
		Note: "of " + words.PerSecond(iv.Offered, iv.Span) + " asked for",
	}
	failed := Dial{
		Name: "Failed", Value: words.ErrorShare(iv.Errors, ended),
		Note: words.Plural(iv.Errors, "request", "requests") + " in the last second",
	}
	if iv.Errors > 0 {
		failed.Tone = "bad"
	}
	p95 := Dial{Name: "p95", Value: words.AnswerTime(iv.P95), Note: "in the last second"}
	aim := math.NaN()
	for i := range iv.Objectives {
		if v, ok := f.wholeP95(&iv.Objectives[i]); ok && !(aim < v) {
			aim = v
		}
	}
	if !math.IsNaN(aim) {
		p95.Note = "objective " + words.Seconds(result.Num(aim))
		if iv.P95.Seconds() > aim {
			p95.Tone = "bad"
		}
	}
	f.draw(&rate, func(s second) float64 { return s.rate }, func(s second) float64 { return s.asked }, math.NaN())
	f.draw(&failed, func(s second) float64 { return s.failed }, nil, math.NaN())
	f.draw(&p95, func(s second) float64 { return s.p95 }, nil, aim)
	return []Dial{rate, failed, p95, nextFault(iv)}
}

// wholeP95 returns the target of an objective on p95 of all requests that applies now.
func (f *Follower) wholeP95(o *result.RunningVerdict) (target float64, ok bool) {
	a := &o.Asked
	if a.Metric.Text == "" || a.Relative() || !a.PercentileOfAll() || a.Metric.Quantile != .95 || !a.Upper() {
		return 0, false
	}
	switch o.Phase.Kind {
	case slo.RunPhase:
		return a.Value, true
	case slo.BaselinePhase:
		return a.Value, !f.faulty
	}
	return a.Value, slices.Contains(f.last.Faults, o.Phase.String())
}

// nextFault counts down to the end of the active fault, or to the next one.
func nextFault(iv result.Interval) Dial {
	until := func(at time.Duration) string { return clockNear(at - iv.At) }
	then := ""
	if iv.Next != "" {
		then = words.Clean(iv.Next) + " in " + until(iv.NextAt)
	}
	if len(iv.Faults) > 0 {
		d := Dial{Name: "Fault now", Value: "in", Note: words.Clean(words.Join(iv.Faults)), Tone: "chaos"}
		for _, t := range iv.Timetable {
			if slices.Contains(iv.Faults, t.Name) && t.Clear > iv.At {
				d.Value = until(t.Clear) + " left"
				break
			}
		}
		if then != "" {
			d.Note += ", then " + then
		}
		return d
	}
	if iv.Next != "" {
		return Dial{Name: "Next fault in", Value: until(iv.NextAt), Note: words.Clean(iv.Next)}
	}
	return Dial{Name: "Next fault", Value: "–", Note: "none to come"}
}

// draw draws the last minute. The scale begins at 0. The newest second is at the right edge.
func (f *Follower) draw(d *Dial, value, behind func(second) float64, aim float64) {
	minute := f.minute
	if judged := slices.IndexFunc(minute, func(s second) bool { return s.at >= 0 }); judged > 0 {
		minute = minute[judged:] // the burst at the begin of a warm-up would flatten the rest
	}
	if len(minute) == 0 {
		return
	}
	var list, back []float64
	for _, s := range minute {
		list = append(list, value(s))
		if behind != nil {
			back = append(back, behind(s))
		}
	}
	scale := chart.Linear(list, back, []float64{aim})
	last := minute[len(minute)-1].at
	x := func(at time.Duration) float64 { return lineWidth - (last-at).Seconds()*secondsWidth }
	y := func(v float64) float64 { return 1 + (lineHeight-2)*(1-scale.At(v)) }
	d.Line, d.Behind = minutePath(minute, list, x, y), minutePath(minute, back, x, y)
	if !math.IsNaN(aim) {
		d.Aim = fmt.Sprintf("M0 %.1fH%.0f", y(aim), lineWidth)
	}
	var shade strings.Builder
	for _, s := range minute {
		if s.faulty {
			fmt.Fprintf(&shade, "M%.1f 0v%.0fh-%.1fv-%.0fz", x(s.at), lineHeight, secondsWidth, lineHeight)
		}
	}
	d.Shade = shade.String()
	d.Label = d.Name + " in the last minute"
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range list {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low <= high {
		say := func(v float64) string { return words.Seconds(result.Num(v)) }
		switch d.Name {
		case "Rate":
			say = func(v float64) string { return words.Rate(result.Num(v)) }
		case "Failed":
			say = words.Percent
		}
		d.Label += ": " + say(low) + " to " + say(high)
	}
}

// minutePath draws values of the last minute, with gaps where there is none.
func minutePath(minute []second, list []float64, x func(time.Duration) float64, y func(float64) float64) string {
	var b strings.Builder
	gap := true
	for i, v := range list {
		if math.IsNaN(v) {
			gap = true
			continue
		}
		command := "L"
		if gap {
			command = "M"
		}
		at := x(minute[i].at)
		fmt.Fprintf(&b, "%s%.1f %.1f", command, at, y(v))
		if gap {
			b.WriteString("h.01") // a value alone is a dot
		}
		gap = false
	}
	return b.String()
}

// chips are the objectives as they stand, the most urgent first.
func chips(iv *result.Interval) (out []Chip, more string) {
	list := slices.Clone(iv.Objectives)
	slices.SortStableFunc(list, words.ByUrgency)
	for i := range list {
		if i == mostChips {
			return out, fmt.Sprintf("and %d more", len(list)-i)
		}
		out = append(out, chipOf(list[i], iv))
	}
	return out, ""
}

func chipOf(o result.RunningVerdict, iv *result.Interval) Chip {
	c := Chip{
		Mark: words.Mark(o.Verdict), Tone: words.Tone(o.Verdict), Text: words.Clean(o.Text),
		Left: words.StateOf(o, iv).String(),
	}
	if o.Verdict == scenarios.Pending {
		c.Tone = ""
		return c
	}
	if share, ok := words.PercentLeft(o); ok {
		c.Bar = "M0 0"
		if share > 0 {
			c.Bar = fmt.Sprintf("M0 2H%d", share)
		}
	}
	return c
}
