package chaos

// A Descriptor says what brunt has to know of a kind of fault besides its settings. Everything that is looked
// up by the kind is here, so that no table can miss a kind.
type Descriptor struct {
	Kind string       // as scenarios name it, such as network.latency
	Doc  string       // one sentence that says what the fault does, for `brunt explain`
	New  func() Fault // makes one with zero settings
	// Platform is the system that the fault needs, a value of runtime.GOOS; empty is any, or depends on the
	// target.
	Platform string
	// Agent has the rights of an agent that may inject the fault into the processes of a container; nil
	// means that brunt always injects it itself.
	Agent *Rights
	// Capability tells whether this machine can inject the fault, for `brunt doctor`; nil means that there
	// is nothing to check. It only reads.
	Capability func() Capability
	// Undo are the operations that revert the fault. Kinds may share one.
	Undo []Operation
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
