package victim

import (
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
)

// Values of the setting `processes` of faults on the processes of a unit.
const (
	Main = "main" // the process that the unit was started as
	Tree = "tree" // all processes of the unit
)

// Processes lists the processes of a unit whose main process has an identity, the main process first: its tree, and in
// a container every other process there. It leaves out what no fault may hit.
func Processes(u container.Target, id proc.Identity) []proc.Process {
	pids := proc.Tree(id.PID)
	if u.Contained != nil {
		if at := u.Contained.ContainerID().ID; at != "" {
			pids = append(pids, proc.Without(container.Processes(at), pids)...)
		}
	}
	var out []proc.Process
	for _, pid := range pids {
		p := proc.ProcessOf(pid)
		switch {
		case p.Start == 0 || proc.IsZombie(pid):
		case pid == id.PID && p.Identity() != id: // its successor
		case pid != id.PID && (proc.Protect(pid) != nil || proc.ProtectBrunts(pid) != nil):
		default:
			out = append(out, p)
		}
	}
	return out
}

// GoneOn returns a [chaos.EndedEarlyError] if a process of a unit that was stopped has been continued, or its main one
// has been killed.
func GoneOn(w *proc.StopWatch, u chaos.Unit) error {
	which, killed, at := w.Over()
	if at.IsZero() {
		return nil
	}
	what := "was continued (SIGCONT)"
	switch pid := chaos.PIDName(which.PID); {
	case killed:
		what = "was killed"
	case pid != u.Name():
		what = fmt.Sprintf("was continued (SIGCONT to %s)", pid)
	}
	return chaos.EndedEarlyError{Unit: u.Name(), What: what, At: at}
}

// Without lists the processes of all that are not in some.
func Without(all, some []proc.Process) []proc.Process {
	return slices.DeleteFunc(slices.Clone(all), func(p proc.Process) bool {
		return slices.ContainsFunc(some, p.Same)
	})
}

// Share says which processes of a unit a fault hit, such as 1 of 2 processes: pid 7 (agent); not: pid 8 (postgres). It
// is empty if the unit has only the one that was hit.
func Share(hit, others []proc.Process) string {
	if len(others) == 0 && len(hit) < 2 {
		return ""
	}
	said := fmt.Sprintf("%d of %d processes: %s", len(hit), len(hit)+len(others), proc.List(hit))
	if len(others) > 0 {
		said += "; not: " + proc.List(others)
	}
	return said
}
