package delivery

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// TestIDs: an id leads back to its number, differs from all others, and an id of another key to no drawn number.
func TestIDs(t *testing.T) {
	k, other := ids{0x1234_5678_9abc_def0, 42}, ids{7, 9}
	seen := map[uint64]bool{}
	for n := range uint64(100_000) {
		id := k.of(3, n)
		text := string(appendID(nil, id))
		back, ok := parseID(text)
		group, number := k.number(back)
		if !ok || len(text) != idLength || group != 3 || number != n || seen[id] {
			t.Fatalf("%d: %s leads to %d of group %d", n, text, number, group)
		}
		seen[id] = true
		if _, number := other.number(id); number < 100_000 {
			t.Fatalf("%s of another run is taken for %d", text, number)
		}
	}
	for _, text := range []string{"", "1", "zzzzzzzzzzzzzzzz", "00000000000000000"} {
		if _, ok := parseID(text); ok {
			t.Errorf("%q is taken for an id", text)
		}
	}
}

// FuzzUnmix checks that unmix is the inverse of the mixer.
func FuzzUnmix(f *testing.F) {
	f.Add(uint64(0))
	f.Add(uint64(1<<64 - 1))
	f.Fuzz(func(t *testing.T, z uint64) {
		if got := unmix(scenarios.MixBits(z)); got != z {
			t.Errorf("%x leads to %x", z, got)
		}
	})
}

// drawnSpec is a delivery with drawn ids and a key.
func drawnSpec(within time.Duration) *Spec {
	return &Spec{
		Delivery: &scenarios.Delivery{Name: "order", ID: template.Text{}, Within: quantity.Duration(within)},
		Series:   []int32{7},
	}
}

// event is what happens to a message of TestTracker.
type event struct {
	at   int // milliseconds
	what string
	n    uint64
}

// TestTracker_Settled: a message that is seen twice after a lapse is doubled, although its times are forgotten with its
// page.
func TestTracker_Settled(t *testing.T) {
	tr := newTracker(drawnSpec(time.Second), func(*scenarios.Outcome) {})
	tr.lapse = time.Millisecond
	for n := range uint64(pageSize) {
		tr.begin(n, 0, 0)
		tr.answered(n, &scenarios.Outcome{End: 2 * time.Millisecond, WasSent: true, Answered: true})
		tr.see(n, sighting{at: 3 * time.Millisecond})
	}
	if p, _ := tr.at(3); p.flights != nil {
		t.Fatal("the page is not settled")
	}
	tr.see(3, sighting{at: 4 * time.Millisecond})
	if tr.duplicated != 1 || tr.again != 0 {
		t.Errorf("%d doubled, %d perhaps given again", tr.duplicated, tr.again)
	}
}

// TestTracker: what becomes of messages, and the outcomes of their row.
func TestTracker(t *testing.T) {
	type row struct {
		kind  scenarios.Kind
		cause scenarios.Cause
		took  int // milliseconds from the due time
	}
	ok := func(took int) row { return row{scenarios.OK, scenarios.NoCause, took} }
	undelivered := row{scenarios.Error, scenarios.Undelivered, 1000}
	for _, c := range []struct {
		name   string
		events []event
		want   counts
		rows   []row
	}{
		{
			"held",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {40, "see", 0}},
			counts{acknowledged: 1, sightings: 1},
			[]row{ok(40)},
		},
		{
			"seen before it is acknowledged",
			[]event{{0, "begin", 0}, {3, "see", 0}, {5, "ack", 0}},
			counts{acknowledged: 1, sightings: 1},
			[]row{ok(3)},
		},
		{
			"lost",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {1100, "tick", 0}},
			counts{acknowledged: 1, overdue: 1, flawed: 1},
			[]row{undelivered},
		},
		{
			"late",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {1100, "tick", 0}, {1500, "see", 0}},
			counts{acknowledged: 1, overdue: 1, late: 1, flawed: 1, sightings: 1},
			[]row{undelivered},
		},
		{
			"late before it is found overdue",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {1500, "see", 0}, {1600, "tick", 0}},
			counts{acknowledged: 1, overdue: 1, late: 1, flawed: 1, sightings: 1},
			[]row{undelivered},
		},
		{
			"twice",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {40, "see", 0}, {41, "see", 0}, {42, "see", 0}},
			counts{acknowledged: 1, duplicated: 1, flawed: 1, sightings: 3},
			[]row{ok(40)},
		},
		{
			"twice before it is acknowledged",
			[]event{{0, "begin", 0}, {3, "see", 0}, {4, "see", 0}, {5, "ack", 0}},
			counts{acknowledged: 1, duplicated: 1, flawed: 1, sightings: 2},
			[]row{ok(3)},
		},
		{
			"given again",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {40, "see", 0}, {50, "see again", 0}, {60, "see again", 0}},
			counts{acknowledged: 1, again: 1, flawed: 1, sightings: 3},
			[]row{ok(40)},
		},
		{
			"given again, and twice",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {40, "see again", 0}, {50, "see", 0}},
			counts{acknowledged: 1, duplicated: 1, flawed: 1, unkeyed: 1, sightings: 2},
			[]row{ok(40)},
		},
		{
			"perhaps given again, because of a lapse",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {40, "see", 0}, {45, "lapse", 0}, {50, "see", 0}},
			counts{acknowledged: 1, again: 1, flawed: 1, sightings: 2},
			[]row{ok(40)},
		},
		{
			"twice after a lapse",
			[]event{{0, "begin", 0}, {5, "ack", 0}, {35, "lapse", 0}, {40, "see", 0}, {50, "see", 0}},
			counts{acknowledged: 1, duplicated: 1, flawed: 1, sightings: 2},
			[]row{ok(40)},
		},
		{
			"refused",
			[]event{{0, "begin", 0}, {5, "fail", 0}, {1100, "tick", 0}},
			counts{refused: 1},
			[]row{{scenarios.Skipped, scenarios.NoCause, 5}},
		},
		{
			"refused and seen",
			[]event{{0, "begin", 0}, {5, "fail", 0}, {9, "see", 0}},
			counts{refused: 1, present: 1, sightings: 1},
			[]row{{scenarios.Skipped, scenarios.NoCause, 5}},
		},
		{
			"out of order",
			[]event{
				{0, "begin", 0}, {5, "ack", 0}, {10, "begin", 1}, {15, "ack", 1}, {20, "see", 1}, {30, "see", 0},
			},
			counts{acknowledged: 2, reordered: 1, flawed: 1, sightings: 2},
			[]row{ok(10), ok(30)},
		},
		{
			"sent side by side, which have no order",
			[]event{
				{0, "begin", 0}, {4, "begin", 1}, {5, "ack", 0}, {15, "ack", 1}, {20, "see", 1}, {30, "see", 0},
			},
			counts{acknowledged: 2, sightings: 2},
			[]row{ok(16), ok(30)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rows []row
			tr := newTracker(drawnSpec(time.Second), func(o *scenarios.Outcome) {
				if o.Step != 7 || o.Ready > o.End || o.Slot > o.End {
					t.Errorf("%+v", o)
				}
				rows = append(rows, row{o.Kind, o.Cause, int(o.Response() / time.Millisecond)})
			})
			tr.keys = map[uint64]time.Duration{}
			due := map[uint64]time.Duration{}
			for _, e := range c.events {
				at := time.Duration(e.at) * time.Millisecond
				switch e.what {
				case "begin":
					due[e.n] = at
					tr.begin(e.n, at, at)
				case "see", "see again":
					tr.see(e.n, sighting{at: at, key: 1, keyed: true, again: e.what == "see again"})
				case "lapse":
					tr.lapse = at
				case "tick":
					tr.overdueAt(at)
				default:
					out := scenarios.Outcome{
						Intended: due[e.n], Ready: due[e.n], Slot: due[e.n], End: at, WasSent: true, Answered: true,
					}
					if e.what == "fail" {
						out.Kind, out.Cause = scenarios.Error, scenarios.Reset
					}
					tr.answered(e.n, &out)
				}
			}
			if tr.counts != c.want {
				t.Errorf("%+v, want %+v", tr.counts, c.want)
			}
			if len(rows) != len(c.rows) {
				t.Fatalf("%v, want %v", rows, c.rows)
			}
			for i := range rows {
				if rows[i] != c.rows[i] {
					t.Errorf("%v, want %v", rows[i], c.rows[i])
				}
			}
		})
	}
}

// TestSet_Early: a message that is seen before the answer with its id is held, also after many messages with foreign
// ids. If so many came meanwhile that its sighting may be forgotten, it is unknown, and not lost.
func TestSet_Early(t *testing.T) {
	spec := drawnSpec(time.Second)
	tr := newTracker(spec, func(*scenarios.Outcome) {})
	tr.table = newTable()
	s := &Set{trackers: []*tracker{tr}, now: func() time.Duration { return 0 }}
	s.begun.Store(true)
	clock, strangers := time.Duration(0), 0
	now := func() time.Duration { clock += time.Millisecond; return clock }
	foreign := func(n int) {
		for range n {
			strangers++
			s.sighted(tr, fmt.Sprint("stranger ", strangers), "", sighting{at: now()}, nil)
		}
	}
	answered := func(id string, begun time.Duration) {
		t.Helper()
		spec.ID = template.Text{}
		spec.ID.DecodeNode(&syntax.Node{Kind: syntax.String, Value: id}, &syntax.Mistakes{})
		tr.named(&template.Iter{}, &scenarios.Outcome{Intended: begun, Slot: begun, End: now(), WasSent: true}, begun)
	}
	foreign(3 * mostEarly / 2)
	begun := now()
	s.sighted(tr, "first", "", sighting{at: now()}, nil)
	foreign(mostEarly / 3)
	answered("first", begun)
	if tr.acknowledged != 1 || tr.sightings != 1 || tr.blind != neverBlind {
		t.Errorf("%+v, blind until %s", tr.counts, tr.blind)
	}
	begun = now()
	s.sighted(tr, "second", "", sighting{at: now()}, nil)
	foreign(2 * mostEarly)
	answered("second", begun)
	answered("third", now())
	tr.overdueAt(clock + time.Hour)
	if tr.overdue != 2 || tr.isLost(tr.flaws[1]) || !tr.isLost(tr.flaws[2]) {
		t.Errorf("%+v, blind until %s of %s", tr.counts, tr.blind, clock)
	}
	if all := tr.foreign + int64(tr.table.early.n+tr.table.older.n); all != int64(strangers)+1 {
		t.Errorf("%d foreign messages, want %d and the forgotten one", all, strangers)
	}
}

// TestTracker_Memory follows 10 000 messages a second that are each seen after 59 s, for 200 s of the run's
// clock: below
// 100 MiB, where 590 000 are under way.
func TestTracker_Memory(t *testing.T) {
	recorded := 0
	tr := newTracker(drawnSpec(time.Minute), func(*scenarios.Outcome) { recorded++ })
	before := heap()
	const rate, under = 10_000, 59 * 10_000
	most := uint64(0)
	for n := range uint64(200 * rate) {
		at := time.Duration(n) * time.Second / rate
		tr.begin(n, at, at)
		tr.answered(n, &scenarios.Outcome{Intended: at, Ready: at, Slot: at, End: at + time.Millisecond, WasSent: true})
		if n >= under {
			tr.see(n-under, sighting{at: at})
		}
		if n%(rate/20) == 0 {
			tr.overdueAt(at)
		}
		if n%(50*rate) == 0 {
			most = max(most, heap()-before)
		}
	}
	most = max(most, heap()-before)
	t.Logf("%d KiB", most>>10)
	if most > 100<<20 || most < under*30 {
		t.Errorf("%d MiB", most>>20)
	}
	if recorded != 200*rate-under || tr.overdue != 0 || tr.flawed != 0 {
		t.Errorf("%d recorded, %+v", recorded, tr.counts)
	}
	if free := tr.pages[tr.settled-1]; tr.settled < 1000 || free.flights != nil {
		t.Errorf("%d pages are settled", tr.settled)
	}
	runtime.KeepAlive(tr)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkTracker is a message from its sending to its sighting.
func BenchmarkTracker(b *testing.B) {
	tr := newTracker(drawnSpec(time.Minute), func(*scenarios.Outcome) {})
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		at := time.Duration(n) * time.Millisecond
		tr.begin(n, at, at)
		tr.answered(n, &scenarios.Outcome{Intended: at, Ready: at, Slot: at, End: at + 1})
		tr.see(n, sighting{at: at + 2})
		n++
	}
}

// TestAsker_Came: a message that came before the question for it is seen when it came.
func TestAsker_Came(t *testing.T) {
	began := time.Now()
	a := &asker{set: &Set{now: func() time.Duration { return time.Since(began) }}, epoch: began}
	a.out.End = time.Hour
	if got := a.came(); got > time.Hour || got < time.Hour-time.Minute {
		t.Errorf("seen after %v, and the answer came after 1h", got)
	}
	a.it.Came = time.Minute
	if got := a.came(); got > time.Minute {
		t.Errorf("seen after %v, and the message came after 1m", got)
	}
}
