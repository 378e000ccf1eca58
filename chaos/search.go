package chaos

import (
	"context"
	"slices"

	"brunt/chaos/kube"
	"brunt/targets/platform/containers"
)

// A Search is what [Operation.Find] looks at: this machine, and the container engine on it.
type Search struct {
	PIDs       []int                  // processes that a fault may hit
	Engine     Engine                 // nil: none answers
	Containers []containers.Container // of the engine, that a fault may hit
	Clusters   []kube.Address         // namespaces of clusters that are named
	Live       func(run string) bool  // whether a run goes on
}

// An Engine is the engine of containers, as far as a search asks it.
type Engine interface {
	Address() containers.Address
	// LimitsOf returns the limits in the configuration of a container. Those in force are in its control groups.
	LimitsOf(ctx context.Context, id string) (containers.Limits, error)
	// Missing describes the network that a container was made for, if it is not in that; else nil.
	Missing(ctx context.Context, id string) (*containers.Endpoint, error)
}

// Container returns the container of the engine that a process is the first of, or nil.
func (s *Search) Container(pid int) *containers.Container {
	if i := slices.IndexFunc(s.Containers, func(c containers.Container) bool { return pid != 0 && c.PID == pid }); i >= 0 {
		return &s.Containers[i]
	}
	return nil
}

// A Remnant is what a fault has left, or may have left, found without a journal.
type Remnant struct {
	Run     string // whose it is; empty is unknown
	PID     int    // the process that it is on; zero is none
	What    string // it is, and where
	Why     string // it is brunt's, or may be
	Sure    bool   // it has a mark of brunt's, or nothing else makes it
	Command string // takes it back by hand; empty: none does
	Undo    Undo   // takes it back; without an Op nothing does
}
