package html

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// objectiveView is a row of the objectives.
type objectiveView struct {
	Mark, Word, Tone   string
	Text               template.HTML
	Note, Phase        string
	Target             string
	Measured, Interval string
	Gauge              template.HTML
}

func (p *pageView) objectives(r *result.Result) {
	for i := range r.Objectives {
		o := &r.Objectives[i]
		v := objectiveView{
			Mark: words.Mark(o.Verdict), Word: words.Verdict(o.Verdict), Tone: words.Tone(o.Verdict),
			Text: objectiveTerms(o),
			Note: words.ObjectiveNote(o), Phase: words.Clean(o.Phase.String()),
			Target: words.ObjectiveTarget(o), Measured: words.ObjectiveMeasured(o), Interval: words.ObjectiveBounds(o),
			Gauge: gauge(o),
		}
		p.Gauges = p.Gauges || v.Gauge != ""
		if o.Verdict == scenarios.Pass {
			p.Held = append(p.Held, v)
		} else {
			p.Objectives = append(p.Objectives, v)
		}
	}
	slices.SortStableFunc(p.Objectives, func(a,
		b objectiveView,
	) int {
		return cmp.Compare(urgencyOf(a.Tone), urgencyOf(b.Tone))
	})
	// held objectives follow the others; if there are many objectives, the held ones are folded
	n := min(len(p.Held), max(0, mostHeld-len(p.Objectives)))
	if n+1 == len(p.Held) {
		n++ // one more row takes no more room than the control that unfolds it
	}
	p.Objectives, p.Held = append(p.Objectives, p.Held[:n]...), p.Held[n:]
}

// mostHeld is the number of objectives up to which held ones are not folded.
const mostHeld = 5

// urgencyOf orders by tone: failed first.
func urgencyOf(tone string) int { return slices.Index([]string{"bad", "unsure", "good"}, tone) }

// gauge draws the measured value against the bound on a logarithmic axis, from an eighth of the allowed amount to
// eight times as much, with marks at half and twice of it. The figures beside it say the same.
func gauge(o *result.ObjectiveResult) template.HTML {
	u, ok := words.LimitUsed(o, o.Measured)
	if !ok {
		return ""
	}
	at := func(u float64) float64 { return math.Max(4, math.Min(96, 50+15*math.Log2(u))) }
	span := ""
	low, ok1 := words.LimitUsed(o, o.Low)
	high, ok2 := words.LimitUsed(o, o.High)
	if ok1 && ok2 && o.Low.Known() && (o.High.Known() || o.Infinite) {
		span = fmt.Sprintf(`<path class="span" d="M%.1f 7H%.1f"/>`, min(at(low), at(high)), max(at(low), at(high)))
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 100 14" aria-hidden="true"><path d="M2 7h96M35 4v6M65 4v6"/>%s`+
		`<path class="aim" d="M50 1v12"/><circle cx="%.1f" cy="7" r="3"/></svg>`, span, at(u)))
}

// faultView is a fault of the timeline.
type faultView struct {
	N                int
	Name             string
	Mark, Word, Tone string
	Hit, Effect      string
	Expected         string // beside the effect; empty if the scenario states nothing
	Moments          []moment
	Around           *aroundView
	Figures          []words.Pair
	Evidence         []words.Pair
	Split            *splitView
}

func (p *pageView) faults(r *result.Result, line *chart.Timeline) {
	t := &chart.Table{Title: "The times of the faults", Head: []string{
		"fault", "outcome", "planned", "injected", "verified", "taken off", "first harm after", "good again while in, after",
		"good again after injection", "good again after removal", "harm by removal", "±",
		"failed", "bad service for", "as no service for", "noticed after", "taken back",
	}}
	for i := range r.Faults {
		f := &r.Faults[i]
		mark, tone := words.FaultMark(f)
		var near *aroundView
		if len(r.Faults) <= chart.MostNamed {
			near = around(r, f, line)
		}
		p.Faults = append(p.Faults, faultView{
			Around: near,
			N:      i + 1, Name: words.Clean(f.Name), Mark: mark, Word: words.FaultOutcome(f), Tone: tone,
			Hit:    words.FaultTarget(f),
			Effect: words.FaultEffect(f), Expected: words.FaultExpected(f),
			Moments: moments(f), Figures: figures(f), Evidence: faultEvidence(f),
			Split: splitOf(f),
		})
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%d %s", i+1, words.Clean(f.Name)), mark + "\u00a0" + words.FaultOutcome(f), words.Offset(f.Planned),
			words.Offset(f.Injected),
			words.Offset(f.Verified), words.Offset(f.Cleared), words.Seconds(f.Onset), words.Seconds(f.Failover),
			words.Recover(f), words.Heal(f), words.Seconds(words.Rejoin(f)), words.Seconds(f.Resolution),
			words.Count(f.Failed), words.Seconds(f.Degraded),
			words.Seconds(f.Area), words.Seconds(f.Detect), words.Clean(f.Revert),
		})
	}
	if len(p.Faults) > 0 {
		p.FaultTable = t.Filled()
	}
	p.AroundFoot = aroundFoot(p.Faults)
	p.Many = len(p.Faults) > chart.MostNamed
	if p.Many && line.Struck() { // the first screen names a few
		p.Overview, p.Axis = line.Overview(), line.Times()
	}
}

// faultEvidence lists evidence that the fault was active, affected traffic, and is gone.
func faultEvidence(f *result.FaultRecord) []words.Pair {
	var out []words.Pair
	add := func(name, value string) {
		if value != "" {
			out = append(out, pair(name, value))
		}
	}
	for _, step := range words.FaultSteps(f) {
		add(step.Name+":", step.Value)
	}
	if len(f.Steps) == 0 {
		add("Took effect:", words.FaultEvidence(f))
	}
	of, events := words.FaultEvents(f)
	add(map[string]string{"containers": "Containers:", "pods": "Pods:"}[of], events)
	add("Traffic:", words.FaultTraffic(f))
	add("Operator:", words.FaultWait(f))
	add("Monitoring:", words.FaultDetection(f))
	add("Alerts:", words.FaultAlerts(f))
	add("Removed:", words.Clean(f.GoneEvidence))
	add("Taken back:", words.FaultRevert(f))
	return out
}

// generator describes brunt's own health, and its workers.
func (p *pageView) generator(r *result.Result) {
	p.workers(r)
	g, unmet := &r.Generator, words.NoConnection(r)
	parts := []string{fmt.Sprintf("%s of %s offered requests were sent", words.Count(g.Sent), words.Count(g.Offered))}
	if again := g.Attempts - g.Sent; again > 0 {
		parts = append(parts, words.Count(again)+" more by redirects and second attempts")
	}
	if unmet > 0 {
		parts = append(parts, words.Count(unmet)+" found no connection to the target")
	}
	if g.Lag.P99.Known() {
		parts = append(parts, "lag p99 "+words.Seconds(g.Lag.P99)+", at most "+words.Seconds(g.Lag.Max))
	}
	if g.Pacing != "" {
		parts = append(parts, "pacing "+words.Clean(g.Pacing))
	}
	if g.CPU.Known() {
		parts = append(parts, words.Number(float64(g.CPU))+" cores")
	}
	if g.Memory > 0 {
		parts = append(parts, words.Bytes(g.Memory)+" of memory")
	}
	if g.Connections > 0 {
		opened := cmp.Or(words.Peers(g), words.Plural(g.Connections, "connection", "connections")+" opened")
		if len(g.Spoken) > 0 {
			opened += " by " + words.Clean(strings.Join(g.Spoken, ", "))
		}
		parts = append(parts, opened)
	}
	if g.GCPauseMax.Known() && g.GCPauseMax > 0 {
		parts = append(parts, "longest GC pause "+words.Seconds(g.GCPauseMax))
	}
	if g.Steal.Known() && g.Steal > 0 {
		parts = append(parts, words.Percent(float64(g.Steal))+" of the CPU time stolen")
	}
	if g.ClockSteps > 0 {
		parts = append(parts, words.Plural(int64(g.ClockSteps), "step", "steps")+" of the wall clock")
	}
	if g.Clamped > 0 {
		parts = append(parts, words.Plural(g.Clamped, "value", "values")+" out of the histograms' bounds")
	}
	p.GeneratorText = strings.Join(parts, "; ") + "."
	p.Limits = words.Limits(g)
}

// errorView is a row of the errors.
type errorView struct {
	Kind, Step, Count, First, Last string
	Sample                         *sampleView
}

type sampleView struct {
	Head  string
	Lines []words.Pair
	Curl  string // a command that sends the request again, with line breaks
	Trace *words.Trace
}

// mostErrorRows bounds the table of errors.
const mostErrorRows = 60

func (p *pageView) errors(r *result.Result) {
	p.ErrorSum = words.ErrorSum(r)
	list := slices.Concat(r.Errors, words.Skipped(r))
	for i := range list {
		if i == mostErrorRows {
			p.ErrorsLeft = fmt.Sprintf("And %d more, which result.json has.", len(list)-i)
			return
		}
		e := &list[i]
		p.ErrorRows = append(p.ErrorRows, errorView{
			Kind: words.Clean(e.Kind), Step: words.Clean(e.Step), Count: words.Count(e.Count), First: words.Offset(e.First),
			Last:   words.Offset(e.Last),
			Sample: sampleOf(e.Sample, r.TraceLink),
		})
	}
}

// longestBody bounds the shown part of an answer, in characters.
const longestBody = 2000

func sampleOf(s *result.Sample, link string) *sampleView {
	if s == nil {
		return nil
	}
	v := &sampleView{Head: words.Clip(words.Clean(s.Request), 70)}
	if v.Head == "" {
		v.Head = "sample"
	}
	add := func(name, value string) {
		if value = words.Clip(words.Clean(value), longestBody); value != "" {
			v.Lines = append(v.Lines, pair(name, value))
		}
	}
	add("at", words.Offset(result.Num(s.At)))
	add("request", s.Request)
	if s.Status != 0 {
		add("status", fmt.Sprint(s.Status))
	}
	add("message", s.Message)
	v.Trace = words.TraceOf(link, cmp.Or(s.Trace, words.TraceOfAnswer(s.Headers)))
	add("answer", s.Body)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		add(words.Clip(words.Clean(name), 60)+":", s.Headers[name])
	}
	if v.Curl = curlOf(s.Curl); v.Curl == "" && s.Curl != "" {
		add("curl", "too long for this page; result.json has it")
	}
	return v
}

// curlOf returns a command for the page. It omits a command that is too long, because a part of it would be useless.
func curlOf(command string) string {
	if len(command) > longestBody {
		return ""
	}
	lines := strings.Split(command, "\n")
	for i, l := range lines {
		lines[i] = words.Clean(l)
	}
	return strings.Join(lines, "\n")
}

// workersView is the table of the workers that made the load.
type workersView struct {
	Head, Foot string
	Columns    []string
	Rows       []workerRow
}

// workerRow is a worker.
type workerRow struct {
	Good     bool
	N, State string
	Cells    []string
}

// workers describes the workers that made the load.
func (p *pageView) workers(r *result.Result) {
	rows, good := words.WorkerRows(r)
	if len(rows) == 0 {
		return
	}
	p.Workers = &workersView{Head: words.WorkersHead[0], Columns: words.WorkersHead[1:], Foot: words.WorkersFoot}
	for i, row := range rows {
		p.Workers.Rows = append(p.Workers.Rows, workerRow{good[i], row[0], row[1], row[2:]})
	}
}
