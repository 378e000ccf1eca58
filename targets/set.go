package targets

import (
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// A Set holds the protocols that the steps of a plan may use. The kind of a step chooses its
// protocol; the set remembers which protocol compiled each call. A load uses a [Selection] of it.
//
//	step --Set.Compile--> Call                      by the protocol of its kind
//	calls --Set.Select--> Selection                 the protocols of one load
//	Selection.Client --Open--> Session --Do(Call)--> Outcome
type Set struct {
	list    []*Descriptor
	network func(o *Options) (Network, error)

	mu   sync.Mutex
	used map[scenarios.Call]int // index in list
}

// NewSet creates a set. Network creates the network of a client whose options have none; it
// may be nil.
func NewSet(network func(o *Options) (Network, error), list ...*Descriptor) *Set {
	return &Set{list: list, network: network, used: map[scenarios.Call]int{}}
}

// Protocols lists the protocols of the set.
func (s *Set) Protocols() []*Descriptor { return s.list }

// Kinds lists the step keys of all protocols.
func (s *Set) Kinds() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Kinds...)
	}
	return out
}

// Schemes lists the schemes of the URLs of all protocols.
func (s *Set) Schemes() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Schemes...)
	}
	return out
}

// Compile compiles a step by the protocol of its kind. It notes mistakes in m.
func (s *Set) Compile(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	i := slices.IndexFunc(s.list, func(d *Descriptor) bool { return slices.Contains(d.Kinds, step.Kind) })
	if i < 0 {
		m.Add(step.Pos, "no protocol has steps of kind %q", step.Kind)
		return nil, false
	}
	c, ok := s.list[i].Compile(step, in, m)
	if c != nil {
		s.mu.Lock()
		s.used[c] = i
		s.mu.Unlock()
	}
	return c, ok
}

// Of returns the protocol that compiled a call. For a call that the set did not compile, such as a
// request of a targets file, it returns the first protocol.
func (s *Set) Of(c scenarios.Call) *Descriptor { return s.list[s.number(c)] }

func (s *Set) number(c scenarios.Call) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used[c]
}

// Parts names the measurements of a call besides its own.
func (s *Set) Parts(c scenarios.Call) []string {
	if d := s.Of(c); d.Parts != nil {
		return d.Parts(c)
	}
	return nil
}

// Absent reports whether an answer says that the requested item does not exist.
func (s *Set) Absent(c scenarios.Call, out *scenarios.Outcome) bool {
	d := s.Of(c)
	return d.Absent != nil && d.Absent(c, out)
}

// Retry reports whether a call that failed is worth another try: it has no answer, or one that its
// protocol takes for temporary.
func (s *Set) Retry(c scenarios.Call, out *scenarios.Outcome) bool {
	d := s.Of(c)
	return !out.Answered || d.Retry != nil && d.Retry(c, out)
}

// Select returns the protocols of some calls: those of a load, or of a sequence of steps. Without
// calls it is the first protocol.
func (s *Set) Select(calls ...scenarios.Call) *Selection {
	out := &Selection{set: s, protocols: make(map[scenarios.Call]int, len(calls)), calls: calls}
	used := make([]bool, len(s.list))
	for _, c := range calls {
		i := s.number(c)
		out.protocols[c], used[i] = i, true
	}
	for i, yes := range used {
		if yes {
			out.numbers = append(out.numbers, i)
		}
	}
	if len(out.numbers) == 0 {
		out.numbers = []int{0}
	}
	return out
}
