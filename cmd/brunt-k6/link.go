package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"sync"

	"brunt/scenarios/k6"
)

// link receives brunt's commands. The zero value is used if brunt did not start this process.
type link struct {
	config k6.Config
	bound  bool // k6 opens files by [files]

	mu     sync.Mutex
	stream *k6.Stream
	begin  chan struct{} // closed when the load may begin
	flows  bool          // the load has begun

	received chan struct{} // closed when data is there
	data     string        // data that setup returned in the first part of the script
	last     chan struct{} // closed when the other parts have ended

	stop  func(error)
	phase string
	asked int64
	asks  map[int64]chan k6.FaultAnswer
	begun func()
	cut   []cutRequest // to be reported
}

var errStopped = errors.New("brunt ended the run")

// listen receives commands until brunt closes the stream. Then brunt is gone, and this process exits.
func (l *link) listen(in *bufio.Reader) {
	l.received, l.last = make(chan struct{}), make(chan struct{})
	l.begin, l.asks = make(chan struct{}), map[int64]chan k6.FaultAnswer{}
	go func() {
		dec := json.NewDecoder(in)
		for {
			var c k6.Command
			if err := dec.Decode(&c); err != nil {
				os.Exit(k6.ExitAborted)
			}
			l.obey(&c)
		}
	}()
}

func (l *link) obey(c *k6.Command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Begin && !l.flows {
		l.flows = true
		if l.begun != nil {
			l.begun()
		}
		close(l.begin)
	}
	if c.Data != nil && !closed(l.received) {
		l.data = *c.Data
		close(l.received)
	}
	if c.Last && !closed(l.last) {
		close(l.last)
	}
	if c.Phase != nil {
		l.phase = *c.Phase
	}
	if a := c.Fault; a != nil && l.asks[a.ID] != nil {
		l.asks[a.ID] <- *a // the channel has room for the only answer
		delete(l.asks, a.ID)
	}
	if c.Stop && l.stop != nil {
		l.stop(errStopped)
	}
}

// ask requests a fault. The channel receives the result.
func (l *link) ask(fault string) <-chan k6.FaultAnswer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	answer := make(chan k6.FaultAnswer, 1)
	l.asks[l.asked] = answer
	l.stream.Note(k6.Note{Fault: &k6.FaultAsk{ID: l.asked, Name: fault}})
	return answer
}

func (l *link) inPhase() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phase
}

// setup returns the data that setup returned in the first part of the script.
func (l *link) setup() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.data
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
