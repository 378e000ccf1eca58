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

// askedView is a required time of a fault, beside the measured one.
type askedView struct {
	Mark, Word, Tone  string
	Fault, Figure     string
	Asked, Achieved   string
	From, To          string // the moments between which it was counted
	Resolution, Notes string
}

// rule names the moments between which a figure is counted.
type rule struct{ from, to string }

// rules names the span of each figure of a recovery.
var rules = map[string]rule{
	"onset":    {"injected", "first harm seen"},
	"failover": {"injected", "good again, the fault still in"},
	"recover":  {"injected", "recovered"},
	"heal":     {"cleared", "recovered"},
	"detect":   {"injected", "noticed by the monitoring"},
	"degraded": {"the sum of bad time", ""},
	"area":     {"what was lost of full service", ""},
	"failed":   {"bad requests beyond the baseline's share", ""},
}

// mostAsked bounds the rows of required and measured times.
const mostAsked = 60

// asked lists each time that an objective requires of a fault, and the recovery of each other
// fault that did harm. If there are many faults, the table above has the latter.
func (p *pageView) asked(r *result.Result) {
	done := map[string]bool{}
	limits := map[string]bool{}
	for i := range r.Objectives {
		o := &r.Objectives[i]
		def, err := slo.ParseObjective(o.Text)
		if err != nil || !def.Metric.OfFault() {
			continue
		}
		v := askedView{
			Mark: words.Mark(o.Verdict), Word: words.Verdict(o.Verdict), Tone: words.Tone(o.Verdict), Fault: words.Clean(cmp.Or(o.Phase, def.After)),
			Figure: words.Clean(def.Metric.Text),
			Asked:  words.ObjectiveTarget(o), Achieved: words.ObjectiveMeasured(o), Resolution: "–",
		}
		v.From, v.To = rules[def.Metric.Name].from, rules[def.Metric.Name].to
		if o.Note != "" {
			v.Notes = words.Clean(o.Note)
		}
		switch f := faultNamed(r, v.Fault); {
		case f == nil || def.Metric.Over != 0:
		case (f.Impact == result.NotImpacted || words.NoOutage(f)) && def.Metric.Name != "detect":
			v.From, v.To = "–", "–" // nothing to recover from
			addLimit(limits, f)
		default:
			v.moments(f, def.Metric.Name)
			addLimit(limits, f)
		}
		if !o.Measured.Known() && !o.Infinite {
			v.To, v.Resolution = "–", "–" // what was not measured has no end
		}
		done[def.After], done[o.Phase] = true, true
		p.Asked = append(p.Asked, v)
	}
	some := len(p.Asked) > 0
	for i := range r.Faults {
		f := &r.Faults[i]
		base, _, _ := strings.Cut(f.Name, "#")
		harmed := (f.Impact == result.Impacted || f.Impact == result.NotRecovered) && !words.NoOutage(f)
		if len(r.Faults) > chart.MostNamed || done[f.Name] || done[base] || !harmed {
			continue
		}
		v := askedView{Fault: words.Clean(f.Name), Figure: "recover", Asked: "–", Achieved: words.Seconds(f.Recover), Resolution: "–", Word: "not asked"}
		if f.Impact == result.NotRecovered {
			v.Achieved = "∞"
		}
		v.From, v.To = rules["recover"].from, rules["recover"].to
		v.moments(f, "recover")
		addLimit(limits, f)
		p.Asked = append(p.Asked, v)
	}
	if n := len(p.Asked) - mostAsked; n > 0 {
		p.Asked = p.Asked[:mostAsked]
		p.AskedFoot = words.Plural(int64(n), "more row is", "more rows are") + " left out; result.json has them. "
	}
	switch {
	case len(r.Faults) > chart.MostNamed && some:
		p.AskedFoot += "Recovery of the other faults is in the table above, counted from injected to recovered. "
	case len(r.Faults) > chart.MostNamed:
		p.AskedFoot += "No objective asks for a time of recovery. In the table above recover is counted from injected to recovered, heal from cleared to recovered. "
	case len(p.Asked) == 0:
		return
	case !some:
		p.AskedFoot += "No objective asks for a time of recovery. "
	}
	p.AskedFoot += "Injected is the instant just before the injecting call. Cleared is when the undo was seen to have worked, and of a fault that ends " +
		"by itself when its unit was healthy again. " +
		"Recovered is when the first good request after the last bad one was asked for; the stretch of a hold that it begins shows a share of bad requests within " +
		limitsOf(limits) + ". The resolution is the time between these two requests, or the interval of a gradual change."
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

func faultNamed(r *result.Result, name string) *result.FaultRecord {
	for i := range r.Faults {
		if words.Clean(r.Faults[i].Name) == name {
			return &r.Faults[i]
		}
	}
	return nil
}

// moments adds when the count began and ended, and its resolution.
func (v *askedView) moments(f *result.FaultRecord, metric string) {
	add := func(s *string, n result.Num) {
		if n.Known() {
			*s += " at " + words.Offset(n)
		}
	}
	resolution := f.Resolution
	switch metric {
	case "onset":
		add(&v.From, f.Injected)
		add(&v.To, f.OnsetAt)
	case "failover":
		add(&v.From, f.Injected)
		add(&v.To, words.FailoverAt(f))
	case "recover":
		add(&v.From, f.Injected)
		add(&v.To, f.RecoveredAt)
	case "heal":
		add(&v.From, f.Cleared)
		add(&v.To, f.RecoveredAt)
		if f.RecoveredAt < f.Cleared {
			v.To += ", before that"
		}
	case "detect":
		add(&v.From, f.Injected)
		add(&v.To, f.Injected+f.Detect)
		resolution = f.DetectResolution
	case "failed":
		return
	}
	if resolution.Known() && resolution > 0 {
		v.Resolution = "±" + words.Seconds(resolution)
		if metric == "detect" {
			v.Resolution = "−" + words.Seconds(resolution)
		}
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
				s.After = "" // the difference is brunt's own lateness, of milliseconds
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
	add("verified", f.Verified)
	harmed := (f.Impact == result.Impacted || f.Impact == result.NotRecovered) && !words.NoOutage(f)
	if harmed {
		add("first harm seen", f.OnsetAt)
		add("good again, still in", words.FailoverAt(f))
	}
	add("noticed", f.Injected+f.Detect)
	add("cleared", f.Cleared)
	if words.Judged(f) {
		add("judged until", f.Until)
	}
	if harmed {
		add("recovered", f.RecoveredAt)
	}
	if len(out) > 2 { // planned and injected stay first
		slices.SortStableFunc(out[2:], func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	}
	return out
}

// figures returns what a fault cost and the resolution of its times, as far as known.
func figures(f *result.FaultRecord) []words.Pair {
	var out []words.Pair
	add := func(name string, n result.Num) {
		if n.Known() {
			out = append(out, pair(name, words.Seconds(n)))
		}
	}
	if (f.Impact == result.Impacted || f.Impact == result.NotRecovered) && !words.NoOutage(f) {
		add("onset", f.Onset)
		add("failover", f.Failover)
		add("recover", f.Recover)
		add("heal", f.Heal)
	}
	add("detect", f.Detect)
	if f.Impact == result.Impacted || f.Impact == result.NotRecovered {
		if f.Area.Known() && f.Area > 0 {
			add("area lost", f.Area)
		}
		if f.Resolution.Known() && f.Resolution > 0 && !words.NoOutage(f) {
			out = append(out, pair("resolution", "±"+words.Seconds(f.Resolution)))
		}
	}
	return out
}
