package netns

import (
	"errors"
	"strings"
)

// A Capability is the support of one mechanism for one action.
type Capability struct {
	Do  Action
	Via string
	Err error  // why it does not work on this machine or for this user; nil if it works
	Fix string // how to make it work
}

// ErrNoThrowaway reports that brunt can't make a namespace for probes.
var ErrNoThrowaway = errors.New("no namespace can be made to try it in")

// Capabilities probes all mechanisms of all actions, best first for each action, in throwaway namespaces.
// It covers effects on packets only.
func Capabilities() []Capability {
	var all []Capability
	for _, a := range actions() {
		for _, m := range mechanisms(a) {
			c := Capability{Do: a, Via: m.name, Err: attempt(m)}
			switch {
			case errors.Is(c.Err, ErrNoThrowaway):
				c.Fix = "run brunt as root, or where it may make namespaces (CAP_SYS_ADMIN, CAP_NET_ADMIN)"
			case c.Err != nil:
				c.Fix = m.fix
			}
			all = append(all, c)
		}
	}
	return all
}

// Fault returns the name of the action in a scenario.
func (a Action) Fault() string {
	if strings.HasPrefix(string(a), "dns.") {
		return string(a)
	}
	return "network." + string(a)
}
