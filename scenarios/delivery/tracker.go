package delivery

import (
	"encoding/json"
	"math"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A tracker follows the messages of one entry of `deliveries`.
type tracker struct {
	spec   *Spec
	group  *group
	within time.Duration
	record func(*scenarios.Outcome) // records an outcome of the delivery's row
	log    *sentLog                 // of the set
	quoted []byte                   // the name of the delivery as JSON

	mu        sync.Mutex
	pages     []*page
	settled   int                      // number of pages at the front that are settled
	table     *table                   // of ids of the target's own; nil: ids are drawn
	flaws     map[uint64]*flaw         // messages that are not held, by number
	keys      map[uint64]time.Duration // by hash of a key: when the sending of the latest message seen so far began
	sent      map[int64]int64          // acknowledged messages by the second in which their sending began
	strangers map[uint64]int64         // how often an answer that repeats messages had each foreign id, by its hash

	// of questions for messages
	questions, failed int64
	why               string        // why the last failed one did
	resolution        time.Duration // by which instants of sightings may be late
	blind             time.Duration // what was sent until then may have come unseen
	lapse             time.Duration // what was seen until then may be given to brunt again
	counts
}

// neverBlind is before every message.
const neverBlind time.Duration = math.MinInt64

// counts are what became of the messages so far.
type counts struct {
	acknowledged, refused, present, unnamed int64
	overdue, late                           int64 // acknowledged and not seen in time; of these, seen later
	duplicated, reordered                   int64
	again                                   int64 // seen twice, and perhaps given twice to brunt alone
	sightings, foreign, unreadable, unkeyed int64
	flawed                                  int64 // acknowledged messages that are not held
	unlisted                                int64 // of these, those for which flaws has no room
}

// Capacities of a tracker.
const (
	mostFlaws = 250_000
	mostKeys  = 500_000
)

// A flight is a message under way.
type flight struct {
	due, begun, seen time.Duration // when it was due, when its sending began, when it was seen first
	// microseconds from due to when brunt was ready, to a free connection, and to the acknowledgement
	ready, slot, acked uint32
	load               uint16
	flags              uint8
}

// The flags of a flight.
const (
	isBegun uint8 = 1 << iota
	isAnswered
	isAcked
	isSettled
	isClosed // the load is closed
)

// What became of a message, in 2 bits.
const (
	isUnseen uint8 = iota // not seen, and not acknowledged
	isWaited              // acknowledged, and not seen
	isSeen                // seen once
	isAgain               // seen more than once
)

// pageSize is the number of messages of a page.
const pageSize = 1024

// A page holds messages with numbers next to each other.
type page struct {
	flights []flight // nil once all of them are settled
	ids     []string // those that the target gave; nil if ids are drawn
	first   time.Duration
	begun   int
	open    int           // begun and not settled
	sighted time.Duration // when one of its messages was seen first; zero: none was
	states  [pageSize / 4]uint8
}

func (p *page) state(i int) uint8 { return p.states[i/4] >> (i % 4 * 2) & 3 }

func (p *page) set(i int, state uint8) {
	shift := i % 4 * 2
	p.states[i/4] = p.states[i/4]&^(3<<shift) | state<<shift
}

// A flaw is a message that is not held, or was not acknowledged and seen.
type flaw struct {
	due, begun, acked, seen time.Duration
	id                      string // of the target's own
	timed                   bool   // the times but seen are known: they are forgotten with the page
	sightings               int64
	isAcked, isSeen         bool
	isLate, isReordered     bool
	isUnsure                bool // seen twice, and perhaps given twice to brunt alone
}

// A sighting is a message that was seen.
type sighting struct {
	at    time.Duration
	since time.Duration // it may have come since then, and waited until brunt asked for it
	key   uint64
	keyed bool
	again bool // its source says that it has given it before
}

func newTracker(spec *Spec, record func(*scenarios.Outcome)) *tracker {
	t := &tracker{
		spec: spec, within: spec.Within.D(), record: record, flaws: map[uint64]*flaw{}, sent: map[int64]int64{},
		blind: neverBlind, lapse: neverBlind,
	}
	t.quoted, _ = json.Marshal(spec.Name) // never fails for a string
	if !spec.Drawn() {
		t.table = newTable()
	}
	if spec.KeyPath != nil {
		t.keys = map[uint64]time.Duration{}
	}
	return t
}

// at returns the place of message n.
func (t *tracker) at(n uint64) (p *page, i int) {
	for uint64(len(t.pages)) <= n/pageSize {
		p := &page{flights: make([]flight, pageSize)}
		if t.table != nil {
			p.ids = make([]string, pageSize)
		}
		t.pages = append(t.pages, p)
	}
	return t.pages[n/pageSize], int(n % pageSize)
}

// begin follows message n, whose sending begins.
func (t *tracker) begin(n uint64, due, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.beginLocked(n, due, now)
	t.log.add(t, n, result.DeliverySent, now, "")
}

func (t *tracker) beginLocked(n uint64, due, now time.Duration) {
	p, i := t.at(n)
	if p.begun == 0 || due < p.first {
		p.first = due
	}
	p.flights[i] = flight{due: due, begun: now, flags: isBegun}
	p.begun++
	p.open++
}

// answered takes the outcome of the request that sent message n.
func (t *tracker) answered(n uint64, out *scenarios.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answeredLocked(n, out)
}

func (t *tracker) answeredLocked(n uint64, out *scenarios.Outcome) {
	p, i := t.at(n)
	f := &p.flights[i]
	f.flags |= isAnswered
	f.due = out.Intended
	ready := out.Ready
	if out.Closed { // a closed load asks for a request when it can be sent
		f.due, ready = out.Slot, out.Slot
		f.flags |= isClosed
	}
	p.first = min(p.first, f.due)
	f.load = uint16(out.Load)
	f.ready, f.slot, f.acked = micros(ready-f.due), micros(out.Slot-f.due), micros(out.End-f.due)
	if !t.spec.Ack.Holds(out) {
		t.log.add(t, n, result.DeliveryRefused, out.End, "")
		t.refusedLocked(out, f)
		if p.state(i) >= isSeen {
			t.present++
			t.flaw(n, p, i)
		}
		t.settle(p, f)
		return
	}
	id := ""
	if p.ids != nil {
		id = p.ids[i]
	}
	t.log.add(t, n, result.DeliveryAcknowledged, out.End, id)
	f.flags |= isAcked
	t.acknowledged++
	t.sent[second(f.begun)]++
	if bad := t.flaws[n]; bad != nil { // it was seen twice before its answer
		bad.isAcked, bad.acked, bad.due = true, f.acknowledgedAt(), f.due
		t.flawed++
	}
	switch {
	case p.state(i) >= isSeen && f.seen <= f.due+t.within:
		t.delivered(f)
		t.settle(p, f)
	case p.state(i) >= isSeen:
		t.expire(n, p, i)
		t.seenLate(n)
	default:
		p.set(i, isWaited)
	}
}

// refusedLocked records that a request was not acknowledged: like a step behind a failed one, its delivery is
// skipped.
func (t *tracker) refusedLocked(out *scenarios.Outcome, f *flight) {
	if out.WasSent {
		t.refused++
	}
	if out.Kind != scenarios.Error || out.Cause == scenarios.Unfinished {
		return
	}
	o := t.outcome(f)
	o.Kind, o.End = scenarios.Skipped, out.End
	o.Slot, o.Ready = o.Ready, min(o.Ready, o.End)
	if out.Cause.Own() || out.Cause == scenarios.Timeout {
		o.Cause = out.Cause
	}
	t.record(&o)
}

// outcome returns the outcome of a flight as far as its request determines it.
func (t *tracker) outcome(f *flight) scenarios.Outcome {
	return scenarios.Outcome{
		Load: int32(f.load), Step: t.spec.Series[f.load], Closed: f.flags&isClosed != 0, Intended: f.due,
		Ready: f.due + span(f.ready), Slot: f.due + span(f.slot),
	}
}

// delivered records a message that was acknowledged and seen in time.
func (t *tracker) delivered(f *flight) {
	o := t.outcome(f)
	o.End = max(f.seen, f.begun)
	o.First, o.Sent = o.End, min(f.acknowledgedAt(), o.End)
	o.Ready, o.Slot = min(o.Ready, o.End), min(o.Slot, o.End)
	o.WasSent, o.Answered = true, true
	t.record(&o)
}

// expire records an acknowledged message that was not seen in time.
func (t *tracker) expire(n uint64, p *page, i int) {
	f := &p.flights[i]
	o := t.outcome(f)
	o.Kind, o.Cause, o.End, o.WasSent = scenarios.Error, scenarios.Undelivered, f.due+t.within, true
	o.Ready, o.Slot, o.Sent = min(o.Ready, o.End), min(o.Slot, o.End), min(f.acknowledgedAt(), o.End)
	t.record(&o)
	t.overdue++
	t.flaw(n, p, i)
	t.settle(p, f)
}

// settle ends the flight of a message whose outcome is recorded.
func (t *tracker) settle(p *page, f *flight) {
	f.flags |= isSettled
	if p.open--; p.open > 0 || p.begun < pageSize {
		return
	}
	p.flights, p.ids = nil, nil
	for t.settled < len(t.pages) && t.pages[t.settled].flights == nil {
		t.settled++
	}
}

// flaw keeps a message that is not held; nil: there is no room.
func (t *tracker) flaw(n uint64, p *page, i int) *flaw {
	bad := t.flaws[n]
	if bad != nil {
		return bad
	}
	var f flight
	if p.flights != nil {
		f = p.flights[i]
	}
	acked := f.flags&isAcked != 0 || p.flights == nil // of a message that was not, present tells
	if acked {
		t.flawed++
	}
	if len(t.flaws) >= mostFlaws {
		t.unlisted++
		return nil
	}
	bad = &flaw{
		due: f.due, begun: f.begun, acked: f.acknowledgedAt(), isAcked: acked, timed: p.flights != nil,
	}
	if p.ids != nil {
		bad.id = p.ids[i]
	}
	if s := p.state(i); s >= isSeen {
		bad.isSeen, bad.seen, bad.sightings = true, f.seen, 1
	}
	t.flaws[n] = bad
	return bad
}

func (f *flight) acknowledgedAt() time.Duration { return f.due + span(f.acked) }

// overdueAt records all messages that were due more than `within` ago and are not seen.
func (t *tracker) overdueAt(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := t.settled; k < len(t.pages); k++ {
		p := t.pages[k]
		if p.begun == 0 || p.first+t.within > now {
			continue
		}
		first := now
		for i := 0; i < len(p.flights); i++ {
			f := &p.flights[i]
			if f.flags&isBegun == 0 || f.flags&isSettled != 0 {
				continue
			}
			if f.flags&isAcked != 0 && f.due+t.within < now {
				t.expire(uint64(k)*pageSize+uint64(i), p, i)
				continue
			}
			first = min(first, f.due)
		}
		p.first = first
	}
}

// see takes a sighting of message n, which was begun.
func (t *tracker) see(n uint64, s sighting) {
	t.sightings++
	p, i := t.at(n)
	state := p.state(i)
	var f *flight
	if p.flights != nil && p.flights[i].flags&isSettled == 0 {
		f = &p.flights[i]
	}
	switch {
	case state >= isSeen:
		first := p.sighted // at the earliest
		if bad := t.flaws[n]; bad != nil && bad.isSeen {
			first = bad.seen
		} else if p.flights != nil && p.flights[i].seen > 0 {
			first = p.flights[i].seen
		}
		unsure := s.again || t.lapse != neverBlind && first <= t.lapse
		switch {
		case state == isSeen && unsure:
			t.again++
		case state == isSeen:
			t.duplicated++
		}
		if bad := t.flaw(n, p, i); bad != nil {
			bad.sightings++
			bad.isUnsure = state == isSeen && unsure || state == isAgain && bad.isUnsure
		}
		p.set(i, isAgain)
		return
	case f != nil && f.flags&isAcked != 0 && s.at > f.due+t.within:
		t.expire(n, p, i)
		f = nil
	}
	p.set(i, isSeen)
	if p.sighted == 0 || s.at < p.sighted {
		p.sighted = s.at
	}
	t.log.add(t, n, result.DeliverySeen, s.at, "")
	if f == nil {
		t.seenSettled(n, p, i, state, s)
		return
	}
	f.seen = s.at
	t.waited(s, f.begun)
	if t.order(s, f.begun, f.flags&isAcked != 0, f.acknowledgedAt()) {
		if bad := t.flaw(n, p, i); bad != nil {
			bad.isReordered = true
		}
	}
	if f.flags&isAcked != 0 {
		t.delivered(f)
		t.settle(p, f)
	}
}

// waited notes how long a message may have waited for brunt, at most since its sending began.
func (t *tracker) waited(s sighting, begun time.Duration) {
	t.resolution = max(t.resolution, s.at-max(s.since, begun))
}

// seenSettled takes the first sighting of a message whose outcome is recorded: it was refused, or is late.
func (t *tracker) seenSettled(n uint64, p *page, i int, state uint8, s sighting) {
	bad := t.flaws[n]
	if state == isUnseen {
		t.present++
		if bad == nil && len(t.flaws) < mostFlaws {
			bad = &flaw{}
			if p.flights != nil {
				bad.due, bad.begun, bad.timed = p.flights[i].due, p.flights[i].begun, true
			}
			t.flaws[n] = bad
		}
	}
	if bad != nil {
		bad.isSeen, bad.seen, bad.sightings = true, s.at, 1
		if bad.timed {
			t.waited(s, bad.begun)
		}
		if t.order(s, bad.begun, bad.isAcked, bad.acked) {
			bad.isReordered = true
		}
	}
	if state == isWaited {
		t.seenLate(n)
	}
}

// seenLate counts an overdue message that was seen.
func (t *tracker) seenLate(n uint64) {
	t.late++
	if bad := t.flaws[n]; bad != nil {
		bad.isLate = true
	}
}

// order notes that a message of a sequence was seen, and reports whether it came after one that was sent only when it
// had been acknowledged.
func (t *tracker) order(s sighting, begun time.Duration, acked bool, ackedAt time.Duration) bool {
	if t.keys == nil {
		return false
	}
	latest, known := t.keys[s.key]
	if !s.keyed || s.again || !known && len(t.keys) >= mostKeys {
		t.unkeyed++
		return false
	}
	if !known || begun > latest {
		t.keys[s.key] = begun
	}
	if !known || !acked || ackedAt >= latest {
		return false
	}
	t.reordered++
	return true
}

// micros returns a time in microseconds, within what a flight can hold: 71 minutes.
func micros(d time.Duration) uint32 { return uint32(min(max(d/time.Microsecond, 0), 1<<32-1)) }

func span(micros uint32) time.Duration { return time.Duration(micros) * time.Microsecond }

// second returns the second of a time; seconds before t0 are negative.
func second(d time.Duration) int64 {
	s := int64(d / time.Second)
	if d < 0 {
		s--
	}
	return s
}
