package drills

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A Proof shows that a drill can fail. The drill passes on the built-in system, or on the system of another scenario,
// and fails after a defence of that system is taken away. A drill of real systems alone has no mutants.
type Proof struct {
	syntax.Place
	Set   map[string]string `yaml:"set"`   // params of the drill on that system
	Roles Binding           `yaml:"roles"` // the parts of the system that play the roles, by role
	// keys of a scenario that are merged over the scenario of the built-in system
	Scenario *syntax.Node `yaml:"scenario"`
	Mutants  Mutants      `yaml:"mutants"` // systems without a defence, by name
	// real systems on which the tests of brunt play the drill beside an independent prober. Without mutants, they
	// stand in place of the built-in system, which has no part that can play the roles.
	Systems []string `yaml:"systems"`
}

// OnBuiltin reports whether the drill is proved on the built-in system, or on the system of another scenario.
func (p *Proof) OnBuiltin() bool { return len(p.Mutants) > 0 || len(p.Systems) == 0 }

// Binding names the parts of a system that play the roles, in the order of the file.
type Binding []bound

// A bound is the part of a system that plays a role.
type bound struct {
	Name, Part string
	Pos        syntax.Pos
}

func (b *Binding) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	named(n, "a role", m, func(f syntax.Field) {
		if part, ok := f.Value.Text(m); ok {
			*b = append(*b, bound{f.Key, part, f.Pos})
		}
	})
}

func (*Binding) Schema() syntax.Schema { return mapSchema(syntax.TextSchema()) }

// Map returns the parts by their roles.
func (b Binding) Map() map[string]string {
	out := map[string]string{}
	for _, one := range b {
		out[one.Name] = one.Part
	}
	return out
}

// A Mutant is a system without one of its defences.
type Mutant struct {
	syntax.Place
	Name string `yaml:"-"`
	// keys of a scenario that are merged over the scenario of the good system, such as target: {with: {breaker: off}}
	Scenario *syntax.Node `yaml:"scenario"`
	// the objectives of the drill that must fail, by name; it is enough that one of them fails
	Fails []string `yaml:"fails,required"`
}

// Mutants are the mutants of a proof, in the order of its file.
type Mutants []Mutant

func (list *Mutants) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	named(n, "a mutant", m, func(f syntax.Field) {
		one := Mutant{Name: f.Key}
		syntax.Decode(f.Value, &one, m)
		*list = append(*list, one)
	})
}

func (*Mutants) SchemaWith(doc syntax.Describer) syntax.Schema {
	return mapSchema(syntax.StructSchema(reflect.TypeFor[Mutant](), doc))
}

// Over returns the keys to merge over the scenario of the built-in system: for the good system if mutant is nil.
func (d *Drill) Over(mutant *Mutant) *syntax.Node {
	over := &syntax.Node{Kind: syntax.Map}
	if d.Proof.Scenario != nil {
		over = scenarios.Overlay(over, d.Proof.Scenario)
	}
	if mutant != nil && mutant.Scenario != nil {
		over = scenarios.Overlay(over, mutant.Scenario)
	}
	return over
}

// An Answer is the result of a run for a drill's proof.
type Answer string

// The answers.
const (
	Proved  Answer = "proved"  // the good system passed, or the mutant failed as it must
	Refuted Answer = "refuted" // the good system failed, or the mutant did not fail by a named objective
	Spoilt  Answer = "spoilt"  // the run shows nothing, such as on a busy machine, and is repeated
)

// A Judgement is a run compared with a proof.
type Judgement struct {
	Answer Answer
	Figure string // the measured objectives that count, in a phrase
	Why    string // in a sentence
}

// Judge compares the run of a laid drill with its proof: on the good system if mutant is nil.
func (d *Drill) Judge(l *Laid, mutant *Mutant, res *result.Result) Judgement {
	var figures, failed []string
	for _, o := range res.Objectives {
		of := l.of(o)
		if of == nil || mutant != nil && !slices.Contains(mutant.Fails, of.Name) {
			continue
		}
		figures = append(figures, figure(o))
		if mutant != nil && o.Verdict == scenarios.Fail && beyond(o, res) {
			failed = append(failed, of.Name)
		}
	}
	j := Judgement{Answer: Refuted, Figure: strings.Join(figures, ", "), Why: res.Reason}
	switch {
	case res.Verdict == scenarios.Interrupted || res.Verdict == scenarios.NotReverted || res.Verdict == scenarios.Broken:
	case len(failed) > 0:
		j.Answer, j.Why = Proved, "failed by "+strings.Join(failed, ", ")
	case mutant == nil && res.Verdict == scenarios.Pass:
		j.Answer, j.Why = Proved, "passed"
	case res.Verdict == scenarios.Invalid || res.Verdict == scenarios.Inconclusive:
		j.Answer = Spoilt
	case mutant == nil && !res.Generator.Healthy: // whatever slowed brunt down slowed the system down
		j.Answer, j.Why = Spoilt, result.OwnLag+": "+res.Reason
	case mutant != nil && res.Verdict == scenarios.Pass:
		j.Why = "it passed, although its defence was taken away"
	case mutant != nil:
		j.Why = fmt.Sprintf("no objective of %s failed beyond doubt: %s", strings.Join(mutant.Fails, ", "), res.Reason)
	}
	return j
}

// of returns the drill's objective that a result is about. It is nil for an objective of the scenario alone.
func (l *Laid) of(o result.ObjectiveResult) *Objective {
	if o.List != "" {
		return nil
	}
	for _, laid := range l.objectives {
		if laid.text == o.Text {
			return laid.of
		}
	}
	return nil
}

// beyond reports whether the whole interval of a failed objective is beyond its target. The interval of a share, and
// of a percentile of a short phase, follows from the number of requests. An exact count, and the mean of a series,
// have no interval.
func beyond(o result.ObjectiveResult, res *result.Result) bool {
	parsed, _ := o.Asks()
	switch {
	case parsed.Metric.Percentile() && !o.Infinite && !o.Low.Known() && parsed.Upper():
		low, known := lowestPercentile(parsed, o, res)
		return known && low > float64(o.Target)
	case o.Bound != nil && !o.Low.Known() && strings.HasPrefix(o.Op, "<"):
		n := float64(o.Count)
		return effect.LowerBound(math.Round(float64(o.Measured)*n), n, effect.Confidence) > float64(o.Target)
	case o.Infinite || !o.Low.Known() || !o.High.Known():
		return true
	case strings.HasPrefix(o.Op, "<"):
		return o.Low > o.Target
	case strings.HasPrefix(o.Op, ">"):
		return o.High < o.Target
	}
	return true
}

// lowestPercentile returns the 95 % lower bound of a percentile, in seconds: the value at the rank that
// [effect.LowerRank] gives. A failed request counts as longer than every time. Without histograms the bound is not
// known.
func lowestPercentile(
	parsed slo.Objective, o result.ObjectiveResult, res *result.Result,
) (seconds float64, known bool) {
	load, step := cmp.Or(parsed.Load, "*"), cmp.Or(parsed.Step, "*")
	var all, answered int64
	hist := 0
	for i := range res.Cells {
		c := &res.Cells[i]
		if c.Phase != o.Phase || c.Step != step || load != "*" && c.Load != load ||
			load == "*" && step == "*" && c.Load != "*" {
			continue
		}
		switch c.Outcome {
		case "*":
			all = c.Count
		case scenarios.OK.String():
			answered, hist = c.Count, c.Hist
		}
	}
	if all == 0 || res.Histograms == nil || hist == 0 {
		return 0, false
	}
	rank := effect.LowerRank(all, parsed.Metric.Quantile) * float64(all)
	if rank > float64(answered) {
		return math.Inf(1), true
	}
	h, err := res.Histograms.Get(hist)
	if err != nil || h == nil {
		return 0, false
	}
	return float64(h.ValueAtPercentile(100*rank/float64(answered))) / 1e6, true
}

// figure returns a measured objective in a phrase, such as errors 50%.
func figure(o result.ObjectiveResult) string {
	parsed, ok := o.Asks()
	switch {
	case !ok:
		return o.Text
	case o.Infinite:
		return parsed.Metric.Text + " ∞"
	}
	return parsed.Metric.Text + " " + parsed.Metric.FormatValue(float64(o.Measured))
}

// Missing returns a pair for each objective that failed in a run: the objective, and a sentence on what the system
// lacks. A run that tried nothing shows no lack.
func (l *Laid) Missing(res *result.Result) [][2]string {
	if res.Untried() != "" {
		return nil
	}
	var out [][2]string
	for _, o := range res.Objectives {
		if of := l.of(o); of != nil && o.Verdict == scenarios.Fail {
			out = append(out, [2]string{o.Text, of.Missing})
		}
	}
	return out
}

// Range shortens the figures of several runs to the smallest and the largest, compared by the first figure of each.
func Range(figures []string) string {
	if len(figures) == 0 {
		return ""
	}
	compare := func(a, b string) int { return cmp.Compare(sizeOf(a), sizeOf(b)) }
	least, most := slices.MinFunc(figures, compare), slices.MaxFunc(figures, compare)
	if least == most {
		return least
	}
	return least + " … " + most
}

// sizeOf returns the value of the first figure of a phrase, such as 0.167 for p50 167ms, errors 0%.
func sizeOf(figures string) float64 {
	first, _, _ := strings.Cut(figures, ",")
	value := first[strings.LastIndexByte(first, ' ')+1:]
	if value == "∞" {
		return math.Inf(1)
	}
	if d, err := quantity.ParseDuration(value); err == nil {
		return d.Seconds()
	}
	if share, err := quantity.ParseShare(value); err == nil {
		return share
	}
	if rate, err := quantity.ParseRate(value); err == nil {
		return rate
	}
	n, _ := syntax.ParseFloat(value)
	return n
}

// Good is the name of the good system of a proof.
const Good = "good"

// A Record sums up the runs of a drill on one system of its proof.
type Record struct {
	Drill   string   `json:"drill"`
	System  string   `json:"system"`        // the name of a mutant, or good
	Digest  string   `json:"digest"`        // of the drill on that system when it was proved; empty: not recorded
	Runs    int      `json:"runs"`          // runs that count
	Proved  int      `json:"proved"`        // runs that proved it
	Spoilt  int      `json:"spoilt"`        // runs that showed nothing, and were repeated
	Figures []string `json:"figures"`       // measured in each run that counts
	Why     string   `json:"why,omitempty"` // for the first run that refutes the proof
}

//go:embed proofs.json
var proofs []byte

// Proofs returns the records of the last proof of the library.
func Proofs() ([]Record, error) {
	var out []Record
	err := json.Unmarshal(proofs, &out)
	return out, err
}
