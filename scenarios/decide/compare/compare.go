package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"

	"gonum.org/v1/gonum/stat/combin"
)

// Options configure a comparison. The zero value uses the default margin of each metric and an alpha
// of 5 %, and refuses runs that do not match.
type Options struct {
	Margins Margins
	Alpha   float64  // probability that any row fails although nothing changed; zero is 0.05
	Metrics []string // nil means all
	Phases  []string // nil means all
	Steps   []string // nil means all; * is all steps together
	Allow   []string // mismatches to accept, of [MismatchKinds]
	// records of the scenario on similar machines, the oldest first. If one side was run before the other, they show
	// how much sessions of runs differ
	History []*Record

	runs     int   // of a gate: the largest number of runs; zero means one
	switched bool  // runs are blocks of a switched load
	always   bool  // bounds hold at all times together
	metrics  table // nil means all
}

// table returns all metrics that can be compared, before [Options.Metrics] selects some.
func (o *Options) table() table {
	if o.metrics != nil {
		return o.metrics
	}
	return metrics
}

// DefaultAlpha is the probability of a false alarm, over all rows together.
const DefaultAlpha = .05

// A Row is the result for one metric of one step, load and phase.
type Row struct {
	Phase  slo.Phase `json:"phase"`  // as in result.json
	Load   string    `json:"load"`   // * is all of them
	Step   string    `json:"step"`   // * is all of them
	Metric string    `json:"metric"` // p50 p90 p95 p99 errors rate recover cpu memory
	// of the base runs: geometric mean, or the mean if it is a share; recover is 0 if no run had an outage, and the
	// change counts 0 as its resolution, or as the shortest outage of the other runs if that is shorter
	Base result.Num `json:"base"`
	Cand result.Num `json:"candidate"` // likewise
	// by how much the candidate is worse: a share of base, or the difference if the values are shares
	Change   result.Num `json:"change"`
	Low      result.Num `json:"low"`      // one-sided lower bound of the change
	High     result.Num `json:"high"`     // one-sided upper bound of the change
	Margin   result.Num `json:"margin"`   // tolerated change
	P        result.Num `json:"p"`        // probability of such a change by noise alone, after Holm
	Smallest result.Num `json:"smallest"` // smallest change that these runs would show as a failure 4 times in 5
	// runs per side that give an answer 4 times in 5 if the measured change is real; for a gate, records of history;
	// 0 means too many
	Enough  int               `json:"enough"`
	Verdict scenarios.Verdict `json:"verdict"`        // pass, fail or inconclusive
	Note    string            `json:"note,omitempty"` // the reason, if it is not plain
	// of a gate: its history shows that no run can decide the row, so it does not count as undecided
	Hopeless bool `json:"hopeless,omitempty"`

	metric *metric
	alone  float64 // P before Holm
	design Design  // of the comparison
}

// A Comparison tells whether one side is worse than the other.
type Comparison struct {
	Verdict    scenarios.Verdict `json:"verdict"`   // pass, regression or inconclusive
	Reason     string            `json:"reason"`    // one sentence
	Design     Design            `json:"design"`    // arrangement of the runs
	Base       []string          `json:"base"`      // runs
	Cand       []string          `json:"candidate"` // runs
	Alpha      float64           `json:"alpha"`     // probability of a false alarm
	Rows       []Row             `json:"rows"`      // in the order of phases, loads and steps
	Mismatches []string          `json:"mismatches,omitempty"`
	Left       []string          `json:"left_out,omitempty"` // metrics that most runs lack, and how many have them
	// of a gate: where the level of the history moved, and the consequence
	Moved []string `json:"moved,omitempty"`
	// of a gate: how the noise of the machine exceeded its history; if set, no failure counts
	Disturbed string `json:"disturbed,omitempty"`

	history []*Record // records that one run is compared with, the oldest first
	open    *Row      // the undecided row that the reason mentions; nil: none
	options Options
	turns   [2][]int // of groups: the turn of each run, for base and for cand
	past    []values // of sessions: the records of the history, the oldest first
	advice  []string // of a gate: how its hopeless rows could be decided
}

var (
	errUnfit = errors.New("these runs can't be compared")                            // they do not match
	errApart = errors.New("these runs can't be used together")                       // they do not match, as one baseline
	errEmpty = fmt.Errorf("%w: they share no metric with enough requests", errUnfit) // there is nothing to compare
)

// Compare decides whether the runs of cand are worse than those of base.
func Compare(base, cand []Run, o Options) (*Comparison, error) {
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	if len(base) < leastRuns || len(cand) < leastRuns {
		return nil, fmt.Errorf("%w: %d and %d runs; each side needs at least %d, because one run does not show how much "+
			"runs vary",
			errUnfit, len(base), len(cand), leastRuns)
	}
	base, cand = slices.Clone(base), slices.Clone(cand)
	c := &Comparison{Alpha: o.Alpha, options: o}
	c.Design, c.turns = design(base, cand)
	all := slices.Concat(base, cand)
	if err := distinct(all, errUnfit); err != nil {
		return nil, err
	}
	if c.Design == Uncontrolled {
		c.takeHistory(o.History, all)
	}
	if err := c.fit(all, o); err != nil {
		return nil, err
	}
	for _, r := range base {
		c.Base = append(c.Base, r.Name)
	}
	for _, r := range cand {
		c.Cand = append(c.Cand, r.Name)
	}
	var of []values
	for _, r := range all {
		of = append(of, o.table().values(r.Result, o.beyond()))
	}
	at := places(all[0].Result, of)
	if err := o.known(at); err != nil {
		return nil, err
	}
	tests := c.tests(at, of[:len(base)], of[len(base):], o)
	if len(tests) == 0 {
		return nil, errEmpty
	}
	c.judge(tests)
	return c, nil
}

// distinct returns an error if a run is given twice, on one side or on both. A run does not differ from itself, so it
// would look like evidence. unfit is the kind of the error.
func distinct(all []Run, unfit error) error {
	seen := map[string]string{}
	for _, r := range all {
		if before, twice := seen[r.Run]; twice && r.Run != "" {
			return fmt.Errorf("%w: %s is the same run as %s", unfit, r.Name, before)
		}
		seen[r.Run] = r.Name
	}
	return nil
}

// fit notes the mismatches of the runs, and returns an error for those that are not allowed.
func (c *Comparison) fit(all []Run, o Options) error {
	for _, m := range mismatches(all) {
		c.Mismatches = append(c.Mismatches, m.Text)
	}
	return matching(all, o.Allow, errUnfit, "compares")
}

// matching returns an error for the mismatches of the runs that are not allowed. unfit is the kind of the error, and
// does says what is done with runs that are allowed.
func matching(all []Run, allowed []string, unfit error, does string) error {
	var refused []string
	what := map[string]bool{}
	for _, m := range mismatches(all) {
		if !slices.Contains(allowed, m.What) {
			refused = append(refused, "  "+m.Text)
			what[m.What] = true
		}
	}
	if refused == nil {
		return nil
	}
	var allow []string
	for _, w := range MismatchKinds() {
		if what[w] {
			allow = append(allow, w)
		}
	}
	return fmt.Errorf("%w; --allow %s %s them anyway:\n%s", unfit, strings.Join(allow, ","), does,
		strings.Join(refused, "\n"))
}

// A test is a row whose estimate is known.
type test struct {
	Row
	est    estimate
	limit  float64
	n      int     // runs per side, or records of history
	void   bool    // it has no estimate
	lacks  bool    // it has none because too few runs have the metric
	chance float64 // probability by noise alone of the values of a void row; zero means that they show nothing

	cut [2]int // number of runs of each side that have requests which brunt cut off
	// without those of the base, and without those of the candidate; nil if there are none
	otherBase, otherCand *test
}

// p returns the probability of the observed change by noise alone.
func (t *test) p() float64 {
	if t.void {
		return t.chance
	}
	return t.est.p()
}

// tests estimates the change of every metric at every place. It is empty if there is no change to estimate.
func (c *Comparison) tests(at []place, base, cand []values, o Options) []*test {
	var out []*test
	for _, p := range at {
		if !o.wants(p) {
			continue
		}
		for i := range o.table() {
			m := &o.table()[i]
			if len(o.Metrics) > 0 && !slices.Contains(o.Metrics, m.Name) {
				continue
			}
			if t := c.row(p, m, base, cand, o.Margins.of(m)); t != nil {
				c.compareUncut(t, p, base, cand)
				out = append(out, t)
			}
		}
	}
	if !slices.ContainsFunc(out, func(t *test) bool { return !t.lacks }) {
		return nil
	}
	return out
}

// known returns an error for phases and steps without measurements.
func (o *Options) known(at []place) error {
	var phases, steps []string
	for _, p := range at {
		phases, steps = append(phases, p.phase.String()), append(steps, p.step)
	}
	for _, kind := range []struct {
		name        string
		asked, have []string
	}{{"phase", o.Phases, phases}, {"step", o.Steps, steps}} {
		have := slices.Compact(slices.Sorted(slices.Values(kind.have)))
		for _, asked := range kind.asked {
			if !slices.Contains(have, asked) {
				return fmt.Errorf("%w: %s %q has no values of its own; %s (a step with the same values as another, such as a "+
					"load's only step, goes by that one's name)",
					errUnfit, kind.name, asked, orKnown(syntax.DidYouMean(asked, have), have))
			}
		}
	}
	return nil
}

// beyond returns how many requests of a run must lie above a percentile for it to be compared.
func (o *Options) beyond() float64 {
	if o.switched {
		return beyondBlock
	}
	return beyond
}

func (o *Options) wants(p place) bool {
	return (len(o.Phases) == 0 || slices.Contains(o.Phases, p.phase.String())) &&
		(len(o.Steps) == 0 || slices.Contains(o.Steps, p.step))
}

func (c *Comparison) test(p place, m *metric, a, b []value, margin float64) *test {
	t := c.blank(p, m, margin)
	t.n = min(len(a), len(b))
	if c.Design == Past {
		t.n = len(a)
		s := sightOf(&t.Row, slices.DeleteFunc(slices.Clone(a), m.endless))
		t.Hopeless = c.history != nil && s.hopeless(c.options.runs, 1, c.Alpha)
	}
	if t.endless(c.Design, a, b, c.options.always, c.Alpha) {
		if c.Design == Uncontrolled || c.Design == Sessions {
			t.Verdict, t.chance = scenarios.Inconclusive, 0
		}
		return t
	}
	if c.Design == Sessions {
		return c.testApart(t, p, a, b)
	}
	t.est = c.Design.estimate(m, a, b, m.floor(a, b))
	t.est.always = c.options.always
	now := m.sessionOf(b).mean
	t.Base, t.Cand = m.shown(now-t.est.mean, a), m.shown(now, b)
	t.Change = result.Num(m.worse(t.est.mean))
	if c.Design == Uncontrolled {
		t.void, t.Verdict = true, scenarios.Inconclusive
	}
	return t
}

// endless decides a row in which some values can't be compared by a ratio: an infinite value, such as a percentile
// within the failed requests or a fault without recovery, or zero. Such a value is the worst possible one, or the
// best. Always means that bounds hold at all times together.
func (t *test) endless(d Design, a, b []value, always bool, alpha float64) bool {
	m := t.metric
	count := func(vs []value, is func(value) bool) (n int) {
		for _, v := range vs {
			if is(v) {
				n++
			}
		}
		return n
	}
	worst := func(v value) bool { return m.endless(v) && !m.best(v) }
	if count(a, m.endless)+count(b, m.endless) == 0 {
		return false
	}
	t.void = true
	t.Verdict = scenarios.Inconclusive
	t.Note = fmt.Sprintf("%d of %d base runs and %d of %d candidate runs have no finite value", count(a, worst), len(a),
		count(b, worst), len(b))
	if zeros := [2]int{count(a, m.zero), count(b, m.zero)}; zeros != [2]int{} {
		t.Note = fmt.Sprintf("%d of %d base runs and %d of %d candidate runs have 0, from or to which there is no ratio",
			zeros[0], len(a), zeros[1], len(b))
		t.fromZero(a, b)
	}
	mixed := func(v value) bool { return v.mixed }
	switch {
	// There is no defined difference.
	case count(a, worst) == len(a) && count(b, worst) == len(b), count(a, m.best) == len(a) && count(b, m.best) == len(b):
	case count(a, worst) == len(a) || count(b, m.best) == len(b):
		if !slices.ContainsFunc(a, mixed) && !slices.ContainsFunc(b, mixed) {
			t.Verdict = scenarios.Pass // it can't be worse
		}
	case count(a, m.endless) == 0 && count(b, worst) == len(b),
		count(a, m.best) == len(a) && count(b, m.best) == 0 && !slices.ContainsFunc(a, mixed):
		if t.chance = chanceOfAll(len(a), len(b)); d == Pairs { // only the sides of a pair can be exchanged
			t.chance = math.Pow(.5, float64(len(b)))
		}
	case count(b, m.endless) == 0 && count(a, m.best) == 0:
		if t.passesTheRest(d, a, b, m.endless, always, alpha) {
			t.Verdict = scenarios.Pass
		}
	}
	return true
}

// fromZero sets both values of a row if one is zero in all runs and the other has a mean.
func (t *test) fromZero(a, b []value) {
	m := t.metric
	mean := func(vs []value) (result.Num, bool) {
		switch {
		case !slices.ContainsFunc(vs, m.endless):
			return result.Num(m.value(m.sessionOf(vs).mean)), true
		case !slices.ContainsFunc(vs, func(v value) bool { return !m.zero(v) || v.mixed }):
			return 0, true
		}
		return result.NaN, false
	}
	base, has := mean(a)
	cand, hasToo := mean(b)
	if !has || !hasToo {
		return
	}
	t.Base, t.Cand = base, cand
	t.Note = "from " + t.value(base) + " to " + t.value(cand)
}

// passesTheRest reports whether the candidate passes against the base runs with a finite value. Those are the better
// ones, so the candidate then passes against all runs. A failure against them would prove nothing.
func (t *test) passesTheRest(d Design, a, b []value, without func(value) bool, always bool, alpha float64) bool {
	var rest, cand []value
	for i, v := range a {
		if without(v) {
			continue
		}
		if rest = append(rest, v); d == Pairs {
			cand = append(cand, b[i])
		}
	}
	if d != Pairs {
		cand = b
	}
	least := leastRuns
	if d == Past {
		least = LeastHistory
	}
	if len(rest) < least {
		return false
	}
	est := d.estimate(t.metric, rest, cand, t.metric.floor(rest, cand))
	est.always = always
	return est.high(alpha) < t.limit
}

// chanceOfAll returns the probability that, of n+m equal runs of which m have no finite value, those m are all on one
// side.
func chanceOfAll(n, m int) float64 {
	return 1 / combin.GeneralizedBinomial(float64(n+m), float64(m))
}

// column converts values to the scale of changes.
func (m *metric) column(vs []value) []float64 {
	out := make([]float64, len(vs))
	for i, v := range vs {
		out[i] = m.scaled(v.x)
	}
	return out
}

// resolution is the rounding error of a histogram with three significant digits, as a standard deviation of a
// logarithm.
const resolution = 1e-3 / 3.4641016151377544 // 1/√12

// floor returns the least standard deviation that a run's value can have. It is the standard deviation of its
// resolution and, for a share, of chance among as many requests. Values that agree to the last digit do not prove
// that runs do not vary.
func (m *metric) floor(sides ...[]value) float64 {
	least := resolution
	var k, n int64
	runs := 0.0
	for _, vs := range sides {
		for _, v := range vs {
			runs += v.times()
			k, n = k+v.k, n+v.n
			if v.s > 0 {
				least = max(least, v.s/v.x/math.Sqrt(12))
			}
		}
	}
	if m.ratio() {
		return least
	}
	share := (float64(k) + .5) / (float64(n) + 1)
	return math.Sqrt(share * (1 - share) / (float64(n) / runs))
}

// judge gives each row its verdict by Holm's procedure (A simple sequentially rejective multiple test procedure,
// 1979). The probability that any row fails although nothing changed is at most alpha.
func (c *Comparison) judge(tests []*test) {
	order := make([]*test, 0, len(tests))
	for _, t := range tests {
		if !t.void || t.chance > 0 {
			order = append(order, t)
		}
	}
	slices.SortStableFunc(order, func(a, b *test) int {
		switch pa, pb := a.p(), b.p(); {
		case pa < pb:
			return -1
		case pa > pb:
			return 1
		}
		return 0
	})
	adjusted := 0.0
	for i, t := range order {
		left := float64(len(order) - i)
		adjusted = max(adjusted, min(1, left*t.p()))
		t.P, t.alone = result.Num(adjusted), t.p()
		t.settle(c.Alpha, c.Alpha/left, adjusted)
		t.doubtCut(c.Alpha, c.Alpha/left)
	}
	for _, t := range tests {
		if t.void && t.chance == 0 {
			t.doubtCut(c.Alpha, c.Alpha/float64(max(1, len(order))))
		}
		c.Rows = append(c.Rows, t.Row)
	}
	c.conclude()
}

// settle sets the verdict. A failure needs the level that Holm's procedure leaves to this row, because one failed row
// fails the comparison. For a pass every row must pass, so each row may use the full alpha.
func (t *test) settle(alpha, share, adjusted float64) {
	if t.void {
		if adjusted < alpha {
			t.Verdict = scenarios.Fail
		}
		return
	}
	e, m := t.est, t.metric
	t.Low, t.High = result.Num(m.worse(e.low(share))), result.Num(m.worse(e.high(alpha)))
	t.Smallest = result.Num(m.worse(e.smallest(t.limit, share)))
	switch {
	case adjusted < alpha && e.mean > t.limit:
		t.Verdict = scenarios.Fail
	case e.high(alpha) < t.limit:
		t.Verdict = scenarios.Pass
	default:
		t.Verdict = scenarios.Inconclusive
		level := alpha
		if e.mean > t.limit {
			level = share
		}
		if t.design != Sessions { // more runs of these two sessions would tell little more
			t.Enough = e.enough(t.n, t.limit, level)
		}
	}
}

// conclude sets the overall verdict.
func (c *Comparison) conclude() {
	count := map[scenarios.Verdict]int{}
	var worst, open *Row
	var hopeless []string
	c.open = nil
	for i := range c.Rows {
		r := &c.Rows[i]
		count[r.Verdict]++
		switch r.Verdict {
		case scenarios.Fail:
			if worst == nil || r.P < worst.P {
				worst = r
			}
		case scenarios.Inconclusive:
			if r.Hopeless {
				hopeless = append(hopeless, r.where())
				continue
			}
			if open == nil || r.Enough == 0 || open.Enough != 0 && r.Enough > open.Enough {
				open = r
			}
		}
	}
	switch {
	case c.Design == Uncontrolled:
		c.Verdict, c.Reason = scenarios.Inconclusive, c.uncontrolled()
	case worst != nil:
		c.Verdict, c.Reason = scenarios.Regression, worst.sentence()
	case len(hopeless) == len(c.Rows):
		c.Verdict, c.Reason = scenarios.Inconclusive,
			"this gate can decide nothing, as the runs of its history differ too much"
	case open != nil:
		c.Verdict, c.Reason, c.open = scenarios.Inconclusive, "undecided: "+open.sentence(), open
		if len(c.Rows) > len(hopeless)+1 {
			c.Reason = fmt.Sprintf("%d of %d metrics %s", count[scenarios.Inconclusive]-len(hopeless), len(c.Rows)-len(hopeless),
				c.Reason)
		}
	default:
		c.Verdict, c.Reason = scenarios.Pass, fmt.Sprintf("none of %s is worse by more than its margin",
			syntax.Amount(len(c.Rows)-len(hopeless), "metric"))
		if hopeless != nil {
			c.Reason += "; left out of the verdict: " + strings.Join(hopeless, ", ")
		}
	}
}

// uncontrolled says why runs that were made one side after the other have no verdict, and how to get one.
func (c *Comparison) uncontrolled() string {
	why := "uncontrolled: the runs of one side were made before those of the other, so a change of the machine looks " +
		"like a change " +
		"of the target; use `brunt ab`, make the runs in turns (A B B A), or compare with a history by `brunt gate` or by " +
		"--history"
	if c.options.History != nil {
		why += fmt.Sprintf(", which has %s of this scenario besides, and %d are needed", syntax.Amount(len(c.past), "record"),
			LeastHistory)
	}
	var most *Row
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Change.Known() && r.Change > r.Margin && (most == nil || r.Change/r.Margin > most.Change/most.Margin) {
			most = r
		}
	}
	if most == nil {
		return why
	}
	return why + fmt.Sprintf("; %s differs most, %s", most.where(), most.worse(most.Change))
}
