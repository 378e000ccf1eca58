package drills

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Need says how the requests of a step depend on a service.
type Need = result.NeedKind

// The needs, the strongest first.
const (
	Hard  Need = scenarios.HardDependency // requests fail while the service is away
	Soft  Need = scenarios.SoftDependency // requests are answered, but take longer
	Apart Need = "none"                   // no difference was seen
	Vague      = result.VagueNeed         // there were too few requests to tell
)

var needs = []Need{Hard, Soft, Apart, Vague}

// takeAway are the effects that make a service unavailable to its callers.
var takeAway = []string{"dies", "hangs", "cut"}

// A Dependency says how the requests of a step did in runs while a service was away.
type Dependency struct {
	Need     Need
	Surprise bool   // the step fails without it, and the scenario declares it soft
	Why      string // in a sentence
	Link     string // to the report of the run
}

// Dependencies holds how the steps of a load depend on the services of a system, as runs showed it.
type Dependencies struct {
	Steps    []string
	Services []string
	Cells    map[[2]string]Dependency // by step and service
	// services that the newest scenario declares, with hard or soft
	Declared map[string]string
}

// seen is the newest observation of a step and a service under one effect.
type seen struct {
	Dependency
	began time.Time
}

// NewDependencies reads the dependencies from runs. It compares the requests of each step while all units of a
// service were gone, frozen or cut off with those of the baseline: how many failed, and how much longer they took.
//
// A fault counts only if a cell of the matrix counts it, if it hit one service, and if no other fault overlapped it.
// Of several runs with the same effect the newest counts. Of several effects the one with the strongest need counts.
func NewDependencies(runs []Tried) *Dependencies {
	d := &Dependencies{Cells: map[[2]string]Dependency{}, Declared: map[string]string{}}
	all := map[[3]string]seen{}
	var newest time.Time
	for _, run := range runs {
		res := run.Result
		if declared := declaredIn(res); len(declared) > 0 && !res.Started.Before(newest) {
			d.Declared, newest = declared, res.Started
		}
		if res.Verdict == scenarios.Invalid || res.Verdict == scenarios.Broken {
			continue
		}
		units := unitsOf(res)
		for i := range res.Faults {
			service, effect := away(units, &res.Faults[i])
			if service == "" || overlapped(res, i) {
				continue
			}
			for step, found := range observed(res, &res.Faults[i], service, effect) {
				at := [3]string{step, service, effect}
				if before, ok := all[at]; ok && res.Started.Before(before.began) {
					continue
				}
				if found.Link = run.Link; run.Name != "" {
					found.Why = run.Name + ": " + found.Why
				}
				all[at] = seen{found, res.Started}
			}
		}
	}
	for at, found := range all {
		key := [2]string{at[0], at[1]}
		found.Surprise = found.Need == Hard && d.Declared[at[1]] == string(Soft)
		before, ok := d.Cells[key]
		if !ok || stronger(found.Dependency, before) {
			d.Cells[key] = found.Dependency
		}
	}
	steps, services := map[string]bool{}, map[string]bool{}
	for key := range d.Cells {
		steps[key[0]], services[key[1]] = true, true
	}
	d.Steps, d.Services = slices.Sorted(maps.Keys(steps)), slices.Sorted(maps.Keys(services))
	return d
}

// stronger orders dependencies by need, the strongest first, and then by the sentence, so that the order of the runs
// has no influence.
func stronger(a, b Dependency) bool {
	return cmp.Or(slices.Index(needs, a.Need)-slices.Index(needs, b.Need), strings.Compare(a.Why, b.Why)) < 0
}

// declaredIn returns the dependencies that the scenario of a run declares: hard or soft, by service.
func declaredIn(res *result.Result) map[string]string {
	tree, err := Tree("", res.Scenario)
	if err != nil || tree.Get("dependencies") == nil {
		return nil
	}
	out := map[string]string{}
	for _, f := range tree.Get("dependencies").Fields {
		out[f.Key] = f.Value.Value
	}
	return out
}

// unitsOf counts the units of each service that appear in a run.
func unitsOf(res *result.Result) map[string]int {
	names := map[string]bool{}
	for _, u := range res.Usage {
		names[u.Unit] = true
	}
	out := map[string]int{}
	for name := range names {
		out[serviceOf(name)]++
	}
	return out
}

// serviceOf returns the service of a unit.
func serviceOf(unit string) string {
	if service, _, ok := chaos.SplitUnit(unit); ok {
		return service
	}
	return unit
}

// away returns the service that a fault took away completely, and the effect that did so. Both are empty if the fault
// took no service away, or hit others as well.
func away(units map[string]int, f *result.FaultRecord) (service, effect string) {
	froms, tos := map[string]bool{}, map[string]bool{}
	for _, hit := range hits(f) {
		from, to, link := strings.Cut(hit[0], chaos.LinkArrow)
		if !link {
			from, to = "", hit[0]
		}
		if !slices.Contains(takeAway, hit[1]) || service != "" && (service != serviceOf(to) || effect != hit[1]) {
			return "", ""
		}
		service, effect = serviceOf(to), hit[1]
		froms[from], tos[to] = true, true
	}
	for from := range froms {
		if len(froms) < units[serviceOf(from)] {
			return "", "" // one of several callers still reaches it
		}
	}
	if service == "" || len(tos) < units[service] {
		return "", ""
	}
	return service, effect
}

// overlapped reports whether another fault of the run was active during the phase of fault i.
func overlapped(res *result.Result, i int) bool {
	one := &res.Faults[i]
	for j := range res.Faults {
		if other := &res.Faults[j]; j != i && other.Injected.Known() && other.Injected < one.Until &&
			one.Injected < over(other) {
			return true
		}
	}
	return false
}

// over returns when a fault ended. The phase of a crash lasts longer than the unit takes to come back.
func over(f *result.FaultRecord) result.Num {
	if f.Gone && f.Cleared.Known() {
		return min(f.Cleared, f.Until)
	}
	return f.Until
}

// observed compares the requests of each step during a fault with those of the baseline.
func observed(res *result.Result, f *result.FaultRecord, service, effect string) map[string]Dependency {
	loads := map[string]int{} // how many loads have a step of that name
	for i := range res.Loads {
		for _, step := range res.Loads[i].Steps {
			loads[step]++
		}
	}
	when, part := whileAway(f, service, effect)
	out := map[string]Dependency{}
	for i := range res.Loads {
		for _, step := range res.Loads[i].Steps {
			name := step
			if loads[step] > 1 {
				name = res.Loads[i].Name + ": " + step
			}
			during, before := answersIn(res, f.Phase(), res.Loads[i].Name, step),
				answersIn(res, slo.Phase{Kind: slo.BaselinePhase}, res.Loads[i].Name, step)
			if during.all > 0 && before.all > 0 {
				during.met = part * during.all
				d := need(during, before, float64(f.Limit), when)
				if d.Need == Apart && f.Parts != nil {
					if slower := f.Parts.Slower(); slower.Answer == result.Untested && !ofOther(slower.Why, name) {
						d.Need, d.Why = Vague, d.Why+"; whether it was slower is not certain: "+slower.Why.Phrase(nil)
					}
				}
				out[name] = d
			}
		}
	}
	return out
}

// whileAway says when a fault took a service away, and which part of the fault's phase that was.
func whileAway(f *result.FaultRecord, service, effect string) (when string, part float64) {
	phase, away := f.Until-f.Injected, over(f)-f.Injected
	if !(away < phase-.05) { // or not known
		return fmt.Sprintf("while %s was away (%s)", service, effect), 1
	}
	return fmt.Sprintf("in the %s of %s, in which %s was away (%s) for %s", quantity.FormatSeconds(float64(phase)), f.Name,
		service, effect, quantity.FormatSeconds(float64(away))), float64(away / phase)
}

// ofOther reports whether notes on slower answers are about another step alone. The name of a step includes its load if
// several loads have a step of that name.
func ofOther(why result.Notes, step string) bool {
	return len(why) == 1 && why[0].Kind == result.SlowerStep && why[0].Of != step
}

// answers counts the requests of a step in a phase, without those that were skipped because an earlier step failed.
type answers struct {
	all, bad float64
	met      float64 // about how many were due while the service was away
	skipped  float64
	slow     [2]float64 // the percentiles of good answers, in seconds
	least    [2]float64 // their 95 % lower bounds
}

// slowAt are the percentiles that are compared.
var slowAt = [2]float64{.5, .9}

func answersIn(res *result.Result, phase slo.Phase, load, step string) (out answers) {
	for i := range res.Cells {
		c := &res.Cells[i]
		if c.Phase != phase || c.Load != load || c.Step != step {
			continue
		}
		switch c.Outcome {
		case "*":
			out.all += float64(c.Count)
			out.bad += float64(c.Count)
		case scenarios.Skipped.String():
			out.all -= float64(c.Count)
			out.bad -= float64(c.Count)
			out.skipped = float64(c.Count)
		case scenarios.OK.String():
			out.bad -= float64(c.Count)
			out.slow = [2]float64{float64(c.Response.P50), float64(c.Response.P90)}
			out.least = out.slow
			if res.Histograms == nil || c.Hist == 0 {
				continue
			}
			if h, err := res.Histograms.Get(c.Hist); err == nil && h != nil {
				for k, q := range slowAt {
					out.least[k] = float64(h.ValueAtPercentile(100*effect.LowerRank(c.Count, q))) / 1e6
				}
			}
		}
	}
	return out
}

// vague is the highest upper bound of a step's share of failed requests at which its need still counts as known.
const vague = .05

// need tells how a step depends on a service from its requests while the service was away and before.
//
// The need is hard if the 95 % lower bound of the share that failed is above the limit of an impact and above the
// upper bound of the baseline's share. It is soft if the lower bound of the median or of the 90th percentile is over
// twice that of the baseline and over 20 ms longer. It is vague if a measured time passes such a limit but its bound
// does not, if the upper bound of the share that failed of the requests that met the outage is above both 5 % and the
// limit of an impact, or if more were skipped than before, beyond that limit: requests that would have met the outage
// were then not sent. Otherwise no difference was seen.
func need(during, before answers, limit float64, when string) Dependency {
	share := during.bad / during.all
	d := Dependency{Need: Apart, Why: fmt.Sprintf("%s, %s of %.0f requests failed, and %s before", when,
		quantity.FormatShareBriefly(share), during.all, quantity.FormatShareBriefly(before.bad/before.all))}
	if effect.LowerBound(during.bad, during.all, effect.Confidence) > max(limit,
		effect.UpperBound(before.bad, before.all, effect.Confidence)) {
		d.Need = Hard
		return d
	}
	for k, q := range slowAt {
		if during.least[k] > 2*before.slow[k] && during.least[k] > before.slow[k]+.02 {
			d.Need = Soft
			d.Why += fmt.Sprintf("; p%.0f was %s, and %s before", 100*q, quantity.FormatSeconds(during.slow[k]),
				quantity.FormatSeconds(before.slow[k]))
			return d
		}
	}
	for k, q := range slowAt {
		if during.slow[k] > effect.FarAbove(before.slow[k]) {
			d.Need = Vague
			d.Why += fmt.Sprintf("; p%.0f was %s, and %s before, which too few requests show", 100*q,
				quantity.FormatSeconds(during.slow[k]),
				quantity.FormatSeconds(before.slow[k]))
			return d
		}
	}
	if most := effect.UpperBound(min(during.bad, during.met), during.met, effect.Confidence); most > max(vague, limit) {
		d.Need = Vague
		d.Why += "; that may be up to " + quantity.FormatShareBriefly(most)
		if during.met < during.all {
			d.Why += fmt.Sprintf(" of about %.0f requests that met the outage", during.met)
		}
	}
	if effect.LowerBound(during.skipped, during.skipped+during.all, effect.Confidence) > max(limit,
		effect.UpperBound(before.skipped, before.skipped+before.all, effect.Confidence)) {
		d.Need = Vague
		d.Why += fmt.Sprintf("; %.0f more were not sent, as an earlier step failed", during.skipped)
	}
	return d
}

// NeedsIn returns how the steps of one run did while a service was away, by step and service.
func NeedsIn(res *result.Result) (list []result.Need) {
	d := NewDependencies([]Tried{{Result: res}})
	for _, step := range d.Steps {
		for _, service := range d.Services {
			if c, ok := d.Cells[[2]string{step, service}]; ok {
				list = append(list, result.Need{Step: step, Service: service, Kind: c.Need, Why: c.Why})
			}
		}
	}
	return list
}

// Surprises lists the services that the scenario declares soft although a step failed without them.
func (d *Dependencies) Surprises() []string {
	var out []string
	for key, cell := range d.Cells {
		if cell.Surprise && !slices.Contains(out, key[1]) {
			out = append(out, key[1])
		}
	}
	slices.Sort(out)
	return out
}
