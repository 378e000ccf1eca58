package journal

import (
	"encoding/json"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// A Status is the state of a run at an instant, from its journal and the processes of this machine.
type Status struct {
	Run     string    `json:"run"`
	State   string    `json:"state"` // one of the five below
	PID     int       `json:"pid,omitempty"`
	Machine string    `json:"machine,omitempty"`
	Began   time.Time `json:"began"`
	Journal string    `json:"journal"`
	Damage  []string  `json:"damage,omitempty"` // damage to the journal, and what may be left because of it
	// Unproven says why others may have written the journal, so that `brunt revert` of this user never replays it
	Unproven string      `json:"unproven,omitempty"`
	Would    []string    `json:"would,omitempty"`    // what the undos of an unproven journal would do
	ByOwner  string      `json:"by_owner,omitempty"` // the command with which the owner of an unproven journal reverts it
	In       []EntryLine `json:"in"`
}

// The states of a run.
const (
	Running   = "running"
	Stopped   = "stopped"   // stopped by a signal: its watchdog takes its faults back
	Reverting = "reverting" // its brunt has ended, and its watchdog takes its faults back
	Died      = "died"      // its brunt and its watchdog have ended, and its faults were left behind
	Elsewhere = "elsewhere" // the run is of another machine, where its faults have to be taken back
)

// An EntryLine is one entry of a journal that is not reverted.
type EntryLine struct {
	Fault    string    `json:"fault,omitempty"` // empty: the target, or a process that brunt started for itself
	What     string    `json:"what"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until,omitzero"`    // when the run means to revert it
	Deadline time.Time `json:"deadline,omitzero"` // from then on the watchdog reverts it
	Place    Place     `json:"place"`
	// processes of brunt whose end also ends the fault; none: the fault stays until it is reverted
	HeldBy []int `json:"held_by,omitempty"`
	// TakenBack is when the watchdog reverted it, or began to, as the run stood still.
	TakenBack time.Time `json:"taken_back,omitzero"`
	Reverting bool      `json:"reverting,omitempty"` // the watchdog is reverting it
	Off       time.Time `json:"off,omitzero"`        // when the run reverted it: its unit is down still, as Error says
	Error     string    `json:"error,omitempty"`     // of the last attempt to revert it
}

// haveEnded reports whether undos restore only settings of processes that have ended.
func haveEnded(ops chaos.Operations, undo []chaos.Undo) bool {
	return len(undo) > 0 && !slices.ContainsFunc(undo, func(u chaos.Undo) bool {
		var id proc.Identity
		return !ops[u.Op].OfProcess || json.Unmarshal(u.Identity, &id) != nil || id.Alive()
	})
}

// Status returns the faults that are injected, and the processes that hold them.
func (s *State) Status(ops chaos.Operations) Status {
	out := Status{
		Run: s.Run, State: Died, PID: s.owner.PID, Machine: s.Host, Began: s.Began, Journal: s.Path,
		Damage: s.Problems(), In: []EntryLine{},
	}
	switch {
	case s.Foreign:
		out.State = Elsewhere
	case s.Alive && s.owner.Alive() && proc.IsStopped(s.owner.PID):
		out.State = Stopped
	case s.watched():
		out.State = Reverting
	case s.Alive:
		out.State = Running
	}
	if s.Unproven != nil {
		out.Unproven, out.Would, out.ByOwner = s.Unproven.Error(), s.Would(ops), s.ByOwner()
	}
	for _, e := range s.Open {
		if s.Alive && !s.Foreign && haveEnded(ops, e.Undo) {
			continue // the run will note that
		}
		l := EntryLine{
			Fault: e.Fault, What: e.What, Since: e.Time, Until: e.Until, Deadline: e.Deadline, Place: e.Place,
			TakenBack: e.TakenBack, Reverting: e.begun, Off: e.Off,
			Error: e.Error,
		}
		if e.begun {
			l.Error = ""
		}
		if !s.Foreign {
			l.HeldBy = ops.HeldBy(e.Undo)
		}
		out.In = append(out.In, l)
	}
	return out
}
