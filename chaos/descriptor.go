package chaos

import (
	"fmt"
	"strings"

	"brunt/scenarios"
)

// A Descriptor holds everything that brunt knows of a kind of fault besides its settings. Whatever is looked up by the
// kind is here, so that no table can miss a kind.
type Descriptor struct {
	Kind string       // as scenarios name it, such as network.latency
	Doc  string       // one sentence that says what the fault does, for `brunt explain`
	New  func() Fault // makes one with zero settings
	// Example holds the settings of an example, as a scenario writes them after the kind, such as {from: web, to:
	// store, delay: 100ms}. `brunt explain` prints them, and tests inject them. They hit units or containers named web
	// and store.
	Example string
	// Platform is the system that the fault needs, a value of runtime.GOOS. Empty means that any system will do, or
	// that it depends on the target.
	Platform string
	// On lists the kinds of things that the fault acts on. Zero means that only the author of its settings knows.
	On On
	// Effect is the effect on those things. Zero means that only the author of the settings knows.
	Effect Effect
	// Nature is what the fault does to those things, for what tells of it. Its effect is Effect.
	Nature scenarios.Nature
	// Where adds limits to Platform and On, such as "on Windows only KILL". It may be empty.
	Where string
	// Agent holds the rights of an agent that may inject the fault into the processes of a container. Nil means that
	// brunt always injects it itself.
	Agent *Rights
	// Capability tests whether this machine can inject the fault, for `brunt doctor`. It only reads. Nil means that
	// there is nothing to check.
	Capability func() Capability
	// Eases lists the settings of which a larger value does less harm, such as a rate of bytes. `brunt tolerate`
	// searches them without a dose 0.
	Eases []string
	// Undo lists the operations that revert the fault. Kinds may share one.
	Undo []Operation
}

// NatureOf returns the nature of a fault; zero for a group.
func NatureOf(f Fault) scenarios.Nature {
	of, ok := f.(Described)
	if !ok {
		return scenarios.Nature{}
	}
	d := of.Describe()
	n := d.Nature
	n.Effect = string(d.Effect)
	return n
}

// OneShot reports whether a fault of the kind with zero settings is over once it is injected.
func (d *Descriptor) OneShot() bool { return d.New().Traits(Scope{}).OneShot }

// ByAgent reports whether an agent may inject a fault of the kind into the processes of an engine's container.
func (d *Descriptor) ByAgent() bool { return d.Agent != nil && !d.Agent.Nodes }

// Sample returns the line of a scenario that injects the example under a name, 10 s after the load begins. A fault that
// is not a one-shot is reverted 5 s later.
func (d *Descriptor) Sample(name string) string {
	lasts := "for: 5s, "
	if d.OneShot() {
		lasts = ""
	}
	return fmt.Sprintf("%s: {at: 10s, %s%s: %s}", name, lasts, d.Kind, d.Example)
}

// An Effect is one word for the effect of a fault, for the table of the faults that were tried.
type Effect string

// The effects of faults.
const (
	Dies     Effect = "dies"
	Restarts Effect = "restarts"
	Hangs    Effect = "hangs"   // the unit runs, and does not answer
	Slow     Effect = "slow"    // the unit answers late
	Errors   Effect = "errors"  // the unit answers with an error, or answers wrongly
	Cut      Effect = "cut"     // nothing passes
	Lossy    Effect = "lossy"   // data is lost, or arrives changed
	Starved  Effect = "starved" // the unit lacks a resource
	Clock    Effect = "clock"   // the unit's clock is wrong
	Names    Effect = "names"   // the unit can't resolve names
)

// Effects lists the effects, in the order of a table.
func Effects() []Effect {
	return []Effect{Dies, Restarts, Hangs, Slow, Errors, Cut, Lossy, Starved, Clock, Names}
}

// Rights are the rights that an agent needs for a fault. It gets no others.
type Rights struct {
	Caps    []string // capabilities without CAP_
	Cgroups bool     // the control groups of the machine, writable
	// Signals says that the fault only sends signals. brunt then needs an agent only if it may not signal the process
	// itself.
	Signals bool
	// Ends says that the fault ends the process. The fault is over when the container has been started again.
	Ends bool
	// Nodes says that an agent injects the fault only on nodes of a cluster. In containers of an engine, the engine
	// itself injects it.
	Nodes bool
}

// A Capability says whether this machine can inject a fault, and by which mechanism. Kinds that need the same mechanism
// share one Capability, with the same name.
type Capability struct {
	Fault string // the kind, or a short form of several
	Via   string // the mechanism
	Err   error  // why this machine cannot inject the fault; nil: it can
	Fix   string // how to remedy that
	// Required says that no agent replaces what is missing: a scenario with the fault cannot run here.
	Required bool
	// Own says that units which brunt itself starts can be hit all the same.
	Own bool
}

// A Described is a fault that describes its kind.
type Described interface {
	Fault
	Describe() Descriptor
}

// On is a set of kinds of things that faults act on.
type On uint8

// The kinds of things that faults act on.
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
