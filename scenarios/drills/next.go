package drills

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/syntax"
)

// worth orders the effects that every service and link can have by how much each teaches that the others do not. A
// hang holds the callers' connections, a slow link holds their time, and a crash holds neither.
var worth = []string{"hangs", "slow", "dies", "cut", "errors"}

// ofServices and ofLinks are the effects that a sweep tries.
var (
	ofServices = []string{"dies", "hangs"}
	ofLinks    = []string{"slow", "cut", "errors"}
)

// Coverage says which failure modes of a system were tried.
type Coverage struct {
	Untried []programme.UntriedPart // services and links that lack an effect
	// number of failure modes: all, those on which every objective held, and those on which one failed
	Modes, Held, Failed int
	// effects that no part was tried under at all, beside those of Untried
	Effects []string

	unmet map[[2]string]bool // see [Matrix]
}

// with returns s with the facts that only runs know: links between containers, and the replicas that were found
// during a run. If s is nil, it returns the system that appears in the runs.
func (m *Matrix) with(s *System) *System {
	own := m.system()
	if s == nil {
		return own
	}
	out := *s
	out.Replicas = maps.Clone(s.Replicas)
	for name, n := range out.Replicas {
		if n == 0 {
			out.Replicas[name] = own.Replicas[name]
		}
	}
	if s.Breaks.contained() { // it declares no links between containers
		out.Links = slices.Clone(s.Links)
		for _, link := range own.Links {
			if s.between(link) && !slices.Contains(out.Links, link) {
				out.Links = append(out.Links, link)
			}
		}
	}
	return &out
}

// mode returns the part of a system that a part of a matrix stands for: a service, one of its replicas, or a link.
// Losing one of several replicas is another failure than losing all. The part is empty for a link of one of several
// replicas, because that tells nothing about the link of all.
func (s *System) mode(part string) (of string, one bool) {
	link := linkOf(part)
	if link == "" {
		if service := serviceOf(part); service == part || s.Replicas[service] <= 1 {
			return service, false
		}
		return serviceOf(part), true
	}
	for end := range strings.SplitSeq(part, chaos.LinkArrow) {
		if service := serviceOf(end); service != end && s.Replicas[service] > 1 {
			return "", false
		}
	}
	return link, false
}

// Coverage compares the cells of a matrix with the services and links of a system. If the system is nil, the services
// and links that appear in the runs are used.
func (m *Matrix) Coverage(of *System) Coverage {
	type key struct {
		part   string
		one    bool
		effect string
	}
	s, tried := m.with(of), map[key]scenarios.Verdict{}
	for at, cell := range m.Cells {
		key := key{effect: at[1]}
		key.part, key.one = s.mode(at[0]) // of several replicas the worst verdict counts
		if before, ok := tried[key]; !ok || scenarios.Worse(before, cell.Verdict) != before {
			tried[key] = cell.Verdict
		}
	}
	out := Coverage{unmet: m.unmet}
	add := func(part string, one bool, effects []string) {
		u := programme.UntriedPart{Name: part, One: one}
		for _, e := range effects {
			out.Modes++
			switch v, ok := tried[key{part, one, e}]; {
			case !ok && s.forbidden(part, e) != "":
			case !ok:
				u.Effects = append(u.Effects, e)
			case v == scenarios.Pass:
				out.Held++
			case v == scenarios.Fail || v == scenarios.NotReverted:
				out.Failed++
			}
		}
		if len(u.Effects) > 0 {
			out.Untried = append(out.Untried, u)
		}
	}
	for _, w := range s.modes() {
		add(w.part, false, w.effects)
		if n, service := s.Replicas[w.part]; service && n > 1 {
			add(w.part, true, ofServices)
		}
	}
	for _, e := range effects[:len(effects)-1] {
		if !slices.Contains(slices.Concat(m.Effects, ofServices, ofLinks), e) {
			out.Effects = append(out.Effects, e)
		}
	}
	return out
}

// system returns the system that appears in the runs.
func (m *Matrix) system() *System {
	s := &System{Replicas: map[string]int{}}
	for _, part := range m.Parts {
		if link := linkOf(part); link == "" {
			service, i, _ := strings.Cut(strings.TrimSuffix(part, "]"), "[")
			n, _ := strconv.Atoi(i)
			s.Replicas[service] = max(s.Replicas[service], n+1)
		} else if !slices.Contains(s.Links, link) {
			s.Links = append(s.Links, link)
		}
	}
	return s
}

// linkOf returns the link between services of a link between units. The result is empty if part is a unit.
func linkOf(part string) string {
	from, to, link := strings.Cut(part, chaos.LinkArrow)
	if !link {
		return ""
	}
	return chaos.LinkName(serviceOf(from), serviceOf(to))
}

// String says in a sentence how many of the failure modes were tried, as an interval: an unknown one may have held or
// failed.
func (c Coverage) String() string {
	if c.Modes == 0 {
		return "No part of the system is known."
	}
	percent := func(k int) string { return quantity.FormatShareBriefly(float64(k) / float64(c.Modes)) }
	text := fmt.Sprintf("Of %s of its services and links, %d held, %d failed, %d not known: ",
		syntax.Amount(c.Modes, "failure mode"), c.Held, c.Failed, c.Modes-c.Held-c.Failed)
	if c.Held+c.Failed == c.Modes {
		return text + percent(c.Held) + " of them hold."
	}
	return text + "between " + percent(c.Held) + " and " + percent(c.Modes-c.Failed) + " of them hold."
}

// A Suggestion is a drill worth running next.
type Suggestion struct {
	Drill  string // its name
	Role   string // part=PART
	Set    string // a param, such as pick=one; empty: no param
	Part   string // the service or link
	One    bool   // one replica of the service, which has several
	Effect string // the effect that no run tried on the part, such as hangs
	Reason string // why that matters: a clause
	Unmet  bool   // the last fault with this effect met no traffic, or was not verified
}

// unmetLast lowers the score of a drill that was tried in vain below every drill that was not tried.
const unmetLast = 100

// Next returns at most n drills worth running, each on another part, the most telling first. It asks whether a
// service that is declared soft really is, which services no run tells anything about, and how a service that many
// steps need behaves when it hangs or is slow.
func (c Coverage) Next(d *Dependencies, n int) []Suggestion {
	type candidate struct {
		Suggestion
		score float64
	}
	var list []candidate
	for _, u := range c.Untried {
		service, set := u.Name, ""
		if u.One {
			set = "pick=one"
		}
		if _, to, link := strings.Cut(u.Name, chaos.LinkArrow); link {
			service = to
		}
		score, reason := d.weight(service)
		for _, effect := range u.Effects {
			next := candidate{
				Suggestion{
					Drill: sweepOf[effect], Role: "part=" + u.Name, Set: set, Part: u.Name, One: u.One,
					Effect: effect, Reason: reason, Unmet: c.unmet[[2]string{u.Name, effect}],
				},
				score - float64(slices.Index(worth, effect))/10,
			}
			if u.One { // the loss of all replicas comes first
				next.score -= .5
			}
			if next.Unmet {
				next.score -= unmetLast
			}
			list = append(list, next)
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	var out []Suggestion
	taken := map[string]bool{}
	for _, one := range list {
		if len(out) < n && !taken[one.Part] {
			taken[one.Part] = true
			out = append(out, one.Suggestion)
		}
	}
	return out
}

// weight says how much an unknown of a service matters, and why.
func (d *Dependencies) weight(service string) (score float64, reason string) {
	var hard []string
	known := 0
	for _, step := range d.Steps {
		switch d.Cells[[2]string{step, service}].Need {
		case Hard:
			hard = append(hard, step)
			known++
		case Soft, Apart:
			known++
		}
	}
	switch {
	case known == 0 && d.Declared[service] == string(Soft):
		return 4, "it is declared soft, which no run shows"
	case known == 0 && service == chaos.TargetName:
		return 3, "every request passes it"
	case known == 0:
		return 3, "no run shows which requests need it"
	case len(hard) > 0:
		return 2 * float64(len(hard)) / float64(len(d.Steps)), fmt.Sprintf("%s fails without it", strings.Join(hard, ", "))
	}
	return 0, "requests do without it as far as was tried"
}
