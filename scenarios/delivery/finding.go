package delivery

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/statistics"
)

// A Run describes a run whose deliveries are counted.
type Run struct {
	Faults []*chaos.Record
	End    time.Duration       // of the load
	Mask   func(string) string // hides secrets in ids
}

// mostListed bounds the messages of each state that a record lists.
const mostListed = 50

// Findings returns what became of the messages of all deliveries, and writes the file of the run. With an error it
// returns the records of the deliveries that are in the file.
func (s *Set) Findings(run Run) (out []*result.DeliveryRecord, err error) {
	if s == nil {
		return nil, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("the findings of the deliveries: %w", err)
		}
	}()
	if err := s.log.flush(); err != nil {
		return nil, err
	}
	lines, err := disk.FreshLines(s.file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	for i, t := range s.trackers {
		r, err := s.finding(i, t, &run, lines)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (s *Set) finding(i int, t *tracker, run *Run, lines *disk.Lines) (*result.DeliveryRecord, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.table != nil {
		t.foreign += int64(t.table.early.n + t.table.older.n)
	}
	out := &result.DeliveryRecord{
		Name: t.spec.Name, Sent: t.spec.Sent, Seen: s.seen[i], Within: result.Sec(t.within), Settled: s.settled,
		Acknowledged: t.acknowledged, Late: t.late, Lost: t.overdue - t.late, Duplicated: t.duplicated,
		Again: t.again, Reordered: t.reordered, Refused: t.refused, Present: t.present, Unnamed: t.unnamed,
		Sightings: t.sightings, Foreign: t.foreign, Unreadable: t.unreadable, Unkeyed: t.unkeyed, Ordered: t.keys != nil,
		ReaderLag: result.Sec(s.ReaderLag()), Keys: []result.DeliveryKey{}, Unlisted: t.unlisted,
		Resolution: result.Sec(t.resolution), Questions: t.questions, Failed: t.failed, FailedBecause: run.Mask(t.why),
	}
	waiting := int64(0)
	if !s.settled {
		waiting = t.waiting()
		out.Unknown, out.Lost = out.Lost+waiting, 0
	} else if t.blind != neverBlind {
		out.Blind = result.Sec(t.blind)
		out.Unknown = t.unlisted
		for _, bad := range t.flaws {
			if bad.isAcked && !bad.isSeen && !t.isLost(bad) {
				out.Unknown++
			}
		}
		out.Unknown = min(out.Unknown, out.Lost)
		out.Lost -= out.Unknown
	}
	out.Held = max(0, t.acknowledged-t.flawed-t.unnamed-waiting)
	shown := out.SurelyLost() > 0
	to := newBlame(t, run, s.settled && shown)
	out.Because = to.notes
	listed := map[result.DeliveryState][]result.DeliveryKey{}
	for _, n := range t.listed() {
		k := s.key(t, n, run)
		if k.State == result.DeliveryLost && shown {
			k.Fault, k.Faults = to.of(t.flaws[n])
			if addLost(out, &k); k.Fault != "" {
				if out.LostTo == nil {
					out.LostTo = map[string]int64{}
				}
				out.LostTo[k.Fault]++
			}
		}
		if err := lines.Add(k); err != nil {
			return nil, err
		}
		if have := listed[k.State]; len(have) < mostListed {
			listed[k.State] = append(have, k)
		} else {
			out.Left++
		}
	}
	for _, state := range result.DeliveryStates() {
		out.Keys = append(out.Keys, listed[state]...)
	}
	return out, nil
}

// addLost adds a lost message to those of the same faults. Messages come in the order of their due times.
func addLost(out *result.DeliveryRecord, k *result.DeliveryKey) {
	i := slices.IndexFunc(out.LostSpans, func(s result.LostSpan) bool {
		return s.Fault == k.Fault && slices.Equal(s.Faults, k.Faults)
	})
	if i < 0 {
		i = len(out.LostSpans)
		out.LostSpans = append(out.LostSpans, result.LostSpan{
			Fault: k.Fault, Faults: k.Faults, First: k.Acknowledged, Last: k.Acknowledged, Before: result.NaN,
			After: result.NaN,
		})
	}
	s := &out.LostSpans[i]
	s.Lost++
	if k.Acknowledged.Known() {
		s.First, s.Last = min(s.First, k.Acknowledged), max(s.Last, k.Acknowledged)
	}
}

// isLost reports whether a message was acknowledged and never seen, although brunt would have seen it.
func (t *tracker) isLost(bad *flaw) bool { return bad.isAcked && !bad.isSeen && bad.begun > t.blind }

// waiting counts acknowledged messages that are neither seen nor overdue.
func (t *tracker) waiting() (n int64) {
	for _, p := range t.pages {
		for i := range p.flights {
			if f := &p.flights[i]; f.flags&isAcked != 0 && f.flags&isSettled == 0 {
				n++
			}
		}
	}
	return n
}

// key describes a message that is not held.
func (s *Set) key(t *tracker, n uint64, run *Run) result.DeliveryKey {
	bad := t.flaws[n]
	k := result.DeliveryKey{
		Delivery: t.spec.Name, ID: bad.id, Due: result.NaN, Acknowledged: result.NaN, Seen: result.NaN,
		Sightings: bad.sightings,
	}
	if t.table == nil {
		k.ID = string(appendID(nil, s.keys.of(t.group.index, n)))
	}
	k.ID = run.Mask(k.ID)
	if bad.timed {
		k.Due = result.Sec(bad.due)
	}
	if bad.timed && bad.isAcked {
		k.Acknowledged = result.Sec(bad.acked)
	}
	if bad.isSeen && bad.seen != 0 {
		k.Seen = result.Sec(bad.seen)
	}
	switch {
	case bad.isUnsure:
		k.State = result.DeliveryUnknown
	case bad.isSeen && bad.sightings > 1:
		k.State = result.DeliveryDuplicated
	case bad.isReordered:
		k.State = result.DeliveryReordered
	case bad.isLate:
		k.State = result.DeliveryLate
	case bad.isSeen:
		k.State = result.DeliveryPresent
	case s.settled && t.isLost(bad):
		k.State = result.DeliveryLost
	default:
		k.State = result.DeliveryUnknown
	}
	return k
}

// A blame tells to which fault lost messages were lost. A fault may have lost a message if it was in at some
// time from
// the beginning of its sending until it was due to be seen. It is blamed only with evidence: more messages were lost
// around it than while no fault was in, by Fisher's exact test. The more faults are tested, the more
// evidence each needs, so that a run of harmless ones blames none of them (Bonferroni).
type blame struct {
	within  time.Duration
	suspect []*chaos.Record
	over    []time.Duration
	notes   result.Notes
}

// leastEvidence is the p-value above which the loss of a run with one fault is not attributed.
const leastEvidence = 0.05

func newBlame(t *tracker, run *Run, settled bool) *blame {
	b := &blame{within: t.within}
	if !settled {
		return b
	}
	var all blame
	all.within = t.within
	for _, f := range run.Faults {
		if f.N < 0 {
			continue
		}
		over := max(f.Cleared, f.Until)
		if over < f.Injected { // it was never cleared
			over = max(run.End, f.Injected)
		}
		all.suspect, all.over = append(all.suspect, f), append(all.over, over)
	}
	lost := map[int64]int64{}
	for _, bad := range t.flaws {
		if t.isLost(bad) {
			lost[second(bad.begun)]++
		}
	}
	var restLost, rest int64
	hit, sent := make([]int64, len(all.suspect)), make([]int64, len(all.suspect))
	for sec, n := range t.sent {
		from := time.Duration(sec) * time.Second
		outside := true
		for i := range all.suspect {
			if all.meets(i, from, from+time.Second) {
				hit[i], sent[i], outside = hit[i]+lost[sec], sent[i]+n, false
			}
		}
		if outside {
			restLost, rest = restLost+lost[sec], rest+n
		}
	}
	for i, f := range all.suspect {
		if hit[i] == 0 {
			continue
		}
		if statistics.FisherGreater(hit[i], sent[i], restLost, rest)*float64(len(all.suspect)) <= leastEvidence {
			b.suspect, b.over = append(b.suspect, f), append(b.over, all.over[i])
			continue
		}
		b.notes = append(b.notes, result.Note{
			Kind: result.LossElsewhere, Of: f.Name, Part: restLost, Count: rest,
		})
	}
	return b
}

// meets reports whether a message whose sending began from one time to another could be lost to fault i.
func (b *blame) meets(i int, from, to time.Duration) bool {
	return b.suspect[i].Injected <= to+b.within && b.over[i] >= from
}

// of returns the fault that a lost message was lost to, or the faults of which one lost it.
func (b *blame) of(bad *flaw) (fault string, faults []string) {
	for i, f := range b.suspect {
		if b.meets(i, bad.begun, bad.begun) && !slices.Contains(faults, f.Name) {
			faults = append(faults, f.Name)
		}
	}
	if len(faults) == 1 {
		return faults[0], nil
	}
	return "", faults
}
