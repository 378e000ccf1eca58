package drills

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
)

// Words of a cell that no run filled.
const (
	NeverTried  = "never tried"
	NotPossible = "not possible"
	NotAllowed  = "not allowed"
)

// Rows returns the parts of a matrix: the parts that appear in runs, and then the parts of the system that no run
// hit. If s is nil, only the parts that appear in runs.
func (m *Matrix) Rows(s *System) []string {
	out := slices.Clone(m.Parts)
	if s == nil {
		return out
	}
	for service := range s.Replicas {
		if !slices.ContainsFunc(out, func(part string) bool { return !IsLink(part) && serviceOf(part) == service }) {
			out = append(out, service)
		}
	}
	for _, link := range s.Links {
		if !slices.ContainsFunc(out, func(part string) bool { return linkOf(part) == link }) {
			out = append(out, link)
		}
	}
	slices.SortFunc(out, byKind)
	return out
}

// Columns returns the effects of a matrix: all effects that faults can have on some row, and all that were tried.
func (m *Matrix) Columns(s *System) (out []string) {
	with, rows := m.with(s), m.Rows(s)
	for _, effect := range effects {
		can := func(part string) bool { return len(with.kinds(part, effect)) > 0 }
		if slices.Contains(m.Effects, effect) || effect != other && slices.ContainsFunc(rows, can) {
			out = append(out, effect)
		}
	}
	return out
}

// Empty says why the cell of a part is empty: word is a short form, and why is a sentence on why the cell can't be
// filled. Why is empty if the cell can be filled.
func (m *Matrix) Empty(s *System, part, effect string) (word, why string) {
	s = m.with(s)
	switch {
	case effect == other:
	case len(s.kinds(part, effect)) == 0:
		return NotPossible, "no fault of that effect acts on " + s.noun(part)
	case s.forbidden(part, effect) != "":
		return NotAllowed, s.forbidden(part, effect)
	}
	return NeverTried, ""
}

// noun returns the noun for a part, such as "a link".
func (s *System) noun(part string) string {
	switch {
	case IsLink(part):
		return "a link"
	case s.Breaks == Pods:
		return "a pod"
	case s.Breaks.contained():
		return "a container"
	}
	return "a process"
}

// kinds lists the kinds of fault that have an effect and can act on a part.
func (s *System) kinds(part, effect string) (out []string) {
	on := chaos.OnProcesses
	switch {
	case IsLink(part) && s.Breaks == Pods:
		on = chaos.OnPackets | chaos.OnDiverted
	case IsLink(part) && s.Breaks.contained():
		on = chaos.OnLinks | chaos.OnPackets | chaos.OnDiverted
	case IsLink(part):
		on = chaos.OnLinks
	case s.Breaks == Pods:
		on = chaos.OnProcesses | chaos.OnContainers | chaos.OnPackets | chaos.OnCluster
	case s.Breaks.contained():
		on = chaos.OnProcesses | chaos.OnContainers | chaos.OnPackets
	}
	for _, d := range catalog.Faults() {
		if d := d.Describe(); string(d.Effect) == effect && d.On&on != 0 {
			out = append(out, d.Kind)
		}
	}
	return out
}

// forbidden names, in a sentence, the policy that forbids an effect on a part. The result is empty if no policy does.
func (s *System) forbidden(part, effect string) string {
	kinds := s.kinds(part, effect)
	for _, p := range s.Policies {
		for end := range strings.SplitSeq(part, chaos.LinkArrow) {
			if slices.Contains(p.Protect.Services, serviceOf(end)) || slices.Contains(p.Protect.Units, end) {
				return fmt.Sprintf("the policy %q protects %s", p.Name, end)
			}
		}
		allowed := func(kind string) bool { _, forbids := p.Forbids(kind); return !forbids }
		if len(kinds) > 0 && !slices.ContainsFunc(kinds, allowed) {
			return fmt.Sprintf("the policy %q forbids %s", p.Name, strings.Join(kinds, ", "))
		}
	}
	return ""
}
