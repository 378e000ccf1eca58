package proc

import (
	"slices"
	"sync"
	"time"
)

// FileLimit is the limit on the descriptors of a process. A new descriptor gets the lowest free number,
// which must be under the limit.
type FileLimit struct {
	Soft uint64 `json:"soft"` // present limit
	Hard uint64 `json:"hard"` // up to which the process may raise Soft by itself
}

// Watchdogs are the watchdogs of all runs in this process. No fault may hit one.
var Watchdogs pids

// pids is a list of processes.
type pids struct {
	mu  sync.Mutex
	all []int
}

func (p *pids) Add(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, pid)
}

func (p *pids) Drop(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = slices.DeleteFunc(p.all, func(other int) bool { return other == pid })
}

// list returns them all.
func (p *pids) list() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// RunMark begins the environment entry that every process of a run has.
const RunMark = "BRUNT_RUN="

// EndsWithin bounds the time until a signal has ended a process.
const EndsWithin = 5 * time.Second
