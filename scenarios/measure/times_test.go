package measure

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

func TestRank(t *testing.T) {
	for _, c := range []struct {
		q    float64
		n    int64
		want int64
	}{
		{.95, 10000, 9500},
		{.95, 200, 190},
		{.5, 1, 1},
		{.01, 5, 1},
		{.99, 101, 100},
		{.999, 1000, 999},
		{99.9 / 100, 1000, 999},
		{99.9 / 100, 100_000_000, 99_900_000},
		{.95, 0, 1},
		{.999999, 10, 10},
	} {
		if got := Rank(c.q, c.n); got != c.want {
			t.Errorf("rank %g of %d is %d, want %d", c.q, c.n, got, c.want)
		}
	}
}

// TestCell_Timings: the phases of requests are counted by step, survive the spill file, and add up over windows.
func TestCell_Timings(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep})
	for i := range 30 { // over three windows
		o := request(0, 0, okay)
		o.Intended, o.Ready, o.Slot = 100*ms, 100*ms, 104*ms
		o.Opening = scenarios.Opening{DNS: 2 * ms, Connect: 10 * ms, TLS: 20 * ms}
		switch {
		case i%3 == 1: // an open connection
			o.Opening = scenarios.Opening{}
		case i == 9:
			o.Opening.Connect, o.Opening.Resent = 1040*ms, 1
		case i == 12:
			o.Opening.Connect, o.Opening.Resent = 3010*ms, 2
		}
		o.Sent = o.Slot + o.Opening.Total() + ms
		o.First, o.End = o.Sent+50*ms, o.Sent+55*ms
		for _, at := range []*time.Duration{&o.Intended, &o.Ready, &o.Slot, &o.Sent, &o.First, &o.End} {
			*at += time.Duration(i/10) * sec
		}
		g.Shard(i).Record(&o)
		whole := iteration(o)
		g.Shard(i).Record(&whole)
	}
	g.now = 60 * sec
	total := &Cell{}
	if err := g.Finish().Cells(func(k Key, c *Cell) {
		if k.Series == 0 {
			total.Add(c)
		} else if c.TimingsOf() != nil {
			t.Errorf("an iteration has timings: %+v", c.TimingsOf())
		}
	}); err != nil {
		t.Fatal(err)
	}
	got := total.TimingsOf()
	for _, c := range []struct {
		name  string
		of    *result.Timing
		n     int64
		total float64
		most  float64
	}{
		{"queue", got.Queue, 30, .12, .004},
		{"dns", got.DNS, 20, .04, .002},
		{"connect", got.Connect, 20, .18 + 1.04 + 3.01, 3.01},
		{"tls", got.TLS, 20, .4, .02},
		{"send", got.Send, 30, .03, .001},
		{"first byte", got.FirstByte, 30, 1.5, .05},
		{"receive", got.Receive, 30, .15, .005},
	} {
		if c.of == nil {
			t.Errorf("%s: none", c.name)
		} else if d := float64(c.of.Total) - c.total; c.of.Count != c.n || d > 1e-9 || d < -1e-9 ||
			float64(c.of.Max) != c.most {
			t.Errorf("%s: %+v, want %d requests, %g s in total, %g s at most", c.name, *c.of, c.n, c.total, c.most)
		}
	}
	if got.Login != nil {
		t.Errorf("login: %+v", got.Login)
	}
	if want := (result.Resent{Count: 2, Least: 1.04, Most: 3.01}); *total.ResentOf() != want {
		t.Errorf("SYNs sent again: %+v, want %+v", total.ResentOf(), want)
	}
}

// TestReadCell_Version: a cell of another version is refused with both versions.
func TestReadCell_Version(t *testing.T) {
	body := (&Cell{}).append(nil, Key{}, false)
	body[0] = 2
	if _, err := readCell(body, &Cell{}); err == nil || !strings.Contains(err.Error(), "version 2") ||
		!strings.Contains(err.Error(), "versions 3 to 8") {
		t.Errorf("%v", err)
	}
}

// TestReadCell_Version3: a cell of version 3, which knows nothing of when requests were shed, is read.
func TestReadCell_Version3(t *testing.T) {
	var c, back Cell
	for _, kind := range []scenarios.Kind{scenarios.OK, scenarios.Error} {
		o := edgeOf(sec+time.Duration(kind)*time.Millisecond, time.Millisecond, 0, kind)
		c.edge(&o, 0, 0, 0, sec)
	}
	body := c.append(nil, Key{Start: sec}, false)
	body[0] = 3
	// Without requests that were cut off, answers that are not whole, attempts, the slots of shed requests and
	// of slow answers, answers over limits,
	// when requests were ready, the times without brunt's own, the requests that missed a fault.
	body = body[:len(body)-13]
	if _, err := readCell(body, &back); err != nil {
		t.Fatal(err)
	}
	if back.Edges.Shed || !back.Edges.Bad || !reflect.DeepEqual(back.Edges, c.Edges) || len(back.Edges.Marks(nil)) != 2 {
		t.Errorf("%+v", back.Edges)
	}
}

// TestReadCell_Version5: a cell of version 5, which knows nothing of answers that are not whole, is read.
func TestReadCell_Version5(t *testing.T) {
	c, back := Cell{Attempts: 7, checks: checks{wants: wants{5, 3}}}, Cell{}
	body := c.append(nil, Key{Start: sec}, false)
	if _, err := readCell(body, &back); err != nil || back.checks.wants != c.checks.wants {
		t.Fatalf("%+v: %v", back.checks.wants, err)
	}
	body[0] = 5
	if _, err := readCell(body[:len(body)-6], &back); err != nil || back.checks.wants != (wants{}) || back.Attempts != 7 {
		t.Errorf("%+v: %v", back, err)
	}
}

// TestReadCell_Version6: a cell of version 6, which does not tell slow answers from other bad ones, is read.
func TestReadCell_Version6(t *testing.T) {
	var c, back Cell
	for _, kind := range []scenarios.Kind{scenarios.OK, scenarios.Error} {
		o := edgeOf(sec+time.Duration(kind)*time.Millisecond, time.Millisecond, 0, kind)
		c.edge(&o, 0, 0, 0, sec)
	}
	body := c.append(nil, Key{Start: sec}, false)
	body[0] = 6
	body = body[:len(body)-4] // without requests that were cut off
	after := len(body) - 6    // what follows the edges is six numbers
	if _, err := readCell(append(body[:after-2:after-2], body[after:]...), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Edges, c.Edges) || len(back.Edges.Marks(nil)) != 2 {
		t.Errorf("%+v", back.Edges)
	}
}

// TestCell_Cut: of the requests that brunt cut off, those that lasted longer than a limit by then are bad all the same,
// also after the cell was written and read back, and added to another one.
func TestCell_Cut(t *testing.T) {
	r, err := New(Config{
		Series: Series{Loads: []SeriesLoad{{Name: "l"}}, Steps: []SeriesStep{{Name: "s"}}}, Slow: 3 * sec,
		Limits: []Limit{{At: 2 * sec}, {At: 5 * sec}}, Timeout: 60 * sec, Now: func() time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	record := func(kind scenarios.Kind, cause scenarios.Cause, ms, took time.Duration) {
		at := sec + ms*time.Millisecond
		r.Shard(0).Record(&scenarios.Outcome{
			Kind: kind, Cause: cause, Intended: at, Ready: at, Slot: at, Sent: at, WasSent: true, End: at + took,
		})
	}
	record(scenarios.OK, 0, 1, sec/10)
	record(scenarios.Error, scenarios.Status(500), 100, sec/10)
	record(scenarios.Error, scenarios.Unfinished, 200, sec)
	record(scenarios.Error, scenarios.Unfinished, 300, 4*sec)
	record(scenarios.Error, scenarios.Unfinished, 400, 6*sec)
	record(scenarios.Skipped, scenarios.Unfinished, 500, sec)
	var all, back Cell
	cells := 0
	err = r.Finish().Cells(func(k Key, c *Cell) {
		if k.Series != 0 || k.Start != sec {
			return
		}
		cells++
		if _, err := readCell(c.append(nil, k, false), &back); err != nil {
			t.Fatal(err)
		}
		all.Add(&back)
		marks := 0
		cut := back.Edges.Uncut()
		for _, m := range cut.Marks(nil) {
			if m.Bad {
				marks++
			}
		}
		if marks != 3 { // the error, and those that lasted longer than Slow
			t.Errorf("%d bad requests in the edges without those that were cut off, want 3", marks)
		}
	})
	if err != nil || cells != 1 {
		t.Fatalf("%d cells: %v", cells, err)
	}
	all.Add(&back)
	n := all.Counts()
	if n.Cut.Errors != 6 || n.Cut.Skipped != 2 || n.Bad() != 10 {
		t.Errorf("%+v, want 6 and 2 of 10 bad", n.Cut)
	}
	for _, c := range []struct {
		name string
		of   *Counts
		bad  int64
	}{
		{"no limit", n.Uncut(-1), 2}, {"2 s", n.Uncut(0), 6}, {"5 s", n.Uncut(1), 4}, {"slow", n.UncutSlow(), 6},
	} {
		if c.of.Bad() != c.bad || c.of.Offered() != 2+c.bad || c.of.Failed != c.bad {
			t.Errorf("%s: %d bad of %d, %d failed checks; want %d", c.name, c.of.Bad(), c.of.Offered(), c.of.Failed, c.bad)
		}
	}
}

// TestTimes_Lagged: a percentile is marked where more than a tenth of it is lag.
func TestTimes_Lagged(t *testing.T) {
	var lag, response Times
	var s Scratch
	for i := range 100 {
		lag.take(time.Duration(i)*10*time.Microsecond, &s)
		response.take(5*ms+time.Duration(i*i)*time.Microsecond, &s)
	}
	lag.settle(&s)
	response.settle(&s)
	times := response.Plain()
	// p50: .49 of 7.4 ms, p90: .89 of 12.9, p95: .94 of 13.8, p99 .98 of 14.6
	if got := lag.Lagged(&times); len(got) != 0 {
		t.Errorf("%v", got)
	}
	times.P50, times.P99 = .0048, .0097
	if got := lag.Lagged(&times); !slices.Equal(got, []string{"p50", "p99"}) {
		t.Errorf("%v", got)
	}
	times.P50 = result.NaN // more failed
	if got := lag.Lagged(&times); !slices.Equal(got, []string{"p99"}) {
		t.Errorf("%v", got)
	}
	if got := new(Times).Lagged(&times); got != nil {
		t.Errorf("without lag: %v", got)
	}
}
