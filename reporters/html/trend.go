package html

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"brunt/reporters/chart"
)

// A TrendPage shows how figures changed over the runs in a history, as one file that opens offline and has no script.
type TrendPage struct {
	Name    string // of the scenario
	Machine string // kind of machine
	Note    string // caption of the charts; empty: they show the levels that the trend of a history found on Machine
	More    string // what else to know, after the caption; may be empty
	Charts  []TrendChart
	Site    *SiteLinks // nil: the page stands alone
}

// A TrendChart shows how one figure changed.
type TrendChart struct {
	Title  string
	Points []TrendPoint         // the oldest first
	Moves  []TrendMove          // in order
	Levels []float64            // before the first move, between moves, after the last
	Say    func(float64) string // formats a value
	Share  bool                 // values are shares of a whole
	// the objective's target as a line, and its name; an empty name is no line
	Limit     float64
	LimitText string
}

// A TrendPoint is the figure of one run. A value that is not finite is shown as "no end".
type TrendPoint struct {
	Run, Commit string
	Link        string // to the run's page; empty: none
	Started     time.Time
	Value       float64
	Red         bool
}

// A TrendMove is a change of a figure's level.
type TrendMove struct {
	At    int // index of the first point at the new level
	Text  string
	Worse bool
}

var trendTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/trend.tmpl", "assets/trends.tmpl", siteTemplate))
})

type trendView struct {
	Policy     string
	CSS        template.CSS
	Name, Note string
	Span       string
	Runs       int
	Charts     []trendChartView
	Site       *SiteLinks
}

type trendChartView struct {
	ID, Title, Last string
	Ticks           []trendTick
	Levels          template.HTML
	Dots            []trendDot
	Moves           []trendMoveView
	Limit, LimitTop string // the objective, and its place; empty: none
	Left, Right     string
	Rows            []trendRow
}

type (
	trendTick struct {
		Top  string // share of the plot's height, from above
		Text string
	}
	trendDot struct {
		Left, Top string // shares of the plot
		Class     string
		Text      string
		Endless   bool
	}
	trendMoveView struct{ Left, Text, Tone, Word string }
	trendRow      struct{ When, Run, Link, Commit, Value, Mark string }
)

// Report writes the page.
func (p TrendPage) Report(w io.Writer) error {
	v := trendView{Name: p.Name, Note: p.Note, Site: p.Site}
	if p.Note == "" {
		v.Note = "A line is a level, found by dividing the series where its parts differ most; an empty circle is a run " +
			"that the gate found to be worse, ▲ one whose value has no end."
		if p.Machine != "" {
			v.Note = "On " + p.Machine + ". " + v.Note
		}
	}
	v.Note = strings.TrimSpace(v.Note + " " + p.More)
	var err error
	if v.CSS, err = stylesOf("assets/trend.css", siteStyle); err != nil {
		return err
	}
	v.Policy = staticPolicy(v.CSS, "'none'")
	for i := range p.Charts {
		if len(p.Charts[i].Points) > 0 {
			v.Charts = append(v.Charts, p.Charts[i].view(i))
		}
	}
	if len(v.Charts) > 0 {
		points := p.Charts[0].Points
		v.Runs = len(points)
		v.Span = day(points[0].Started) + " to " + day(points[len(points)-1].Started)
	}
	return trendTemplate().Execute(w, v)
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// view draws the chart.
func (c *TrendChart) view(i int) trendChartView {
	v := trendChartView{
		ID: fmt.Sprintf("trend-%d", i+1), Title: c.Title, Last: sayValue(c.Say, c.Points[len(c.Points)-1].Value),
	}
	var values []float64
	for _, p := range c.Points {
		values = append(values, p.Value)
	}
	if c.LimitText != "" && !isInfinite(c.Limit) {
		values = append(values, c.Limit)
	}
	scale := chart.Linear
	if c.Share {
		scale = chart.Share
	}
	s := scale(values)
	if c.LimitText != "" && !isInfinite(c.Limit) {
		v.Limit, v.LimitTop = c.LimitText, percentOf(1-s.At(c.Limit))
	}
	for _, t := range s.Ticks() {
		v.Ticks = append(v.Ticks, trendTick{percentOf(1 - s.At(t)), c.Say(t)})
	}
	at := func(i float64) float64 { return (i + .5) / float64(len(c.Points)) }
	from := 0
	for k, level := range c.Levels {
		to := len(c.Points)
		if k < len(c.Moves) {
			to = c.Moves[k].At
		}
		y := chart.PlotHeight * (1 - s.At(level))
		v.Levels += template.HTML(fmt.Sprintf(`<path d="M%.0f %.0fH%.0f"/>`,
			chart.PlotWidth*(at(float64(from))-.5/float64(len(c.Points))), y,
			chart.PlotWidth*(at(float64(to))-.5/float64(len(c.Points)))))
		from = to
	}
	for _, m := range c.Moves {
		mv := trendMoveView{Left: percentOf(at(float64(m.At) - .5)), Text: m.Text, Tone: "good", Word: "better"}
		if m.Worse {
			mv.Tone, mv.Word = "bad", "worse"
		}
		v.Moves = append(v.Moves, mv)
	}
	for i, p := range c.Points {
		d := trendDot{Left: percentOf(at(float64(i))), Text: p.text(c.Say), Endless: isInfinite(p.Value)}
		if !d.Endless {
			d.Top = percentOf(1 - s.At(p.Value))
		}
		mark := ""
		if p.Red {
			d.Class, mark = "red", "red"
		}
		v.Dots = append(v.Dots, d)
		v.Rows = append(v.Rows, trendRow{
			minute(p.Started), p.Run, p.Link, p.Commit, sayValue(c.Say, p.Value), mark,
		})
	}
	first, last := c.Points[0].Started, c.Points[len(c.Points)-1].Started
	if v.Left, v.Right = day(first), day(last); v.Left == v.Right {
		v.Left, v.Right = minute(first), minute(last)
	}
	return v
}

func (p *TrendPoint) text(say func(float64) string) string {
	run := p.Run
	if p.Commit != "" {
		run = p.Commit + ", " + run
	}
	return fmt.Sprintf("%s: %s, %s", sayValue(say, p.Value), run, minute(p.Started))
}

func sayValue(say func(float64) string, v float64) string {
	if isInfinite(v) {
		return "no end"
	}
	return say(v)
}

func isInfinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// percentOf formats a part of the whole for an attribute of SVG.
func percentOf(f float64) string { return chart.PercentOf(f) }
