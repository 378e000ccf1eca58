package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// An Outcome is the result of a revert.
type Outcome string

// The outcomes of a revert.
const (
	Reverted Outcome = "ok"     // the prior state is back
	Gone     Outcome = "gone"   // the target of the fault no longer exists
	Failed   Outcome = "failed" // the fault could not be reverted
	None     Outcome = "none"   // there is nothing to revert

	// Unverified is the outcome of an occurrence that was reverted, but whose end no probe has proved. It never appears
	// in a journal, because the undo is done.
	Unverified Outcome = "unverified"
)

// An Undo reverts a step, as data: any process that reads the journal can execute it. Op names an [Operation]. Identity
// names the thing that the undo restores, so that a successor of the same name is never touched. Prior is the state
// before the fault.
type Undo struct {
	Op       string          `json:"op"`
	Args     json.RawMessage `json:"args,omitempty"`
	Identity json.RawMessage `json:"identity,omitempty"`
	Prior    json.RawMessage `json:"prior,omitempty"`
}

// Same reports whether two undos are for the same thing.
func (u Undo) Same(o Undo) bool {
	return len(u.Identity) > 0 && u.Op == o.Op && bytes.Equal(u.Identity, o.Identity)
}

// An Operation is one kind of undo, with all its properties. Journals contain its name: it must never change.
type Operation struct {
	Name string
	// Do executes the undo. It must be safe to repeat, and safe when the fault was injected only
	// in part or not at all.
	Do func(ctx context.Context, u Undo) (Outcome, error)
	// Exclusive says that the operation restores a setting. Two faults must not hold the same
	// setting at once: neither could restore it exactly.
	Exclusive bool
	// PerRun says that several runs of one process, and several faults of a run, may hold the same undo. One execution
	// reverts everything that all of them set.
	PerRun bool
	// OfProcess says that the operation restores a setting of the process that Identity names, which is over when the
	// process ends.
	OfProcess bool
	// Helps says that the operation ends only processes and containers that brunt started for itself. It does not
	// change the target.
	Helps bool
	// ByEngine says that the operation needs only the engine, so that a watchdog in a container of
	// its own can execute it. The undo's arguments name the engine as `engine`.
	ByEngine bool
	// ByCluster says that the operation needs only a cluster of Kubernetes, so that a watchdog in a pod of it can execute
	// it.
	ByCluster bool
	// Deadline bounds the time of Do; zero is [UndoWithin].
	Deadline time.Duration
	// Network returns the container in whose network the undo reverts something. Nil or an empty result means that
	// there is none.
	Network func(u Undo) (container string)
	// HeldBy returns the live processes that hold the fault, which is over when they end. Nil means that no process
	// does.
	HeldBy func(u Undo) []int
	// Inner returns the undos that this one makes another process execute. Nil means that there are none.
	Inner func(u Undo) []Undo
	// Find searches for remnants that the operation reverts, without a journal. It is nil if nothing outlives brunt, if
	// its marks are found otherwise, or if there is neither a mark nor a value that a search could recognize. With an
	// error, the remnants found so far are returned.
	Find func(ctx context.Context, s *Search) ([]Remnant, error)
	// Text says what an undo does, from its data alone, such as for one that others may have written. Nil shows the data.
	Text func(u Undo) string
	// Key identifies the thing that an undo reverts, where the Identity of an undo in a journal differs from that of an
	// undo made by Find. Nil means that Identity does.
	Key func(u Undo) string
}

// Text says what an undo does, from its data alone.
func (o Operations) Text(u Undo) string {
	if text := o[u.Op].Text; text != nil {
		return text(u)
	}
	parts := [][]byte{[]byte(u.Op), u.Args, u.Identity, u.Prior}
	parts = slices.DeleteFunc(parts, func(part []byte) bool { return len(part) == 0 })
	const most = 200 // characters
	text := []rune(string(bytes.Join(parts, []byte(" "))))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// Same reports whether two undos revert the same thing.
func (o Operations) Same(a, b Undo) bool {
	if key := o[a.Op].Key; key != nil && a.Op == b.Op {
		return key(a) == key(b)
	}
	return a.Same(b)
}

// Find searches for everything that undos would revert, without a journal.
func (o Operations) Find(ctx context.Context, s *Search) ([]Remnant, error) {
	var out []Remnant
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if o[name].Find == nil {
			continue
		}
		some, err := o[name].Find(ctx, s)
		out, errs = append(out, some...), append(errs, err)
	}
	return out, JoinErrors(errs...)
}

// UndoWithin bounds the time for the undos of one journal entry.
const UndoWithin = time.Minute

// ErrUnknownOperation says that an undo names an operation that this brunt does not have, because
// another version wrote it.
var ErrUnknownOperation = errors.New("unknown undo operation")

// ErrNewerVersion says that a newer brunt wrote an entry, so that this one does not know what its undo
// means and leaves it alone.
var ErrNewerVersion = errors.New("the journal's entry is of a newer version")

// ErrUnproven says that nothing proves an undo to be brunt's, so that it is not executed.
var ErrUnproven = errors.New("it is not proven to be brunt's")

// ErrDamaged says that an undo cannot be read.
var ErrDamaged = errors.New("the journal's entry is damaged")

// Operations are undo operations by name.
type Operations map[string]Operation

// OperationsOf collects operations. Two with the same name must be equal.
func OperationsOf(all ...[]Operation) Operations {
	o := Operations{}
	for _, some := range all {
		for _, op := range some {
			o[op.Name] = op
		}
	}
	return o
}

// Undo executes one undo.
func (o Operations) Undo(ctx context.Context, u Undo) (Outcome, error) {
	op, ok := o[u.Op]
	if !ok {
		return Failed, fmt.Errorf("%w %q", ErrUnknownOperation, u.Op)
	}
	return op.Do(ctx, u)
}

// Revert executes undos, the last first. If one fails, the others are still executed.
func (o Operations) Revert(ctx context.Context, undo []Undo) (Outcome, error) {
	if len(undo) == 0 {
		return None, nil
	}
	out := Gone
	began := time.Now()
	var errs []error
	for i := len(undo) - 1; i >= 0; i-- {
		left := max(RetryEvery, retryFor-time.Since(began))
		result, err := TryAgain(ctx, left, left, func() (Outcome, error) { return o.Undo(ctx, undo[i]) })
		if result != Gone {
			out = result
		}
		errs = append(errs, err)
	}
	if err := JoinErrors(errs...); err != nil {
		return Failed, err
	}
	return out, nil
}

// isAway reports whether an error says that an engine or a cluster does not answer now, so that another attempt may
// succeed. The errors of their clients have a method Away for this.
func isAway(err error) bool {
	if said, ok := err.(interface{ Away() bool }); ok && said.Away() {
		return true
	}
	switch of := err.(type) {
	case interface{ Unwrap() error }:
		return isAway(of.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(of.Unwrap(), isAway)
	}
	return slices.Contains([]error{io.EOF, syscall.ECONNRESET, syscall.ECONNREFUSED}, err)
}

// Passing reports whether an undo that failed may succeed later. Most may, because the obstacle may end: a thread that
// the kernel keeps, a busy file, a full disk. Waiting does not help if brunt lacks a right, or cannot read the undo.
func Passing(err error) bool {
	if each, ok := errors.AsType[oneLine](err); ok {
		return slices.ContainsFunc(each, Passing)
	}
	return err != nil && !slices.ContainsFunc([]error{
		ErrDamaged, ErrUnproven, ErrUnknownOperation, ErrNewerVersion, fs.ErrPermission,
	},
		func(final error) bool {
			return errors.Is(err, final)
		})
}

// A TriedError is the failure of an undo that has already tried several times by itself.
type TriedError struct{ Err error }

func (e TriedError) Error() string { return e.Err.Error() }

func (e TriedError) Unwrap() error { return e.Err }

const (
	// RetryEvery is the first pause before an undo that failed is tried again: an engine may have read a request of a dead
	// brunt and not executed it yet.
	RetryEvery = 250 * time.Millisecond
	longest    = 2 * time.Second  // pause between two attempts
	retryFor   = 15 * time.Second // bounds the attempts at the undos of an entry; a watchdog begins again afterwards
)

// TryAgain executes an undo, and tries again with growing pauses while it fails for a reason that may pass. It stops at
// a duration of most after the first failure, or of away while an engine or a cluster does not answer. Zero means that
// it tries until ctx ends.
func TryAgain(ctx context.Context, most, away time.Duration, undo func() (Outcome, error)) (out Outcome, err error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.RandomizationFactor = RetryEvery, longest, 0
	var failed time.Time
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		if out, err = undo(); err == nil {
			return struct{}{}, nil
		}
		if failed.IsZero() {
			failed = time.Now()
		}
		limit := most
		if isAway(err) {
			limit = away
		}
		_, tried := errors.AsType[TriedError](err)
		if tried || !Passing(err) || limit > 0 && time.Since(failed) >= limit {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0))
	return out, err // the error of the last attempt, even when ctx ended
}

// Innermost returns the undos that are executed in the end, possibly by another process.
func (o Operations) Innermost(undo []Undo) []Undo {
	var out []Undo
	for _, u := range undo {
		if inner := o[u.Op].Inner; inner != nil {
			if in := inner(u); in != nil {
				out = append(out, in...)
				continue
			}
		}
		out = append(out, u)
	}
	return out
}

// Together reports whether executing some undos once also reverts what the others revert.
func (o Operations) Together(some, others []Undo) bool {
	return slices.ContainsFunc(o.Innermost(some), func(u Undo) bool {
		return o[u.Op].PerRun && slices.ContainsFunc(o.Innermost(others), u.Same)
	})
}

// OfBrunt reports whether undos end only processes and containers that brunt started for itself.
func (o Operations) OfBrunt(undo []Undo) bool {
	return len(undo) > 0 && !slices.ContainsFunc(undo, func(u Undo) bool { return !o[u.Op].Helps })
}

// InNetwork returns the container in whose network the undo has something to revert, or "".
func (o Operations) InNetwork(u Undo) string {
	if network := o[u.Op].Network; network != nil {
		return network(u)
	}
	return ""
}

// HeldBy returns the live processes that hold what undos revert.
func (o Operations) HeldBy(undo []Undo) []int {
	var out []int
	for _, u := range undo {
		if held := o[u.Op].HeldBy; held != nil {
			out = append(out, held(u)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Within returns the time limit for the undo of an entry: the longest of its operations' deadlines.
func (o Operations) Within(undo []Undo) time.Duration {
	most := UndoWithin
	for _, u := range undo {
		most = max(most, o[u.Op].Deadline)
	}
	return most
}

// An Intent is the entry that a journal records before something is injected.
type Intent struct {
	Fault    string // name of the occurrence; empty: the target, or a process that brunt starts for itself
	What     string // describes it in a sentence
	Undo     []Undo
	Until    time.Time // when the run is to revert it; zero: it is a one-shot, or stays until the end of the run
	Deadline time.Time // when it is reverted at the latest; zero: at the end of the run
}

// A Recorder writes into the journal what a timeline is about to inject, before it does. Package journal implements it.
type Recorder interface {
	// Intent writes down how to revert the fault that is about to be injected, and returns the number of the entry.
	// After an error nothing may be injected.
	Intent(in Intent) (id int, err error)
	// Extend adds undos to an entry.
	Extend(id int, undo ...Undo) error
	// Done closes an entry.
	Done(id int, o Outcome) error
	// Failed writes down why an entry could not be reverted. The entry stays open.
	Failed(id int, why error) error
	// Off writes down that an entry is reverted, and why it stays open all the same: its unit stays down, and nothing
	// else tells the owner of the unit.
	Off(id int, why error) error
	// Point marks a point at which brunt could die, for tests.
	Point(name string)
	// OtherRun returns another live run that has something in the network of a container, or "".
	OtherRun(container string) (run string)
}
