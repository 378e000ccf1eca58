package proc

import (
	"slices"
	"sync"
	"time"
) // FileLimit is how many descriptors a process may have. A new one gets the lowest number

// that is free, and it must be under the limit.
type FileLimit struct {
	Soft uint64 `json:"soft"` // in force
	Hard uint64 `json:"hard"` // up to which the process may set it by itself
}

// Watchdogs are the processes of the guards, of which every run in this process has its own. No
// fault may hit one.
var Watchdogs pids

// pids are numbers of processes.
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

// list gives them all.
func (p *pids) list() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// RunMark begins the entry in the environment that every process of a run has.
const RunMark = "BRUNT_RUN="

// EndsWithin is how long a signal may take to end a process.
const EndsWithin = 5 * time.Second
