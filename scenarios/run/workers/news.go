package workers

import (
	"sync"
	"time"

	"brunt/scenarios/measure"
)

// mostSecrets is how many values a worker reports at a time.
const mostSecrets = 1024

// News is what a worker reports besides its measurements. The zero value is ready, and any goroutine may use it.
type News struct {
	mu      sync.Mutex
	secrets []string
	froze   int // freezes that were reported
}

// Secret keeps a value that became secret, for the next report.
func (n *News) Secret(v string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.secrets) < mostSecrets {
		n.secrets = append(n.secrets, v)
	}
}

// Take returns what has not been reported: of all freezes so far the new ones, and the values that became secret.
func (n *News) Take(freezes []measure.Freeze) (fresh []measure.Freeze, secrets []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh = freezes[n.froze:]
	n.froze += len(fresh)
	secrets, n.secrets = n.secrets, nil
	return fresh, secrets
}

// listens is how often a worker that hears nothing counts how long.
const listens = 10

// An Ear tells when the run of a worker is silent for too long: it is stopped, or hangs.
type Ear struct {
	most  time.Duration
	heard chan struct{} // receives a message at each word of the run
}

// NewEar returns an ear that bears so much silence.
func NewEar(most time.Duration) *Ear { return &Ear{most: most, heard: make(chan struct{}, 1)} }

// Hear notes a word of the run.
func (e *Ear) Hear() {
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

// Listen returns true once the run was silent for too long, and false when over is closed before. Time in which this
// process was stopped itself does not count.
func (e *Ear) Listen(over <-chan struct{}) bool {
	tick := time.NewTicker(e.most / listens)
	defer tick.Stop()
	for silent := 0; silent < listens; {
		select {
		case <-over:
			return false
		case <-e.heard:
			silent = 0
		case <-tick.C:
			silent++
		}
	}
	return true
}
