package words

import (
	"cmp"
	"math"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// mostSettings bounds the settings that are named as different from the run before.
const mostSettings = 3

// past lists the last runs of the scenario with this one, and what differs from the run before. It is nil if no
// earlier run is known.
func past(r *result.Result) *Past {
	if len(r.Earlier) == 0 {
		return nil
	}
	p := &Past{}
	for i := range r.Earlier {
		e := &r.Earlier[i]
		p.Runs = append(p.Runs, PastRun{
			Run: Clean(e.Run), Folder: Clean(e.Folder), Beside: e.Beside, Verdict: e.Verdict, Mark: Mark(e.Verdict),
			Tone: Tone(e.Verdict),
			When: e.Started.UTC().Format("2 Jan 2006 15:04 UTC"),
		})
	}
	p.Runs = append(p.Runs, PastRun{
		Run: Clean(r.Run), Verdict: r.Verdict, Mark: Mark(r.Verdict), Tone: Tone(r.Verdict),
		When: r.Started.UTC().Format("2 Jan 2006 15:04 UTC"), Now: true,
	})
	p.Since = since(r, &r.Earlier[len(r.Earlier)-1])
	return p
}

// since compares a run with the one before it. It compares two single runs, so that only a large difference counts:
// `brunt compare` tells more.
func since(r *result.Result, e *result.Earlier) (list []Difference) {
	run := PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase})
	if run != nil && run.All.Count > 0 && e.Requests > 0 {
		d := Difference{
			Name: "failed", Before: Share(e.Bad, e.Requests), Now: Share(run.Bad, run.All.Count),
		}
		d.judge(shareDiffers(e.Bad, e.Requests, run.Bad, run.All.Count, len(r.Faults)+len(r.Incidents) > 0))
		if e.Verdict == scenarios.Invalid || r.Verdict == scenarios.Invalid { // it says nothing of the target
			d.Word, d.Mark, d.Tone = wordOpen, "?", "unsure"
		}
		list = append(list, d)
	}
	if now, low, high := result.SteadyP95(r.Cells); now.Known() && e.P95.Known() && e.P95 > 0 {
		d := Difference{Name: "p95 before faults", Before: Seconds(e.P95), Now: Seconds(now)}
		if len(r.Faults) == 0 {
			d.Name = "p95"
		}
		by := math.Hypot(math.Log(float64(e.P95High/e.P95)), math.Log(float64(high/now)))
		if e.Late || !r.Generator.Healthy || !(low > 0) || !(e.P95Low > 0) {
			by = math.Inf(1)
		}
		ratio := math.Log(float64(now / e.P95))
		d.judge(ratio-by, ratio+by, math.Abs(ratio)+by < math.Log(sameTimes))
		list = append(list, d)
	}
	for i, c := range e.Changed {
		if i == mostSettings {
			list = append(list, Difference{
				Name: "scenario", Now: Plural(int64(len(e.Changed)-i), "more setting differs", "more settings differ"),
			})
			break
		}
		kind, name := settingName(&c)
		list = append(list, Difference{Name: kind + name, Before: settingValue(c.Before), Now: settingValue(c.Now)})
	}
	if len(e.Changed) == 0 && e.ChangedMore {
		list = append(list, Difference{Name: "scenario", Now: "differs"})
	}
	return list
}

// settingName names a setting by the parameter that it comes from, with the word kind before it, or by its place in the
// scenario.
func settingName(c *result.SettingChange) (kind, name string) {
	if c.Param != "" {
		kind = "parameter "
	}
	return kind, Clip(Clean(cmp.Or(c.Param, c.Path)), 60)
}

// settingValue shows the value of a setting, or a dash if the scenario has none.
func settingValue(s string) string { return Clip(orDash(s), 40) }

func orDash(s string) string {
	if s = Clean(s); s == "" {
		return "–"
	}
	return s
}

const (
	sameShare = .01 // shares of requests whose difference is surely smaller are about the same
	sameTimes = 1.2 // and so are times of which the longer one is surely less than so many times as long
	// Outages of the same fault vary in length from run to run. Shares that they made differ from so many times on.
	outagesDiffer = 3
)

// judge sets the word of a figure by the 95% bounds of its difference, which is above zero if it is worse. same says
// that the bounds leave no difference that matters.
func (d *Difference) judge(low, high float64, same bool) {
	switch {
	case same:
		d.Word, d.Tone = "about the same", "good"
	case low > 0:
		d.Word, d.Mark, d.Tone = "worse", "▲", "bad"
	case high < 0:
		d.Word, d.Mark, d.Tone = "better", "▼", "good"
	default:
		d.Word, d.Mark, d.Tone = wordOpen, "?", "unsure"
	}
}

// shareDiffers returns 95% bounds of the difference of two shares of requests, above zero if the second is higher
// (Newcombe's method, from the bounds of Wilson of each). same says that they show no difference, and leave none that
// matters. With outages, requests fail together, and the method takes each as independent of the others. So the bounds
// then exclude zero only if one share is several times the other as well.
func shareDiffers(bad1, n1, bad2, n2 int64, outages bool) (low, high float64, same bool) {
	wilson := func(bad, n int64) (share, low, high float64) {
		const z = 1.96
		share, all := float64(bad)/float64(n), float64(n)
		middle := share + z*z/(2*all)
		by := z * math.Sqrt(share*(1-share)/all+z*z/(4*all*all))
		return share, (middle - by) / (1 + z*z/all), (middle + by) / (1 + z*z/all)
	}
	p1, low1, high1 := wilson(bad1, n1)
	p2, low2, high2 := wilson(bad2, n2)
	low, high = p2-p1-math.Hypot(p2-low2, high1-p1), p2-p1+math.Hypot(high2-p2, p1-low1)
	same = low <= 0 && high >= 0 && max(-low, high) < sameShare
	if outages && max(p1, p2) < outagesDiffer*min(p1, p2) {
		low, high = min(low, 0), max(high, 0)
	}
	return low, high, same
}

// Line returns the difference in one line.
func (d *Difference) Line() string {
	s := d.Name + ": "
	if d.Before != "" {
		s += d.Before + " → "
	}
	s += d.Now
	if d.Word != "" {
		s += ", " + d.Word
	}
	return s
}

// Line returns the verdicts of the last runs, the newest last, and what differs from the run before.
func (p *Past) Line() string {
	var s strings.Builder
	s.WriteString("Last runs: ")
	for i := range p.Runs {
		s.WriteString(p.Runs[i].Mark)
	}
	for i := range p.Since {
		sep := "; "
		if i == 0 {
			sep = ". Since the last run: "
		}
		s.WriteString(sep + p.Since[i].Line())
	}
	return s.String() + "."
}
