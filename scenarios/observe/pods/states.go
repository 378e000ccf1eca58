package pods

import (
	"cmp"
	"slices"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios/result"
)

// A unit is a place for a pod of a service, with its states over time.
type unit struct {
	name, service string
	pod           string // the UID of the pod that has the place, or had it last
	starts        int    // number of pods that had the place, and of restarts of their containers
	ooms          int
	running       bool
	states        []state
	usage         usage
}

// A state is the state of the pod in a place from an instant on.
type state struct {
	at   time.Time
	text string
}

const (
	noPod      = "no pod"
	mostStates = 400
)

// place records that a pod has a place, and reports whether another pod had it before. The caller holds mu.
func (w *Watcher) place(name string, p *pod) (replaced bool) {
	u := w.units[name]
	if u == nil {
		u = &unit{name: name, service: p.service}
		w.units[name] = u
	}
	if uid := string(p.last.UID); u.pod != uid {
		replaced = u.pod != ""
		u.pod = uid
		u.starts++
	}
	return replaced
}

// update records a change of the pod in the place.
func (u *unit) update(now time.Time, was *kube.Pod, p *pod) {
	u.running = runs(&p.last)
	if was.UID != "" {
		u.starts += max(0, restarts(&p.last)-restarts(was))
	}
	u.state(now, stateOf(&p.last))
}

// state records a state from an instant on.
func (u *unit) state(now time.Time, text string) {
	if n := len(u.states); n < mostStates && (n == 0 || u.states[n-1].text != text) {
		u.states = append(u.states, state{now, text})
	}
}

// sorted lists the units by service and number. The caller holds mu.
func (w *Watcher) sorted() (out []*unit) {
	for _, u := range w.units {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b *unit) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	return out
}

// States returns the states of the pods of each unit over time.
func (w *Watcher) States() (out []result.Watch) {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t0, until := w.h.T0(), w.until()
	for _, u := range w.sorted() {
		one := result.Watch{
			Name: "pods", Unit: u.name, Source: "what the cluster tells of the pods of " + w.t.Place.String(),
			States: []result.UnitState{}, Asked: len(u.states),
		}
		for i, s := range u.states {
			to := until
			if i+1 < len(u.states) {
				to = u.states[i+1].at
			}
			if to.Before(t0) || !s.at.Before(until) {
				continue
			}
			from, end := max(0, s.at.Sub(t0)), min(to.Sub(t0), until.Sub(t0))
			one.States = append(one.States, result.UnitState{From: result.Sec(from), To: result.Sec(end), Text: s.text})
		}
		if len(u.states) == mostStates {
			one.Note = "it changed too often; what followed was left out"
		}
		out = append(out, one)
	}
	return out
}
