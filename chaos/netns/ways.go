package netns

import (
	"errors"
	"strings"
)

// A Way is the support of one mechanism for one action.
type Way struct {
	Do  Action
	Via string
	Err error  // why it does not work on this machine or for this user; nil if it works
	Fix string // how to make it work
}

// ErrNoThrowaway reports that brunt can't make a namespace for probes.
var ErrNoThrowaway = errors.New("no namespace can be made to try it in")

// Ways probes all mechanisms of all actions, best first for each action, in throwaway namespaces.
// It covers effects on packets only.
func Ways() []Way {
	var all []Way
	for _, a := range Actions() {
		for _, m := range mechanisms(a) {
			w := Way{Do: a, Via: m.name, Err: attempt(m)}
			switch {
			case errors.Is(w.Err, ErrNoThrowaway):
				w.Fix = "run brunt as root, or where it may make namespaces (CAP_SYS_ADMIN, CAP_NET_ADMIN)"
			case w.Err != nil:
				w.Fix = m.fix
			}
			all = append(all, w)
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
