package compare

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/statistics"
	"brunt/scenarios/syntax"
)

// A Trend is the course of one metric of a scenario over the runs of a history.
type Trend struct {
	Phase  slo.Phase `json:"phase"`  // as in result.json
	Load   string    `json:"load"`   // * is all of them
	Step   string    `json:"step"`   // * is all of them
	Metric string    `json:"metric"` // p50 p90 p95 p99 errors rate recover cpu memory
	Points []Point   `json:"points"` // the oldest first
	Moves  []Move    `json:"moves"`  // changes of level
	Levels []float64 `json:"levels"` // one between each two moves: geometric mean, or the mean if values are shares
	// Untested says that too few runs have a finite value for a change of level to be seen, so no move is no answer.
	Untested bool `json:"untested,omitempty"`

	metric *metric
	scaled []float64 // the levels on the scale of changes
}

// A Point is the value of one run.
type Point struct {
	Run     string     `json:"run"`     // its name
	Commit  string     `json:"commit"`  // of the system under test
	Started time.Time  `json:"started"` // when it began
	Value   result.Num `json:"value"`   // null is infinite
	Red     bool       `json:"red"`     // the gate found it to be worse
}

// A Move is a change of level.
type Move struct {
	At     int     `json:"at"`     // index of the first point of the new level
	Change float64 `json:"change"` // by how much it got worse: a share of the level before, or a difference of shares
}

const leastLevel = 4 // runs that make a level

// Trends returns the trend of every metric of the records. The metrics, phases and steps of the options select trends
// as in a comparison.
func Trends(all []*Record, o Options) []Trend {
	var out []Trend
	if len(all) == 0 {
		return nil
	}
	var of []values
	for _, r := range all {
		of = append(of, r.values())
	}
	newest := all[len(all)-1]
	for _, at := range newest.places(of[len(of)-1:]) {
		if !o.wants(at) {
			continue
		}
		for i := range o.table() {
			if m := &o.table()[i]; len(o.Metrics) == 0 || slices.Contains(o.Metrics, m.Name) {
				if t := trend(all, of, at, m, 1); len(t.Points) > 0 {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// trend computes the trend of a metric at a place. Series is the number of series that share the
// significance level.
func trend(all []*Record, of []values, at place, m *metric, series int) Trend {
	t := Trend{
		Phase: at.phase, Load: at.load, Step: at.step, Metric: m.Name, metric: m, Moves: []Move{}, Levels: []float64{},
	}
	var points []float64 // the finite ones, on the scale of changes
	var finite []value   // of the points
	var index []int      // of the points
	vs, runs := column(of, at, m.Name)
	noLonger(vs)
	for i, v := range vs {
		r := all[runs[i]]
		p := Point{Run: r.Run, Commit: r.Commit, Started: r.Started, Value: result.Num(v.x), Red: r.Red}
		if v.zero {
			p.Value = 0
		}
		t.Points = append(t.Points, p)
		if x := m.scaled(v.x); !math.IsInf(x, 0) && !math.IsNaN(x) {
			points, finite, index = append(points, x), append(finite, v), append(index, i)
		}
	}
	t.Untested = len(points) < 2*leastLevel
	from := 0
	cuts := changes(points, leastLevel, series, rand.New(rand.NewPCG(1, uint64(len(points)))))
	for _, cut := range append(cuts, len(points)) {
		if cut > from {
			level := statistics.Mean(points[from:cut])
			t.scaled = append(t.scaled, level)
			t.Levels = append(t.Levels, float64(m.shown(level, finite[from:cut])))
		}
		from = cut
	}
	for i, cut := range cuts {
		t.Moves = append(t.Moves, Move{At: index[cut], Change: m.worse(t.scaled[i+1] - t.scaled[i])})
	}
	return t
}

// row returns a row with the place of the trend, for its wording.
func (t *Trend) row() *Row {
	return &Row{Phase: t.Phase, Load: t.Load, Step: t.Step, Metric: t.Metric, metric: t.metric}
}

// Where names the metric and place of the trend.
func (t *Trend) Where() string { return t.row().where() }

// Share reports whether the values are shares of a whole.
func (t *Trend) Share() bool { return t.row().metric.Unit == slo.ShareOf }

// Say formats a value of the trend for people.
func (t *Trend) Say(f float64) string { return t.row().value(result.Num(f)) }

// Sentence describes when the level moved, and by how much.
func (t *Trend) Sentence(m Move) string {
	i := slices.IndexFunc(t.Moves, func(o Move) bool { return o.At == m.At })
	p := t.Points[m.At]
	run := p.Run
	if p.Commit != "" {
		run = p.Commit + " (" + p.Run + ")"
	}
	verb := "worse by"
	change := m.Change
	if change < 0 {
		verb, change = "better by", -change
	}
	return fmt.Sprintf("%s with %s: %s %s, from %s to %s", p.Started.UTC().Format("2006-01-02 15:04"), run, verb,
		t.row().share(result.Num(change)), t.Say(t.Levels[i]), t.Say(t.Levels[i+1]))
}

const sparkWidth = 40 // runes

// values are the values of the points.
func (t *Trend) values() (all []float64) {
	for _, p := range t.Points {
		all = append(all, float64(p.Value))
	}
	return all
}

// TrendText writes trends for a terminal.
func TrendText(w io.Writer, trends []Trend) error {
	var b strings.Builder
	for i := range trends {
		t := &trends[i]
		last := "no end"
		if v := t.Points[len(t.Points)-1].Value; v.Known() {
			last = t.Say(float64(v))
		}
		fmt.Fprintf(&b, "%-32s %-*s %s\n", t.Where(), sparkWidth, sparkline(t.values(), sparkWidth), last)
		for _, m := range t.Moves {
			fmt.Fprintf(&b, "  changed level on %s\n", syntax.Clean(t.Sentence(m)))
		}
	}
	if text := Untested(trends); text != "" {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Untested says of how many trends too few runs are on file to tell whether the level changed. It is empty if of none.
func Untested(trends []Trend) string {
	n := 0
	for i := range trends {
		if trends[i].Untested {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("Whether the level changed is not tested for %d of %s: that needs %d runs with a finite value.",
		n, syntax.Amount(len(trends), "figure"), 2*leastLevel)
}
