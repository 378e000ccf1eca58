package workers

import (
	"sync"
	"time"

	"brunt/scenarios/measure"
)

// mostSecrets is the maximum number of values that a worker reports at a time.
const mostSecrets = 1024

// News holds the news that a worker reports besides its measurements. The zero value is ready, and any goroutine may
// use it.
type News struct {
	mu      sync.Mutex
	secrets []string
	froze   int // number of freezes that were reported
}

// Secret adds a value that became secret to the next report.
func (n *News) Secret(v string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.secrets) < mostSecrets {
		n.secrets = append(n.secrets, v)
	}
}

// Take returns the news since the last call: the new ones of all freezes so far, and the values that became secret.
func (n *News) Take(freezes []measure.Freeze) (fresh []measure.Freeze, secrets []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh = freezes[n.froze:]
	n.froze += len(fresh)
	secrets, n.secrets = n.secrets, nil
	return fresh, secrets
}

// listens is the number of ticks of silence after which a run counts as silent for too long.
const listens = 10

// An Ear detects that the run of a worker has been silent for too long, because it is stopped or hangs.
type Ear struct {
	most  time.Duration
	heard chan struct{} // receives a message at each contact to the run
}

// NewEar returns an ear that tolerates silence for up to most.
func NewEar(most time.Duration) *Ear { return &Ear{most: most, heard: make(chan struct{}, 1)} }

// Hear records a contact to the run.
func (e *Ear) Hear() {
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

// Listen returns true when the run has been silent for too long, and false if over is closed before. Time in which
// this process itself was stopped does not count.
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
