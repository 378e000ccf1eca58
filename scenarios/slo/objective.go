package slo

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// An Objective is one condition on the run, such as `p95 < 200ms in baseline`. The documentation
// of the package has the grammar of the short form.
type Objective struct {
	ID     string // unique in its list; its text if the author gives none
	Text   string // the short form
	Metric Metric
	Op     string  // < <= > >= =
	Value  float64 // NaN for a relative objective until the run has measured its reference
	Step   string  // "" means all steps
	Load   string  // "" means all loads
	Phase  Phase   // the zero value means the run
	// the fault from which recovery is measured, the worst incident, or a stage as a fault with the name LOAD.STAGE
	After Phase
	For   time.Duration
	// for a metric of faults, the least share of occurrences that meet the target, 0 to 1, which has to be shown with
	// 95 % confidence; 0 means that each occurrence of the run has to meet it, or the percentile of the metric
	Share float64
	Pos   syntax.Pos

	Reference Reference // the reference of a relative objective; zero for others
}

// Holds reports whether measured meets the objective.
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
	case "!=": // only in thresholds of k6 scripts
		return measured != o.Value
	}
	return measured == o.Value
}

// Fact reports whether the objective is about the run's own requests alone, so that more requests would not make it
// more certain: none of them, all of them or all slices, or an exact count.
func (o Objective) Fact() bool {
	row := o.Metric.Row()
	counted := row.Count != nil || row.Spans != nil || o.Metric.OfLedger() || o.Metric.OfTraces()
	return o.Op == "=" && (o.Metric.Unit == Count || counted && o.Metric.Unit == ShareOf && (o.Value == 0 || o.Value == 1))
}

// Upper reports whether the objective sets an upper bound.
func (o Objective) Upper() bool { return o.Op == "<" || o.Op == "<=" }

// PercentileOfAll reports whether the objective is about a percentile of the response times of all requests, those of
// every load and step.
func (o Objective) PercentileOfAll() bool {
	return o.Metric.Percentile() && o.Metric.Of == "" && o.Load == "" && o.Step == ""
}

// PhaseOrRun returns the phase that the objective is judged in.
func (o Objective) PhaseOrRun() Phase {
	return cmp.Or(o.Phase, o.After, Phase{Kind: RunPhase})
}

// inPhase reports whether the objective names its phase.
func (o Objective) inPhase() bool { return o.Phase.Kind != NoPhase }

// isAfter reports whether the objective is measured from a fault, an incident or a stage.
func (o Objective) isAfter() bool { return o.After.Kind != NoPhase }

// Drilled reports whether the objective sets an upper bound to a time after a fault, so that its occurrences, of this
// run and of others, tell how often it is met.
func (o Objective) Drilled() bool {
	return o.Metric.OfFault() && o.Metric.Unit == Seconds && o.Upper() && !o.Metric.Row().Lasts &&
		o.After.Kind == FaultPhase && !strings.Contains(o.After.Fault, ".")
}

// parseAfter parses the argument of `after`.
func parseAfter(name string) Phase {
	if p := ParsePhase(name); p.Kind == NoPhase || p.Kind == IncidentPhase {
		return p
	}
	return ParseOccurrence(name)
}

// opPattern finds the operator of a short form; the k6 form has no blanks around it.
var opPattern = regexp.MustCompile(`<=|>=|==|=|<|>`)

// ParseObjective parses the short form, with a metric of [Metrics].
func ParseObjective(s string) (Objective, error) { return Metrics().ParseObjective(s) }

// ParseObjective parses the short form, with a metric of the table.
func (t Table) ParseObjective(s string) (Objective, error) {
	o := Objective{Text: oneBlank(s)}
	loc := operator(s)
	if loc == nil {
		return o, fmt.Errorf("want `METRIC < VALUE`, such as `p95 < 200ms in baseline`, not %q", syntax.Clip(s, 60))
	}
	var err error
	if o.Metric, err = t.ParseMetric(s[:loc[0]]); err != nil {
		if strings.Count(s, "(") != strings.Count(s, ")") {
			err = fmt.Errorf("%q has unequal brackets; in a [ ] list an item with a comma is quoted", syntax.Clip(s, 60))
		}
		return o, err
	}
	o.Op = strings.Replace(s[loc[0]:loc[1]], "==", "=", 1)
	words, err := splitWords(s[loc[1]:])
	if err != nil {
		return o, err
	}
	if len(words) == 0 || words[0].quoted {
		return o, fmt.Errorf("%q: the value after %s is missing", syntax.Clip(s, 60), o.Op)
	}
	if words, err = o.target(words); err != nil {
		return o, err
	}
	if err := o.clauses(words); err != nil {
		return o, err
	}
	o.ID = o.Text
	return o, o.check()
}

// oneBlank replaces runs of blanks outside quotes by one blank.
func oneBlank(s string) string {
	var b strings.Builder
	quoted, blank := false, false
	s = strings.Trim(s, blanks)
	for i := range len(s) {
		if !quoted && strings.IndexByte(blanks, s[i]) >= 0 {
			blank = true
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		if s[i] == '"' {
			quoted = !quoted
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

type word struct {
	text   string
	quoted bool
}

// is reports whether w is the keyword key.
func (w word) is(key string) bool { return w.text == key && !w.quoted }

const blanks = " \t\r\n"

// unit matches the unit of a quantity.
var unit = regexp.MustCompile(`^(%|/[smh]|[nuµμm]?s|m|h|[kKMGT]?i?B)$`)

// splitWords splits at blanks; a text in double quotes is one word, and so is a number with its unit, such as 200 ms.
func splitWords(s string) ([]word, error) {
	var out []word
	for {
		s = strings.TrimLeft(s, blanks)
		if s == "" {
			return out, nil
		}
		if s[0] != '"' {
			end := strings.IndexAny(s, blanks)
			if end < 0 {
				end = len(s)
			}
			one := word{s[:end], false}
			s = s[end:]
			if last := len(out) - 1; last >= 0 && !out[last].quoted && unit.MatchString(one.text) {
				if _, number := syntax.ParseFloat(out[last].text); number {
					out[last].text += one.text
					continue
				}
			}
			out = append(out, one)
			continue
		}
		text, rest, closed := strings.Cut(s[1:], `"`)
		switch {
		case !closed:
			return nil, fmt.Errorf("the quote in %q is never closed", syntax.Clip(s, 40))
		case text == "":
			return nil, errors.New("nothing stands between the quotes")
		case rest != "" && !strings.ContainsRune(blanks, rune(rest[0])):
			return nil, fmt.Errorf("a blank is missing after %q", syntax.Clip(text, 40))
		}
		out = append(out, word{text, true})
		s = rest
	}
}

var clauseNames = []string{"of", "load", "in", "after", "for"}

// clauses parses the text after the value.
func (o *Objective) clauses(words []word) error {
	seen := map[string]bool{}
	for len(words) > 0 {
		key := words[0]
		if key.quoted || !slices.Contains(clauseNames, key.text) {
			hint := syntax.DidYouMean(key.text, clauseNames)
			if seen["of"] {
				hint = "a step of several words is quoted: of \"read post\""
			}
			return fmt.Errorf("%q is not understood here; %s", syntax.Clip(key.text, 40), hint)
		}
		words = words[1:]
		name := key.text
		if name == "of" && len(words) > 1 && words[0].is("load") { // of load browse
			words = words[1:]
			name = "load"
		}
		slot := name
		if slot == "load" { // a step or a load
			slot = "of"
		}
		if seen[slot] {
			return fmt.Errorf("%q stands twice", slot)
		}
		seen[slot] = true
		if len(words) == 0 {
			return fmt.Errorf("nothing follows %q", name)
		}
		if err := o.clause(name, words[0].text); err != nil {
			return err
		}
		words = words[1:]
	}
	return nil
}

func (o *Objective) clause(name, arg string) (err error) {
	switch name {
	case "of":
		o.Step = arg
	case "load":
		o.Load = arg
	case "in":
		o.Phase = ParsePhase(arg)
	case "after":
		o.After = parseAfter(arg)
	case "for":
		if o.Metric.OfFault() || strings.HasSuffix(arg, "%") {
			return o.shareOf(arg)
		}
		var d time.Duration
		if d, err = quantity.ParseDuration(arg); err == nil && d == 0 {
			err = errors.New("`for` lasts more than zero")
		}
		o.For = d
	}
	return err
}

// shareOf parses the share of occurrences behind `for`.
func (o *Objective) shareOf(arg string) error {
	if !o.Metric.OfFault() {
		return fmt.Errorf("`for %s`: only times after a fault, such as recover, are asked of a share of its "+
			"occurrences; of other metrics `for` is a duration, such as for 5s", syntax.Clip(arg, 20))
	}
	share, err := quantity.ParseShare(arg)
	switch _, isDuration := quantity.ParseDuration(arg); {
	case err == nil && share == 0:
		return fmt.Errorf("`for %s` asks for nothing; name the share of occurrences that have to meet the target, "+
			"such as for 90%%", syntax.Clip(arg, 20))
	case err == nil && share == 1:
		return errors.New("`for 100%` can't be shown: the next occurrence may always be the first to miss the " +
			"target. Ask for 99%, which takes 299 occurrences in a row, for 95% (59) or for 90% (29); without `for` " +
			"each occurrence of the run has to meet it")
	case err != nil && isDuration == nil:
		return fmt.Errorf("`for %s`: of %s, `for` is a share of the occurrences of a fault, such as for 90%%",
			syntax.Clip(arg, 20), o.Metric.Text)
	case err != nil:
		return fmt.Errorf("`for`: %w", err)
	}
	o.Share = share
	return nil
}

// OfDelivery reports whether the objective is about what became of the messages of a delivery, which Step names.
func (o Objective) OfDelivery() bool { return o.Metric.OfLedger() && o.Step != "" }

// OfWorst reports whether the worst occurrence of a fault decides the objective, and not a percentile or a share of
// its occurrences.
func (o Objective) OfWorst() bool { return o.Metric.Over == 0 && o.Share == 0 }

// check checks that the parts of an objective fit together.
func (o *Objective) check() error {
	m := o.Metric
	lasts := m.Row().Lasts
	ofOrAfter := o.Step != "" || o.Load != "" || o.isAfter()
	inPart := o.inPhase() && o.Phase.Kind != RunPhase
	switch {
	case o.OfDelivery() && m.Row().Deliveries != nil && o.Load == "" && !o.isAfter() && !inPart && m.Source == "":
	case m.OfLedger() && m.Row().Writes == nil:
		return fmt.Errorf("%s is of a delivery and of the whole run: `%s %s %s of NAME`, with a name under `deliveries`",
			m.Text, m.Text, o.Op, m.FormatValue(o.Value))
	case m.OfLedger() && m.Row().Deliveries != nil && (ofOrAfter || inPart):
		return fmt.Errorf("%s is of all writes of the run, or `of` a delivery: it takes no load, in or after", m.Text)
	case m.OfLedger() && (ofOrAfter || inPart):
		return fmt.Errorf("%s is of all writes of the run: it takes no of, in or after", m.Text)
	case m.OfTraces() && ofOrAfter:
		return fmt.Errorf("%s is of the traces of all loads: it takes no of or after; `in %s` names the phase", m.Text,
			cmp.Or(o.After.String(), "FAULT"))
	case m.OfRegister() && (ofOrAfter || inPart):
		return fmt.Errorf("%s is of all reads and writes of the run: it takes no of, in or after", m.Text)
	case m.OfLink() && ofOrAfter:
		return fmt.Errorf("%s is of the requests of all loads: it takes no of or after; `in %s` names the phase",
			m.Text, cmp.Or(o.After.String(), "FAULT"))
	case m.PerRequest() && !o.isAfter():
	case m.OfSeries() && ofOrAfter:
		return fmt.Errorf("%s is not a figure of requests: it takes no of or after; `in %s` names the phase", m.Text,
			cmp.Or(o.After.String(), "FAULT"))
	case (m.OfAlert() || m.Reaches()) && (o.Step != "" || o.Load != ""):
		return fmt.Errorf("%s is not a figure of requests: it takes no of", m.Text)
	case m.Row().UpperOnly && !o.Upper():
		return fmt.Errorf("%s wants an upper bound: < or <=", m.Text)
	case m.OfFault() && !o.isAfter():
		return fmt.Errorf("%s is measured from a fault: `%s %s %s after FAULT`", m.Text, m.Text, o.Op, m.FormatValue(o.Value))
	case !m.OfFault() && o.isAfter():
		return fmt.Errorf("%s is judged in a phase, not after a fault: `in %s` or `in recovery/%s`", m.Text, o.After, o.After)
	case m.OfFault() && o.inPhase():
		return fmt.Errorf("%s is measured after a fault, not in a phase", m.Text)
	case m.Over > 0 && !o.Upper():
		return fmt.Errorf("%s wants an upper bound: < or <=", m.Text)
	case m.Over > 0 && o.After.Occurrence > 0:
		return fmt.Errorf("%s is over all occurrences of a fault, and %s is one", m.Text, o.After)
	case o.Share > 0 && m.Over > 0:
		return fmt.Errorf("%s and `for %s` both say of how many occurrences; leave one out", m.Text,
			quantity.FormatShare(o.Share))
	case o.Share > 0 && !o.Upper():
		return fmt.Errorf("%s for a share of occurrences wants an upper bound: < or <=", m.Text)
	case o.Share > 0 && o.After.Kind == IncidentPhase:
		return errors.New("`for` a share counts the occurrences of a fault: `after FAULT`, not after incident")
	case o.Share > 0 && o.After.Occurrence > 0:
		return fmt.Errorf("`for %s` is over all occurrences of a fault, and %s is one; `after %s` names all",
			quantity.FormatShare(o.Share), o.After, o.After.Fault)
	case o.Share > 0 && strings.Contains(o.After.Fault, "."):
		return fmt.Errorf("`for %s` is over all occurrences of a fault, and %s is a stage of a load, which comes once",
			quantity.FormatShare(o.Share), o.After)
	case o.Op == "=" && m.Unit != Count && !o.Fact():
		return fmt.Errorf("%s is not a count; use <, <=, > or >=, or = with 0%% or 100%% of a share", m.Text)
	case m.OfFault() && !lasts && !o.Upper():
		return fmt.Errorf("%s wants an upper bound: < or <=", m.Text)
	case o.Phase.Kind == WarmupPhase:
		return errors.New("warm-up is never judged")
	}
	return o.checkReference()
}

// DecodeNode implements [syntax.NodeDecoder]. It reads the short form, a text, or the long form: a map
// with metric, one of below, at_most, above, at_least and equals, and step or load, phase, after,
// id.
func (o *Objective) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	switch n.Kind {
	case syntax.Map:
		if text := pair(n); text != "" {
			m.AddHint(n.Pos, fmt.Sprintf("write %q", syntax.Clip(text, 80)), "an objective is one text, without a colon")
			return
		}
		o.long(n, m)
		return
	case syntax.List:
		m.AddHint(n.Pos, "such as p95 < 200ms in baseline", "want an objective, not a list")
		return
	}
	text, ok := n.Text(m)
	if !ok {
		return
	}
	var err error
	*o, err = ParseObjective(text)
	o.Pos = n.Pos
	if err != nil && n.HasSecret() { // report it without the secret
		_, err = ParseObjective(n.Shown())
	}
	if err != nil {
		m.Add(n.Pos, "%v", err)
		*o = Objective{Text: o.Text, Pos: n.Pos} // prevents further reports
	}
}

// pair returns the objective that a map of one metric to its bound means, such as {errors: < 1%}; empty if it means
// none.
func pair(n *syntax.Node) string {
	if len(n.Fields) != 1 || n.Fields[0].Value.Kind != syntax.String || n.HasSecret() {
		return ""
	}
	text := n.Fields[0].Key + " " + n.Fields[0].Value.Shown()
	if _, err := ParseObjective(text); err != nil {
		return ""
	}
	return text
}

// longObjective is the long form.
type longObjective struct {
	syntax.Place
	Metric  string `yaml:"metric,required"` // the metric: p95, errors, recover and so on
	Below   string `yaml:"below"`           // the metric is less: 200ms, or 110% of baseline
	AtMost  string `yaml:"at_most"`         // the metric is less or equal
	Above   string `yaml:"above"`           // the metric is greater
	AtLeast string `yaml:"at_least"`        // the metric is greater or equal
	Equals  string `yaml:"equals"`          // the metric is equal; for counts, and for 0% or 100% of a share
	Step    string `yaml:"step"`            // the step; zero is all steps
	Load    string `yaml:"load"`            // the load; zero is all loads
	Phase   string `yaml:"phase"`           // the phase: run, baseline, FAULT or recovery/FAULT; zero is run
	After   string `yaml:"after"`           // the fault from which recovery is measured
	For     string `yaml:"for"`             // the share of occurrences of a fault; of a stop condition, a time
	ID      string `yaml:"id"`              // name in reports; zero is its short form
}

// boundKeys are the keys of the long form that set the target, with their operators. An objective
// has exactly one of them.
var boundKeys = []struct{ key, op string }{
	{"below", "<"}, {"at_most", "<="}, {"above", ">"}, {"at_least", ">="}, {"equals", "="},
}

func (o *Objective) long(n *syntax.Node, m *syntax.Mistakes) {
	o.Pos = n.Pos
	var l longObjective
	before := m.Len()
	syntax.Decode(n, &l, m)
	if m.Len() > before {
		return
	}
	key, value := "", ""
	bounds := 0
	for i, text := range []string{l.Below, l.AtMost, l.Above, l.AtLeast, l.Equals} {
		if b := boundKeys[i]; l.Has(b.key) {
			key, o.Op, value = b.key, b.op, text
			bounds++
		}
	}
	var err error
	switch o.Metric, err = ParseMetric(l.Metric); {
	case err != nil:
		m.Add(n.Get("metric").Pos, "%v", err)
		return
	case bounds != 1:
		m.AddHint(n.Pos, "such as below: 200ms", "an objective wants exactly one of below, at_most, above, at_least, equals")
		return
	}
	if err := o.longTarget(value); err != nil {
		m.Add(n.Get(key).Pos, "%v", err)
		return
	}
	if l.Step != "" && l.Load != "" {
		m.Add(l.Of("load"), "an objective is of a step or of a load, not of both")
		return
	}
	if l.Has("for") {
		if err := o.clause("for", strings.TrimSpace(l.For)); err != nil {
			m.Add(l.Of("for"), "%v", err)
			return
		}
	}
	o.Step, o.Load = l.Step, l.Load
	o.Phase, o.After = ParsePhase(l.Phase), parseAfter(l.After)
	o.Text = o.short(value)
	o.ID = l.ID
	if o.ID == "" {
		o.ID = o.Text
	}
	if err := o.check(); err != nil {
		m.Add(n.Pos, "%v", err)
		*o = Objective{Text: o.Text, Pos: n.Pos}
	}
}

// longTarget reads the value of the long form.
func (o *Objective) longTarget(value string) error {
	words, err := splitWords(value)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		if _, relative := o.factor(words[0].text, len(words) > 1 && words[1].is("of")); relative {
			if words, err = o.target(words); err == nil && len(words) > 0 {
				err = fmt.Errorf("%q: nothing can follow a multiple and its reference; step, load and phase are keys",
					syntax.Clip(value, 60))
			}
			return err
		}
	}
	if o.Value, err = o.Metric.Read(value); err != nil {
		return fmt.Errorf("%s: %w", syntax.Clip(o.Metric.Text, 40), err)
	}
	return nil
}

// short formats the objective in the short form.
func (o *Objective) short(value string) string {
	s := o.Metric.Text + " " + o.Op + " " + strings.TrimSpace(value)
	if o.Step != "" {
		s += ` of "` + o.Step + `"`
	}
	if o.Load != "" {
		s += " of load " + o.Load
	}
	if o.inPhase() {
		s += " in " + o.Phase.String()
	}
	if o.isAfter() {
		s += " after " + o.After.String()
	}
	if o.For != 0 {
		s += " for " + quantity.FormatDuration(o.For)
	}
	if o.Share != 0 {
		s += " for " + quantity.FormatShare(o.Share)
	}
	return s
}

// Lasting returns the short form of the objective with another `for`.
func (o Objective) Lasting(d time.Duration) string {
	o.For = d
	return o.short(o.Metric.FormatValue(o.Value))
}

var _ syntax.DescribedSchemer = (*Objective)(nil)

// SchemaWith implements [syntax.DescribedSchemer]: the short and the long form.
func (*Objective) SchemaWith(doc syntax.Describer) syntax.Schema {
	long := syntax.StructSchema(reflect.TypeFor[longObjective](), doc)
	var bounds []any
	for _, b := range boundKeys {
		bounds = append(bounds, syntax.Schema{"required": []any{b.key}})
	}
	long["oneOf"] = bounds
	long["not"] = syntax.Schema{"required": []any{"step", "load"}}
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "string", "pattern": `[<>=]|\$\{`, "examples": []any{"p95 < 200ms in baseline", "errors < 1%"}},
		long,
	}}
}
