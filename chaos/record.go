package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// A Record is the result of one occurrence of a fault. Times are offsets from t0.
type Record struct {
	Name     string // with #n if the fault occurs several times
	Fault    string
	Kind     string
	Nature   scenarios.Nature
	N        int // number of the occurrence from Inject; -1 if it was not injected
	Units    []string
	Links    []string // links to which the fault is limited, unless Units are links themselves
	Zones    []string // at which the fault was aimed
	Role     string   // role of all units, by their answers when the fault picked them; empty if they were not asked
	RoleSaid string   // the answer of the first unit
	Led      string   // the unit that led when the fault picked its units; empty if they were not asked, or if none led
	Via      string
	Planned  time.Duration
	Injected time.Duration
	Verified time.Duration // 0 with VerifyErr or InjectErr
	Evidence string
	NotShown string        // the part of the effect that was not shown, though the fault was in place; empty: none
	Cleared  time.Duration // when the fault was taken off, or the unit of a one-shot was healthy again
	Until    time.Duration // the end of its phase: Cleared, or later for a one-shot
	Over     time.Duration // when its revert was over, and brunt no longer asked whether it is gone
	Gone     bool
	GoneText string
	Revert   Outcome
	Traffic  *Traffic // nil: the requests of the phase count
	Within   time.Duration
	OneShot  bool
	Part     bool   // its settings leave a part of what its kind denies
	Early    bool   // reverted before its time because the run ended
	Skipped  bool   // no unit matched, and the scenario allows that
	Late     string // why it was later than planned; empty if it was in time

	InjectErr error // not injected
	VerifyErr error // injected, but without effect, or in part: see PartialError
	RevertErr error // not reverted
	GoneErr   error // reverted, but no answered probe proves that it is over
	// reverted, but the unit was not ready again in time: a [NotReadyError]. For a one-shot it is set at the end of the
	// run, if the unit is down still
	Down      error
	StaysDown bool  // the unit of Down was down at the end of the run too
	LeftDown  bool  // nothing starts the unit again, as the scenario allows
	Left      []int // journal entries that stay open as long as the unit of Down stays down
	// not injected for all of its time, though brunt did not revert it: a [VoidError] if it was over early, a
	// [TakenBackError] if a watchdog reverted it, or a [MissingError]
	Void error

	Absent []Absence  // times in which the fault was not on a unit that it had been on
	Cuts   []CutShort // of units that other faults ended before its time, except those of its own group

	Detect *Sighting // what the team's monitoring noticed; nil if it is not asked

	Held []Held // the injected steps, kept as long as they may have to be probed

	Steps []*Record // of a group, in the order of their injection; N of each is -1
}

// An Absence is a time in which a fault was missing from a living unit, because the process that held the fault there
// had ended.
type Absence struct {
	Unit string
	From time.Duration // when the fault was last known to be injected
	To   time.Duration // when it was injected again; zero: never
}

// A CutShort is the end of a fault on a unit before its time, because another fault of the run ended that unit.
type CutShort struct {
	Unit string
	By   string        // the other occurrence
	In   time.Duration // how long the fault was in
	Of   time.Duration // how long it was to be in
}

func (a Absence) String() string {
	to := "to its end"
	if a.To > 0 {
		to = "to " + quantity.FormatInstant(a.To)
	}
	return fmt.Sprintf("not on %s from %s %s", a.Unit, quantity.FormatInstant(a.From), to)
}

// Err joins the errors of an occurrence; nil means that there are none.
func (r *Record) Err() error {
	return errors.Join(r.InjectErr, r.VerifyErr, r.RevertErr, r.GoneErr, r.Down, r.Void)
}

// linked is a step that acts only on certain connections of its units.
type linked interface {
	// Links names those connections as [LinkName] does. Nil means that the step acts on all of them.
	Links() []string
}

// LinksOf names the links to which a step is limited. Nil means that the step acts on all of its units, or that the
// units are links.
func LinksOf(s Step) []string {
	if on, ok := s.(linked); ok {
		return on.Links()
	}
	return nil
}

// UnitOf names the only unit on or in which a step acts, and with which its effect ends. It is empty if there is none,
// or are several.
func UnitOf(s Step) string {
	if in, ok := s.(interface{ UnitOf() string }); ok {
		return in.UnitOf()
	}
	if units := s.Units(); len(units) == 1 {
		return units[0]
	}
	return ""
}

// HitUnits lists the units that a fault hit, and the ends of the links that it hit, each once.
func (r *Record) HitUnits() (units []string) {
	for _, hit := range slices.Concat(r.Units, r.Links) {
		units = append(units, strings.Split(hit, LinkArrow)...)
	}
	for _, step := range r.Steps {
		units = append(units, step.HitUnits()...)
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// StillDown checks once more, after the run, whether the units that a fault took down are back, and whether an
// unverified fault is over. An error says that the effect of the fault is still there. A unit that is down still is
// noted in StaysDown.
func (r *Record) StillDown(ctx context.Context) error {
	if r.Gone && r.Down == nil || r.N < 0 {
		return nil
	}
	if r.GoneErr != nil {
		return r.askAgain(ctx)
	}
	for _, s := range r.Steps {
		if s.Gone && s.Down == nil {
			continue
		}
		of := *s
		of.N = r.N // it was injected, as a part of the group
		if err := of.StillDown(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		s.GoneText, s.Down, s.StaysDown = of.GoneText, of.Down, of.StaysDown
		if r.GoneText = of.GoneText; s.StaysDown {
			r.Down, r.StaysDown = JoinErrors(r.Down, s.Down), true
			return nil
		}
	}
	for _, h := range r.Held {
		text, err := h.Gone(ctx)
		if r.RevertErr == nil && errors.As(err, new(NotReadyError)) {
			if r.StaysDown = true; r.Down == nil {
				r.Down = err
			}
			return nil
		}
		if err != nil {
			return err
		}
		if text != "" {
			r.GoneText = text + ", but too late"
		}
	}
	return nil
}

// askAgain probes once more whether an occurrence is over. An error says that its effect is still there.
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
	if len(r.Steps) == 0 { // each step of a group has its own
		r.GoneErr, r.Gone, r.Revert = nil, true, Reverted
	}
	return nil
}
