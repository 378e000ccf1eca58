package chaos

import (
	"fmt"
	"strings"
)

// A Descriptor says what brunt has to know of a kind of fault besides its settings. Everything that is looked
// up by the kind is here, so that no table can miss a kind.
type Descriptor struct {
	Kind string       // as scenarios name it, such as network.latency
	Doc  string       // one sentence that says what the fault does, for `brunt explain`
	New  func() Fault // makes one with zero settings
	// Example are settings as they stand after the kind in a scenario, for `brunt explain`, such as
	// {from: web, to: store, delay: 100ms}. They hit units or containers named web and store. Tests inject them.
	Example string
	// Platform is the system that the fault needs, a value of runtime.GOOS; empty is any, or depends on the
	// target.
	Platform string
	// On says what the fault acts on. Zero: only the author of its settings knows.
	On On
	// Effect says what it does to what it acts on. Zero: only the author of its settings knows.
	Effect Effect
	// Where adds to Platform and On what of it works where, such as "on Windows only KILL". It may be empty.
	Where string
	// Agent has the rights of an agent that may inject the fault into the processes of a container; nil
	// means that brunt always injects it itself.
	Agent *Rights
	// Capability tells whether this machine can inject the fault, for `brunt doctor`; nil means that there
	// is nothing to check. It only reads.
	Capability func() Capability
	// Undo are the operations that revert the fault. Kinds may share one.
	Undo []Operation
}

// OneShot reports whether a fault of the kind with zero settings is over once it is injected.
func (d *Descriptor) OneShot() bool { return d.New().Traits(Scope{}).OneShot }

// ByAgent reports whether an agent may inject a fault of the kind into the processes of an engine's container.
func (d *Descriptor) ByAgent() bool { return d.Agent != nil && !d.Agent.Nodes }

// Sample is the line of a scenario that injects the example under a name, at 10 s of the load; a fault that is not over
// at once is reverted 5 s later.
func (d *Descriptor) Sample(name string) string {
	lasts := "for: 5s, "
	if d.OneShot() {
		lasts = ""
	}
	return fmt.Sprintf("%s: {at: 10s, %s%s: %s}", name, lasts, d.Kind, d.Example)
}

// An Effect says in a word what a fault does to what it acts on, for a table of what was tried.
type Effect string

// The effects of faults.
const (
	Dies     Effect = "dies"
	Restarts Effect = "restarts"
	Hangs    Effect = "hangs"   // it is there, and does not answer
	Slow     Effect = "slow"    // it answers late
	Errors   Effect = "errors"  // it answers that it failed, or answers wrongly
	Cut      Effect = "cut"     // nothing comes through
	Lossy    Effect = "lossy"   // some of what is sent comes through, or comes as it was not sent
	Starved  Effect = "starved" // it lacks a resource
	Clock    Effect = "clock"   // its clock is wrong
	Names    Effect = "names"   // it can't resolve names
)

// Effects lists the effects, in the order of a table.
func Effects() []Effect {
	return []Effect{Dies, Restarts, Hangs, Slow, Errors, Cut, Lossy, Starved, Clock, Names}
}

// Rights are what an agent needs for a fault, and all that it gets.
type Rights struct {
	Caps    []string // capabilities without CAP_
	Cgroups bool     // the control groups of the machine, writable
	// Signals says that the fault only sends signals: brunt needs an agent only where it may not signal
	// the process itself.
	Signals bool
	// Ends says that the fault ends the process: it is over when the container has been started again.
	Ends bool
	// Nodes says that an agent injects the fault on nodes of a cluster alone. An engine does so in its containers.
	Nodes bool
}

// A Capability says whether and by what mechanism this machine can inject a fault. Kinds that need the same
// share one, of the same name.
type Capability struct {
	Fault string // the kind, or a short form of several
	Via   string // the mechanism
	Err   error  // why it does not work; nil is that it does
	Fix   string // what to do about it
	// Required says that no agent replaces what is missing: a scenario with the fault cannot run here.
	Required bool
}

// A Described is a fault that describes its kind.
type Described interface {
	Fault
	Describe() Descriptor
}

// On is a set of what faults act on.
type On uint8

// What faults act on.
const (
	OnProcesses  On = 1 << iota // the processes of units
	OnContainers                // containers, by their engine
	OnLinks                     // links, by the proxy on them
	OnPackets                   // packets of containers, by the kernel of Linux
	OnDiverted                  // connections from one container to another, which Linux diverts through a proxy
	OnCluster                   // pods, workloads and nodes of Kubernetes, by its API
)

// onTexts are the elements of a set, for people.
var onTexts = []string{
	"processes", "containers", "links", "packets of containers", "connections between containers",
	"pods, workloads and nodes of Kubernetes",
}

func (o On) String() string {
	var out []string
	for i, text := range onTexts {
		if o&(1<<i) != 0 {
			out = append(out, text)
		}
	}
	if out == nil {
		return "what its settings name"
	}
	return strings.Join(out, ", ")
}

// Systems says on which systems the fault can be injected, for people.
func (d Descriptor) Systems() string {
	out := "all"
	if d.Platform != "" {
		out = strings.ToUpper(d.Platform[:1]) + d.Platform[1:]
	} else if kernel := d.On & (OnPackets | OnDiverted); kernel != 0 {
		out = "all; " + kernel.String() + ": Linux"
	}
	if d.Where != "" {
		out += "; " + d.Where
	}
	return out
}
