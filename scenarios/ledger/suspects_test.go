package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestReadBetween: what the readings between a pause at 10 to 15 s, a crash at 30 s, which is back at 35 s, and a cut
// at 50 to 55 s tell of a write that is lost in the end.
func TestReadBetween(t *testing.T) {
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	faults := []*chaos.Record{
		{Name: "pause", Injected: sec(10), Cleared: sec(15)},
		{Name: "crash", Injected: sec(30), Cleared: sec(35), OneShot: true},
		{Name: "cut", Injected: sec(50), Cleared: sec(55)},
	}
	// a reading of the write w and of others, which are all there
	reading := func(began float64, w *found, others int, acked float64) *round {
		r := &round{began: sec(began), ended: sec(began + 1)}
		if w != nil {
			w.sent, w.answered = sec(began+.5), sec(began+.6)
			r.asked = append(r.asked, *w)
		}
		for i := range others {
			r.asked = append(r.asked, found{
				loggedWrite: loggedWrite{ID: fmt.Sprint("other ", i), End: sec(acked), Acked: true}, n: 1,
				sent: sec(began), answered: sec(began + .1),
			})
		}
		return r
	}
	write := func(acked float64, n int) *found {
		return &found{loggedWrite: loggedWrite{ID: "w", End: sec(acked), Acked: true}, n: n, members: true}
	}
	tests := []struct {
		name   string
		acked  float64
		rounds []*round
		want   string
		age    float64
	}{
		{"never read", 5, nil, "pause or crash or cut", 45},
		{"found between", 5, []*round{reading(25, write(5, 1), 0, 0)}, "crash or cut", 45},
		{"found in both", 5, []*round{reading(25, write(5, 1), 0, 0), reading(45, write(5, 1), 0, 0)}, "cut", 45},
		{
			"found, then not by the same unit", 24,
			[]*round{reading(25, write(24, 1), 0, 0), reading(45, write(24, 0), 0, 0)},
			"crash", 6,
		},
		{"missing when it should have been there", 5, []*round{reading(25, write(5, 0), 0, 0)}, "pause", 5},
		{"missing too early to tell", 20, []*round{reading(25, write(20, 0), 0, 0)}, "pause or crash or cut", 80},
		{
			"missing too early, then found", 20,
			[]*round{reading(25, write(20, 0), 0, 0), reading(45, write(20, 1), 0, 0)},
			"cut", 30,
		},
		{"no answer", 5, []*round{reading(25, write(5, noAnswer), 0, 0)}, "pause or crash or cut", 45},
		{"read while the pause was in", 5, []*round{reading(14, write(5, 1), 0, 0)}, "pause or crash or cut", 45},
		{
			"acknowledged after the writes since the pause were there", 26,
			[]*round{reading(25, nil, 20, 18)},
			"crash or cut", 24,
		},
		{
			"acknowledged after too few writes since the pause were there", 26,
			[]*round{reading(25, nil, 9, 18)},
			"pause or crash or cut", 74,
		},
		{
			"acknowledged after writes of before the pause were there", 26,
			[]*round{reading(25, nil, 20, 8)},
			"pause or crash or cut", 74,
		},
		{
			"acknowledged after a write since the pause was missing", 41,
			[]*round{reading(40, write(16, 0), 20, 36)},
			"pause or cut", 59,
		},
		{
			"acknowledged before the reading in which older ones were there", 24,
			[]*round{reading(25, nil, 20, 18)},
			"crash or cut", 26,
		},
		{
			"acknowledged before those that the reading found", 17,
			[]*round{reading(25, nil, 20, 18)},
			"pause or crash or cut", 83,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &Ledger{spec: &Spec{Ledger: &scenarios.Ledger{}}, rounds: tt.rounds}
			s := newSuspects(l, &Run{End: sec(100), Faults: faults})
			id := "w"
			if !slices.ContainsFunc(tt.rounds, func(r *round) bool { return len(r.asked) == 1 }) {
				id = "another"
			}
			to, age := s.of(id, sec(tt.acked), false)
			if got := strings.Join(s.sets[to].names, " or "); got != tt.want || age != sec(tt.age) {
				t.Errorf("lost to %s after %s, want %s after %v s", got, age, tt.want, tt.age)
			}
			if to, _ := s.of(id, sec(tt.acked), true); id == "w" && len(tt.rounds) == 1 && tt.rounds[0].began < sec(30) &&
				len(s.sets[to].names) != 3 {
				t.Errorf("an id of several writes: lost to %v, want any", s.sets[to].names)
			}
		})
	}
	placed := &Ledger{spec: &Spec{Ledger: &scenarios.Ledger{}}, rounds: []*round{
		reading(25, &found{loggedWrite: loggedWrite{ID: "w", End: sec(40)}, n: 1}, 0, 0),
		reading(45, write(40, 0), 0, 0),
	}}
	if e := placed.evidenceOf()["w"]; e.gone >= 0 {
		t.Error("a write that a place of several units had, and not soon after, is not known to be lost")
	}
}

// TestWeigh: 100 writes a second for 40 s, of which some are lost in the end, and a fault at 20 to 25 s, before which
// 100 writes were read or none. The fault is shown to lose writes only where more are lost than the target loses
// anyway.
func TestWeigh(t *testing.T) {
	const sec = time.Second
	within := func(from, to time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at >= from && at < to }
	}
	before, early, four := within(0, 20*sec), within(0, 10*sec), within(20*sec, 20*sec+40*time.Millisecond)
	burst := within(22*sec, 22*sec+300*time.Millisecond)
	tenth := func(at time.Duration) bool { return at/(10*time.Millisecond)%10 == 0 }
	for _, c := range []struct {
		name   string
		lost   func(at time.Duration) bool
		read   bool
		absent int // of the 100
		faults int
		want   bool
	}{
		{"all before it, and all were there", before, true, 0, 1, true},
		{"all before it, and they were not there", before, true, 100, 1, false},
		{"all of the first 10 s, and half were not there", early, true, 50, 1, false},
		{"all of the first 10 s, and all were there", early, true, 0, 1, true},
		{"all of the first 10 s, and none were read", early, false, 0, 1, false},
		{"half a second before it", within(19500*time.Millisecond, 20*sec), false, 0, 1, true},
		{"all while it was in", within(20*sec, 25*sec), false, 0, 1, true},
		{"each tenth of the run, and a tenth was not there", tenth, true, 10, 1, false},
		{"each tenth of the run, and none were read", tenth, false, 0, 1, false},
		{"one while it was in", func(at time.Duration) bool { return at == 22*sec }, true, 0, 1, false},
		{
			"two while it was in", func(at time.Duration) bool { return at == 22*sec || at == 23*sec }, true, 0, 1,
			false, // 7 of 40 s are around it: chance is 3 %, and there are two comparisons
		},
		{"four as it was injected", four, true, 0, 1, true},
		{"four as it was injected, one of 40 faults", four, true, 0, 40, false},
		{"30 in one burst while it was in", burst, true, 0, 1, false},
		{"20 of 30 in one burst while it was in", func(at time.Duration) bool {
			return burst(at) && at/(10*time.Millisecond)%3 > 0
		}, true, 0, 1, false},
		{"one as it was injected, and 30 in one burst while it was in", func(at time.Duration) bool {
			return burst(at) || at == 20*sec
		}, true, 0, 1, false},
		{"three, each by itself, while it was in", func(at time.Duration) bool {
			return at == 21200*time.Millisecond || at == 22400*time.Millisecond || at == 23600*time.Millisecond
		}, true, 0, 1, true},
		{"a burst that lasts until it is over", within(23*sec, 25*sec), true, 0, 1, true},
		{"a burst as it was injected, and others each 5 s", func(at time.Duration) bool {
			return at%(5*sec) < 300*time.Millisecond
		}, false, 0, 1, false},
		{"none", func(time.Duration) bool { return false }, true, 0, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var lost, held []time.Duration
			for at := time.Duration(0); at < 40*sec; at += 10 * time.Millisecond {
				if c.lost(at) {
					lost = append(lost, at)
				} else {
					held = append(held, at)
				}
			}
			l := &Ledger{spec: &Spec{Ledger: &scenarios.Ledger{}}, rounds: []*round{{began: -1}}}
			if c.read {
				r := &round{began: 18 * sec, ended: 19 * sec}
				for i := range 100 {
					r.asked = append(r.asked, found{n: min(1, i/max(1, c.absent))})
					if c.absent == 0 {
						r.asked[i].n = 1
					}
				}
				l.rounds[0] = r
			}
			faults := []*chaos.Record{{Name: "f", Injected: 20 * sec, Cleared: 25 * sec}}
			for range c.faults - 1 {
				faults = append(faults, &chaos.Record{Name: "g", Injected: 50 * sec, Cleared: 50 * sec})
			}
			s := newSuspects(l, &Run{End: 40 * sec, Faults: faults})
			s.weigh(l.rounds, lost, held)
			if s.shown[0] != c.want {
				t.Fatalf("the fault is shown to lose writes: %t", s.shown[0])
			}
			if c.faults > 1 {
				return
			}
			set, _ := s.of("w", 10*sec, false)
			if to := &s.sets[set]; (to.fault() == "f") != c.want || (len(to.possible()) == 1) == c.want {
				t.Errorf("a write is lost to %q, or maybe to %v", to.fault(), to.possible())
			}
		})
	}
}

// TestReadBacks: what the report tells of the readings, and which of them explain that a loss has no known cause.
func TestReadBacks(t *testing.T) {
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	at := func(acked float64, n int) found {
		return found{loggedWrite: loggedWrite{End: sec(acked)}, sent: sec(25), n: n}
	}
	l := &Ledger{spec: &Spec{Ledger: &scenarios.Ledger{}}, rounds: []*round{
		{Gap: Gap{After: "a", Before: "b"}, began: -1},
		{
			Gap: Gap{After: "b", Before: "c"}, began: sec(24), ended: sec(26), writes: 5,
			asked: []found{at(3, 1), at(4, 0), at(20, 0), at(21, noAnswer)},
		},
		{Gap: Gap{After: "c", Before: "d"}, began: sec(34), ended: sec(36), writes: 1, asked: []found{at(3, noAnswer)}},
		{Gap: Gap{After: "d", Before: "e"}, began: sec(44), ended: sec(46), writes: 1, asked: []found{at(3, 1)}},
	}}
	out := &result.LedgerRecord{ReadBacks: l.readBacks()}
	want := result.ReadBack{
		After: "b", Before: "c", At: 24, Took: 2, Writes: 5, Asked: 4, Found: 1, Absent: 2, Untimely: 1,
	}
	if len(out.ReadBacks) != 4 || out.ReadBacks[1] != want || out.ReadBacks[0].At.Known() {
		t.Errorf("got %+v, want %+v second", out.ReadBacks, want)
	}
	if why := l.unread(out); why != nil {
		t.Errorf("no write was lost, and %q", why.Phrase(nil))
	}
	out.LostSpans = []result.LostSpan{{Faults: []string{"a", "b", "c", "d", "e"}}}
	const text = "there was no time to read writes back between a, b; 4 of 5 writes were read back between b, c, as there " +
		"was no time for all; nothing was read back between c, d: no unit answered"
	if got := l.unread(out).Phrase(nil); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
}

// TestGap: a reading lies in its gap, ends before the next fault, and takes at most ten seconds.
func TestGap(t *testing.T) {
	for _, c := range []struct {
		gap, from, to time.Duration
		ok            bool
	}{
		{gap: 999 * time.Millisecond},
		{gap: -time.Second},
		{time.Second, 0, 750 * time.Millisecond, true},
		{10 * time.Second, 0, 9750 * time.Millisecond, true},
		{100 * time.Second, 89750 * time.Millisecond, 99750 * time.Millisecond, true},
	} {
		from, to, ok := Gap{After: "f", From: time.Hour, To: time.Hour + c.gap}.Reading()
		if ok != c.ok || ok && (from != time.Hour+c.from || to != time.Hour+c.to) {
			t.Errorf("a gap of %s: from %s to %s, %t", c.gap, from, to, ok)
		}
	}
	first, last := 58250*time.Millisecond, 59750*time.Millisecond
	if from, to, ok := (Gap{To: time.Minute}).Reading(); from != first || to != last || !ok {
		t.Errorf("before the first fault: from %s to %s, %t", from, to, ok)
	}
}
