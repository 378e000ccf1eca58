package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// steps prints events as they happen.
type steps struct {
	w     io.Writer
	stays time.Duration

	mu    sync.Mutex
	fault string // name of the fault
	up    bool   // the target is up, so the events of its units matter
	over  bool
}

func (s *steps) event(e result.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := e.Says()
	if e.Unit != "" {
		if !s.up || s.over {
			return
		}
		what = strings.TrimSpace(e.Unit + " " + what)
	}
	group, ofStep := scenarios.GroupOf(e.Fault)
	if ofStep = ofStep && e.Fault != s.fault; ofStep { // the name of a kind also has a dot
		what = strings.TrimPrefix(e.Fault, group+".") + ": " + what
	}
	fmt.Fprintf(s.w, "%9s  %-16s %s\n", fmt.Sprintf("+%.3fs", float64(e.T)), e.Event,
		strings.ReplaceAll(what, "\n", "\n"+strings.Repeat(" ", 28)))
	switch e.Event {
	case "target.up":
		s.up = true
	case "fault.injected":
		if s.stays > 0 && !ofStep {
			fmt.Fprintf(s.w, "%9s  it stays for %s; Ctrl-C takes it back\n", "", quantity.FormatDuration(s.stays))
		}
	case "fault.cleared", "fault.failed":
		s.over = s.over || !ofStep
	}
}
