package journal

import (
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// A Status is what a journal and the processes of this machine say of a run at an instant.
type Status struct {
	Run     string      `json:"run"`
	State   string      `json:"state"` // one of the five below
	PID     int         `json:"pid,omitempty"`
	Machine string      `json:"machine,omitempty"`
	Began   time.Time   `json:"began"`
	Journal string      `json:"journal"`
	Damage  []string    `json:"damage,omitempty"` // of the journal, and what of that may be left
	In      []EntryLine `json:"in"`
}

// What a run does.
const (
	Running   = "running"
	Stopped   = "stopped"   // by a signal: its watchdog takes its faults back
	Reverting = "reverting" // its brunt has ended, and its watchdog takes its faults back
	Died      = "died"      // and what is in was left behind
	Elsewhere = "elsewhere" // it belongs to another machine, where it has to be taken back
)

// An EntryLine is one entry of a journal that is not reverted.
type EntryLine struct {
	Fault    string    `json:"fault,omitempty"` // empty: the target, or what brunt started for itself
	What     string    `json:"what"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until,omitzero"`    // when the run means to revert it
	Deadline time.Time `json:"deadline,omitzero"` // from then on the watchdog does
	Place    Place     `json:"place"`
	// processes of brunt's with whose end it is over; none: it stays until it is reverted
	HeldBy []int `json:"held_by,omitempty"`
	// TakenBack is when the watchdog reverted it, or began to, as the run stood still.
	TakenBack time.Time `json:"taken_back,omitzero"`
	Reverting bool      `json:"reverting,omitempty"` // the watchdog is at it
	Error     string    `json:"error,omitempty"`     // of the last attempt to revert it
}

// Status returns what is in and what holds it.
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
	for _, e := range s.Open {
		l := EntryLine{
			Fault: e.Fault, What: e.What, Since: e.Time, Until: e.Until, Deadline: e.Deadline, Place: e.Place,
			TakenBack: e.TakenBack, Reverting: e.begun,
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
