package reporters

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// objectiveView is a row of the objectives.
type objectiveView struct {
	Mark, Word, Tone   string
	Text, Note, Phase  string
	Target             string
	Measured, Interval string
	Gauge              template.HTML
}

func (p *page) objectives(r *result.Result) {
	for i := range r.Objectives {
		o := &r.Objectives[i]
		v := objectiveView{
			Mark: mark(o.Verdict), Word: word(o.Verdict), Tone: tone(o.Verdict), Text: title(o), Note: remark(o), Phase: clean(o.Phase),
			Target: target(o), Measured: measured(o), Interval: interval(o), Gauge: gauge(o),
		}
		p.Gauges = p.Gauges || v.Gauge != ""
		p.Objectives = append(p.Objectives, v)
	}
}

// gauge draws what was measured against the target on a logarithmic axis, from an
// eighth of what the objective allows to eight times as much. The figures beside it
// say the same.
func gauge(o *result.ObjectiveResult) template.HTML {
	u, ok := used(o, o.Measured)
	if !ok {
		return ""
	}
	at := func(u float64) float64 { return math.Max(4, math.Min(96, 50+15*math.Log2(u))) }
	span := ""
	low, ok1 := used(o, o.Low)
	high, ok2 := used(o, o.High)
	if ok1 && ok2 && o.Low.Known() && (o.High.Known() || o.Infinite) {
		span = fmt.Sprintf(`<path class="span" d="M%.1f 7H%.1f"/>`, min(at(low), at(high)), max(at(low), at(high)))
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 100 14" aria-hidden="true"><path d="M2 7h96"/>%s<path class="aim" d="M50 1v12"/><circle cx="%.1f" cy="7" r="3"/></svg>`, span, at(u)))
}

// faultView is a fault of the timeline.
type faultView struct {
	N                int
	Name             string
	Mark, Word, Tone string
	Hit, Effect      string
	Course           []stop
	Figures          []pair
	Evidence         []pair
}

func (p *page) faults(r *result.Result, line *timeline) {
	t := &table{Head: []string{"fault", "outcome", "planned", "injected", "verified", "cleared", "onset", "failover", "recover", "heal", "±", "failed", "degraded", "area", "detect", "revert"}}
	for i := range r.Faults {
		f := &r.Faults[i]
		v := faultVerdict(f)
		p.Faults = append(p.Faults, faultView{
			N: i + 1, Name: clean(f.Name), Mark: mark(v), Word: impactWord(f), Tone: tone(v), Hit: hit(f), Effect: effect(f),
			Course: course(f), Figures: figures(f), Evidence: evidence(f),
		})
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%d %s", i+1, clean(f.Name)), mark(v) + "\u00a0" + impactWord(f), offset(f.Planned), offset(f.Injected), offset(f.Verified), offset(f.Cleared), seconds(f.Onset), seconds(f.Failover),
			seconds(f.Recover), seconds(f.Heal), seconds(f.Resolution), count(f.Failed), seconds(f.Degraded), seconds(f.Area), seconds(f.Detect), clean(f.Revert),
		})
	}
	if len(p.Faults) > 0 {
		p.FaultTable = t.filled()
	}
	p.Many = len(p.Faults) > mostNamed
	if line.struck() {
		p.Overview, p.Axis = line.overview(), line.times()
	}
}

// evidence says how it is known that the fault was there, met traffic and is gone.
func evidence(f *result.FaultRecord) []pair {
	var out []pair
	add := func(name, value string) {
		if value != "" {
			out = append(out, pair{name, value})
		}
	}
	add("There:", clean(f.Evidence))
	add("Containers:", happened(f))
	add("Traffic:", traffic(f))
	add("Monitoring:", noticed(f))
	add("Alerts:", alerted(f))
	add("Gone:", clean(f.GoneEvidence))
	add("Revert:", took(f))
	return out
}

// generator says in words how brunt itself did.
func (p *page) generator(g *result.Generator) {
	parts := []string{fmt.Sprintf("%s of %s offered requests were sent", count(g.Sent), count(g.Offered))}
	if g.Lag.P99.Known() {
		parts = append(parts, "lag p99 "+seconds(g.Lag.P99)+", at most "+seconds(g.Lag.Max))
	}
	if g.Pacing != "" {
		parts = append(parts, "pacing "+clean(g.Pacing))
	}
	if g.CPU.Known() {
		parts = append(parts, number(float64(g.CPU))+" cores")
	}
	if g.Memory > 0 {
		parts = append(parts, bytesOf(g.Memory)+" of memory")
	}
	if g.Connections > 0 {
		opened := plural(g.Connections, "connection", "connections") + " opened"
		if len(g.Spoken) > 0 {
			opened += " by " + clean(strings.Join(g.Spoken, ", "))
		}
		parts = append(parts, opened)
	}
	if g.GCPauseMax.Known() && g.GCPauseMax > 0 {
		parts = append(parts, "longest GC pause "+seconds(g.GCPauseMax))
	}
	if g.Steal.Known() && g.Steal > 0 {
		parts = append(parts, percent(float64(g.Steal))+" of the CPU time stolen")
	}
	if g.ClockSteps > 0 {
		parts = append(parts, plural(int64(g.ClockSteps), "step", "steps")+" of the wall clock")
	}
	if g.Clamped > 0 {
		parts = append(parts, plural(g.Clamped, "value", "values")+" out of the histograms' bounds")
	}
	p.GeneratorText = strings.Join(parts, "; ") + "."
	for _, l := range g.Limits {
		p.Limits = append(p.Limits, clean(l))
	}
}

// errorView is a row of the errors.
type errorView struct {
	Kind, Step, Count, First, Last string
	Sample                         *sampleView
}

type sampleView struct {
	Head  string
	Lines []pair
	Curl  string // a command that sends it again, its lines kept
	Trace *traceView
}

// mostErrorRows bounds the table of errors.
const mostErrorRows = 60

func (p *page) errors(r *result.Result) {
	for i := range r.Errors {
		if i == mostErrorRows {
			p.ErrorsLeft = fmt.Sprintf("And %d more, which result.json has.", len(r.Errors)-i)
			return
		}
		e := &r.Errors[i]
		p.ErrorRows = append(p.ErrorRows, errorView{
			Kind: clean(e.Kind), Step: clean(e.Step), Count: count(e.Count), First: offset(e.First), Last: offset(e.Last), Sample: sampleOf(e.Sample, r.TraceLink),
		})
	}
}

// longestBody bounds what the page shows of an answer, in characters.
const longestBody = 2000

func sampleOf(s *result.Sample, link string) *sampleView {
	if s == nil {
		return nil
	}
	v := &sampleView{Head: clip(clean(s.Request), 70)}
	if v.Head == "" {
		v.Head = "sample"
	}
	add := func(name, value string) {
		if value = clip(clean(value), longestBody); value != "" {
			v.Lines = append(v.Lines, pair{name, value})
		}
	}
	add("at", offset(result.Num(s.At)))
	add("request", s.Request)
	if s.Status != 0 {
		add("status", fmt.Sprint(s.Status))
	}
	add("message", s.Message)
	v.Trace = traceOf(link, cmp.Or(s.Trace, answeredTrace(s.Headers)))
	add("answer", s.Body)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		add(clip(clean(name), 60)+":", s.Headers[name])
	}
	if v.Curl = curlOf(s.Curl); v.Curl == "" && s.Curl != "" {
		add("curl", "too long for this page; result.json has it")
	}
	return v
}

// curlOf is a command for the page. One that is too long for that is left out, since half of one is
// none.
func curlOf(command string) string {
	if len(command) > longestBody {
		return ""
	}
	lines := strings.Split(command, "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return strings.Join(lines, "\n")
}

// answeredTrace is the id of the trace that an answer names.
func answeredTrace(headers map[string]string) string {
	for name, value := range headers {
		if strings.EqualFold(name, "traceparent") {
			return scenarios.ParseTraceparent(value).String()
		}
	}
	return ""
}
