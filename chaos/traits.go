package chaos

import (
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
)

// Traits are the properties of a fault with its present settings that brunt has to know before a run. The zero value is
// a fault that is reverted, hits no known unit, and can be injected on every machine.
type Traits struct {
	// OneShot says that the fault is over once it is injected: there is nothing to revert, and the phase
	// lasts until the unit is healthy again.
	OneShot bool
	// StaysDown says that nothing starts a unit of a one-shot again, as the scenario allows.
	StaysDown bool
	// Units is the number of units that the fault hits, for max_units.
	Units int
	// Reaches are the units that the fault may hit, for policies that protect some: every unit that it
	// could pick, and both ends of every link that it could be on.
	Reaches []string
	// PIDs are the processes that brunt did not start and that the fault hits.
	PIDs []int
	// Finds says that the settings select containers by properties in the engine.
	Finds bool
	// Zones are the zones that the settings name.
	Zones []string
	// Follows says that units which join while the fault is injected are hit too. If the fault picks units, it hits
	// those that replace picked ones.
	Follows bool
	// All says that the fault hits all units that its settings name, so that it also hits every unit which joins them.
	All bool
	// Asks says how units are asked for their role; nil if the fault is aimed at no role.
	Asks RoleQuestion
	// Steps are the steps of the load's language with which the fault asks the target.
	Steps []*syntax.Node
	// Acts are the steps of the load's language with which the fault acts on the target.
	Acts []Sequence
	// Starts says that the fault itself starts a program of the scenario's author: a command, or what an object in a
	// cluster runs.
	Starts bool
	// Commands says that the fault runs commands of the scenario's author besides its own.
	Commands bool
	// Kept are the texts that the journal keeps unchanged, so that any process can revert the fault: a command with its
	// variables, or a call with its headers and its body.
	Kept []string
	// Grace is how long a unit that the fault takes down may still run: from a polite signal to SIGKILL.
	Grace time.Duration
	// Part says that the settings leave a part of what the kind denies: some of the space, of the descriptors, or of the
	// processes of a unit.
	Part bool
	// Fills is the directory of a unit whose filesystem the fault fills, in which ${self.…} may name the unit; empty is
	// none.
	Fills string
	// InNetwork says that the fault may be injected in the network of a container.
	InNetwork bool
	// Touches reports whether the fault is on the link that brunt opens between two units, and whether it parses the
	// data on that link. A fault on packets is on no link. Nil means that the fault is never on links.
	Touches func(from, to string, z Zones) (hit, parses bool)
	// Cuts says that no request over the links that Touches names is answered while the fault is injected, whatever the
	// target does.
	Cuts bool
	// Rights are the rights in a cluster that the fault needs, besides those to find its target.
	Rights []kube.Right
	// Try returns why this machine cannot inject the fault, given a function that tries each mechanism. If capabilities
	// returns none, Try allows the fault: an agent may be able to inject it. A nil Try always allows it.
	Try func(capabilities func() []netns.Capability) error
}

// A Sequence is a list of steps of the load's language that follow one another in one session.
type Sequence struct {
	Steps *syntax.Node // a list
	// the endpoint of the steps that name none; empty: the only endpoint of their protocol, or the target's own URL
	At       string
	Sessions int           // number of sessions that run it, each with connections of its own; zero is 1
	Timeout  time.Duration // of a step
	Kept     bool          // the journal keeps the steps, so that any process can run them
}

// ServiceOf returns the service of a unit named service[i].
func ServiceOf(unit string) string {
	service, _, _ := SplitUnit(unit)
	return service
}
