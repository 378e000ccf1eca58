package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"

	"brunt/reporters"
	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Page writes report.html.
type Page struct {
	Site *SiteLinks // links of the site that has the page; nil: the page stands alone
}

var _ reporters.Reporter = Page{}

// File is the name of the page of a report in its folder.
const File = "report.html"

//go:embed assets
var sources embed.FS

// templateFuncs are the functions of page.tmpl, and of templates that use parts of it.
var templateFuncs = template.FuncMap{"term": term, "slow": slowOf, "steps": stepsOf}

var pageTemplate = template.Must(template.New("page.tmpl").Funcs(templateFuncs).ParseFS(sources,
	"assets/page.tmpl", "assets/live.tmpl", "assets/curve.tmpl", siteTemplate))

// pageView is the data of the template, in its order.
type pageView struct {
	Logs                 []logView
	Icon                 template.URL
	Policy               string
	CSS                  template.CSS
	Script               template.JS
	Data, Facets         template.HTML // for the script
	Mark, Word, Tone     string
	Name, Answer         string
	Hypothesis           string
	Alerts               []string
	Facts                []words.Pair
	Meta                 []words.Pair
	Parts                []part
	Band                 *bandView
	Objectives           []objectiveView
	Held                 []objectiveView // the folded ones
	Steps, MoreSteps     []stepView
	StepsFoot            string
	Received             bool // the table of steps has a column for the bytes received
	Gauges               bool
	BoundsFoot           string
	Faults               []faultView
	FaultTable           *chart.Table
	Ledgers              []*ledgerView
	Asked                []askedView
	AskedFoot            string
	Repeated             []string
	RepeatTable          *chart.Table
	Incidents            *chart.Table
	Control, Many        bool
	Overview             []chart.Lane
	Axis                 []chart.Tick
	Watched              []chart.Watched
	WatchedAxis          []chart.Tick
	Latency, Throughput  *chart.Chart
	Errors               *chart.Chart
	ErrorRows            []errorView
	ErrorSum, ErrorsLeft string
	Resilience           *chart.Chart
	Costs                *chart.Table
	Budgets              []budgetView
	BudgetsLeft          string
	Target               []*chart.Chart
	Units                []unitView
	Happenings           []unitEventView
	HappeningsLeft       string
	Comparison           *comparisonView
	Timings              []timingView
	TimingNames          []phaseName
	TimingsLeft          string
	Slowest, Slower      []slowestView // the slowest requests, and the folded ones
	Traced               bool
	Curled, Uncurled     bool // some slowest requests have a command, some have none
	Generator            []*chart.Chart
	GeneratorText        string
	Workers              *workersView // nil: brunt's own process made the load
	Healthy              bool
	Limits               []string
	Heatmap, Percentiles *chart.Chart
	Missing              []string
	Phases               []phaseView
	PhasesFoot           string
	Scripts              *chart.Table
	Command              string
	Seed                 uint64
	Environment          []words.Pair
	Loads                []loadView
	Notes                []string
	Scenario             string
	Version, Run         string
	ExitCode             int
	Meaning              string
	Live                 *liveView // nil: the run is over
	Site                 *SiteLinks
	Against              *curveView // nil: the load is no ramp
}

type part struct{ ID, Title string }

func (Page) Format() reporters.Format {
	return reporters.Format{
		Name: "html", File: File,
		About: "The report for people: one page that opens offline and runs nothing from elsewhere.",
	}
}

func (pg Page) Report(w io.Writer, r *result.Result) error {
	p, err := newPage(r)
	if err != nil {
		return err
	}
	if err := p.atSite(pg.Site); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

func newPage(r *result.Result) (*pageView, error) {
	p := &pageView{
		Icon: icon(words.Tone(r.Verdict)), Mark: words.Mark(r.Verdict), Word: words.Capitalize(words.Verdict(r.Verdict)),
		Tone: words.Tone(r.Verdict),
		Name: words.Clean(r.Name), Answer: words.Answer(r), Hypothesis: words.Hypothesis(r),
		BoundsFoot: words.BoundsMeaning(r.Objectives),
		Control:    r.Control, Healthy: r.Generator.Healthy, Version: words.Clean(r.Environment.Brunt),
		Run:      words.Clean(r.Run),
		ExitCode: r.ExitCode,
		Meaning:  words.Meaning(r.Verdict),
	}
	at := chart.Places{}
	list, together := chart.Points(r)
	line := chart.NewTimeline(r, list, at)
	c := chart.NewPlotter(line, list, together)
	p.opening(r, line)
	p.Facts = facts(r)
	for _, m := range words.Meta(r) {
		p.Meta = append(p.Meta, pair(words.Capitalize(m.Name), m.Value))
	}
	if len(list) > 0 && !r.Generator.Healthy && r.Verdict != scenarios.Invalid { // else the answer has it
		p.Alerts = append(p.Alerts,
			"The generator was not healthy: see Generator. What its own time could turn is invalid; the other objectives "+
				"have the "+
				"same answer with and without it.")
	}
	if r.Imported != "" {
		p.Alerts = append(p.Alerts, "Imported from "+words.Clean(r.Imported)+
			": brunt did not make these requests. See the notes of the run for what their "+
			"times are.")
	}
	p.objectives(r)
	p.Scripts = scriptTable(r)
	p.faults(r, line)
	p.asked(r)
	p.ledgers(r.AllLedgers())
	p.repeats(r.Repeats)
	p.Incidents = incidents(r.Incidents, r.Going != nil)
	if len(list) > 0 {
		p.Latency, p.Throughput, p.Errors = c.Latency(r), c.Throughput(r), c.ErrorRates()
		p.Resilience, p.Costs = c.Resilience(r), costs(r)
		p.budgets(r)
		if r.Imported == "" || !r.Generator.Healthy {
			p.Generator = c.Generator(r)
		}
	}
	if r.Going == nil || !r.Going.Brief {
		p.distribution(c, r)
	}
	p.generator(r)
	p.target(c, r)
	if p.Watched = line.Watched(r.Watches); p.Watched != nil {
		p.WatchedAxis = line.Times()
	}
	p.comparison(r.Comparison)
	p.errors(r)
	p.timings(r)
	p.slowest(r)
	p.phases(r)
	p.run(r)
	p.Against = againstLoad(r)
	p.Parts = p.parts()
	css, err := sources.ReadFile("assets/page.css")
	if err != nil {
		return nil, err
	}
	script, err := sources.ReadFile("assets/page.js")
	if err != nil {
		return nil, err
	}
	if p.Against != nil {
		extra, err := sources.ReadFile("assets/curve.css")
		if err != nil {
			return nil, err
		}
		css = append(css, extra...)
	}
	if p.Data, p.Facets, err = c.Encode(r, p.Latency, drawn); err != nil {
		return nil, err
	}
	p.CSS, p.Script = template.CSS(css)+at.CSS(), template.JS(comments.ReplaceAll(script, nil))
	if r.Going != nil {
		if err := p.live(r.Going.Brief); err != nil {
			return nil, err
		}
		return p, nil
	}
	p.Policy = p.policy("'none'")
	return p, nil
}

// policy allows the page its own style and script, and forms to the given source.
func (p *pageView) policy(forms string) string {
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; "+
		"form-action %s", hash(string(p.CSS)), hash(string(p.Script)), forms)
}

// comments matches comments and indents of a script, which the page omits.
var comments = regexp.MustCompile(`(?m)^\s*(//.*\n)?`)

// drawn returns the parts of a chart that the script replaces.
func drawn(c *chart.Chart) (chart.Drawing, error) {
	d := chart.Drawing{Lines: string(c.Plot), Label: c.Title + ". " + c.Label}
	for name, to := range map[string]*string{
		"tops": &d.Tops, "strips": &d.Strips, "ticks": &d.Ticks, "names": &d.Names, "table-body": &d.Table,
	} {
		var b strings.Builder
		var of any = c
		if name == "table-body" {
			of = c.Table
		}
		if err := pageTemplate.ExecuteTemplate(&b, name, of); err != nil {
			return chart.Drawing{}, err
		}
		*to = b.String()
	}
	return d, nil
}

// style reads a style file.
func style(file string) (template.CSS, error) {
	b, err := sources.ReadFile(file)
	return template.CSS(b), err
}

// stylesOf joins style files after the common style of all pages.
func stylesOf(files ...string) (css template.CSS, err error) {
	for _, file := range append([]string{"assets/page.css"}, files...) {
		b, err := style(file)
		if err != nil {
			return "", err
		}
		css += b
	}
	return css, nil
}

// styled returns the style and the policy of a page without a script. The style is the common style of all pages and
// the given file. The policy allows only that style.
func styled(file string) (css template.CSS, policy string, err error) {
	css, err = stylesOf(file)
	return css, staticPolicy(css, "'none'"), err
}

// hash returns the policy's source expression for a style or script.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// distribution adds the charts that need histograms. If the histograms cannot be read, the
// page says so and omits the charts.
func (p *pageView) distribution(c *chart.Plotter, r *result.Result) {
	var err, err2 error
	p.Heatmap, err = c.Heatmap(r)
	p.Percentiles, err2 = c.Percentiles(r)
	for _, err := range []error{err, err2} {
		if err != nil {
			p.Missing = append(p.Missing, "A chart is missing, as its histograms can't be read: "+words.Clean(err.Error())+".")
		}
	}
}

// parts lists the sections that the page has.
func (p *pageView) parts() []part {
	var out []part
	for _, s := range []struct {
		there bool
		part
	}{
		{true, part{"objectives", "Objectives"}},
		{len(p.Steps) > 0, part{"steps", "Steps"}},
		{len(p.Faults) > 0, part{"faults", "Faults"}},
		{p.Incidents != nil, part{"incidents", "Incidents"}},
		{len(p.Ledgers) > 0, part{"ledger", "Ledger"}},
		{p.Latency != nil, part{"latency", "Response time"}},
		{p.Against != nil, part{"against", "Against load"}},
		{p.Watched != nil, part{"watch", "Units"}},
		{p.Throughput != nil, part{"throughput", "Requests"}},
		{p.Errors != nil || len(p.ErrorRows) > 0, part{"errors", "Errors"}},
		{len(p.Timings) > 0, part{"timings", "Where the time went"}},
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

// facts returns the figures beside the verdict.
func facts(r *result.Result) []words.Pair {
	out := []words.Pair{pair("Duration", words.Seconds(r.Duration))}
	if run := words.PhaseRowOf(words.PhaseTotals(r), slo.Phase{Kind: slo.RunPhase}); run != nil && run.All.Count > 0 {
		out = append(out, pair("Requests", words.Count(run.All.Count)), pair("Rate", words.Rate(run.All.Rate)),
			pair("Errors", words.Share(run.Bad, run.All.Count)))
		for _, c := range words.TimeColumns[:3] {
			out = append(out, pair(c.Name+" of good", run.Good(c.Of)))
		}
	}
	if len(r.Faults) > 0 {
		out = append(out, pair("Faults", words.Count(int64(len(r.Faults)))))
	}
	if !r.Started.IsZero() {
		out = append(out, pair("Started", r.Started.UTC().Format("2 Jan 2006 15:04 UTC")))
	}
	return out
}
