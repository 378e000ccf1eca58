//go:build k6

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"sync"

	"brunt/scenarios/k6"
)

// link is what brunt says meanwhile. Its zero value is that there is no brunt.
type link struct {
	config k6.Config

	mu     sync.Mutex
	stream *k6.Stream
	begin  chan struct{} // closed when load is to flow
	flows  bool          // it is
	stop   func(error)
	phase  string
	asked  int64
	asks   map[int64]chan k6.FaultAnswer
	begun  func()
}

var errStopped = errors.New("brunt ended the run")

// listen takes commands until brunt says no more: then it is gone, and so is this
// process.
func (l *link) listen(in *bufio.Reader) {
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
	if c.Phase != nil {
		l.phase = *c.Phase
	}
	if a := c.Fault; a != nil && l.asks[a.ID] != nil {
		l.asks[a.ID] <- *a // there is room for one, and one comes
		delete(l.asks, a.ID)
	}
	if c.Stop && l.stop != nil {
		l.stop(errStopped)
	}
}

// ask asks for a fault. The channel gives what became of it.
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
