package ledger

import (
	"context"
	"slices"
	"sync"
	"time"

	"brunt/scenarios/result"
)

// A Gap is the time between two faults of a run, or before the first one, in which some writes are read back. Its times
// are offsets from t0.
type Gap struct {
	After, Before string        // the fault that is cleared last, and the one that is due next; After may be empty
	Injected      time.Duration // when After is injected, as planned
	From, To      time.Duration // the gap, as planned; it is empty if the faults overlap
	Rough         bool          // the next fault comes later if the one before takes longer
}

// LeastGap is the shortest gap in which writes are read back.
const LeastGap = time.Second

// Limits of the reading in a gap. It is slow, because the load runs.
const (
	longestRead  = 10 * time.Second       // a longer reading is not made
	readToFault  = 250 * time.Millisecond // between the end of the reading and the next fault
	readRate     = 200                    // writes a second
	readsAtOnce  = 4                      // writes that are read at the same time
	readSpare    = 500 * time.Millisecond // of the time of a reading that is kept free
	nearFault    = 2 * time.Second        // writes of so long before a fault are read first, as it most likely lost them
	gapPause     = 50 * time.Millisecond  // between two looks whether a fault is in
	calmEvidence = 10                     // writes that show that a fault's effect on later writes is over
	firstReads   = 100                    // writes that are read before the first fault, because that is the baseline
)

// Reading returns when writes are read: at most in the 10 s before the next fault, or in 1.5 s before the first one.
// Fewer writes need less time, and are read later. ok is false if the gap is too short.
func (g Gap) Reading() (from, to time.Duration, ok bool) {
	if g.To-g.From < LeastGap {
		return 0, 0, false
	}
	longest := longestRead
	if g.After == "" {
		longest = timeFor(firstReads)
	}
	to = g.To - readToFault
	return max(to-longest, g.From), to, true
}

// timeFor returns how long the reading of n writes may take: twice the time at its rate, and some to spare, because
// answers may be slow.
func timeFor(n int64) time.Duration { return readSpare + 2*time.Second*time.Duration(n)/readRate }

// A round is the reading in a gap.
type round struct {
	Gap
	began, ended time.Duration // began is negative if nothing was read
	writes       int64         // writes that were acknowledged before
	asked        []found
}

// found is what a round found of a write.
type found struct {
	loggedWrite
	sent, answered time.Duration
	n              int      // maximum number of times that a unit has it; noAnswer: a unit gave no answer, and none has it
	holders        []string // the places that have it; nil if none
	members        bool     // every holder is one unit of the target
}

// ReadBetween reads writes in each gap while the load runs. [Ledger.EndProbe] ends it. No other goroutine may read the
// findings before that.
func (l *Ledger) ReadBetween(ctx context.Context, r Run, gaps []Gap) {
	if len(gaps) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		for _, g := range gaps {
			if ctx.Err() == nil {
				l.rounds = append(l.rounds, l.readGap(ctx, r, g))
			}
		}
	})
	l.between = func() { cancel(); all.Wait() }
}

// readGap waits for the time to read in a gap, and reads. It ends early if a fault is injected.
func (l *Ledger) readGap(ctx context.Context, r Run, g Gap) *round {
	out := &round{Gap: g, began: -1}
	from, to, ok := g.Reading()
	if !ok {
		return out
	}
	pause(ctx, from-r.Now())
	for r.FaultIn() { // its unit takes longer to be back than expected
		if ctx.Err() != nil || !g.Rough && r.Now() >= to {
			return out
		}
		pause(ctx, gapPause)
	}
	if g.Rough {
		to = max(to, r.Now()+to-from)
	}
	room := int64(readRate * (to - r.Now()).Seconds())
	if g.After == "" {
		room = min(room, firstReads)
	}
	if room <= 0 || ctx.Err() != nil {
		return out
	}
	pause(ctx, to-r.Now()-timeFor(min(room, l.kept.Kept()))) // later reads show more
	ctx, cancel := context.WithTimeout(ctx, to-r.Now())
	defer cancel()
	near := func(w loggedWrite) bool {
		return g.After != "" && w.End >= g.Injected-nearFault && w.End <= g.From
	}
	list, acked, err := l.kept.Sample(int(room), r.Rand(), near)
	if err != nil { // the verification reads the same file, and reports it
		return out
	}
	out.writes = acked
	reader := &reader{run: r, spec: l.spec, places: l.spec.Places}
	defer reader.close()
	if err := reader.open(); err != nil {
		return out
	}
	out.began = r.Now()
	out.asked = reader.readAll(ctx, list)
	out.ended = r.Now()
	return out
}

// readAll reads writes at the rate of a reading between faults, until ctx ends or a fault is in.
func (r *reader) readAll(ctx context.Context, list []loggedWrite) (out []found) {
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan loggedWrite)
	for range min(readsAtOnce, len(list)) {
		all.Go(func() {
			askers := make([]*asker, len(r.units))
			for i, u := range r.units {
				askers[i] = r.asker(u)
				defer askers[i].close()
			}
			for w := range next {
				f := r.readOne(ctx, askers, w)
				if ctx.Err() != nil {
					continue // a read that was cut off says nothing
				}
				mu.Lock()
				out = append(out, f)
				mu.Unlock()
			}
		})
	}
	beat := time.NewTicker(time.Second / readRate)
	defer beat.Stop()
	for i, w := range list {
		select {
		case <-beat.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil || i%(readRate/20) == 0 && r.run.FaultIn() {
			break
		}
		select {
		case next <- w:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return out
}

// readOne reads a write from every place. A place that was silent for many writes is skipped.
func (r *reader) readOne(ctx context.Context, askers []*asker, w loggedWrite) found {
	f := found{loggedWrite: w, sent: r.run.Now(), members: true}
	silent := false
	for _, a := range askers {
		s := sight{n: noAnswer}
		if a.unit.silent.Load() < silentAfter {
			s, _ = a.once(ctx, w.ID)
		}
		switch {
		case s.n == noAnswer:
			a.unit.silent.Add(1)
			silent = true
			continue
		case s.n > 0:
			f.holders, f.members = append(f.holders, a.unit.Name), f.members && a.unit.Member
			f.n = max(f.n, s.n)
		}
		a.unit.silent.Store(0)
	}
	if f.n == 0 && silent {
		f.n = noAnswer
	}
	f.answered = r.run.Now()
	return f
}

// evidence is what the readings between faults tell of a write that no unit has in the end.
type evidence struct {
	alive time.Duration // when the last read that found it was sent; negative: none found it
	// when a read was answered after which it can't have been lost any more, because it was lost before; negative: no
	// such read was made
	gone    time.Duration
	members bool // each place that had it is one unit of the target
}

// evidenceOf evaluates the readings between faults, by the id of a write. A read that does not find a write tells that
// it is lost only if it should have been there: the settle time had passed since its acknowledgement, or a unit that
// had it before has it no longer.
func (l *Ledger) evidenceOf() map[string]evidence {
	settle, out := l.spec.SettleOr().D(), map[string]evidence{}
	for _, r := range l.rounds {
		for i := range r.asked {
			f := &r.asked[i]
			e, known := out[f.ID]
			if !known {
				e = evidence{alive: -1, gone: -1}
			}
			switch {
			case f.n > 0:
				e = evidence{alive: f.sent, gone: -1, members: f.members}
			case f.n == 0 && e.gone < 0 && (f.timely(settle) || e.alive >= 0 && e.members):
				e.gone = f.answered
			}
			out[f.ID] = e
		}
	}
	return out
}

// timely reports whether a read came when the write should have been there.
func (f *found) timely(settle time.Duration) bool { return f.sent-f.End >= settle }

// calmAfter returns from when on a fault that was cleared loses no write that is acknowledged: from the tenth write
// (calmEvidence) that was acknowledged after the clearing and found, if the same reading missed no such write. It
// returns false if there is no such reading.
func (l *Ledger) calmAfter(cleared time.Duration) (from time.Duration, ok bool) {
	settle := l.spec.SettleOr().D()
	for _, r := range l.rounds {
		if r.began <= cleared {
			continue
		}
		var there []time.Duration
		missing := false
		for i := range r.asked {
			f := &r.asked[i]
			if f.End <= cleared {
				continue
			}
			if f.n > 0 {
				there = append(there, f.End)
			}
			missing = missing || f.n == 0 && f.timely(settle)
		}
		if len(there) >= calmEvidence && !missing {
			slices.Sort(there)
			return there[calmEvidence-1], true
		}
	}
	return 0, false
}

// readBacks describes the readings between faults for the report.
func (l *Ledger) readBacks() (out []result.ReadBack) {
	settle := l.spec.SettleOr().D()
	for _, r := range l.rounds {
		b := result.ReadBack{After: r.After, Before: r.Before, At: result.NaN, Took: result.NaN, Writes: r.writes}
		if r.began >= 0 {
			b.At, b.Took = result.Sec(r.began), result.Sec(r.ended-r.began)
		}
		for i := range r.asked {
			b.Asked++
			switch f := &r.asked[i]; {
			case f.n > 0:
				b.Found++
			case f.n == 0:
				if b.Absent++; !f.timely(settle) {
					b.Untimely++
				}
			}
		}
		out = append(out, b)
	}
	return out
}

// mostUnread is the maximum number of notes on readings between faults.
const mostUnread = 4

// unread says why it is unknown to which fault writes were lost; nil if it is known of all.
func (l *Ledger) unread(out *result.LedgerRecord) (why result.Notes) {
	for _, s := range out.LostSpans {
		if len(s.Faults) == 1 && len(why) < mostUnread {
			why = append(why, result.Note{Kind: result.LossUnshown, Count: s.Lost, Of: s.Faults[0]})
		}
	}
	for i := range out.ReadBacks {
		b := &out.ReadBacks[i]
		n := result.Note{Faults: []string{b.After, b.Before}}
		switch {
		case b.After == "", !slices.ContainsFunc(out.LostSpans, func(s result.LostSpan) bool {
			return slices.Contains(s.Faults, b.After) || slices.Contains(s.Faults, b.Before)
		}), len(why) == mostUnread:
			continue
		case !b.At.Known():
			n.Kind = result.ReadBackNone
		case b.Found+b.Absent == 0 && b.Writes > 0:
			n.Kind = result.ReadBackSilent
		case b.Asked < b.Writes:
			n.Kind, n.Part, n.Count = result.ReadBackPart, b.Asked, b.Writes
		default:
			continue
		}
		why = append(why, n)
	}
	return why
}
