package demo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// environment is what a service was started with. Its mistakes are kept, so that
// one start tells all of them.
type environment struct {
	getenv   func(string) string
	mistakes []error
}

// on reads the switch of a defence; one that is not set is on.
func (e *environment) on(key string) bool { return e.toggle(key, true) }

// asked reads a switch that is off unless it is set.
func (e *environment) asked(key string) bool { return e.toggle(key, false) }

func (e *environment) toggle(key string, unset bool) bool {
	switch s := strings.ToLower(e.getenv(key)); s {
	case "":
		return unset
	case "on", "true":
		return true
	case "off", "false":
		return false
	default:
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want on or off", key, s))
		return true
	}
}

// oneOf gives the value of key, which is one of those named; the first stands in when
// it is not set.
func (e *environment) oneOf(key string, names ...string) string {
	s := e.text(key, names[0])
	if !slices.Contains(names, s) {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want one of %s", key, s, strings.Join(names, ", ")))
	}
	return s
}

// link gives the addresses of the replicas of a service, in order of index; there is
// always one, were it empty by mistake.
func (e *environment) link(service string) []string {
	key := "LINK_" + strings.ToUpper(service)
	var addrs []string
	for a := range strings.SplitSeq(e.getenv(key), ",") {
		if a = strings.TrimSpace(a); a != "" {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is empty, want host:port of each replica of %s", key, service))
		return []string{""}
	}
	return addrs
}

// need gives the value of key, which must be set.
func (e *environment) need(key, what string) string {
	s := e.getenv(key)
	if s == "" {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is empty, want %s", key, what))
	}
	return s
}

// text gives the value of key, or what stands in when it is not set.
func (e *environment) text(key, other string) string { return cmp.Or(e.getenv(key), other) }

func (e *environment) err() error { return errors.Join(e.mistakes...) }
