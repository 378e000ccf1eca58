package drills

import (
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// An Objective must hold in a drill. It names the defence that a system lacks if it fails.
type Objective struct {
	syntax.Place
	Name string `yaml:"-"`
	// the objective, as in `slo` of a scenario, such as errors < 1% in lose-replica
	Objective string `yaml:"objective,required"`
	// the defence that a system lacks if the objective fails, in a sentence
	Missing string `yaml:"missing,required"`
}

// Objectives are the objectives of a drill, in the order of its file.
type Objectives []Objective

func (o *Objectives) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	named(n, "an objective", m, func(f syntax.Field) {
		one := Objective{Name: f.Key}
		syntax.Decode(f.Value, &one, m)
		*o = append(*o, one)
	})
}

func (*Objectives) SchemaWith(doc syntax.Describer) syntax.Schema {
	return mapSchema(syntax.StructSchema(reflect.TypeFor[Objective](), doc))
}

func (o Objectives) find(name string) *Objective {
	for i := range o {
		if o[i].Name == name {
			return &o[i]
		}
	}
	return nil
}

func (o Objectives) names() []string {
	var out []string
	for i := range o {
		out = append(out, o[i].Name)
	}
	return out
}

// A laidObjective is an objective of a laid drill.
type laidObjective struct {
	text string     // its short form
	of   *Objective // the drill's objective that it is or replaces; nil: it is of the scenario alone
}

// objectives returns the objectives of a laid drill. A drill's objective on the phase of a fault is replaced by the
// scenario's objectives on the same metric, because the owner of the system chose those limits. The scenario's
// objectives on requests are repeated in the phases of inherit. Its objectives on the baseline, on writes and on its
// units stay.
func objectives(own Objectives, inherit []string, of []slo.Objective) (out []laidObjective) {
	for i := range own {
		o, err := slo.ParseObjective(own[i].Objective)
		if err != nil { // reported when the text is compiled
			out = append(out, laidObjective{own[i].Objective, &own[i]})
			continue
		}
		replaced := false
		for _, theirs := range of {
			if inherits(o, theirs) {
				out = append(out, laidObjective{inPhase(theirs, o.Phase.String()), &own[i]})
				replaced = true
			}
		}
		if !replaced {
			out = append(out, laidObjective{o.Text, &own[i]})
		}
	}
	for _, phase := range inherit {
		for _, theirs := range of {
			again := laidObjective{inPhase(theirs, phase), nil}
			if onRun(theirs) && !has(out, again.text) {
				out = append(out, again)
			}
		}
	}
	for _, theirs := range of {
		if keeps(theirs, out) {
			out = append(out, laidObjective{theirs.Text, nil})
		}
	}
	return out
}

// inherits reports whether an objective of a scenario replaces one of a drill: it is on the whole run, and on the
// same metric.
func inherits(own, theirs slo.Objective) bool {
	if own.Phase == (slo.Phase{}) || own.Step != "" || own.Load != "" || own.Phase.Kind == slo.BaselinePhase ||
		!ofRequests(own.Metric) {
		return false
	}
	return onRun(theirs) && theirs.Metric.Unit == own.Metric.Unit && theirs.Upper() == own.Upper()
}

// onRun reports whether an objective is on the requests of the whole run.
func onRun(o slo.Objective) bool {
	return ofRequests(o.Metric) && o.PhaseOrRun().Kind == slo.RunPhase
}

func has(list []laidObjective, text string) bool {
	return slices.ContainsFunc(list, func(o laidObjective) bool { return o.text == text })
}

// ofRequests reports whether a metric is the share of failed requests, or a response time.
func ofRequests(m slo.Metric) bool { return m.Name == "errors" || m.Latency() }

// inPhase returns the text of an objective on the whole run as one on a phase.
func inPhase(o slo.Objective, phase string) string {
	return strings.TrimSuffix(o.Text, " in "+slo.RunPhase.String()) + " in " + phase
}

// keeps reports whether an objective of a scenario stays unchanged: it names no fault of the scenario, and no other
// objective is the same.
func keeps(o slo.Objective, have []laidObjective) bool {
	phase := o.PhaseOrRun().Kind
	return !has(have, o.Text) && (phase == slo.BaselinePhase || o.Metric.AfterLoad() ||
		phase == slo.RunPhase && !ofRequests(o.Metric))
}
