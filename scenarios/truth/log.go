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

// A Stall is a span in which the server did not run, because its machine was busy.
type Stall struct{ From, To time.Time }

// A Log holds the requests that the server saw, the times at which the fault was injected, and the server's stalls.
type Log struct {
	mu       sync.Mutex
	entries  []Entry
	injected []time.Time
	stalls   []Stall
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

// LeastStall is the length of the shortest stall that the log holds.
const LeastStall = 20 * time.Millisecond

func (l *Log) stall(from, to time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stalls = append(l.stalls, Stall{from, to})
}

// Stalls returns the stalls of the server in the order of time.
func (l *Log) Stalls() []Stall {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.stalls)
}
