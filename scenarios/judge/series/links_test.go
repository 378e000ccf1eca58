package series_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// calls are the times of calls on a link, in seconds, ascending.
type calls []float64

// in counts the calls from one time on until another.
func (c calls) in(from, to float64) float64 {
	i, _ := slices.BinarySearch(c, from)
	j, _ := slices.BinarySearch(c, to)
	return float64(j - i)
}

// read returns the link as a run would count it: every 200 ms, at times that vary, and for 2 s before the load, which
// begins at 0.
func (c calls) read(random *rand.Rand) result.Link {
	slices.Sort(c)
	l := result.Link{From: "web[0]", To: "store[0]", Calls: true, Every: .2, Quiet: 2}
	l.Background = result.Num(c.in(-2, 0) / 2)
	for t := -.2; t < 30; t += .2 { // the first reading is before the load
		at := t + .1*random.Float64()
		l.Points = append(l.Points, result.Point{T: result.Num(at), V: result.Num(c.in(-100, at))})
	}
	return l
}

// TestAmplification simulates a service that makes one call for each request, and three in a fault, beside probes at
// regular intervals. The bounds hold the truth in each of 200 simulations, and the objective is not decided against it.
func TestAmplification(t *testing.T) {
	upper, err := slo.ParseObjective("amplification(web -> store) < 1.5 in errs")
	if err != nil {
		t.Fatal(err)
	}
	decided := 0
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		rate, every := 5+95*random.Float64(), .1+2*random.Float64() // requests per second, seconds from probe to probe
		from := 10 + random.Float64()
		to := from + 2 + 8*random.Float64()
		factor := []float64{1, 3}[seed%2]
		var own, all calls
		sent := map[bool]int64{}
		for at := random.Float64() / rate; at < 30; at += random.ExpFloat64() / rate {
			n := 1.
			if at >= from && at < to {
				n = factor
				sent[true]++
			} else if at < from {
				sent[false]++
			}
			for range int(n) {
				own = append(own, at)
			}
		}
		all = slices.Clone(own)
		for at := -5 + every*random.Float64(); at < 30; at += every {
			all = append(all, at)
		}
		link := all.read(random)
		for _, in := range []struct {
			name     string
			from, to float64
			sent     int64
		}{{"baseline", 0, from, sent[false]}, {"errs", from, to, sent[true]}} {
			truth := own.in(in.from, in.to) / float64(in.sent)
			o := upper
			o.Phase = slo.ParsePhase(in.name)
			r := series.JudgeLink(o, o.Phase, requests.Span{From: result.Num(in.from).D(), To: result.Num(in.to).D()},
				[]result.Link{link}, in.sent)
			if !(float64(r.Low) <= truth+1e-6 && truth-1e-6 <= float64(r.High)) ||
				r.Low > r.Measured || r.Measured > r.High {
				t.Errorf("seed %d, %s: %v in %v to %v; the truth is %v",
					seed, in.name, r.Measured, r.Low, r.High, truth)
			}
			want := scenarios.Pass
			if !o.Holds(truth) {
				want = scenarios.Fail
			}
			if r.Verdict == want {
				decided++
			} else if r.Verdict != scenarios.Inconclusive {
				t.Errorf("seed %d, %s: %s at a truth of %v", seed, in.name, r.Verdict, truth)
			}
		}
	}
	if decided < 390 { // all of them as measured
		t.Errorf("%d of 400 objectives were decided", decided)
	}
}

// TestJudgeLink_Unknown: where calls are not known, the objective is not decided, and says why.
func TestJudgeLink_Unknown(t *testing.T) {
	o, err := slo.ParseObjective("amplification(web -> store) < 1.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*result.Link)
		sent   int64
		want   result.NoteKind
	}{
		{"known", func(*result.Link) {}, 20, result.GrowthFor},
		{"bytes", func(l *result.Link) { l.Calls = false }, 20, result.CallsUnread},
		{"another protocol", func(l *result.Link) { l.Unread = 2 }, 20, result.ConnectionsUnread},
		{"no quiet time", func(l *result.Link) { l.Quiet, l.Background = 0, result.NaN }, 20, result.QuietNone},
		{"few readings", func(l *result.Link) { l.Points = l.Points[:2] }, 20, result.FewCounts},
		{"no requests", func(*result.Link) {}, 0, result.RequestsUnsent},
		{"another link", func(l *result.Link) { l.To = "users[0]" }, 20, result.ValueUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := result.Link{From: "web[0]", To: "store[0]", Calls: true, Every: .2, Quiet: 20}
			for i := range 11 {
				l.Points = append(l.Points, result.Point{T: result.Num(i) / 5, V: result.Num(2 * i)})
			}
			tt.change(&l)
			in := requests.Span{To: 2 * time.Second}
			r := series.JudgeLink(o, slo.ParsePhase("run"), in, []result.Link{l}, tt.sent)
			if known := tt.want == result.GrowthFor; len(r.Because) == 0 || r.Because[0].Kind != tt.want ||
				known != (r.Verdict == scenarios.Pass) || !known && r.Verdict != scenarios.Inconclusive {
				t.Errorf("%s, %+v", r.Verdict, r.Because)
			}
		})
	}
}

// TestAmplifications: the links between two services are one row, of bytes if no calls were counted, and without a row
// if the calls of a part are unknown. A link without traffic changes neither.
func TestAmplifications(t *testing.T) {
	link := func(from, to string, counted bool, unread int64) result.Link {
		l := result.Link{From: from, To: to, Calls: counted, Unread: unread, Every: .2, Background: result.NaN}
		for i := range 11 {
			l.Points = append(l.Points, result.Point{T: result.Num(i) / 5, V: result.Num(10 * i)})
		}
		return l
	}
	idle := func(from, to string, counted bool) result.Link {
		l := link(from, to, counted, 0)
		for i := range l.Points {
			l.Points[i].V = 0
		}
		return l
	}
	run := slo.ParsePhase("run")
	got := series.Amplifications([]result.Link{
		link("web[0]", "store[0]", true, 0), link("web[1]", "store[0]", true, 0), link("web[0]", "users[0]", false, 0),
		link("web[0]", "mail[0]", true, 0), link("web[1]", "mail[0]", true, 3),
		link("web[0]", "queue[0]", true, 0), link("web[1]", "queue[0]", false, 3),
		link("web[0]", "files[0]", false, 3), idle("web[1]", "files[0]", true),
		link("web[0]", "cache[0]", true, 0), idle("web[1]", "cache[0]", false),
	}, []slo.Phase{run}, []requests.Span{{To: 2 * time.Second}}, []int64{100})
	var text strings.Builder
	for _, a := range got {
		text.WriteString(fmt.Sprintf("%s %s %v; ", a.To, a.Unit, a.In(run).Value))
	}
	if want := "store calls 2; users bytes 1; files bytes 1; cache calls 1; "; text.String() != want {
		t.Errorf("got %s, want %s", text.String(), want)
	}
}

// TestAround: the readings that result.json keeps give the same calls per request as all of them.
func TestAround(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	link := result.Link{From: "web[0]", To: "store[0]", Calls: true, Every: .2, Background: .5, Quiet: 2}
	for i, v := 0, result.Num(0); i < 150; i++ {
		v += result.Num(random.IntN(20))
		link.Points = append(link.Points, result.Point{T: result.Num(i)/5 + result.Num(random.Float64())/10, V: v})
	}
	var names []slo.Phase
	var spans []requests.Span
	var phases []result.Phase
	var sent []int64
	var edges []time.Duration
	for _, s := range []float64{-1, 0, 4.7, 11, 19, 40} {
		edges = append(edges, time.Duration(s*float64(time.Second)))
	}
	for i := range edges[1:] {
		names, sent = append(names, slo.ParsePhase(fmt.Sprint("f", i))), append(sent, 100)
		spans = append(spans, requests.Span{From: edges[i], To: edges[i+1]})
		phases = append(phases, result.Phase{Name: names[i], Start: result.Sec(edges[i]), End: result.Sec(edges[i+1])})
	}
	all := []result.Link{link, {From: "web[1]", To: "store[0]", Points: []result.Point{}}}
	few := result.Around(all, phases)
	if got := len(few[0].Points); got > 4*len(edges)+2 || len(few[1].Points) != 0 || len(all[0].Points) != 150 {
		t.Errorf("%d of %d readings, want 4 for each of %d edges", got, len(all[0].Points), len(edges))
	}
	got, want := series.Amplifications(few[:1], names, spans, sent), series.Amplifications(all[:1], names, spans, sent)
	if len(got) != 1 || len(want) != 1 || len(want[0].Phases) < 3 {
		t.Fatalf("of the readings that are kept %+v, of all %+v", got, want)
	}
	for _, p := range want[0].Phases {
		if kept := got[0].In(p.Phase); kept == nil || *kept != p {
			t.Errorf("of the readings that are kept %+v, of all %+v", kept, p)
		}
	}
}
