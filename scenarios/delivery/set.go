package delivery

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
)

// A Set follows all deliveries of a run; a nil set has none.
type Set struct {
	keys     ids
	seed     maphash.Seed // of keys of sequences
	trackers []*tracker
	groups   []*group
	sources  []source
	askers   []*asker // among sources
	seen     []string // by tracker: where its messages are seen
	now      func() time.Duration
	log      *sentLog
	file     string // that lists the messages that are not held; empty means none
	begun    atomic.Bool
	settled  bool

	stop    chan struct{} // closed to end the watch
	watched sync.WaitGroup
	late    []time.Duration // how late the watch was, each time
}

// A group has the deliveries of one step, which share the numbers of its requests.
type group struct {
	index    uint8
	sends    []scenarios.Call
	trackers []*tracker // with drawn ids
	tables   []*tracker // with ids of the target's own
	next     atomic.Uint64
}

// Open begins to see messages. The clock may stand still until [Set.Begin]. File will list the messages that are not
// held; empty means no file.
func Open(specs []*Spec, file string, now func() time.Duration) (*Set, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	s := &Set{
		keys: ids{rand.Uint64(), rand.Uint64()}, seed: maphash.MakeSeed(), now: now, file: file, stop: make(chan struct{}),
	}
	var err error
	if s.log, err = openLog(file, s.keys); err != nil {
		return nil, err
	}
	by := map[string]*group{}
	for _, spec := range specs {
		t := newTracker(spec, nil)
		t.log = s.log
		s.trackers = append(s.trackers, t)
		g := by[spec.Sent]
		if g == nil {
			g = &group{index: uint8(len(s.groups)), sends: spec.Sends}
			by[spec.Sent], s.groups = g, append(s.groups, g)
		}
		if t.group = g; t.table != nil {
			g.tables = append(g.tables, t)
		} else {
			g.trackers = append(g.trackers, t)
		}
	}
	s.seen = make([]string, len(s.trackers))
	for _, open := range sources() {
		all, err := open(s)
		s.sources = append(s.sources, all...)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Connect opens what the sources need of the target, which is ready. An error makes the run invalid.
func (s *Set) Connect(ctx context.Context, h *Host) error {
	if s == nil {
		return nil
	}
	for _, one := range s.sources {
		if err := one.Connect(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// Begin begins to record outcomes: the clock of the run goes, and nothing was sent before.
func (s *Set) Begin(sink func(shard int) load.Sink) {
	if s == nil {
		return
	}
	for i, t := range s.trackers {
		t.record = sink(i).Record
	}
	s.begun.Store(true)
	s.watched.Go(s.watch)
}

// watchEvery is how often messages that are overdue are looked for.
const watchEvery = 50 * time.Millisecond

// watch records messages that are overdue, and writes the log of what was sent. How late it wakes up is how late brunt
// reads what arrives: both wait for the same processors and the same poller.
func (s *Set) watch() {
	timer := time.NewTimer(watchEvery)
	defer timer.Stop()
	for {
		began := time.Now()
		timer.Reset(watchEvery)
		select {
		case <-timer.C:
		case <-s.stop:
			return
		}
		if late := time.Since(began) - watchEvery; len(s.late) < mostTurns {
			s.late = append(s.late, max(0, late))
		}
		s.overdue()
		_ = s.log.flush() // Findings reports the error
	}
}

// mostTurns bounds the turns whose lateness is kept: those of 14 hours.
const mostTurns = 1 << 20

func (s *Set) overdue() {
	now := s.now()
	for _, t := range s.trackers {
		t.overdueAt(now)
	}
}

// Settle waits after the load, until the settle times of all deliveries have passed. Meanwhile it calls progress every
// second with the number of acknowledged messages, and of those among them that were seen.
func (s *Set) Settle(ctx context.Context, progress func(seen, all int64)) {
	if s == nil || !s.begun.Load() {
		return
	}
	longest := time.Duration(0)
	for _, t := range s.trackers {
		longest = max(longest, t.spec.SettleOr())
	}
	timer, tick := time.NewTimer(longest), time.NewTicker(time.Second)
	defer timer.Stop()
	defer tick.Stop()
	for waits := true; waits; {
		progress(s.progress())
		select {
		case <-tick.C:
		case <-timer.C:
			s.settled, waits = true, false
		case <-ctx.Done():
			waits = false
		}
	}
	for _, one := range s.sources {
		one.Settle(ctx)
	}
	close(s.stop)
	s.watched.Wait()
	s.overdue()
	s.begun.Store(false) // what comes from now on does not count
}

// progress counts the acknowledged messages, and those among them that were seen.
func (s *Set) progress() (seen, all int64) {
	for _, t := range s.trackers {
		t.mu.Lock()
		all += t.acknowledged
		seen += t.acknowledged - t.unnamed - (t.overdue - t.late) - t.waiting()
		t.mu.Unlock()
	}
	return seen, all
}

// Close ends the sources.
func (s *Set) Close() error {
	if s == nil {
		return nil
	}
	if s.begun.Swap(false) {
		close(s.stop)
		s.watched.Wait()
	}
	var err error
	for _, one := range s.sources {
		err = errors.Join(err, one.Close())
	}
	s.sources = nil
	err = errors.Join(err, s.log.Close())
	s.log = nil
	return err
}

// ReaderLag returns the p99 of the time by which brunt was late to read: to wake up for what is overdue, or to ask a
// question that was due. The larger one counts. It is called when the sources are settled.
func (s *Set) ReaderLag() time.Duration {
	if s == nil {
		return 0
	}
	most := p99(s.late)
	for _, a := range s.askers {
		most = max(most, p99(a.late))
	}
	return most
}

func p99(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)*99/100]
}

// sighted takes a message of a delivery that was seen: the text of its id, and of its key, which is empty if it has
// none. Before holds how often an answer that repeats messages had each id so far; nil: it repeats none.
func (s *Set) sighted(t *tracker, id, key string, see sighting, before map[uint64]int64) {
	if !s.begun.Load() {
		return
	}
	if see.keyed = key != ""; see.keyed {
		see.key = maphash.String(s.seed, key)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if before != nil && t.repeated(s, id, before) {
		return
	}
	if t.table != nil {
		h := t.table.hash(id)
		if n, known := t.table.by[h]; known {
			t.see(n, see)
		} else {
			t.foreign += int64(t.table.wait(h, see))
		}
		return
	}
	number, ok := parseID(id)
	index, n := s.keys.number(number)
	if !ok || index != t.group.index || n >= t.group.next.Load() {
		t.foreign++
		return
	}
	t.see(n, see)
}

// repeated reports whether an answer that repeats messages has an id no more often than one before it.
func (t *tracker) repeated(s *Set, id string, before map[uint64]int64) bool {
	var h uint64
	var known int64
	if t.table != nil {
		h = t.table.hash(id)
		if n, is := t.table.by[h]; is {
			known = t.seenTimes(n)
		} else {
			known = int64(t.table.waits(h))
		}
	} else {
		number, ok := parseID(id)
		index, n := s.keys.number(number)
		if !ok || index != t.group.index || n >= t.group.next.Load() {
			h = maphash.String(s.seed, id)
			if t.strangers == nil {
				t.strangers = map[uint64]int64{}
			}
			known = t.strangers[h]
			if before[h]++; before[h] > known && (known > 0 || len(t.strangers) < mostKeys) {
				t.strangers[h] = before[h]
				return false
			}
			return true
		}
		h, known = number, t.seenTimes(n)
	}
	before[h]++
	return before[h] <= known
}

// seenTimes returns how often message n was seen.
func (t *tracker) seenTimes(n uint64) int64 {
	p, i := t.at(n)
	switch state := p.state(i); {
	case state < isSeen:
		return 0
	case state == isSeen:
		return 1
	case t.flaws[n] != nil:
		return t.flaws[n].sightings
	}
	return 2
}

// unread counts a message without a readable id.
func (s *Set) unread(t *tracker) {
	if s.begun.Load() {
		t.mu.Lock()
		t.unreadable++
		t.mu.Unlock()
	}
}

// User wraps a virtual user and follows its requests.
func (s *Set) User(u load.User) load.User {
	if s == nil {
		return u
	}
	for _, g := range s.groups {
		u = &user{User: u, set: s, group: g}
	}
	return u
}

// A user is a virtual user whose requests are followed. Each of its other steps costs one comparison for each
// step that
// sends.
type user struct {
	load.User
	set   *Set
	group *group
	drawn []byte
}

func (u *user) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	g, s := u.group, u.set
	if !slices.Contains(g.sends, c) {
		u.User.Do(it, c, out)
		return
	}
	begun := s.now()
	var n uint64
	if len(g.trackers) > 0 {
		n = g.next.Add(1) - 1
		for _, t := range g.trackers {
			t.begin(n, it.Intended, begun)
		}
		u.drawn = appendID(u.drawn[:0], s.keys.of(g.index, n))
		it.Write = u.drawn
	}
	u.User.Do(it, c, out)
	if len(g.trackers) > 0 {
		it.Write = nil
	}
	for _, t := range g.trackers {
		t.answered(n, out)
	}
	for _, t := range g.tables {
		t.named(it, out, begun)
	}
}

// named follows a message whose id is in the answer of its request.
func (t *tracker) named(it *template.Iter, out *scenarios.Outcome, begun time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	acked := t.spec.Ack.Holds(out)
	var id []byte
	var err error
	// subtle: variables are extracted only from an answer that is ok; after another one they may hold older values
	if acked && out.Kind == scenarios.OK {
		id, err = t.spec.ID.Append(nil, it)
	}
	if !acked || err != nil || len(id) == 0 {
		f := flight{due: out.Intended, ready: micros(out.Ready - out.Intended), load: uint16(out.Load)}
		if out.Closed {
			f = flight{due: out.Slot, load: uint16(out.Load), flags: isClosed}
		}
		if acked {
			t.acknowledged++
			t.unnamed++
			return
		}
		t.refusedLocked(out, &f)
		return
	}
	n := uint64(len(t.table.by))
	h := t.table.hash(string(id))
	if _, twice := t.table.by[h]; twice { // two requests got one id
		t.acknowledged++
		t.unnamed++
		return
	}
	t.table.by[h] = n
	t.beginLocked(n, out.Intended, begun)
	p, i := t.at(n)
	p.ids[i] = string(id)
	early := t.table.take(h)
	for _, see := range early {
		t.see(n, see)
	}
	if len(early) == 0 && begun <= t.table.gone { // its sighting may be forgotten
		t.blind = max(t.blind, begun)
	}
	t.answeredLocked(n, out)
}

// listed lists the numbers of messages that are not held, in the order of their due times.
func (t *tracker) listed() []uint64 {
	out := make([]uint64, 0, len(t.flaws))
	for n := range t.flaws {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(t.flaws[a].due, t.flaws[b].due), cmp.Compare(a, b))
	})
	return out
}
