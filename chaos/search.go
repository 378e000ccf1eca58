package chaos

import (
	"context"
	"slices"

	"brunt/chaos/kube"
	"brunt/targets/platform/containers"
)

// A Search is the place where [Operation.Find] looks: this machine, and the container engine on it.
type Search struct {
	PIDs       []int                  // processes that a fault may hit
	Engine     Engine                 // nil: no engine answers
	Containers []containers.Container // containers of the engine that a fault may hit
	Clusters   []kube.Address         // clusters and namespaces to search
	Live       func(run string) bool  // reports whether a run is still going on
}

// An Engine is a container engine, with the methods that a search needs.
type Engine interface {
	Address() containers.Address
	// LimitsOf returns the limits in the configuration of a container. The limits in force are in its control groups.
	LimitsOf(ctx context.Context, id string) (containers.Limits, error)
	// Missing describes the network that a container was made for, if the container has left it; else nil.
	Missing(ctx context.Context, id string) (*containers.Endpoint, error)
}

// Container returns the container of the engine whose first process has a pid, or nil.
func (s *Search) Container(pid int) *containers.Container {
	if i := slices.IndexFunc(s.Containers, func(c containers.Container) bool { return pid != 0 && c.PID == pid }); i >= 0 {
		return &s.Containers[i]
	}
	return nil
}

// A Remnant is something that a fault left, or may have left, found without a journal.
type Remnant struct {
	Run     string // the run that left it; empty: unknown
	PID     int    // the process that it is on; zero: none
	What    string // describes it and its place
	Why     string // why it is brunt's, or may be
	Sure    bool   // it carries a mark of brunt's, or nothing else can have made it
	Command string // removes it by hand; empty: none does
	Undo    Undo   // removes it; an empty Op means that no undo does
}
