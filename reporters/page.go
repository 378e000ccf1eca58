package reporters

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// HTML writes report.html: one file that opens offline, prints, and is whole with
// scripts off. Its policy allows nothing from elsewhere and no script or style but
// its own, by their hashes.
//
//	Result -> points -> charts (path.go, chart.go) \
//	       -> faults, objectives, tables            > page -> html/page.tmpl
//	       -> series for hover and zoom (data.go)  /
type HTML struct{}

var _ Reporter = HTML{}

//go:embed html/page.tmpl html/page.css html/page.js html/live.css html/live.js
var sources embed.FS

var pageTemplate = template.Must(template.ParseFS(sources, "html/page.tmpl"))

// page is what the template shows, in the order of report.md.
type page struct {
	Policy               string
	CSS                  template.CSS
	Script               template.JS
	Data, Facets         template.HTML // for the script
	Mark, Word, Tone     string
	Name, Advice, Reason string
	Hypothesis           string
	Alerts               []string
	Facts                []pair
	Meta                 []pair
	Parts                []part
	Objectives           []objectiveView
	Gauges               bool
	Faults               []faultView
	FaultTable           *table
	Ledger               *ledgerView
	Asked                []askedView
	AskedFoot            string
	Repeated             []string
	RepeatTable          *table
	Control, Many        bool
	Overview             []lane
	Axis                 []tick
	Latency, Throughput  *chart
	Errors               *chart
	ErrorRows            []errorView
	ErrorsLeft           string
	Resilience           *chart
	Costs                *table
	Budgets              []budgetView
	BudgetsLeft          string
	Target               []*chart
	Units                []unitView
	Happenings           []happeningView
	HappeningsLeft       string
	Comparison           *comparisonView
	Slowest              []slowView
	Traced               bool
	Curled, Uncurled     bool // of a slowest request there is a command, of another there is none
	Generator            []*chart
	GeneratorText        string
	Healthy              bool
	Limits               []string
	Heatmap, Percentiles *chart
	Missing              []string
	Phases               []phaseView
	PhasesFoot           string
	Scripts              *table
	Command              string
	Seed                 uint64
	Environment          []pair
	Loads                []loadView
	Notes                []string
	Scenario             string
	Version, Run         string
	ExitCode             int
	Meaning              string
	Live                 *liveView // nil: the run is over
}

type pair struct{ Name, Value string }

type part struct{ ID, Title string }

// Report implements [Reporter].
func (HTML) Report(w io.Writer, r *result.Result) error {
	p, err := newPage(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

func newPage(r *result.Result) (*page, error) {
	p := &page{
		Mark: mark(r.Verdict), Word: upper(word(r.Verdict)), Tone: tone(r.Verdict), Name: clean(r.Name), Reason: clean(r.Reason), Hypothesis: clean(r.Hypothesis),
		Control: r.Control, Healthy: r.Generator.Healthy, Version: clean(r.Environment.Brunt), Run: clean(r.Run), ExitCode: r.ExitCode, Meaning: meaning(r.Verdict),
	}
	at := places{}
	list, together := points(r)
	line := newTimeline(r, list, at)
	c := newCharts(line, list, together)
	p.Advice = advice(r)
	if r.Verdict == scenarios.Pass && len(r.Objectives) > 0 && !r.Control {
		p.Reason = "" // the advice says it
	}
	p.Facts = facts(r)
	for _, m := range metaOf(r) {
		p.Meta = append(p.Meta, pair{upper(m.Name), m.Value})
	}
	if len(list) > 0 && !r.Generator.Healthy && r.Verdict != scenarios.Invalid { // else the reason says it
		p.Alerts = append(p.Alerts, "The generator was not healthy, so the figures of this page are not to be trusted: see Generator.")
	}
	if r.Imported != "" {
		p.Alerts = append(p.Alerts, "Imported from "+clean(r.Imported)+": brunt did not make these requests. See the notes of the run for what their times are.")
	}
	p.objectives(r)
	p.Scripts = scriptTable(r)
	p.faults(r, line)
	p.asked(r)
	p.ledger(r.Ledger)
	p.repeats(r.Repeats)
	if len(list) > 0 {
		p.Latency, p.Throughput, p.Errors = c.latency(r), c.throughput(), c.errors()
		p.Resilience, p.Costs = c.resilience(r), costs(r)
		p.budgets(r)
		if r.Imported == "" || !r.Generator.Healthy {
			p.Generator = c.generator(r)
		}
	}
	if r.Going == nil || !r.Going.Brief {
		p.distribution(c, r)
	}
	p.generator(&r.Generator)
	p.target(c, r)
	p.comparison(r.Comparison)
	p.errors(r)
	p.slowest(r)
	p.phases(r)
	p.run(r)
	p.Parts = p.parts()
	css, err := sources.ReadFile("html/page.css")
	if err != nil {
		return nil, err
	}
	script, err := sources.ReadFile("html/page.js")
	if err != nil {
		return nil, err
	}
	if p.Data, p.Facets, err = c.encode(r); err != nil {
		return nil, err
	}
	p.CSS, p.Script = template.CSS(css)+at.css(), template.JS(script)
	if r.Going != nil {
		if err := p.live(r.Going.Brief); err != nil {
			return nil, err
		}
		return p, nil
	}
	p.Policy = fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(string(p.CSS)), hash(string(script)))
	return p, nil
}

// hash names a style or script in the page's policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// distribution adds what needs histograms. Where they can't be read the page says so
// and does without.
func (p *page) distribution(c *charts, r *result.Result) {
	var err, err2 error
	p.Heatmap, err = c.heatmap(r)
	p.Percentiles, err2 = c.percentiles(r)
	for _, err := range []error{err, err2} {
		if err != nil {
			p.Missing = append(p.Missing, "A chart is missing, as its histograms can't be read: "+clean(err.Error())+".")
		}
	}
}

// parts lists the sections that are there.
func (p *page) parts() []part {
	var out []part
	for _, s := range []struct {
		there bool
		part
	}{
		{true, part{"objectives", "Objectives"}},
		{len(p.Faults) > 0, part{"faults", "Faults"}},
		{p.Ledger != nil, part{"ledger", "Ledger"}},
		{p.Latency != nil, part{"latency", "Response time"}},
		{p.Throughput != nil, part{"throughput", "Requests"}},
		{p.Errors != nil || len(p.ErrorRows) > 0, part{"errors", "Errors"}},
		{len(p.Slowest) > 0, part{"slowest", "Slowest requests"}},
		{len(p.Generator) > 0, part{"generator", "Generator"}},
		{p.Heatmap != nil || p.Percentiles != nil || len(p.Missing) > 0, part{"spread", "Distribution"}},
		{len(p.Phases) > 0, part{"phases", "Phases and steps"}},
		{p.Resilience != nil, part{"resilience", "Resilience"}},
		{len(p.Target) > 0 || len(p.Happenings) > 0, part{"target", "Target"}},
		{p.Comparison != nil, part{"baseline", "Baseline"}},
		{p.Scripts != nil, part{"scripts", "Script"}},
		{true, part{"run", "Run"}},
	} {
		if s.there {
			out = append(out, s.part)
		}
	}
	return out
}

// facts are the figures beside the verdict.
func facts(r *result.Result) []pair {
	out := []pair{{"Duration", seconds(r.Duration)}}
	if run := rowOf(totals(r), "run"); run != nil && run.all.Count > 0 {
		out = append(out, pair{"Requests", count(run.all.Count)}, pair{"Rate", rate(run.all.Rate)}, pair{"Errors", share(run.bad, run.all.Count)})
		for _, q := range []struct {
			name string
			n    result.Num
		}{{"p50", run.all.Response.P50}, {"p95", run.all.Response.P95}, {"p99", run.all.Response.P99}} {
			out = append(out, pair{q.name, response(q.n, run.population())})
		}
	}
	if len(r.Faults) > 0 {
		out = append(out, pair{"Faults", count(int64(len(r.Faults)))})
	}
	if !r.Started.IsZero() {
		out = append(out, pair{"Started", r.Started.UTC().Format("2 Jan 2006 15:04 UTC")})
	}
	return out
}

// response writes a percentile, ∞ where more requests failed than it allows.
func response(n result.Num, population int64) string {
	if failed(n, population) {
		return "∞"
	}
	return seconds(n)
}
