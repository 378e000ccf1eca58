package truth

import (
	"slices"
	"sync"
	"time"
)

// An Entry is a request as the server saw it.
type Entry struct {
	N       int       // its number
	Step    string    // its path
	Arrived time.Time // its header was read
	Ended   time.Time // its answer was handed to the kernel, or the client gave up
	Act     Act
}

// A Log holds the requests that the server saw, and the times at which the fault was injected.
type Log struct {
	mu       sync.Mutex
	entries  []Entry
	injected []time.Time
}

func (l *Log) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

func (l *Log) fault() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.injected = append(l.injected, time.Now())
}

// Entries returns the requests that the server saw, by number.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.entries)
	slices.SortStableFunc(out, func(a, b Entry) int { return a.N - b.N })
	return out
}

// Arrived returns how many requests the server has answered or given up.
func (l *Log) Arrived() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Injected returns the time of each injection of the fault.
func (l *Log) Injected() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.injected)
}
