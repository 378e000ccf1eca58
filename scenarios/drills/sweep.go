package drills

import (
	"cmp"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

//go:embed sweep/*.yaml
var sweeps embed.FS

// SweepFamily is the family of the drills of a sweep.
const SweepFamily = "sweep"

// sweepOf maps each effect to the drill of a sweep that has it.
var sweepOf = map[string]string{"dies": "crash", "hangs": "hang", "slow": "slow", "cut": "cut", "errors": "answer-503"}

// A mode is a part of a system with the effects that a fault can have on it.
type mode struct {
	part    string // a service or a link
	effects []string
}

// modes lists the services of a system, and then its links.
func (s *System) modes() (out []mode) {
	for _, name := range slices.Sorted(maps.Keys(s.Replicas)) {
		of := ofServices
		if s.Breaks.contained() { // faults can act on all packets of a container
			of = slices.Concat(ofServices, []string{"slow", "cut"})
		}
		out = append(out, mode{name, of})
	}
	for _, link := range s.Links {
		out = append(out, mode{link, ofLinks})
	}
	return out
}

// A Swept is one fault of a sweep.
type Swept struct {
	Name  string            // such as crash-posts
	Drill string            // the name of its drill
	Part  string            // the service or the link that is hit
	Set   map[string]string // params of the drill
	Whole bool              // every unit of the service, or every connection of the link, is hit

	effect string
}

// Sweep lists every fault of a sweep. Each service crashes and hangs, all its replicas and one of several. Each link
// is slow, cut, and answered with 503. Services declared soft come first, because a failure there is a surprise. The
// links of the load come last, because every request passes them.
func (s *System) Sweep(declared map[string]string) []Swept {
	var out []Swept
	for _, w := range s.modes() {
		for _, effect := range w.effects {
			one := Swept{
				Name: sweepOf[effect] + "-" + strings.ReplaceAll(w.part, chaos.LinkArrow, "-to-"), Drill: sweepOf[effect],
				Part: w.part, Whole: true, effect: effect,
			}
			out = append(out, one)
			if slices.Contains(ofServices, effect) && s.Replicas[w.part] != 1 {
				one.Name, one.Set, one.Whole = sweepOf[effect]+"-one-of-"+w.part, map[string]string{"pick": "one"}, false
				out = append(out, one)
			}
		}
	}
	rank := func(one Swept) int {
		switch {
		case declared[one.callee()] == string(Soft):
			return 0
		case byLoad(one.Part) > 0:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b Swept) int { return rank(a) - rank(b) })
	return out
}

// callee returns the service that is hit, or that is behind the link.
func (one *Swept) callee() string {
	if _, to, link := strings.Cut(one.Part, chaos.LinkArrow); link {
		return to
	}
	return one.Part
}

// Roles binds the roles of the drill.
func (one *Swept) Roles() map[string]string { return map[string]string{"part": one.Part} }

// AsDeclared reports whether the scenario declares that the system fails under the fault: a hard dependency is hit as
// a whole.
func (one *Swept) AsDeclared(declared map[string]string) bool {
	return one.Whole && declared[one.callee()] == string(Hard)
}

// touches lists the services that are hit: for a link the services at both ends.
func (one *Swept) touches() []string {
	if from, to, link := strings.Cut(one.Part, chaos.LinkArrow); link {
		return []string{from, to}
	}
	return []string{one.Part}
}

// A Pair is two faults of a sweep at once.
type Pair struct {
	A, B  *Swept
	score float64
}

// Name is the name of the pair's run.
func (p *Pair) Name() string { return p.A.Name + "+" + p.B.Name }

// Roles binds the roles of the drill.
func (p *Pair) Roles() map[string]string { return map[string]string{"a": p.A.Part, "b": p.B.Part} }

// An Outcome is the result of one fault of a sweep, run alone.
type Outcome struct {
	Swept  *Swept
	Result *result.Result
}

// PairMethod says how pairs are chosen, and which failures they can't find.
const PairMethod = "A pair is two faults at once that the system survived one by one: what fails alone fails in a " +
	"pair as well, and shows nothing new. " +
	"First come the pairs whose faults used most of the margin of the objectives, meet at one service and " +
	"call on different defences; " +
	"after each choice the others of the same fault step back, so that every fault gets its turn while the budget " +
	"lasts. " +
	"A fault that hits a part which the other takes away is left out. " +
	"This finds defences that share something, such as the retries that cover a dead replica while another is slow. " +
	"It does not find what takes three faults, another order, a longer fault, another load or another kind of fault, " +
	"nor what a fault that fails alone hides."

// PairLasts is how long the load of a pair lasts.
const PairLasts = 20 * time.Second

// Pairs returns at most n pairs of the faults that a system survived, the most telling first.
func Pairs(outcomes []Outcome, n int) []Pair {
	type survivor struct {
		*Swept
		near float64
	}
	var list []survivor
	for _, o := range outcomes {
		if near, ok := survived(o.Result); ok {
			list = append(list, survivor{o.Swept, near})
		}
	}
	var all []Pair
	for i, a := range list {
		for _, b := range list[i+1:] {
			if a.hides(b.Swept) || b.hides(a.Swept) {
				continue
			}
			score := a.near + b.near
			if slices.ContainsFunc(a.touches(), func(s string) bool {
				return s != chaos.LoadName &&
					slices.Contains(b.touches(), s)
			}) {
				score += .5
			}
			if a.effect != b.effect {
				score += .25
			}
			all = append(all, Pair{a.Swept, b.Swept, score})
		}
	}
	used := map[*Swept]float64{}
	var out []Pair
	for len(all) > 0 && len(out) < n {
		worth := func(p Pair) float64 { return p.score - .4*(used[p.A]+used[p.B]) }
		best := 0
		for i := range all {
			if worth(all[i]) > worth(all[best]) {
				best = i
			}
		}
		out = append(out, all[best])
		used[all[best].A]++
		used[all[best].B]++
		all = slices.Delete(all, best, best+1)
	}
	return out
}

// hides reports whether one takes away the part that the other hits.
func (one *Swept) hides(other *Swept) bool {
	if one.Part == other.Part {
		return true
	}
	takes := one.Whole && slices.Contains(takeAway, one.effect) && !strings.Contains(one.Part, chaos.LinkArrow)
	return takes && slices.Contains(other.touches(), one.Part)
}

// survived reports whether a run passed although its fault met traffic, without an outage of a step that no objective
// asks about. Near is the largest share of a target that an objective on the fault used, which says how near the system
// came to a limit.
func survived(res *result.Result) (near float64, ok bool) {
	if res == nil || res.Verdict != scenarios.Pass || res.HidesOutage() ||
		!slices.ContainsFunc(res.Faults, func(f result.FaultRecord) bool { return len(hits(&f)) > 0 }) {
		return 0, false
	}
	for i := range res.Objectives {
		o := &res.Objectives[i]
		parsed, ok := o.Asks()
		if ok && parsed.Upper() && !o.Phase.OfRun() && o.Target > 0 && o.Measured.Known() {
			near = max(near, min(1, float64(o.Measured/o.Target)))
		}
	}
	return near, true
}

// Drill returns the drill of a pair.
func (p *Pair) Drill() (*Drill, error) {
	a, err := builtin(p.A.Drill, nil)
	if err != nil {
		return nil, err
	}
	b, err := builtin(p.B.Drill, nil)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`drill: 1
name: %s-and-%s
family: %s
about: "Two failures at once. %s %s"
roles:
  a: {is: %s, about: the part that the first failure hits}
  b: {is: %s, about: the part that the second failure hits}
lasts: 20s
scenario: {judge: {hold: 4s}}
chaos: {both: {at: 6s, for: 6s, steps: [%s, %s]}}
inherit: [both]
slo:
  served:
    objective: errors < 1%% in both
    missing: Requests survive each of the failures, and not both at once. Defences that share a limit, such as one of retries, need more of it, or one each.
`, a.Name, b.Name, SweepFamily, a.About, b.About, a.Roles[0].Is, b.Roles[0].Is, p.A.step("a"), p.B.step("b"))
	return Parse(p.Name(), []byte(text), nil)
}

// step returns the step of a group that injects the fault, as YAML.
func (one *Swept) step(role string) string {
	on := `on: "${role.` + role + `}"`
	switch one.effect {
	case "dies", "hangs":
		return fmt.Sprintf("{%s: {%s, pick: %s}}", sweepOf[one.effect], on, cmp.Or(one.Set["pick"], "all"))
	case "slow":
		return "{slow: {" + on + ", delay: 1s}}"
	case "errors":
		return "{http.error: {" + on + ", status: 503}}"
	}
	return "{cut: {" + on + "}}"
}
