package html

import (
	"cmp"
	"slices"
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// askedView compares a required time of a fault with the measured time.
type askedView struct {
	Mark, Word, Tone  string
	Fault, Figure     string
	Asked, Achieved   string
	From, To          string // the moments between which the time was measured
	Resolution, Notes string
}

// momentNames names the moments between which times of a recovery are measured.
var momentNames = map[slo.Moment]string{
	slo.Injection: "injected",
	slo.FirstHarm: "first harm",
	slo.GoodAgain: "good again, the fault still in",
	slo.Clearing:  "taken off",
	slo.Recovery:  "good again",
	slo.Noticing:  "noticed by the monitoring",

	slo.Seeing: "marked as seen", slo.Understanding: "marked as understood", slo.Acting: "marked as acted on",
}

// mostAsked bounds the rows of required and measured times.
const mostAsked = 60

// asked lists each time that an objective requires after a fault, and the recovery of each other fault that did harm.
// If there are many faults it omits these other recoveries, because the table above has them.
func (p *pageView) asked(r *result.Result) {
	done := map[slo.Phase]bool{}
	limits := map[string]bool{}
	for i := range r.Objectives {
		o := &r.Objectives[i]
		def, ok := o.Asks()
		if !ok || !def.Metric.OfFault() {
			continue
		}
		phase := cmp.Or(o.Phase, def.After)
		v := askedView{
			Mark: words.Mark(o.Verdict), Word: words.Verdict(o.Verdict), Tone: words.Tone(o.Verdict),
			Fault:  words.Clean(phase.String()),
			Figure: words.Clean(def.Metric.Text),
			Asked:  words.ObjectiveTarget(o), Achieved: words.ObjectiveMeasured(o), Resolution: "–",
		}
		row := def.Metric.Row()
		v.From, v.To = cmp.Or(row.Sums, momentNames[row.From]), momentNames[row.To]
		if o.Note != "" {
			v.Notes = words.Clean(o.Note)
		}
		switch f := faultIn(r, phase); {
		case f == nil || !def.OfWorst():
		case (f.Impact == result.NotImpacted || f.NoOutage()) && row.To != slo.Noticing && row.Needs != slo.NeedsMark:
			v.From, v.To = "–", "–" // nothing to recover from
			addLimit(limits, f)
		default:
			v.moments(f, row.From, row.To)
			v.resolve(f, row)
			addLimit(limits, f)
		}
		if !o.Measured.Known() && !o.Infinite {
			v.To, v.Resolution = "–", "–" // a time that was not measured has no end
		}
		done[def.After], done[o.Phase] = true, true
		p.Asked = append(p.Asked, v)
	}
	some := len(p.Asked) > 0
	for i := range r.Faults {
		f := &r.Faults[i]
		each := f.Phase()
		each.Occurrence = 0
		if len(r.Faults) > chart.MostNamed || done[f.Phase()] || done[each] || !words.HadOutage(f) {
			continue
		}
		v := askedView{
			Fault: words.Clean(f.Name), Figure: "recover", Asked: "–", Achieved: words.Recover(f),
			Resolution: "–", Word: "not asked",
		}
		if f.Impact == result.NotRecovered {
			v.Achieved = "∞"
		}
		v.From, v.To = momentNames[slo.Injection], momentNames[slo.Recovery]
		v.moments(f, slo.Injection, slo.Recovery)
		v.resolve(f, &slo.Row{})
		addLimit(limits, f)
		p.Asked = append(p.Asked, v)
	}
	if n := len(p.Asked) - mostAsked; n > 0 {
		p.Asked = p.Asked[:mostAsked]
		p.AskedFoot = words.Plural(int64(n), "more row is", "more rows are") + " left out; result.json has them. "
	}
	switch {
	case len(r.Faults) > chart.MostNamed && some:
		p.AskedFoot += "The table above has the times of the other faults. "
	case len(r.Faults) > chart.MostNamed:
		p.AskedFoot += "No objective asks for a time of recovery. "
	case len(p.Asked) == 0:
		return
	case !some:
		p.AskedFoot += "No objective asks for a time of recovery. "
	}
	p.AskedFoot += "Injected is the instant just before the injecting call. Taken off is before the proof of that; a " +
		"fault that ends by itself is over when its unit was healthy again. " +
		"Good again is when the first good request after the last bad one was asked for; from there on bad requests " +
		"stayed within " + limitsOf(limits) + " for long enough to be no chance. A time is certain to the time between " +
		"these two requests, or to the interval of a gradual change."
}

// addLimit records the share of bad requests that counts as harm.
func addLimit(limits map[string]bool, f *result.FaultRecord) {
	if f.Limit.Known() && f.Limit > 0 {
		limit := words.Percent(float64(f.Limit))
		if f.Slow.Known() && f.Slow > 0 {
			limit += ", with answers over " + words.SlowLimits(f) + " as bad ones"
		}
		limits[limit] = true
	}
}

func limitsOf(limits map[string]bool) string {
	if len(limits) == 0 || len(limits) > 4 {
		return "the limit"
	}
	var out []string
	for l := range limits {
		out = append(out, l)
	}
	slices.Sort(out)
	return "the limit of " + strings.Join(out, " or ")
}

// faultIn returns the fault that is active during a phase; nil if the phase does not belong to a fault.
func faultIn(r *result.Result, phase slo.Phase) *result.FaultRecord {
	for i := range r.Faults {
		if r.Faults[i].Phase() == phase {
			return &r.Faults[i]
		}
	}
	return nil
}

// moments adds the offsets of the two moments.
func (v *askedView) moments(f *result.FaultRecord, from, to slo.Moment) {
	add := func(s *string, n result.Num) {
		if n.Known() {
			*s += " at " + words.Offset(n)
		}
	}
	add(&v.From, momentOf(f, from))
	add(&v.To, momentOf(f, to))
	if from == slo.Clearing && f.RecoveredAt < f.Cleared {
		v.To += ", before that"
	}
}

// momentOf returns the time of a moment of a fault; NaN if unknown.
func momentOf(f *result.FaultRecord, m slo.Moment) result.Num {
	switch m {
	case slo.Injection:
		return f.Injected
	case slo.FirstHarm:
		return f.OnsetAt
	case slo.GoodAgain:
		return words.FailoverAt(f)
	case slo.Clearing:
		return f.Cleared
	case slo.Recovery:
		return f.RecoveredAt
	case slo.Noticing:
		return f.Injected + f.Detect
	case slo.Seeing:
		return f.Operator.When(result.Seen)
	case slo.Understanding:
		return f.Operator.When(result.Understood)
	case slo.Acting:
		return f.Operator.When(result.Acted)
	}
	return result.NaN
}

// resolve adds the resolution of the measured time.
func (v *askedView) resolve(f *result.FaultRecord, row *slo.Row) {
	prefix, resolution := "±", f.Resolution
	if row.To == slo.Noticing { // the first answer noticed the fault, so the true time is not later
		prefix, resolution = "−", f.DetectResolution
	}
	if row.Unit == slo.Seconds && row.Needs != slo.NeedsMark && resolution.Known() && resolution > 0 {
		v.Resolution = prefix + words.Seconds(resolution)
	}
}

// A moment is a step in the history of a fault, such as injected or recovered.
type moment struct {
	Name, At, After string
	In              bool // the fault is active from here on
	at              float64
}

// moments lists the events of a fault, in the order of time.
func moments(f *result.FaultRecord) []moment {
	var out []moment
	add := func(name string, n result.Num) {
		if !n.Known() {
			return
		}
		s := moment{Name: name, At: words.Offset(n), at: float64(n)}
		if d := n - f.Injected; name != "injected" && d.Known() {
			switch {
			case name == "planned":
				s.After = "" // the difference is only brunt's own lateness, of milliseconds
			case d < .0005:
				s.After = "at once"
			default:
				s.After = "+" + words.Seconds(d)
			}
		}
		if name != "planned" && f.Injected.Known() {
			s.In = !f.Cleared.Known() || n < f.Cleared
		}
		out = append(out, s)
	}
	add("planned", f.Planned)
	add("injected", f.Injected)
	add("seen in effect", f.Verified)
	harmed := words.HadOutage(f)
	if harmed {
		add("first harm", f.OnsetAt)
		if _, rejoined := words.Rejoined(f); !rejoined || f.Failover.Known() {
			add("good again while in", words.FailoverAt(f))
		} else if f.Back > 0 {
			add("good again while in", words.HarmedFrom(f)+f.Back)
		}
		if _, rejoined := words.Rejoined(f); rejoined {
			add("harm by its removal", f.RejoinAt)
		}
	}
	add("noticed", f.Injected+f.Detect)
	for _, k := range result.MarkKinds() {
		if m := f.Operator.Mark(k); m != nil {
			add("marked "+string(k), m.At)
		}
	}
	add("taken off", f.Cleared)
	if words.Judged(f) {
		add("judged until", f.Until)
	}
	if harmed {
		add("good again", f.RecoveredAt)
	}
	if len(out) > 2 { // planned and injected stay first
		slices.SortStableFunc(out[2:], func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	}
	return out
}

// figures returns the known costs of a fault, and how exact its times are.
func figures(f *result.FaultRecord) []words.Pair {
	var out []words.Pair
	add := func(name string, n result.Num) {
		if n.Known() {
			out = append(out, pair(name, words.Seconds(n)))
		}
	}
	if words.HadOutage(f) {
		add("first harm after", f.Onset)
		add("good again while in, after", f.Failover)
		for _, p := range []words.Pair{
			pair("good again after injection", words.Recover(f)), pair("good again after removal", words.Heal(f)),
		} {
			if p.Value != "–" {
				out = append(out, p)
			}
		}
		add("harm by removal", words.Rejoin(f))
	}
	add("noticed after", f.Detect)
	if f.Impact == result.Impacted || f.Impact == result.NotRecovered {
		if f.Area.Known() && f.Area > 0 {
			add("as no service for", f.Area)
		}
		if f.Resolution.Known() && f.Resolution > 0 && !f.NoOutage() {
			out = append(out, pair("times are exact to", "±"+words.Seconds(f.Resolution)))
		}
	}
	return out
}
