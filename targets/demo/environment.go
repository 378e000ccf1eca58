package demo

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// environment holds the settings of a service. It collects mistakes, so that one start reports all
// of them.
type environment struct {
	getenv   func(string) string
	mistakes []error
	links    map[string][]string // addresses of the services that were asked for
}

// on reads the switch of a defence, which is on by default.
func (e *environment) on(key string) bool { return e.toggle(key, true) }

// asked reads a switch that is off by default.
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

// oneOf returns the value of key, which must be one of names; the first is the default.
func (e *environment) oneOf(key string, names ...string) string {
	s := e.text(key, names[0])
	if !slices.Contains(names, s) {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want one of %s", key, s, strings.Join(names, ", ")))
	}
	return s
}

// number returns the whole number of key; 0: it is not set.
func (e *environment) number(key string) int {
	s := e.getenv(key)
	n, err := strconv.Atoi(s)
	if s != "" && (err != nil || n < 0) {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want a whole number", key, s))
	}
	return max(n, 0)
}

// length returns the length of time of key, such as 50ms; 0: it is not set.
func (e *environment) length(key string) time.Duration {
	s := e.getenv(key)
	d, err := time.ParseDuration(s)
	if s != "" && (err != nil || d < 0) {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want a length of time such as 50ms", key, s))
	}
	return max(d, 0)
}

// link returns the addresses of a service's replicas, in order of index. There is always at least
// one, which may be empty by mistake.
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
	if e.links == nil {
		e.links = map[string][]string{}
	}
	e.links[service] = addrs
	return addrs
}

// need returns the value of key, which must be set.
func (e *environment) need(key, what string) string {
	s := e.getenv(key)
	if s == "" {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is empty, want %s", key, what))
	}
	return s
}

// rate reads a number of requests a second; zero if it is not set.
func (e *environment) rate(key string) float64 {
	s := e.getenv(key)
	if s == "" {
		return 0
	}
	rate, err := strconv.ParseFloat(s, 64)
	if err != nil || !(rate > 0) || math.IsInf(rate, 0) {
		e.mistakes = append(e.mistakes, fmt.Errorf("%s is %q, want a number of requests a second", key, s))
		return 0
	}
	return rate
}

// text returns the value of key, or a default.
func (e *environment) text(key, other string) string { return cmp.Or(e.getenv(key), other) }

func (e *environment) err() error { return errors.Join(e.mistakes...) }
