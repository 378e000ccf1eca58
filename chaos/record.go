package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/quantity"
)

// A Record is the result of one occurrence of a fault. Times are offsets from t0.
type Record struct {
	Name     string // with #n if the fault occurs several times
	Fault    string
	Kind     string
	N        int // number of the occurrence from Inject; -1 if it was not injected
	Units    []string
	Links    []string // that it acts on, where Units are not links themselves and it acts on these alone
	Zones    []string // that the fault was aimed at
	Role     string   // that all units had, as they said when the fault picked them; empty if they were not asked
	RoleSaid string   // what the first of them answered
	Via      string
	Planned  time.Duration
	Injected time.Duration
	Verified time.Duration // 0 with VerifyErr or InjectErr
	Evidence string
	Cleared  time.Duration // it was taken off, or the unit of a one-shot was healthy again
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
	// over before its time, by none of brunt's doing: a [VoidError], or a [TakenBackError] where a watchdog reverted it
	Void error

	Absent []Absence // times without it, where it was on a unit before and perhaps again

	Detect *Sighting // what the team's monitoring noticed; nil if it is not asked

	Held []Held // the injected steps, as long as something is to be asked of them

	Steps []*Record // of a group, in the order of their injection; N of each is -1
}

// An Absence is a time in which a fault was not on a unit that lived: what held it there had ended.
type Absence struct {
	Unit string
	From time.Duration // when it was last known to be in
	To   time.Duration // when it was in again; zero: it was not again
}

func (a Absence) String() string {
	to := "to its end"
	if a.To > 0 {
		to = "to " + quantity.FormatInstant(a.To)
	}
	return fmt.Sprintf("not on %s from %s %s", a.Unit, quantity.FormatInstant(a.From), to)
}

// Err joins what went wrong with an occurrence; nil is nothing.
func (r *Record) Err() error {
	return errors.Join(r.InjectErr, r.VerifyErr, r.RevertErr, r.GoneErr, r.Void)
}

// linked is a step that acts on the connections of its units with others, not on all that the units do.
type linked interface {
	// Links names those connections as [LinkName] does. There are none where it acts on all of them.
	Links() []string
}

// hits adds to the record what a step is about to hit.
func (r *Record) hits(s Step) {
	r.Units, r.Via = append(r.Units, s.Units()...), s.Via()
	r.Links = appendNew(r.Links, LinksOf(s)...)
}

// LinksOf names the links on which alone a step acts; nil: it acts on all of its units, or these are links.
func LinksOf(s Step) []string {
	if on, ok := s.(linked); ok {
		return on.Links()
	}
	return nil
}

// UnitOf names the unit that alone a step acts on or in, and with which its effect ends; empty: there is none, or are
// several.
func UnitOf(s Step) string {
	if in, ok := s.(interface{ UnitOf() string }); ok {
		return in.UnitOf()
	}
	if units := s.Units(); len(units) == 1 {
		return units[0]
	}
	return ""
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

// records are those of a run, in the order of their begin. Those of occurrences that are over, and of which only times
// and texts are left, are kept in encoded form, in a file: a run may have thousands.
type records struct {
	all    []*Record       // nil where one is encoded
	packed []int           // the places of those that are encoded, in the order of their encoding
	of     map[string]bool // the faults of those
	file   disk.Spool      // those, in encoded form
	buf    bytes.Buffer
	gob    *gob.Encoder // to buf
}

// pack encodes a record that nothing changes any more. It does nothing where more is to be asked of it.
func (rs *records) pack(r *Record) {
	plain := r.Gone && !r.Skipped && r.Held == nil && r.Steps == nil && r.Detect == nil && r.Err() == nil
	i := slices.Index(rs.all, r)
	if !plain || i < 0 {
		return
	}
	if rs.gob == nil {
		rs.gob, rs.of = gob.NewEncoder(&rs.buf), map[string]bool{}
	}
	rs.buf.Reset()
	if err := rs.gob.Encode(r); err != nil {
		panic(fmt.Sprintf("chaos: encode a record: %v", err)) // impossible
	}
	rs.file.Append(rs.buf.Bytes())
	rs.all[i], rs.of[r.Fault] = nil, true
	rs.packed = append(rs.packed, i)
}

// list returns all records.
func (rs *records) list() []*Record {
	all := slices.Clone(rs.all)
	from := gob.NewDecoder(bufio.NewReader(rs.file.Reader()))
	for _, i := range rs.packed {
		all[i] = new(Record)
		if err := from.Decode(all[i]); err != nil {
			panic(fmt.Sprintf("chaos: read a record back: %v", err)) // the file system is broken
		}
	}
	return all
}

// skipped reports whether every occurrence of a fault was skipped.
func (rs *records) skipped(fault string) bool {
	is := func(r *Record) bool { return r != nil && r.Fault == fault }
	return !rs.of[fault] && slices.ContainsFunc(rs.all, is) &&
		!slices.ContainsFunc(rs.all, func(r *Record) bool { return is(r) && !r.Skipped })
}
