package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Limits of the verification.
const (
	askers      = 32              // requests in flight at once, over all units
	askTimeout  = 5 * time.Second // time limit of each request
	askTries    = 6               // tries for a write at a unit that does not answer, with growing waits between them
	askPause    = 50 * time.Millisecond
	firstPart   = 4   // the first answer of each unit may take 1/firstPart of `within`
	silentAfter = 32  // after so many writes in a row without an answer, the unit is skipped
	asksAtOnce  = 512 // writes in a batch
	// mostMissing is the maximum number of missing writes asked for again; further ones stay neither late nor lost
	mostMissing = 1 << 17
	mostKeys    = 100 // keys listed in the report for each state
)

// A Run is what the verification needs from the run.
type Run struct {
	T0       time.Time            // start of the run; offsets are relative to it
	Now      func() time.Duration // the run's clock
	End      time.Duration        // scheduled end of the load
	Alone    time.Duration        // time since which nothing has been written
	Faults   []*chaos.Record      // the faults that were injected
	FaultIn  func() bool          // reports whether a fault is in, while the load runs
	Causes   scenarios.Causes     // names of the causes for reads without an answer
	Vars     []template.Value     // variables of the run, as set by setup
	Env      *template.Env
	Rand     func() *rand.Rand   // randomness for the requests of the verification
	Mask     func(string) string // hides secrets
	Note     func(format string, args ...any)
	Event    func(result.Event)
	Progress func(asked, all int64)   // called about every second
	URL      func(unit string) string // returns the URL at which a unit of the target is read
	// Addresses returns each address of a place that clients reach by several; nil if there is one, or they are units
	Addresses func(ctx context.Context, p Place) []Place
	Client    func(p Place, timeout time.Duration, samples *samples.Set) (targets.Client, error)
	// Absent reports whether an answer to a step of a read says that the write is not there.
	Absent func(scenarios.Call, *scenarios.Outcome) bool
	// Retry reports whether a read is worth another try after a step that failed.
	Retry func(scenarios.Call, *scenarios.Outcome) bool
	// EndIteration closes resources that a read opened in its session; nil if there are none.
	EndIteration func(targets.Session, *template.Iter)
}

// Verify waits for the target to settle and reads every write from every unit that
// should have it. An error is a failure of brunt itself; a target that does not answer
// is part of the result.
//
//	recorded writes --512 at a time--> asker of each unit --> how often it is there --> state
func (l *Ledger) Verify(ctx context.Context, r Run) (*result.LedgerRecord, error) {
	flushed := l.kept.Flush()
	out := &result.LedgerRecord{
		Write: l.spec.Write, Units: []string{},
		Acknowledged: l.acked.Load(), Unnamed: l.unnamed.Load(), Unrecorded: l.kept.Over(),
		RPO: result.NaN, RPOLow: result.NaN, LateLow: result.NaN, LateHigh: result.NaN, Asked: result.NaN, Took: result.NaN,
		Keys: []result.WriteKey{},
	}
	for _, p := range l.spec.Places {
		out.Units = append(out.Units, p.Name)
	}
	if flushed != nil {
		r.Note("%v", flushed)
	}
	if l.reads != nil {
		out.Reads = l.reads.during(r)
	}
	b := &verification{
		run: r, ledger: l, reader: &reader{run: r, spec: l.spec, places: l.spec.Places}, out: out,
		listed: map[result.WriteState][]result.WriteKey{}, suspects: newSuspects(l, &r),
	}
	out.ReadBacks = l.readBacks()
	var err error
	if b.audit, err = l.newAudit(); err != nil {
		return out, err
	}
	err = b.verify(ctx)
	return out, errors.Join(err, b.endAudit())
}

// verify waits for the target to settle, reads the writes back and reports the result.
func (b *verification) verify(ctx context.Context) error {
	l, r, out := b.ledger, b.run, b.out
	settle := l.spec.SettleOr().D()
	if rest := max(0, settle-max(0, r.Now()-r.Alone)); rest > 0 || settle == 0 {
		r.Event(result.Event{
			Event: "ledger.settle",
			Text: fmt.Sprintf("%d writes were acknowledged; the target is left alone for %s", out.Acknowledged,
				quantity.FormatDuration(rest)),
		})
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		out.Note = "the run ended before its time, and nothing was read back"
		r.Event(result.Event{Event: "ledger.skipped", Text: out.Note})
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, l.spec.WithinOr().D())
	defer cancel()
	began := r.Now()
	out.Asked = result.Sec(began)
	err := b.read(limited)
	out.Took = result.Sec(r.Now() - began)
	b.list()
	r.Event(result.Event{Event: "ledger.read", Text: b.sums()})
	for _, k := range out.Keys {
		data := map[string]any{"acknowledged": k.Acknowledged, "age": k.Age, "found": k.Found}
		if len(k.Faults) > 0 {
			data["faults"] = k.Faults
		}
		r.Event(result.Event{Event: "write." + string(k.State), Fault: k.Fault, Text: k.ID, Data: data})
	}
	return err
}

// verification is the verification of a ledger under way.
type verification struct {
	run     Run
	ledger  *Ledger
	reader  *reader
	out     *result.LedgerRecord
	again   map[string]time.Duration // ids that the target gave to several writes, with the end of the last one
	listed  map[result.WriteState][]result.WriteKey
	listing *disk.Lines    // list of all writes that are not simply held; nil means none
	audit   *disk.Lines    // list of all acknowledged writes; nil means none
	found   int64          // acknowledged writes that were found
	missing []checkedWrite // acknowledged writes that no unit has, by the answers of all units
	silent  []string       // other units that tell nothing of missing writes
	unasked int64          // such writes beyond mostMissing, which are not asked for again
	acked   acknowledged   // every acknowledged write with an id

	suspects *suspects
}

// checkedWrite is a write with the answers of the units.
type checkedWrite struct {
	loggedWrite
	answers []sight
	absent  time.Duration // when units that did not have the write were last asked for it
	late    bool          // the write was not there at first
	other   *elsewhere    // what other units say of a write that no place has; nil: none has it
	// for a lost write: the faults that may have lost it, an index of [suspects], and the upper bound of its age then
	to  int
	age time.Duration
}

func (b *verification) read(ctx context.Context) error {
	defer b.reader.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	if b.out.Note != "" {
		return nil
	}
	if err := b.repeated(); err != nil {
		return err
	}
	b.out.LateLow, b.out.LateHigh = 0, 0
	listing, err := disk.FreshLines(b.ledger.findings)
	if err != nil {
		return fmt.Errorf("the findings of the ledger: %w", err)
	}
	b.listing = listing
	var batch []checkedWrite
	done := int64(0)
	reported := time.Now()
	ask := func() error {
		asked := b.run.Now()
		b.ask(ctx, batch)
		for i := range batch {
			batch[i].absent = asked
			if err := b.judge(&batch[i]); err != nil {
				return err
			}
		}
		done += int64(len(batch))
		batch = batch[:0]
		if time.Since(reported) >= time.Second {
			reported = time.Now()
			b.progress(done)
		}
		return nil
	}
	b.progress(0)
	err = b.ledger.kept.Walk(func(w loggedWrite) error {
		batch = append(batch, checkedWrite{loggedWrite: w})
		if len(batch) < asksAtOnce {
			return nil
		}
		return ask()
	}, b.acked.fail)
	if err == nil {
		err = ask()
	}
	b.out.Unrecorded += max(0, b.ledger.kept.Kept()-done) // writes that the file lacks
	if err == nil {
		err = b.askAgain(ctx)
	}
	b.spans()
	err = errors.Join(err, b.listing.Close())
	b.conclude()
	return err
}

// repeated finds the ids that the target gave to more than one write: only the last of these writes can still be
// there. It ignores ids that brunt generated.
//
// It uses 8 bytes for each write, and compares ids only if their hashes are equal.
func (b *verification) repeated() error {
	b.again = map[string]time.Duration{}
	if b.ledger.spec.Early {
		return nil
	}
	seed := maphash.MakeSeed()
	hashes := make([]uint64, 0, b.ledger.kept.Kept())
	err := b.ledger.kept.Each(func(w loggedWrite) error {
		hashes = append(hashes, maphash.String(seed, w.ID))
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(hashes)
	twice := map[uint64]bool{}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			twice[hashes[i]] = true
		}
	}
	if len(twice) == 0 {
		return nil
	}
	times := map[string]int{}
	return errors.Join(b.ledger.kept.Each(func(w loggedWrite) error {
		if twice[maphash.String(seed, w.ID)] {
			if times[w.ID]++; times[w.ID] > 1 {
				b.again[w.ID] = max(b.again[w.ID], w.End)
			} else {
				b.again[w.ID] = w.End
			}
		}
		return nil
	}))
}

// sum combines the answers of all units about a write.
type sum struct {
	most       int  // maximum number of times that a unit has it
	absent     bool // some unit does not have it
	unanswered bool // some unit gave no answer
	differ     bool // the content is wrong, or differs between units
}

func sumOf(answers []sight) sum {
	var out sum
	value, valued := "", false
	for _, s := range answers {
		switch {
		case s.n == noAnswer:
			out.unanswered = true
		case s.n == 0:
			out.absent = true
		default:
			out.most = max(out.most, s.n)
			out.differ = out.differ || s.differ || valued && s.value != value
			value, valued = s.value, true
		}
	}
	return out
}

// judge determines the state of a write, and counts it. It puts aside writes that no unit has, to ask for them again.
// Beyond mostMissing such writes, whether one is lost or late stays unknown.
func (b *verification) judge(c *checkedWrite) error {
	s := sumOf(c.answers)
	if last, again := b.again[c.ID]; again && c.Acked && c.End < last {
		return b.settle(c, sum{}, "the target gave its id to a later write")
	}
	if c.Acked && s.most == 0 && !s.unanswered {
		if len(b.missing) < mostMissing {
			b.missing = append(b.missing, *c)
			return nil
		}
		s.unanswered = true
		b.unasked++
	}
	return b.settle(c, s, "")
}

// settle sets the final state of a write, and counts it.
func (b *verification) settle(c *checkedWrite, s sum, note string) error {
	out := b.out
	for k, a := range c.answers {
		if a.n == noAnswer {
			b.reader.units[k].failed.Add(1)
		}
	}
	var state result.WriteState
	set := func(s result.WriteState, n *int64) {
		state = cmp.Or(state, s)
		*n++
	}
	switch {
	case !c.Acked:
		out.Refused++
	case s.most > 0:
		b.found++
	case c.other != nil && c.other.has:
		set(result.WriteElsewhere, &out.Elsewhere)
	case s.unanswered, c.other != nil:
		set(result.WriteUnknown, &out.Unknown)
	default:
		set(result.WriteLost, &out.Lost)
	}
	if c.Acked {
		b.acked.add(c.End, s.most > 0)
	}
	if state == result.WriteLost {
		_, ambiguous := b.again[c.ID]
		c.to, c.age = b.suspects.of(c.ID, c.End, ambiguous)
		b.acked.lose(lostWrite{c.End, c.Took, c.to})
	}
	if s.most > 1 {
		set(result.WriteDuplicated, &out.Duplicated)
	}
	switch {
	case s.most == 0:
	case !c.Acked:
		set(result.WritePresent, &out.Present)
	case s.absent || s.differ:
		set(result.WriteStale, &out.Stale)
	case s.unanswered:
		set(result.WriteUnread, &out.Unread)
	case c.late:
		set(result.WriteLate, &out.Late)
		b.lateTo(c.End)
	}
	if state == "" && c.Acked {
		out.Held++
	}
	if c.Acked {
		if err := b.addToAudit(b.auditOf(c, cmp.Or(state, result.WriteHeld), s)); err != nil {
			return err
		}
	}
	if state == "" {
		return nil
	}
	return b.listOne(c, state, note)
}

// conclude derives the result of the verification as a whole.
func (b *verification) conclude() {
	out := b.out
	out.Read = true
	var notes []string
	for _, u := range b.reader.units {
		if n := u.failed.Load(); n > 0 {
			why := "it was asked for too late"
			if w := u.why.Load(); w != nil {
				why = *w
			}
			notes = append(notes,
				fmt.Sprintf("no answer from %s for %d of %d writes: %s", u.Name, n, b.ledger.kept.Kept(), why))
		}
	}
	named := out.Acknowledged - out.Unnamed - out.Unrecorded
	switch {
	case b.reader.nowhere.Load() && !b.reader.counted.Load():
		out.Read = false
		notes = []string{fmt.Sprintf("`count: %s` led nowhere in any answer, so it proves nothing", b.ledger.spec.Count)}
	case named > 0 && b.found == 0 && out.Lost > 0:
		notes = append(notes, "not one write was found: does `read` ask in the right place?")
	}
	if out.Lost > 0 && len(b.reader.units) == 1 && len(out.Others) == 0 && !b.reader.units[0].Member {
		notes = append(notes, fmt.Sprintf("lost writes were looked for at %s alone, as brunt knows no other unit that could "+
			"have them: `at` of the ledger can name units and URLs", b.reader.units[0].Name))
	}
	if out.Lost > 0 && len(b.silent) > 0 {
		notes = append(notes, fmt.Sprintf("lost writes were not looked for at %s: it gave no answer that tells",
			strings.Join(b.silent, ", ")))
	}
	if out.Unnamed > 0 {
		notes = append(notes,
			fmt.Sprintf("%d acknowledged writes have no id: a check failed before it was extracted, or it was empty; "+
				"\"${ledger.id}\" names every write", out.Unnamed))
	}
	if b.unasked > 0 {
		notes = append(notes,
			fmt.Sprintf("%d writes were not there, and are not asked for again, as %d others are: whether they are lost or "+
				"late is unknown",
				b.unasked, mostMissing))
	}
	if out.Unrecorded > 0 {
		notes = append(notes,
			fmt.Sprintf("%d writes are not in the ledger: they are more than it holds, or its file could not be written",
				out.Unrecorded))
	}
	out.Note = strings.Join(notes, "; ")
	out.Because = b.ledger.unread(out)
}

// progress reports how many writes have been read so far.
func (b *verification) progress(done int64) {
	b.run.Progress(done, b.ledger.kept.Kept())
}

// sums describes the result in one sentence.
func (b *verification) sums() string {
	o := b.out
	if !o.Read {
		return o.Note
	}
	return fmt.Sprintf("%d acknowledged, %d held, %d late, %d lost, %d duplicated, %d stale, %d unknown, %d present "+
		"though unacknowledged",
		o.Acknowledged, o.Held, o.Late, o.Lost, o.Duplicated, o.Stale, o.Unsure(), o.Present)
}
