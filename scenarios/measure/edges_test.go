package measure

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
)

// edgeOf is an answer intended at a time that took d, d of which lag was the generator's own.
func edgeOf(at, d, lag time.Duration, kind scenarios.Kind) scenarios.Outcome {
	return scenarios.Outcome{
		Kind: kind, Intended: at, Ready: at + lag, Slot: at + lag, Sent: at + lag, End: at + d, WasSent: true, Answered: true,
	}
}

// TestEdges_Order compares marks with a list of requests, whatever cells the requests were counted in
// and in whatever order they ended.
func TestEdges_Order(t *testing.T) {
	const slow = 50 * time.Millisecond
	r := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		rate := []int{20, 100, 1000}[r.IntN(3)]
		from, to := r.IntN(rate), r.IntN(rate)
		second := time.Duration(r.IntN(100)-3) * time.Second
		type truth struct {
			at  time.Duration
			bad bool
		}
		var list []truth
		cells := make([]Cell, 3)
		for _, i := range r.Perm(rate) {
			at := second + time.Duration(i)*time.Second/time.Duration(rate)
			o := edgeOf(at, time.Millisecond, 0, scenarios.OK)
			bad := i >= from && i < to
			switch {
			case bad && i%3 == 0:
				o.Kind = scenarios.Error
			case bad && i%3 == 1:
				o.Kind = scenarios.Skipped
			case bad:
				o.End = at + slow + 1
			case i%7 == 0:
				o.End = at + slow // just not slow
			}
			cells[r.IntN(len(cells))].edge(&o, o.Lag(), o.Lag(), slow, second)
			list = append(list, truth{at, bad})
		}
		sum := Edges{}
		for i := range cells { // as they come back from the file
			var back Cell
			cells[i].Settle(&Scratch{})
			if _, err := readCell(cells[i].append(nil, Key{Start: second}, false), &back); err != nil {
				t.Fatal(err)
			}
			if (back.Edges.Bad || back.Edges.Shed) && !reflect.DeepEqual(back.Edges, cells[i].Edges) {
				t.Fatal("the slots that come back are others than those that were written")
			}
			e := back.Edges.Clone()
			sum.Merge(&e)
		}
		firstBad, lastBad := time.Duration(-1)<<62, time.Duration(-1)<<62
		for _, x := range list {
			if x.bad && (lastBad < x.at) {
				lastBad = x.at
			}
			if x.bad && (firstBad < -1<<61 || x.at < firstBad) {
				firstBad = x.at
			}
		}
		if sum.Bad != (from < to) || sum.Bad && (sum.FirstBad != firstBad || sum.LastBad != lastBad) {
			t.Fatalf("bad from %s to %s, want %s to %s", sum.FirstBad, sum.LastBad, firstBad, lastBad)
		}
		marks := sum.Marks(nil)
		if sum.Bad && rate <= int(sec/edgeSlot) && len(cells) == 3 {
			nBad := 0
			for i, m := range marks {
				if i > 0 && m.At < marks[i-1].At {
					t.Fatalf("mark %d at %s comes after %s", i, m.At, marks[i-1].At)
				}
				if m.Bad {
					nBad++
				}
			}
			if nBad != to-from {
				t.Errorf("%d marks are bad, want %d", nBad, to-from)
			}
		}
	}
}

// TestEdges_Lagged: what brunt itself caused is counted apart from what the target did.
func TestEdges_Lagged(t *testing.T) {
	const slow, sec = 50 * time.Millisecond, time.Second
	unsent := scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Unsent, Intended: sec, Ready: 3 * sec, Slot: 3 * sec, End: 3 * sec,
	}
	queued := scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Timeout, Intended: sec, Ready: sec, Slot: 3 * sec, End: 3 * sec,
	}
	skipped := scenarios.Outcome{
		Kind: scenarios.Skipped, Cause: scenarios.Unsent, Intended: sec, Ready: sec, Slot: sec, End: 3 * sec,
	}
	for _, c := range []struct {
		name         string
		o            scenarios.Outcome
		slow         time.Duration
		marks        string // g is good, b is bad
		lagged       int
		countsAsSlow int64
	}{
		{"good", edgeOf(sec, slow, 0, scenarios.OK), slow, "g", 0, 0},
		{"slow", edgeOf(sec, slow+1, 0, scenarios.OK), slow, "b", 0, 1},
		{"slow by lag alone", edgeOf(sec, 60*time.Millisecond, 20*time.Millisecond, scenarios.OK), slow, "g", 1, 1},
		{"slow, with lag", edgeOf(sec, 90*time.Millisecond, 20*time.Millisecond, scenarios.OK), slow, "b", 0, 1},
		{"late by more than a second", edgeOf(sec, 2*sec, 2*sec, scenarios.OK), 0, "g", 0, 0},
		{"no answer is slow without a limit", edgeOf(sec, time.Hour, 0, scenarios.OK), 0, "g", 0, 0},
		{"an error", edgeOf(sec, time.Millisecond, 0, scenarios.Error), slow, "b", 0, 0},
		{"shed", edgeOf(sec, time.Hour, 0, scenarios.Shed), slow, "", 0, 0},
		{"never sent for lag", unsent, slow, "", 1, 0},
		{"skipped because brunt failed", skipped, slow, "", 1, 0},
		{"never sent for a full queue", queued, slow, "b", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cell, back Cell
			cell.edge(&c.o, c.o.Lag(), c.o.Lag(), c.slow, sec)
			if _, err := readCell(cell.append(nil, Key{Start: sec}, false), &back); err != nil {
				t.Fatal(err)
			}
			e := back.Edges.Clone()
			var got strings.Builder
			for _, m := range e.Marks(nil) {
				if want := sec + min(c.o.Lag(), sec-edgeSlot); m.At != want {
					t.Errorf("a mark at %s, want %s", m.At, want)
				}
				got.WriteString(map[bool]string{false: "g", true: "b"}[m.Bad])
			}
			if got.String() != c.marks || e.Lagged() != c.lagged || back.Slow != c.countsAsSlow {
				t.Errorf("%q, lagged %d, slow %d; want %q, %d, %d", got.String(), e.Lagged(), back.Slow, c.marks, c.lagged,
					c.countsAsSlow)
			}
		})
	}
}

// TestEdges_Shed: shed requests are no marks, and bad ones where that is asked for, after the file and merging, too.
func TestEdges_Shed(t *testing.T) {
	const sec = time.Second
	sum := Edges{}
	for i, kinds := range [][]scenarios.Kind{
		{scenarios.OK, scenarios.Shed, scenarios.OK}, {scenarios.Shed}, {scenarios.Error, scenarios.Shed}, {scenarios.OK},
	} {
		var cell, back Cell
		for j, kind := range kinds {
			o := edgeOf(sec+time.Duration(100*i+10*j)*time.Millisecond, time.Millisecond, 0, kind)
			cell.edge(&o, 0, 0, 0, sec)
		}
		if _, err := readCell(cell.append(nil, Key{Start: sec}, false), &back); err != nil {
			t.Fatal(err)
		}
		e := back.Edges.Clone()
		sum.Merge(&e)
	}
	order := func(e Edges) string {
		var out strings.Builder
		for _, m := range e.Marks(nil) {
			out.WriteString(map[bool]string{false: "g", true: "b"}[m.Bad])
		}
		return out.String()
	}
	if got := order(sum); got != "ggbg" {
		t.Errorf("%q, want ggbg: shed requests are neither good nor bad", got)
	}
	bad := sum.ShedAsBad()
	if got := order(bad); got != "gbgbbbg" || bad.FirstBad != 1010*time.Millisecond ||
		bad.LastBad != 1210*time.Millisecond {
		t.Errorf("%q from %s to %s, want gbgbbbg from 1.01s to 1.21s", got, bad.FirstBad, bad.LastBad)
	}
	if got := order(sum); got != "ggbg" || sum.FirstShed != 1010*time.Millisecond ||
		sum.LastShed != 1210*time.Millisecond {
		t.Errorf("%q, shed from %s to %s: the copy shares memory", got, sum.FirstShed, sum.LastShed)
	}
}

// TestEdges_Beyond: by a limit of an objective's own, answers over it are bad, and not those that are slow by another
// limit, in both directions, after the file and merging, too.
func TestEdges_Beyond(t *testing.T) {
	const sec, slow = time.Second, 50 * time.Millisecond
	limits := []Limit{
		{At: 20 * time.Millisecond, Edges: true}, {At: 30 * time.Millisecond}, {At: 100 * time.Millisecond, Edges: true},
	}
	r := Recorder{cfg: Config{Limits: limits}}
	sum := Edges{}
	for i, took := range []time.Duration{10, 40, 60, 10, 150, 60, 40, 0, 10} { // milliseconds; 0 is an error
		var cell, back Cell
		o := edgeOf(sec+time.Duration(10*i)*time.Millisecond, took*time.Millisecond, 0, scenarios.OK)
		if took == 0 {
			o.Kind = scenarios.Error
		} else {
			cell.overEdge(&o, r.beyond(&o, 0, nil), limits, sec)
		}
		cell.edge(&o, 0, 0, slow, sec)
		if _, err := readCell(cell.append(nil, Key{Start: sec}, false), &back); err != nil {
			t.Fatal(err)
		}
		e := back.Edges.Clone()
		sum.Merge(&e)
	}
	order := func(e Edges) string {
		var out strings.Builder
		for i, m := range e.Marks(nil) {
			if want := sec + time.Duration(10*i)*time.Millisecond; m.At > want || m.At < want-edgeSlot {
				t.Errorf("mark %d is at %s, want %s", i, m.At, want)
			}
			out.WriteString(map[bool]string{false: "g", true: "b"}[m.Bad])
		}
		return out.String()
	}
	for limit, want := range map[int]string{0: "gbbgbbbbg", 1: "gggggggbg", 2: "ggggbggbg", 7: "gggggggbg"} {
		if got := order(sum.Beyond(limit)); got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
	}
	if got := order(sum); got != "ggbgbbgbg" {
		t.Errorf("%q, want ggbgbbgbg: the copies share memory", got)
	}
	fast := Edges{} // and no answer is bad but by a limit
	o := edgeOf(sec, 40*time.Millisecond, 0, scenarios.OK)
	var cell Cell
	cell.edge(&o, 0, 0, slow, sec)
	cell.overEdge(&o, []excess{{limit: 0}, {limit: 2, late: true}}, limits, sec)
	e := cell.Edges.Clone()
	fast.Merge(&e)
	for limit, want := range []string{"b", "g", "g"} {
		if got := order(fast.Beyond(limit)); got != want {
			t.Errorf("one answer, limit %d: %q, want %q", limit, got, want)
		}
	}
}

// TestEdges_LastIsExact: the last request of a kind is known exactly, in whatever slot it lies.
func TestEdges_LastIsExact(t *testing.T) {
	for i := 1; i < int(sec/edgeSlot); i++ {
		at := time.Duration(i)*edgeSlot + 700*time.Microsecond
		e := Edges{}
		e.GoodAt(0, 0)
		e.GoodAt(0, at)
		marks := e.Marks(nil)
		if last := marks[len(marks)-1].At; len(marks) != 2 || last != at {
			t.Fatalf("slot %d: the last of %d marks is at %v, want %v", i, len(marks), last, at)
		}
	}
}
