package pods

import (
	"fmt"
	"slices"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/result"
)

// A count has the numbers of a service's pods.
type count struct {
	ready, replicas, pending int
	unknown                  bool // the API server did not answer
}

// A service holds the counts of a service's pods over time.
type service struct {
	name      string
	wanted    int // pods that its workload asks for
	hasWanted bool
	steps     []step
}

// A step is a count from an instant on.
type step struct {
	at time.Time
	count
}

// step adds a count from an instant on, if it differs from the last one.
func (s *service) step(at time.Time, c count) {
	if n := len(s.steps); n == 0 || s.steps[n-1].count != c {
		s.steps = append(s.steps, step{at, c})
	}
}

// count counts the pods of all services, and returns the changes as events. The caller holds mu.
func (w *Watcher) count(now time.Time) (out []result.Event) {
	if w.away {
		return nil
	}
	counts := map[string]*count{}
	for name, s := range w.services {
		counts[name] = &count{replicas: s.wanted}
	}
	for _, p := range w.pods {
		c := counts[p.service]
		if p.dead || p.last.DeletionTimestamp != nil || p.last.Status.Phase == kube.PodFailed ||
			p.last.Status.Phase == kube.PodSucceeded {
			continue
		}
		if !w.services[p.service].hasWanted {
			c.replicas++
		}
		if cluster.IsReady(&p.last) {
			c.ready++
		}
		if p.last.Status.Phase == kube.PodPending {
			c.pending++
		}
	}
	for _, name := range w.t.Services() {
		s, c := w.services[name], *counts[name]
		if n := len(s.steps); n > 0 && (s.steps[n-1].ready != c.ready || s.steps[n-1].replicas != c.replicas ||
			s.steps[n-1].unknown) {
			out = append(out, result.Event{
				Event: "workload.ready", Unit: name, Text: fmt.Sprintf("%d of %d", c.ready, c.replicas),
			})
		}
		s.step(now, c)
	}
	return out
}

// The figures of a service, as objectives name them.
const (
	figureReady    = "ready"
	figureReplicas = "replicas"
	figurePending  = "pending"
)

// value returns a figure of the count.
func (c count) value(figure string) result.Num {
	switch {
	case c.unknown:
		return result.NaN
	case figure == figureReady:
		return result.Num(c.ready)
	case figure == figurePending:
		return result.Num(c.pending)
	}
	return result.Num(c.replicas)
}

// points returns the values of a figure at each whole second of the run's clock from t0 on, and at each change, until
// until.
func (s *service) points(figure string, t0, until time.Time) []result.Point {
	out := []result.Point{}
	next := time.Duration(0)
	for i, of := range s.steps {
		from, to := of.at.Sub(t0), until.Sub(t0)
		if i+1 < len(s.steps) {
			to = min(to, s.steps[i+1].at.Sub(t0))
		}
		v := of.value(figure)
		if from >= 0 && from < to && from != next {
			out = append(out, result.Point{T: result.Sec(from), V: v})
		}
		for ; next < to; next += time.Second {
			if next >= from {
				out = append(out, result.Point{T: result.Sec(next), V: v})
			}
		}
	}
	return slices.Clip(out)
}

// Series returns how many pods of each service were ready, asked for and pending, over time.
func (w *Watcher) Series() (out []result.Series) {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range w.t.Services() {
		for _, figure := range []string{figureReady, figureReplicas, figurePending} {
			out = append(out, result.Series{
				Name: name + "." + figure, Service: name, Source: "the pods of " + name + " in " + w.t.Place.String(), Every: 1,
				Points: w.services[name].points(figure, w.h.T0(), w.until()),
			})
		}
	}
	return out
}

// until returns when the figures end.
func (w *Watcher) until() time.Time {
	if !w.end.IsZero() {
		return w.end
	}
	return time.Now()
}
