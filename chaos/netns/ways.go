package netns

import (
	"errors"
	"strings"
)

// A Way is an action by a mechanism.
type Way struct {
	Do  Action
	Via string
	Err error  // why it does not work on this machine, or for this user; nil is that it does
	Fix string // what would make it work
}

// ErrNoThrowaway tells that brunt can't make a namespace to try things in.
var ErrNoThrowaway = errors.New("no namespace can be made to try it in")

// Ways tries all mechanisms for all actions, best first for each, in namespaces that are
// thrown away. Other faults are tried elsewhere: this is what is done to packets.
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

// Fault is what an action is called in a scenario.
func (a Action) Fault() string {
	if strings.HasPrefix(string(a), "dns.") {
		return string(a)
	}
	return "network." + string(a)
}
