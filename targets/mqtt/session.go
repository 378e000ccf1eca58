package mqtt

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/budget"
	"brunt/targets"
	"brunt/targets/calls"
)

type line = calls.Line[*packet]

// state is the state of a connection.
type state struct {
	*session
	version byte
	waiting []arrived    // messages of kept subscriptions that no step has taken
	size    int          // bytes of waiting
	claim   budget.Claim // of waiting

	mu    sync.Mutex
	sent  uint64 // pings
	got   uint64 // answers to pings
	own   uint64 // the number of the last ping that no call waits for
	timer *time.Timer
	left  bool // the connection is given up

	overdue bool // the answer to own was due once
}

// of returns the state of a connection.
func of(l *line) *state { return l.State.(*state) }

// session is what a client and the server keep from one connection to the next. Mu of a state does not guard it, apart
// from taken.
type session struct {
	last    uint16          // the identifier of the last packet
	filters map[string]bool // the subscriptions
	opened  map[uint16]bool // messages of QoS 2 that are published and not yet complete
	lost    bool            // the subscriptions ended with a connection

	mu    sync.Mutex
	taken map[uint16]bool // messages of QoS 2 that a step has and the server has not released
}

// arrived is a message, and when it was read on the run's clock.
type arrived struct {
	*packet
	at time.Duration
}

// How much waits for the steps of a connection.
const (
	mostWaiting      = 10_000  // messages
	mostWaitingBytes = 8 << 20 // of several messages
)

func newSession() *session {
	return &session{filters: map[string]bool{}, opened: map[uint16]bool{}, taken: map[uint16]bool{}}
}

// renew forgets all that belongs to a session that the server has not kept.
func (s *session) renew() {
	s.lost = len(s.filters) > 0
	clear(s.filters)
	clear(s.opened)
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.taken)
}

// id returns an identifier for a packet.
func (s *session) id() uint16 {
	for {
		if s.last++; s.last != 0 && !s.opened[s.last] {
			return s.last
		}
	}
}

// release notes that the server has released a message of QoS 2.
func (s *session) release(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.taken, id)
}

// accept appends the acknowledgement of a message, and reports whether it is a new one.
func (s *session) accept(acks []byte, p *packet) ([]byte, bool) {
	switch p.qos {
	case 1:
		return appendAnswer(acks, puback, p.id), true
	case 2:
		s.mu.Lock()
		defer s.mu.Unlock()
		known := s.taken[p.id]
		s.taken[p.id] = true
		return appendAnswer(acks, pubrec, p.id), !known
	}
	return acks, true
}

// wanted reports whether a subscription of the connection has a topic.
func (s *session) wanted(topic string) bool {
	for f := range maps.Keys(s.filters) {
		if matches(f, topic) {
			return true
		}
	}
	return false
}

// keep keeps a message until a step takes it. It acknowledges one that no step waits for, and drops it.
func (s *state) keep(x *exchange, p *packet, at time.Duration) error {
	switch {
	case !s.wanted(p.topic):
		if acks, _ := s.accept(nil, p); len(acks) > 0 {
			return x.Send(acks)
		}
		return nil
	case len(s.waiting) == mostWaiting, s.size > 0 && s.size+len(p.body) > mostWaitingBytes:
		err := &targets.Error{
			Cause: causes.Cause(tooManyWaiting), Final: true,
			Text: fmt.Sprintf("%d messages of %d bytes wait for the steps of a connection", len(s.waiting), s.size),
		}
		x.Line.Fail(err)
		return err
	}
	if err := s.claim.Take(len(p.body)); err != nil {
		x.Line.Fail(err)
		return err
	}
	s.waiting, s.size = append(s.waiting, arrived{p, at}), s.size+len(p.body)
	return nil
}

// matches reports whether a topic matches a filter.
func matches(filter, topic string) bool {
	if rest, shared := strings.CutPrefix(filter, "$share/"); shared {
		_, filter, _ = strings.Cut(rest, "/")
	}
	if strings.HasPrefix(topic, "$") && (filter[:min(1, len(filter))] == "#" || filter[:min(1, len(filter))] == "+") {
		return false
	}
	for {
		f, moreOfFilter, filterGoesOn := strings.Cut(filter, "/")
		t, moreOfTopic, topicGoesOn := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t:
			return false
		case !topicGoesOn:
			return !filterGoesOn || moreOfFilter == "#"
		case !filterGoesOn:
			return false
		}
		filter, topic = moreOfFilter, moreOfTopic
	}
}

// badTopic returns what is wrong with the topic of a message; nil: nothing.
func badTopic(topic string) error {
	if err := badName("topic", topic); err != nil {
		return err
	}
	if strings.ContainsAny(topic, "+#") {
		return malformed("the topic %q has a wildcard, and a message goes to one topic", targets.Clip(topic, 60))
	}
	return nil
}

// badFilter returns what is wrong with the filter of a subscription; nil: nothing.
func badFilter(filter string) error {
	if err := badName("filter", filter); err != nil {
		return err
	}
	levels := strings.Split(filter, "/")
	if levels[0] == "$share" {
		if len(levels) < 3 || levels[1] == "" || strings.ContainsAny(levels[1], "+#") {
			return malformed("the filter %q is not of the form $share/GROUP/FILTER", targets.Clip(filter, 60))
		}
		levels = levels[2:]
	}
	for i, l := range levels {
		switch {
		case l == "+" || l == "#" && i == len(levels)-1:
		case l == "#":
			return malformed("in the filter %q something follows #", targets.Clip(filter, 60))
		case strings.ContainsAny(l, "+#"):
			return malformed("in the filter %q a wildcard is not a whole level", targets.Clip(filter, 60))
		}
	}
	return nil
}

func badName(what, name string) error {
	switch {
	case name == "":
		return malformed("the %s is empty", what)
	case len(name) > mostName:
		return malformed("the %s has more than %d bytes", what, mostName)
	case strings.ContainsRune(name, 0):
		return malformed("the %s %q has a NUL", what, targets.Clip(name, 60))
	}
	return nil
}
