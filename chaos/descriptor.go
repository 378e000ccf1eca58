package chaos

// A Descriptor says what brunt has to know of a kind of fault besides its settings. Everything
// that is looked up by the kind stands here, so that no table can miss one.
type Descriptor struct {
	Kind string       // as scenarios name it, such as network.latency
	Doc  string       // one sentence for `brunt explain`
	New  func() Fault // makes one with zero settings
	// Platform is the system that the fault needs, as runtime.GOOS has it; empty is any, or as the target
	// has it.
	Platform string
	// Agent are the rights of an agent that may inject the fault into the processes of a container; nil
	// is that brunt injects it itself.
	Agent *Rights
	// Undo are the operations that revert the fault. Kinds may share one.
	Undo []Operation
}

// Rights are what an agent needs for a fault, and all that it gets.
type Rights struct {
	Caps    []string // capabilities without CAP_
	Cgroups bool     // the control groups of the machine, writable
}

// A Described is a fault that describes its kind.
type Described interface {
	Fault
	Describe() Descriptor
}
