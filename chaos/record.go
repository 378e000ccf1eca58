package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Record is the result of one occurrence of a fault. Times are offsets from t0.
type Record struct {
	Name     string // with #n if the fault occurs several times
	Fault    string
	Kind     string
	N        int // number of the occurrence from Inject; -1 if it was not injected
	Units    []string
	Zones    []string // that the fault was aimed at
	Role     string   // that all units had, as they said when the fault picked them; empty if they were not asked
	RoleSaid string   // what the first of them answered
	Via      string
	Planned  time.Duration
	Injected time.Duration
	Verified time.Duration // 0 with VerifyErr or InjectErr
	Evidence string
	Cleared  time.Duration // its effect was gone, or the unit of a one-shot healthy again
	Until    time.Duration // the end of its phase: Cleared, or later for a one-shot
	Gone     bool
	GoneText string
	Revert   Outcome
	Traffic  *Traffic // nil: the requests of the phase count
	Within   time.Duration
	OneShot  bool
	Early    bool   // reverted before its time because the run ended
	Skipped  bool   // no unit matched, and the scenario allows that
	Late     string // why it was later than planned; empty if it was in time

	InjectErr error // not injected
	VerifyErr error // injected, but without effect, or in part: see PartialError
	RevertErr error // not reverted
	GoneErr   error // reverted, and no probe was answered that proves it
	TakenBack error // reverted by a watchdog while brunt itself stood still

	Detect *Sighting // what the team's monitoring noticed; nil if it is not asked

	Held []Held // the injected steps, as long as something is to be asked of them

	Steps []*Record // of a group, in the order of their injection; N of each is -1
}

// release forgets the injected steps of an occurrence that is over and of which nothing is left: each has what it was
// proven by, and a run may have thousands of occurrences.
func (r *Record) release() {
	if !r.Gone {
		return
	}
	r.Held = nil
	for _, s := range r.Steps {
		s.release()
	}
}

// StillDown checks once more, after the run, whether the units that a one-shot took down are back, and whether what
// was unverified is over.
func (r *Record) StillDown(ctx context.Context) error {
	if r.Gone || r.N < 0 {
		return nil
	}
	if r.GoneErr != nil {
		return r.askAgain(ctx)
	}
	for _, s := range r.Steps {
		if s.Gone {
			continue
		}
		of := *s
		of.N = r.N // it was injected, as a part of the group
		if err := of.StillDown(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		s.GoneText, r.GoneText = of.GoneText, of.GoneText
	}
	for _, h := range r.Held {
		text, err := h.Gone(ctx)
		if err != nil {
			return err
		}
		if text != "" {
			r.GoneText = text + ", but too late"
		}
	}
	return nil
}

// askAgain looks once more for the proof that an occurrence is over. An error says that its effect is still there.
func (r *Record) askAgain(ctx context.Context) error {
	for _, h := range r.Held {
		text, err := h.Gone(ctx)
		if errors.Is(err, ErrNoAnswer) {
			return nil
		}
		if err != nil {
			r.GoneErr, r.Revert = nil, Failed
			return err
		}
		r.GoneText = text
	}
	if len(r.Steps) == 0 { // the steps of a group have each their own
		r.GoneErr, r.Gone, r.Revert = nil, true, Reverted
	}
	return nil
}
