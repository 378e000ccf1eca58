package netns

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrCannot reports that one mechanism, or every known one, can't apply a Spec: the kernel lacks
// it, brunt lacks a right, or the mechanism does not support the Spec.
var ErrCannot = errors.New("can't be done here")

// Set applies s to the namespace with the first mechanism that works, or with the one that s names.
// It applies all of s or nothing.
//
// Several Specs may be active at once, with the same action or different ones. Each is closed on its own. Closing them
// in reverse order is always correct.
//
// If n names its run, Set fails while another run that names itself has a Spec active; the error names that run.
func (n *Namespace) Set(s Spec) (Held, error) {
	c, err := n.claim()
	if err != nil {
		return nil, err
	}
	held, err := n.set(s)
	switch {
	case err != nil:
		return nil, errors.Join(err, c.release())
	case c == nil:
		return held, nil
	}
	return claimedHeld{held, c}, nil
}

// set applies s, as [Namespace.Set] does.
func (n *Namespace) set(s Spec) (held Held, err error) {
	err = n.each(s, func(m mechanism) (err error) {
		// A named mechanism is used at once: probing one for the first time takes longer than using it.
		if s.Via == "" {
			if err := n.probe(m, s); err != nil {
				return err
			}
		}
		held, err = m.set(n, s)
		if err != nil && s.Via != "" {
			if why := n.probe(m, s); why != nil {
				return why
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return held, nil
}

// Pick returns the name of the mechanism that Set would use, for Spec.Via. It changes nothing in
// the namespace.
func (n *Namespace) Pick(s Spec) (via string, err error) {
	err = n.each(s, func(m mechanism) error {
		via = m.name
		if err := n.probe(m, s); err != nil || m.fits == nil {
			return err
		}
		return m.fits(n, s)
	})
	return via, err
}

// each calls f with the mechanisms that support s, best first, until one call succeeds.
func (n *Namespace) each(s Spec, f func(m mechanism) error) error {
	if err := s.Check(); err != nil {
		return err
	}
	var not []error
	for _, m := range mechanisms(s.Do) {
		if s.Via != "" && s.Via != m.name {
			continue
		}
		err := m.can(s)
		if err == nil {
			if err = f(m); err == nil {
				return nil
			}
		}
		not = append(not, fmt.Errorf("%s: %w", m.name, err))
	}
	if len(not) == 0 {
		return fmt.Errorf("%s via %s: %w: it is done by %s", s.Do, s.Via, ErrCannot, strings.Join(Vias(s.Do), ", "))
	}
	return fmt.Errorf("%s: %w: %w", s.Do, ErrCannot, errors.Join(not...))
}

// probe reports whether m works here, from the first probe of m through n. If it can't be probed, as in
// an agent that was started inside a namespace, Set will show it. A mechanism that may be missing and
// would outlive brunt is skipped unless s names it.
func (n *Namespace) probe(m mechanism, s Spec) error {
	err := n.probes.result(probed{s.Do, m.name}, func() error { return attempt(m) })
	switch {
	case errors.Is(err, ErrNoThrowaway) && (m.undo == nil || s.Via != ""):
		return nil
	case err != nil && m.fix != "" && !errors.Is(err, ErrNoThrowaway):
		return fmt.Errorf("%w (to mend it: %s)", err, m.fix)
	}
	return err
}

// probes are the results of probes, each of which makes a namespace of its own. The zero value is empty.
type probes struct {
	mu      sync.Mutex // held during a probe, so that none runs twice
	results map[probed]error
}

// probed is the subject of a probe: one mechanism for one action.
type probed struct {
	do  Action
	via string
}

// result returns the result of a probe, and runs the probe the first time.
func (p *probes) result(of probed, probe func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err, known := p.results[of]
	if !known {
		if p.results == nil {
			p.results = map[probed]error{}
		}
		err = probe()
		p.results[of] = err
	}
	return err
}

// Vias returns the names of the mechanisms that support an action, best first, whether they work
// here or not.
func Vias(a Action) []string {
	var names []string
	for _, m := range mechanisms(a) {
		names = append(names, m.name)
	}
	return names
}

// A mechanism is a kernel feature that implements actions.
type mechanism struct {
	name string // the value of Spec.Via
	// can returns an error if the mechanism does not support s, judged by s alone.
	can func(s Spec) error
	// probe tests kernel and rights on the calling thread, which is in a throwaway namespace that
	// contains a link "probe0".
	probe func() error
	// fits returns an error if s can't be applied to n in its present state, for example because of
	// a foreign qdisc. It only reads; nil means that s always fits.
	fits func(n *Namespace, s Spec) error
	// set applies all of s or nothing.
	set func(n *Namespace, s Spec) (Held, error)
	// undo returns the Undo that restores the state after the end of brunt, and stores its identification in s; nil
	// means that the kernel restores the state.
	undo func(n *Namespace, s *Spec) (*Undo, error)
	// fix says how to make the mechanism work if probe fails.
	fix string
}

// actions lists all actions.
func actions() []Action {
	return []Action{
		Latency, Reorder, Loss, Duplicate, Corrupt, Bandwidth, Partition, Blackhole, Stall, Reset, HalfOpen,
		DNSFail, DNSMute, DNSSpoof,
	}
}

func known(a Action) bool { return slices.Contains(actions(), a) }
