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
	"slices"
	"strings"
	"sync"

	"brunt/reporters"
	"brunt/reporters/chart"
	"brunt/reporters/evidence"
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
const File = evidence.PageFile

//go:embed assets
var sources embed.FS

// templateFuncs are the functions of page.tmpl, and of templates that use parts of it.
var templateFuncs = template.FuncMap{
	"need": needOf, "term": term, "coded": coded,
	"slow": slowOf, "steps": stepsOf, "states": statesOf, "word": words.Verdict,
	"keys": func(path string) []string { return strings.Split(path, ".") },
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.tmpl").Funcs(templateFuncs).ParseFS(sources,
		"assets/page.tmpl", "assets/live.tmpl", "assets/curve.tmpl", siteTemplate))
})

// pageView is the data of the template, in its order.
type pageView struct {
	Logs                 []logView
	Icon                 template.URL
	Policy               string
	CSS                  template.CSS
	Script               template.JS
	Data, Facets, Points template.HTML // for the script
	Word, Tone           string
	Name                 string
	Answer               *words.Answer
	Hypothesis           string
	Alerts               []string
	Facts                []words.Pair
	Meta                 []words.Pair
	Groups               []group
	Minutes              []minuteView
	Attended             bool       // people took part, and the minutes are open
	Brief                *briefView // nil while the run goes on
	Rates, Times         *chart.Chart
	ErrorsFirst          bool
	Objectives           []objectiveView
	Held                 []objectiveView // the folded ones
	Steps, MoreSteps     []stepView
	StepsFoot            string
	Received             bool // the table of steps has a column for the bytes received
	Gauges               bool
	BoundsFoot           string
	Faults               []faultView
	FaultTable           *chart.Table
	AroundFoot           string
	Ledgers              []*ledgerView
	Consistency          []*consistencyView
	Deliveries           []*ledgerView
	Asked                []askedView
	AskedFoot            string
	Repeated             []string
	RepeatTable          *chart.Table
	Pools                []poolView
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
	Phases               *phasesView
	PhasesFoot           string
	Scripts              *chart.Table
	Command              string
	Seed                 uint64
	Environment          []words.Pair
	Loads                []loadView
	Notes, MoreNotes     []string // the first ones, and the folded ones
	Scenario             string
	Version, Run         string
	Ticket               string // the run as text to copy; empty while it goes on
	ExitCode             int
	Meaning              string
	Live                 *liveView // nil: the run is over
	Site                 *SiteLinks
	Traces               *tracesView // nil: no spans were received
	Links                *linksView  // nil: no traffic on links was counted
	Against              *curveView  // nil: the load is no ramp
	Loop                 *loopView   // nil: no escape was made
	GoodCosts            []words.CostRow
	CostHeads            []string
	CostFoot             string
}

// A group is a heading of the navigation, with the parts below it.
type group struct {
	Title string
	Parts []part
}

type part struct{ ID, Title string }

// PastLink returns the address of the page of an earlier run; empty if it has none that the page can lead to.
func (p *pageView) PastLink(run words.PastRun) string {
	switch {
	case p.Site != nil && p.Site.PageOf != nil:
		return p.Site.PageOf(run.Run)
	case !run.Beside:
		return ""
	}
	return beside(run.Folder)
}

// LeadsOut reports whether the page has links to files beside it, which a copy of the page alone does not have.
func (p *pageView) LeadsOut() bool {
	return len(p.Logs) > 0 || p.Answer.Past != nil &&
		slices.ContainsFunc(p.Answer.Past.Runs, func(run words.PastRun) bool { return p.PastLink(run) != "" })
}

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
	if err := pageTemplate().Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(withGlossary(b.Bytes()))
	return err
}

func newPage(r *result.Result) (*pageView, error) {
	p := &pageView{
		Icon: icon(words.Tone(r.Verdict)), Word: words.Capitalize(words.RunVerdict(r)), Tone: words.Tone(r.Verdict),
		Name: words.Clean(r.Name), Answer: words.AnswerOf(r), Hypothesis: words.Hypothesis(r),
		BoundsFoot: words.BoundsMeaning(r.Objectives),
		Control:    r.Control, Healthy: r.Generator.Healthy, Version: words.Clean(r.Environment.Brunt),
		Run:      words.Clean(r.Run),
		ExitCode: r.ExitCode,
		Meaning:  words.Meaning(r),
	}
	at := chart.Places{}
	list, together := chart.Points(r)
	line := chart.NewTimeline(r, list, at)
	c := chart.NewPlotter(line, list, together)
	p.steps(r, line)
	if r.Going == nil {
		p.brief(p.Answer)
		p.Ticket = ticket(p.Answer, r)
	}
	p.Facts = facts(r)
	for _, m := range words.Meta(r) {
		p.Meta = append(p.Meta, pair(words.Capitalize(m.Name), m.Value))
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
	p.consistency(r.Consistency, line)
	p.deliveries(r.Deliveries)
	p.repeats(r.Repeats)
	p.pools(r.Pools)
	p.Incidents = incidents(r)
	p.Minutes, p.Attended = minutes(r), r.Attended()
	if len(list) > 0 {
		p.Latency, p.Throughput, p.Errors = c.Latency(r), c.Throughput(r), c.ErrorRates()
		p.glance(c, r)
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
	if p.Watched = line.Watched(r.Watches); p.Watched != nil || p.Consistency != nil {
		p.WatchedAxis = line.Times()
	}
	p.comparison(r.Comparison)
	p.errors(r)
	p.timings(r)
	p.Traces, p.Links = traces(r.Traces), links(r)
	p.GoodCosts, p.CostHeads, p.CostFoot = words.CostRows(r), words.CostHeads, words.CostMeaning
	p.slowest(r)
	p.phases(r)
	p.run(r)
	p.Against, p.Loop = againstLoad(r), loop(r)
	p.ErrorsFirst = len(p.ErrorRows) > 0 && r.Verdict != scenarios.Pass
	p.Groups = p.groups()
	var styles []string
	scripts := []string{"assets/page.js"}
	var err error
	if p.Against != nil || r.Going != nil && ramps(r) { // the page of a ramp shows its curve when the ramp is over
		scripts = append(scripts, plotScript)
	}
	if p.Against != nil || p.Loop != nil || len(p.Pools) > 0 {
		styles = append(styles, "assets/curve.css")
	}
	if p.Against != nil {
		styles = append(styles, plotStyle)
		if p.Points, err = p.Against.Readout.Packed(); err != nil {
			return nil, err
		}
	}
	if len(p.Pools) > 0 {
		styles = append(styles, "assets/pool.css")
	}
	css, err := stylesOf(styles...)
	if err != nil {
		return nil, err
	}
	if p.Script, err = scriptOf(scripts...); err != nil {
		return nil, err
	}
	if p.Data, p.Facets, err = c.Encode(r, p.Latency, drawn); err != nil {
		return nil, err
	}
	p.CSS = css + at.CSS()
	if r.Going != nil {
		if err := p.live(r.Going.Brief); err != nil {
			return nil, err
		}
		return p, nil
	}
	p.Policy = scriptedPolicy(p.CSS, p.Script, "'none'")
	return p, nil
}

// scriptOf joins scripts after the one with the functions that they share.
func scriptOf(files ...string) (script template.JS, err error) {
	for _, file := range append([]string{"assets/pointer.js"}, files...) {
		b, err := sources.ReadFile(file)
		if err != nil {
			return "", err
		}
		script += template.JS(comments.ReplaceAll(b, nil))
	}
	return script, nil
}

// The script and the style of charts that share one axis, see [chart.Readout].
const plotScript, plotStyle = "assets/plot.js", "assets/plot.css"

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
		if err := pageTemplate().ExecuteTemplate(&b, name, of); err != nil {
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

// groups lists the sections that the page has, in their order.
func (p *pageView) groups() []group {
	errors := part{"errors", "Errors"}
	failed := p.Errors != nil || len(p.ErrorRows) > 0
	var out []group
	for _, g := range []struct {
		title string
		parts []part // one without an ID is not on the page
	}{
		{"Outcome", []part{
			part{"glance", "At a glance"}.where(p.Rates != nil || p.Brief != nil),
			errors.where(failed && p.ErrorsFirst),
			{"objectives", "Objectives"},
			part{"faults", "Faults"}.where(len(p.Faults) > 0), part{"incidents", "Incidents"}.where(p.Incidents != nil),
			part{"minutes", "Minute by minute"}.where(p.Minutes != nil),
			part{"ledger", "Ledger"}.where(len(p.Ledgers) > 0),
			part{"consistency", "Consistency"}.where(len(p.Consistency) > 0),
			part{"deliveries", "Deliveries"}.where(len(p.Deliveries) > 0),
		}},
		{"Load", []part{
			part{"steps", "Steps"}.where(len(p.Steps) > 0), part{"latency", "Response time"}.where(p.Latency != nil),
			part{"against", "Against load"}.where(p.Against != nil),
			part{"loop", "Goodput loop"}.where(p.Loop != nil),
			part{"watch", "Units"}.where(p.Watched != nil), part{"throughput", "Requests"}.where(p.Throughput != nil),
			errors.where(failed && !p.ErrorsFirst),
			part{"spread", "Distribution"}.where(p.Heatmap != nil || p.Percentiles != nil || len(p.Missing) > 0),
			part{"phases", "Phases and steps"}.where(p.Phases != nil),
			part{"timings", "Where the time went"}.where(len(p.Timings) > 0),
			part{"traces", "Self time by service"}.where(p.Traces != nil),
			part{"links", "Calls per request"}.where(p.Links != nil),
			part{"slowest", "Slowest requests"}.where(len(p.Slowest) > 0),
		}},
		{"Target", []part{
			part{"target", "Use of resources"}.where(len(p.Target) > 0 || len(p.Happenings) > 0),
			part{"resilience", "Resilience"}.where(p.Resilience != nil),
		}},
		{"Evidence", []part{
			part{"scripts", "Script"}.where(p.Scripts != nil), part{"baseline", "Baseline"}.where(p.Comparison != nil),
			part{"generator", "Generator"}.where(len(p.Generator) > 0),
			{"run", "Run"},
		}},
	} {
		list := slices.DeleteFunc(g.parts, func(p part) bool { return p.ID == "" })
		if len(list) > 0 {
			out = append(out, group{g.title, list})
		}
	}
	return out
}

// where returns the part if the page has it; else none.
func (p part) where(there bool) part {
	if !there {
		return part{}
	}
	return p
}

// ticket returns the run as text, to be copied into a message: the answer, then what identifies the run.
func ticket(a *words.Answer, r *result.Result) string {
	lines := []string{words.Hypothesis(r)}
	if text := words.Generator(r); text != "" {
		lines = append(append(lines, "Generator: "+text), words.GeneratorLimits(r)...)
	}
	if c := words.Command(r.Environment.Command); c != "" {
		lines = append(lines, "To run it again: "+c)
	}
	lines = append(lines, fmt.Sprintf("brunt %s · run %s · exit code %d: %s", words.Clean(r.Environment.Brunt),
		words.Clean(r.Run), r.ExitCode, words.Meaning(r)))
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	return a.Text() + strings.Join(lines, "\n") + "\n"
}

// facts returns the figures beside the verdict.
func facts(r *result.Result) []words.Pair {
	out := []words.Pair{pair("Verdict", fmt.Sprintf("%s, exit code %d", words.RunVerdict(r), r.ExitCode))}
	if !r.Started.IsZero() {
		out = append(out, pair("Started", r.Started.UTC().Format("2 Jan 2006 15:04 UTC")))
	}
	out = append(out, pair("Duration", words.Seconds(r.Duration)))
	if run := words.PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase}); run != nil && run.All.Count > 0 {
		out = append(out, pair("Requests", words.Count(run.All.Count)), pair("Rate", words.Rate(run.All.Rate)),
			pair("Errors", words.Share(run.Bad, run.All.Count)))
	}
	if len(r.Faults) > 0 {
		out = append(out, pair("Faults", words.Count(int64(len(r.Faults)))))
	}
	return out
}
