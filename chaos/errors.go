package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
)

// JoinErrors joins errors into one that prints on one line. It leaves out errors with the same text as an earlier one.
func JoinErrors(errs ...error) error {
	var all oneLine
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(all, func(e error) bool { return e.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type oneLine []error

func (l oneLine) Unwrap() []error { return l }

func (l oneLine) Error() string {
	var out []string
	for _, err := range l {
		out = append(out, err.Error())
	}
	return strings.Join(out, "; ")
}

// ErrNoAnswer says that a probe was not answered in time. That proves neither an effect nor its end: on a busy machine,
// a probe of a healthy unit may go unanswered too.
var ErrNoAnswer = errors.New("a probe is silent")

// ErrNoEffect says that a fault was injected, and that its proof did not see an effect at the target. That does not
// prove that there is none.
var ErrNoEffect = errors.New("its effect was not seen")

// A NotShownError says that a fault is in place, and that a part of its effect on the victim was not shown: the fault
// counts as verified in part. Verify returns it beside its evidence.
type NotShownError struct{ What string } // what was not shown, and what would show it

func (e NotShownError) Error() string { return "not shown: " + e.What }

// A NotRunningError says that nothing can be injected into a unit, because it does not run.
type NotRunningError struct{ Unit string }

func (e NotRunningError) Error() string { return e.Unit + " does not run" }

// ErrHolderEnded says that the process which held a fault has ended, and the fault with it, although its unit may still
// live. The fault can be injected again.
var ErrHolderEnded = errors.New("the process that held it has ended, and the fault with it")

// A HolderEndedError is an [ErrHolderEnded] that says where the process was, and when it gave its last sign.
type HolderEndedError struct {
	Where string    // such as "beside web[0]"
	Seen  time.Time // until then the fault is known to have been injected; zero: that is unknown
}

func (e HolderEndedError) Error() string {
	text := e.Where + " " + ErrHolderEnded.Error()
	if !e.Seen.IsZero() { // an agent that brunt can't reach holds a fault on, until it gives brunt up
		text += "; this was its last sign, and the fault may have lasted longer"
	}
	return text
}

func (e HolderEndedError) Unwrap() error { return ErrHolderEnded }

// An EndedEarlyError says that something other than brunt undid a fault, or ended its unit, while the fault was held.
type EndedEarlyError struct {
	Unit string        // unit that the fault hit
	What string        // what happened to the unit, such as "was started again"
	At   time.Time     // when it happened; zero: that is unknown
	On   time.Duration // the same as an offset from t0; zero: that is unknown
	By   string        // what ended it; empty is another program, or another fault of the run
}

// Values of By of an [EndedEarlyError].
const (
	NotOurs     = "another program"                // and no other fault of the run
	OutOfMemory = "the kernel, for want of memory" // it killed brunt's own process
)

func (e EndedEarlyError) Error() string {
	when := ""
	if e.On > 0 {
		when = " at " + quantity.FormatInstant(e.On)
	}
	return fmt.Sprintf("%s %s%s, by %s", e.Unit, e.What, when, cmp.Or(e.By, NotOurs))
}

// ErrRestarted says that a restart gave a unit back everything the fault had taken from it.
var ErrRestarted = errors.New("the unit was started again, and has everything that it had at first")

// NotReadyError says that a fault is off a unit, and that the unit was not ready again when brunt stopped waiting. That
// is a finding about the target.
type NotReadyError struct {
	Unit  string
	After time.Duration // how long brunt waited; zero while it waits
	Why   error         // what the last whole readiness check said
}

func (e NotReadyError) Error() string {
	return fmt.Sprintf("%s did not become ready in %s: %v", e.Unit, quantity.FormatDuration(e.After), e.Why)
}

func (e NotReadyError) Unwrap() error { return e.Why }

// Waited returns the error after a wait.
func (e NotReadyError) Waited(after time.Duration) NotReadyError {
	e.After = max(time.Second, after.Round(time.Second))
	if errors.Is(e.Why, context.DeadlineExceeded) || errors.Is(e.Why, context.Canceled) {
		e.Why = errors.New("its readiness check has no answer")
	}
	return e
}

// TakenBackError says that something else reverted a fault, because brunt itself did not. Times are offsets from t0.
type TakenBackError struct {
	At       time.Duration // when it was reverted
	From, To time.Duration // when brunt stood still; equal: brunt is not known to have stood still
	By       string        // what reverted it; empty is the watchdog
	Early    bool          // it was reverted before its planned end, though brunt is not known to have stood still
}

func (e TakenBackError) Error() string {
	if e.Early {
		return fmt.Sprintf("%s took the fault back at %s, before its time", cmp.Or(e.By, "its watchdog"),
			quantity.FormatInstant(e.At))
	}
	if e.From == e.To {
		return fmt.Sprintf("brunt did not take the fault back in time, and %s did at %s", cmp.Or(e.By, "its watchdog"),
			quantity.FormatInstant(e.At))
	}
	return fmt.Sprintf("brunt itself stood still from %s to %s, and %s took the fault back at %s",
		quantity.FormatInstant(e.From), quantity.FormatInstant(e.To), cmp.Or(e.By, "its watchdog"),
		quantity.FormatInstant(e.At))
}

// A VoidError says that a fault was over before its time, and brunt did not revert it.
type VoidError struct {
	After time.Duration // from its injection until it was over
	Why   error
}

func (e VoidError) Error() string {
	return fmt.Sprintf("over before its time, after %s: %v", quantity.FormatSeconds(e.After.Seconds()), e.Why)
}

func (e VoidError) Unwrap() error { return e.Why }

// A MissingError says that a fault was injected until its planned end, but not all the time: it was lost on a unit, and
// injected again.
type MissingError struct{ Times []Absence }

func (e MissingError) Error() string {
	var out []string
	for _, a := range e.Times {
		out = append(out, a.String())
	}
	return "it was not in for all of its time: " + strings.Join(out, ", ")
}

// A PartialError says that a step of a group could not be injected after earlier steps were. Err names the step.
type PartialError struct{ Err error }

func (e PartialError) Error() string { return "injected in part: " + e.Err.Error() }

func (e PartialError) Unwrap() error { return e.Err }
