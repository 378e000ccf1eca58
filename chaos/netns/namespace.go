package netns

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCannot tells that a mechanism, or every one that is known, can't do a Spec: the
// kernel lacks it, brunt lacks a right, or it is not made for that.
var ErrCannot = errors.New("can't be done here")

// Set does what s says to the namespace, by the first mechanism that works here or by
// the one that s names. It is all or nothing: after an error nothing is left of it.
//
// Several may be in force at once, of one action or of many. Each is taken back on its
// own; to take them back in reverse order is right always.
func (n *Namespace) Set(s Spec) (Held, error) {
	var held Held
	err := n.each(s, func(m mechanism) (err error) {
		// To try a mechanism takes longer than to use it. One that is named is used at
		// once: whoever has picked it before has it in force sooner.
		if s.Via == "" {
			if err := probe(m, s); err != nil {
				return err
			}
		}
		held, err = m.set(n, s)
		if err != nil && s.Via != "" {
			if why := probe(m, s); why != nil {
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

// Pick names the mechanism that Set would take, for Spec.Via. It changes nothing in the
// namespace.
func (n *Namespace) Pick(s Spec) (via string, err error) {
	err = n.each(s, func(m mechanism) error {
		via = m.name
		if err := probe(m, s); err != nil || m.fits == nil {
			return err
		}
		return m.fits(n, s)
	})
	return via, err
}

// each tries the mechanisms that may do s, best first, until one has done f.
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

// probe tells whether m works here. Where that can't be tried, as in a helper that was
// started inside of a namespace, setting it will show; but what may be missing and would
// outlive brunt is not taken unless s names it.
func probe(m mechanism, s Spec) error {
	err := attempt(m)
	switch {
	case errors.Is(err, ErrNoThrowaway) && (m.undo == nil || s.Via != ""):
		return nil
	case err != nil && m.fix != "" && !errors.Is(err, ErrNoThrowaway):
		return fmt.Errorf("%w (to mend it: %s)", err, m.fix)
	}
	return err
}

// Vias names the mechanisms that may do an action, best first, whether they work here or
// not.
func Vias(a Action) []string {
	var names []string
	for _, m := range mechanisms(a) {
		names = append(names, m.name)
	}
	return names
}

// A mechanism is a means of the kernel by which actions are done.
type mechanism struct {
	name string // what Spec.Via calls it
	// can tells why s is nothing for it, by s alone.
	can func(s Spec) error
	// probe tries on the calling thread, which is in a namespace to be thrown away with
	// a link "probe0" in it, whether kernel and rights suffice.
	probe func() error
	// fits tells why s can't be done in n as it is now: another's qdisc, say. It reads
	// only; nil is that it always can.
	fits func(n *Namespace, s Spec) error
	// set does s, or nothing.
	set func(n *Namespace, s Spec) (Held, error)
	// undo reads what takes s back after brunt's end, and writes into s by what that is
	// known; nil is that the kernel sees to it.
	undo func(n *Namespace, s *Spec) (*Undo, error)
	// fix says what would make it work where probe fails.
	fix string
}

// Actions are all there are.
func Actions() []Action {
	return []Action{
		Latency, Reorder, Loss, Duplicate, Corrupt, Bandwidth, Partition, Blackhole, Stall, Reset, HalfOpen,
		DNSFail, DNSMute, DNSSpoof,
	}
}

func known(a Action) bool { return slices.Contains(Actions(), a) }
