package scenarios

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Objective is one promise about the run, such as `p95 < 200ms in baseline`.
//
// The grammar of the short form:
//
//	objective = metric op value { clause } .
//	metric    = [ "ok." | "service." ] ( "p" number | "max" | "mean" )
//	          | "p(" number ")"
//	          | "errors" | "availability" | "shed" | "rate" | "timeouts" | "checks"
//	          | "within(" duration ")"
//	          | "burn(" share "," duration ")" | "slices(" duration "," share ")"
//	          | ( "onset" | "failover" | "recover" | "heal" | "degraded" | "failed" | "area" ) [ "(" duration ")" ] .
//	op        = "<" | "<=" | ">" | ">=" | "=" .
//	clause    = "of" ( name | quoted | "load" name )
//	          | "in" phase
//	          | "after" fault
//	          | "for" duration .
//	phase     = "run" | "baseline" | fault | "recovery/" fault .
//	fault     = name [ "#" number ] .
//
// `=` is for counts, `for` for stop conditions. The value's unit follows from the
// metric: a duration, a share, a rate, a count or a plain number. In the form of
// k6, `p(95)<200`, a bare number is in milliseconds. `recover(200ms)` counts answers
// slower than 200ms as bad too.
type Objective struct {
	ID     string // unique in its list; its text when the author gave none
	Text   string // the short form
	Metric Metric
	Op     string // < <= > >= =
	Value  float64
	Step   string // "" is all steps
	Load   string // "" is all loads
	Phase  string // "" is run
	After  string // the fault that recovery is measured from
	For    time.Duration
	Pos    Pos
}

// A Unit is what a metric's value is counted in.
type Unit uint8

const (
	Seconds   Unit = iota
	ShareOf        // 0 to 1
	PerSecond      // events per second
	Count          // a whole number
	Plain          // a number without unit
)

// A Metric is what an objective measures.
type Metric struct {
	Text     string  // as written
	Name     string  // the family: p, max, mean, errors, recover …
	Of       string  // "", "ok" or "service": which times a percentile is over
	Quantile float64 // of p: 0 to 1
	Share    float64 // of burn: the objective; of slices: what each must reach
	Span     time.Duration
	Unit     Unit
}

type family struct {
	unit  Unit
	after bool // needs a fault to be measured from
}

var families = map[string]family{
	"p":            {unit: Seconds},
	"max":          {unit: Seconds},
	"mean":         {unit: Seconds},
	"errors":       {unit: ShareOf},
	"availability": {unit: ShareOf},
	"shed":         {unit: ShareOf},
	"rate":         {unit: PerSecond},
	"timeouts":     {unit: Count},
	"checks":       {unit: ShareOf},
	"within":       {unit: ShareOf},
	"burn":         {unit: Plain},
	"slices":       {unit: ShareOf},
	"onset":        {unit: Seconds, after: true},
	"failover":     {unit: Seconds, after: true},
	"recover":      {unit: Seconds, after: true},
	"heal":         {unit: Seconds, after: true},
	"degraded":     {unit: Seconds, after: true},
	"failed":       {unit: Count, after: true},
	"area":         {unit: Seconds, after: true},
}

// OfFault tells that the metric is measured from a fault, by `after`.
func (m Metric) OfFault() bool { return families[m.Name].after }

// Latency tells that the metric is a time of requests: a percentile, max or mean.
func (m Metric) Latency() bool { return m.Name == "p" || m.Name == "max" || m.Name == "mean" }

// MetricNames lists what an objective can measure, as an author writes it.
func MetricNames() []string {
	return []string{
		"p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean", "ok.p95", "service.p95", "errors", "availability", "shed", "rate",
		"timeouts", "checks", "within(200ms)", "burn(99.9%, 1m)", "slices(1s, 99%)", "onset", "failover", "recover", "heal", "degraded",
		"failed", "area",
	}
}

var metricCall = regexp.MustCompile(`^([a-z]+)\(([^()]*)\)$`)

// ParseMetric reads the name of a metric.
func ParseMetric(s string) (Metric, error) {
	m := Metric{Text: strings.TrimSpace(s)}
	name := m.Text
	for _, of := range []string{"ok", "service"} {
		if rest, ok := strings.CutPrefix(name, of+"."); ok {
			m.Of, name = of, rest
		}
	}
	if call := metricCall.FindStringSubmatch(name); call != nil {
		return m.call(call[1], strings.Split(call[2], ","))
	}
	if num, ok := strings.CutPrefix(name, "p"); ok && num != "" && num[0] >= '0' && num[0] <= '9' {
		return m.quantile(num)
	}
	f, ok := families[name]
	if !ok || slices.Contains([]string{"p", "within", "burn", "slices"}, name) {
		if name == "detect" {
			return m, fmt.Errorf("metric \"detect\" is not available yet")
		}
		hint := DidYouMean(name, MetricNames())
		if hint == "" {
			hint = "known are " + strings.Join(MetricNames(), " ")
		}
		return m, fmt.Errorf("unknown metric %q; %s", clip(m.Text, 40), hint)
	}
	m.Name, m.Unit = name, f.unit
	if m.Of != "" && !m.Latency() {
		return m, fmt.Errorf("%q: only percentiles, max and mean come as ok. or service.", m.Text)
	}
	return m, nil
}

func (m Metric) quantile(num string) (Metric, error) {
	q, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || !(q > 0 && q < 100) {
		return m, fmt.Errorf("%q: a percentile lies between p0 and p100", clip(m.Text, 40))
	}
	m.Name, m.Quantile, m.Unit = "p", q/100, Seconds
	return m, nil
}

func (m Metric) call(name string, args []string) (Metric, error) {
	want := map[string]int{"p": 1, "within": 1, "burn": 2, "slices": 2}[name]
	if families[name].after {
		want = 1
	}
	if want == 0 {
		return m, fmt.Errorf("unknown metric %q; %s", clip(m.Text, 40), DidYouMean(name, []string{"within", "burn", "slices", "p"}))
	}
	if len(args) != want || m.Of != "" && name != "p" {
		return m, fmt.Errorf("%q: want one of p(95), within(200ms), burn(99.9%%, 1m), slices(1s, 99%%)", clip(m.Text, 40))
	}
	var err error
	switch name {
	case "p":
		return m.quantile(args[0])
	case "within", "onset", "failover", "recover", "heal", "degraded", "failed", "area":
		m.Span, err = ParseDuration(strings.TrimSpace(args[0]))
	case "burn":
		if m.Share, err = ParseShare(args[0]); err == nil {
			m.Span, err = ParseDuration(strings.TrimSpace(args[1]))
		}
		if err == nil && (m.Share <= 0 || m.Share >= 1) {
			err = fmt.Errorf("the objective of a budget lies between 0%% and 100%%")
		}
	case "slices":
		if m.Span, err = ParseDuration(strings.TrimSpace(args[0])); err == nil {
			m.Share, err = ParseShare(args[1])
		}
	}
	if err == nil && (name == "burn" || name == "slices") && (m.Span < time.Second || m.Span%time.Second != 0) {
		err = fmt.Errorf("its span is whole seconds, from 1s")
	}
	if err == nil && m.Span <= 0 {
		err = fmt.Errorf("its span is more than zero")
	}
	if err != nil {
		return m, fmt.Errorf("%q: %w", clip(m.Text, 40), err)
	}
	m.Name, m.Unit = name, families[name].unit
	return m, nil
}

// ParseValue reads a value in the unit of the metric.
func (m Metric) ParseValue(s string) (float64, error) {
	switch m.Unit {
	case Seconds:
		if ms, err := strconv.ParseFloat(s, 64); err == nil && strings.HasPrefix(m.Text, "p(") && ms >= 0 && !math.IsInf(ms, 0) {
			return ms / 1000, nil // k6 counts in milliseconds
		}
		d, err := ParseDuration(s)
		return d.Seconds(), err
	case ShareOf:
		return ParseShare(s)
	case PerSecond:
		return ParseRate(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0) || math.IsInf(f, 0) || m.Unit == Count && f != math.Trunc(f) {
		return 0, fmt.Errorf("want a number, not %q", clip(s, 40))
	}
	return f, nil
}

// FormatValue writes a measured or target value of the metric for people.
func (m Metric) FormatValue(f float64) string {
	switch m.Unit {
	case Seconds:
		return FormatSeconds(f)
	case ShareOf:
		return FormatShare(math.Round(f*1e6) / 1e6)
	case PerSecond:
		return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + "/s"
	case Count:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// FormatSeconds writes a span with three figures in the unit that suits it:
// 84µs, 7.25ms, 1.4s, 2m5s.
func FormatSeconds(f float64) string {
	switch a := math.Abs(f); {
	case math.IsInf(f, 0) || math.IsNaN(f):
		return "∞"
	case a == 0:
		return "0s"
	case a < 0.9995e-3:
		return figures(f*1e6) + "µs"
	case a < 0.9995:
		return figures(f*1e3) + "ms"
	case a < 59.95:
		return figures(f) + "s"
	}
	return FormatDuration(time.Duration(math.Round(f)) * time.Second)
}

func figures(f float64) string {
	digits := 2 - int(math.Floor(math.Log10(math.Abs(f))))
	p := math.Pow(10, float64(max(0, digits)))
	return strconv.FormatFloat(math.Round(f*p)/p, 'f', -1, 64)
}

// Holds tells whether measured meets the objective.
func (o Objective) Holds(measured float64) bool {
	switch o.Op {
	case "<":
		return measured < o.Value
	case "<=":
		return measured <= o.Value
	case ">":
		return measured > o.Value
	case ">=":
		return measured >= o.Value
	}
	return measured == o.Value
}

// Upper tells that the objective sets an upper bound.
func (o Objective) Upper() bool { return o.Op == "<" || o.Op == "<=" }

// PhaseOrRun is the phase that the objective is judged in.
func (o Objective) PhaseOrRun() string {
	switch {
	case o.Phase != "":
		return o.Phase
	case o.After != "":
		return o.After
	}
	return "run"
}

// opPattern finds the operator of a short form; k6's form has no blanks around it.
var opPattern = regexp.MustCompile(`<=|>=|==|=|<|>`)

// ParseObjective reads the short form.
func ParseObjective(s string) (Objective, error) {
	o := Objective{Text: strings.Join(strings.Fields(s), " ")}
	loc := opPattern.FindStringIndex(s)
	if loc == nil {
		if strings.Contains(s, "(") && !strings.Contains(s, ")") {
			return o, fmt.Errorf("%q has no closing bracket; in a [ ] list an item with a comma is quoted", clip(s, 60))
		}
		return o, fmt.Errorf("want `METRIC < VALUE`, such as `p95 < 200ms in baseline`, not %q", clip(s, 60))
	}
	var err error
	if o.Metric, err = ParseMetric(s[:loc[0]]); err != nil {
		if strings.Count(s, "(") != strings.Count(s, ")") {
			err = fmt.Errorf("%q has unequal brackets; in a [ ] list an item with a comma is quoted", clip(s, 60))
		}
		return o, err
	}
	o.Op = strings.Replace(s[loc[0]:loc[1]], "==", "=", 1)
	words, err := splitWords(s[loc[1]:])
	if err != nil {
		return o, err
	}
	if len(words) == 0 {
		return o, fmt.Errorf("%q: the value after %s is missing", clip(s, 60), o.Op)
	}
	if o.Value, err = o.Metric.ParseValue(words[0].text); err != nil {
		return o, fmt.Errorf("%s: %w", o.Metric.Text, err)
	}
	if err := o.clauses(words[1:]); err != nil {
		return o, err
	}
	o.ID = o.Text
	return o, o.check()
}

type word struct {
	text   string
	quoted bool
}

// splitWords splits at blanks; a text in double quotes is one word.
func splitWords(s string) ([]word, error) {
	var out []word
	for {
		s = strings.TrimLeft(s, " \t\n")
		if s == "" {
			return out, nil
		}
		if s[0] == '"' {
			end := strings.IndexByte(s[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("the quote in %q is never closed", clip(s, 40))
			}
			out = append(out, word{s[1 : end+1], true})
			s = s[end+2:]
			continue
		}
		end := strings.IndexAny(s, " \t\n")
		if end < 0 {
			end = len(s)
		}
		out = append(out, word{s[:end], false})
		s = s[end:]
	}
}

var clauseNames = []string{"of", "in", "after", "for"}

func (o *Objective) clauses(words []word) error {
	seen := map[string]bool{}
	for len(words) > 0 {
		key := words[0].text
		if words[0].quoted || !slices.Contains(clauseNames, key) {
			hint := DidYouMean(key, clauseNames)
			if seen["of"] {
				hint = "a step of several words is quoted: of \"read post\""
			}
			return fmt.Errorf("%q is not understood here; %s", clip(key, 40), hint)
		}
		if seen[key] {
			return fmt.Errorf("%q stands twice", key)
		}
		seen[key] = true
		if len(words) < 2 {
			return fmt.Errorf("nothing follows %q", key)
		}
		arg := words[1]
		words = words[2:]
		switch key {
		case "of":
			if arg.text == "load" && !arg.quoted && len(words) > 0 {
				o.Load, words = words[0].text, words[1:]
				continue
			}
			o.Step = arg.text
		case "in":
			o.Phase = arg.text
		case "after":
			o.After = arg.text
		case "for":
			d, err := ParseDuration(arg.text)
			if err != nil {
				return err
			}
			o.For = d
		}
	}
	return nil
}

// check holds the parts of an objective against each other.
func (o *Objective) check() error {
	switch {
	case o.Metric.OfFault() && o.After == "":
		return fmt.Errorf("%s is measured from a fault: `%s %s %s after FAULT`", o.Metric.Text, o.Metric.Text, o.Op, o.Metric.FormatValue(o.Value))
	case !o.Metric.OfFault() && o.After != "":
		return fmt.Errorf("%s is judged in a phase: `in %s` or `in recovery/%s`, not after it", o.Metric.Text, o.After, o.After)
	case o.Metric.OfFault() && o.Phase != "":
		return fmt.Errorf("%s is measured after a fault, not in a phase", o.Metric.Text)
	case o.Op == "=" && o.Metric.Unit != Count:
		return fmt.Errorf("%s is no count; use <, <=, > or >=", o.Metric.Text)
	case o.Metric.OfFault() && o.Metric.Name != "degraded" && o.Metric.Name != "failed" && o.Metric.Name != "area" && !o.Upper():
		return fmt.Errorf("%s wants an upper bound: < or <=", o.Metric.Text)
	case o.Phase == "warmup":
		return fmt.Errorf("warm-up is never judged")
	}
	return nil
}

// DecodeNode implements [NodeDecoder]: the short form as a text, or the long form
// as a map with metric, one of below, at_most, above, at_least, and step or load,
// phase, after, id.
func (o *Objective) DecodeNode(n *Node, m *Mistakes) {
	var err error
	switch n.Kind {
	case Map:
		o.long(n, m)
		return
	default:
		text, ok := n.Text(m)
		if !ok {
			return
		}
		*o, err = ParseObjective(text)
	}
	o.Pos = n.Pos
	if err != nil {
		m.Add(n.Pos, "%v", err)
	}
}

// longObjective is the long form.
type longObjective struct {
	Metric  string   `yaml:"metric,required"`
	Below   string   `yaml:"below"`
	AtMost  string   `yaml:"at_most"`
	Above   string   `yaml:"above"`
	AtLeast string   `yaml:"at_least"`
	Equals  string   `yaml:"equals"`
	Step    string   `yaml:"step"`
	Load    string   `yaml:"load"`
	Phase   string   `yaml:"phase"`
	After   string   `yaml:"after"`
	For     Duration `yaml:"for"`
	ID      string   `yaml:"id"`
}

func (o *Objective) long(n *Node, m *Mistakes) {
	o.Pos = n.Pos
	var l longObjective
	before := m.Len()
	Decode(n, &l, m)
	if m.Len() > before {
		return
	}
	bounds := 0
	value := ""
	for op, v := range map[string]string{"<": l.Below, "<=": l.AtMost, ">": l.Above, ">=": l.AtLeast, "=": l.Equals} {
		if v != "" {
			o.Op, value = op, v
			bounds++
		}
	}
	if bounds != 1 {
		m.Add(n.Pos, "an objective wants exactly one of below, at_most, above, at_least, equals")
		return
	}
	var err error
	if o.Metric, err = ParseMetric(l.Metric); err != nil {
		m.Add(n.Get("metric").Pos, "%v", err)
		return
	}
	if o.Value, err = o.Metric.ParseValue(value); err != nil {
		m.Add(n.Pos, "%s: %v", o.Metric.Text, err)
		return
	}
	if l.Step != "" && l.Load != "" {
		m.Add(n.Pos, "an objective is of a step or of a load, not of both")
		return
	}
	o.Step, o.Load, o.Phase, o.After, o.For = l.Step, l.Load, l.Phase, l.After, l.For.D()
	o.Text = o.short(value)
	o.ID = l.ID
	if o.ID == "" {
		o.ID = o.Text
	}
	if err := o.check(); err != nil {
		m.Add(n.Pos, "%v", err)
	}
}

func (o *Objective) short(value string) string {
	s := o.Metric.Text + " " + o.Op + " " + value
	if o.Step != "" {
		s += fmt.Sprintf(" of %q", o.Step)
	}
	if o.Load != "" {
		s += " of load " + o.Load
	}
	if o.Phase != "" {
		s += " in " + o.Phase
	}
	if o.After != "" {
		s += " after " + o.After
	}
	if o.For != 0 {
		s += " for " + FormatDuration(o.For)
	}
	return s
}
