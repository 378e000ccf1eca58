package played

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// A twin is an example whose system is played, as its README describes it. Its objectives, and how they are judged,
// are those of the example's scenario; the twin has one of its loads, and its faults when they come.
type twin struct {
	example string
	set     string   // the parameter that makes it fail
	fails   []string // objectives that fail; all others hold
	rest    bool     // the outcome of the others is not checked
	rate    int
	seconds int
	timeout time.Duration
	load    []string // its name and its steps
	faults  []twinFault
	median  time.Duration // of response times, which have a heavy tail; zero is 2 ms
	lost    int64         // writes that the ledger finds lost
	group   bool
}

// A twinFault is what a fault does: to a share of the requests that are due in a part of it, from its injection on.
type twinFault struct {
	name    string
	at      time.Duration
	stays   time.Duration // zero: it happens once, and is over with its outage
	from    time.Duration // until its effect begins
	least   time.Duration // how long its effect lasts at least, and at most
	most    time.Duration
	share   float64       // of the requests; zero is all
	act     truth.Act     // of these requests
	slower  time.Duration // of these requests, besides act
	varies  time.Duration // by up to so much
	waiting bool          // they wait until the effect is over
}

// crash is a fault that makes requests fail for a time, for which its unit is away.
func crash(name string, at, least, most time.Duration) twinFault {
	return twinFault{name: name, at: at, least: least, most: most, act: f503}
}

// unseen is a fault whose unit is away for a time, which no request notices.
func unseen(name string, at, least, most time.Duration) twinFault {
	return twinFault{name: name, at: at, least: least, most: most}
}

// slowing makes all answers slower while a fault is in.
func slowing(name string, at, stays, slower, varies time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, slower: slower, varies: varies}
}

// slowAtFirst makes all answers slower from the injection on, until a breaker opens.
func slowAtFirst(name string, at, stays, lasts, slower time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: lasts, most: lasts * 5 / 4, slower: slower}
}

// failing makes a share of the requests fail while a fault is in.
func failing(name string, at, stays time.Duration, share float64) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, act: f503, share: share}
}

// frozen makes requests wait for the end of a fault.
func frozen(name string, at, stays time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, waiting: true}
}

// browsing is a load of readers.
var browsing = []string{"browse", "list posts", "read post"}

var twins = []twin{
	{
		example: "01-quickstart", rate: 150, seconds: 36, timeout: 2 * sec, load: browsing, median: 3 * ms,
		faults: []twinFault{
			unseen("lose-a-replica", 6*sec, 900*ms, 1100*ms), slowing("slow-store", 14*sec, 4*sec, 60*ms, 20*ms),
			slowAtFirst("split", 22*sec, 6*sec, 220*ms, 250*ms),
		},
	},
	{
		example: "01-quickstart", set: "replicas=1", rate: 150, seconds: 36, timeout: 2 * sec, load: browsing, median: 3 * ms,
		fails: []string{"errors < 1%", "errors < 1% in lose-a-replica", "availability > 99%"},
		faults: []twinFault{
			crash("lose-a-replica", 6*sec, sec, 1300*ms), slowing("slow-store", 14*sec, 4*sec, 60*ms, 20*ms),
			slowAtFirst("split", 22*sec, 6*sec, 220*ms, 250*ms),
		},
	},
	{
		example: "03-your-own-processes", rate: 100, seconds: 49, timeout: 2 * sec, load: []string{"customers", "price"},
		faults: []twinFault{
			unseen("lose-stock", 8*sec, 550*ms, 800*ms), slowing("slow-stock", 21*sec, 4*sec, 100*ms, 2*ms),
			slowing("freeze-stock", 33*sec, 3*sec, 100*ms, 2*ms),
		},
	},
	{
		example: "03-your-own-processes", set: "cache=off", rate: 100, seconds: 49, timeout: 2 * sec,
		load: []string{"customers", "price"}, fails: []string{"errors < 1%"}, rest: true,
		faults: []twinFault{
			crash("lose-stock", 8*sec, 550*ms, 800*ms), failing("slow-stock", 21*sec, 4*sec, 1),
			failing("freeze-stock", 33*sec, 3*sec, 1),
		},
	},
	{
		example: "04-oauth2", rate: 200, seconds: 28, timeout: 2 * sec, load: []string{"customers", "orders"},
		faults: []twinFault{{name: "lose-tokens", at: 13 * sec, stays: 4 * sec}},
	},
	{
		example: "04-oauth2", set: "life=3s", rate: 200, seconds: 28, timeout: 2 * sec, load: []string{"customers", "orders"},
		fails: []string{"errors < 1%", "errors < 1% in lose-tokens"}, faults: []twinFault{{
			name: "lose-tokens", at: 13 * sec, stays: 4 * sec, from: 1500 * ms, least: 1900 * ms, most: 2500 * ms,
			act: truth.Act{Status: 401},
		}},
	},
	{
		example: "05-graphql", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"readers", "Feed"},
		faults: []twinFault{
			unseen("lose-store", 8*sec, 550*ms, 800*ms), slowing("slow-store", 24*sec, 4*sec, 50*ms, 3*ms),
		},
	},
	{
		example: "05-graphql", set: "cache=off", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"readers", "Feed"},
		fails: []string{"errors < 1% of Feed"}, faults: []twinFault{
			crash("lose-store", 8*sec, 600*ms, 900*ms), slowing("slow-store", 24*sec, 4*sec, 50*ms, 3*ms),
		},
	},
	{
		example: "07-no-write-lost", rate: 50, seconds: 16, timeout: 4 * sec, load: []string{"write", "write post"},
		faults: []twinFault{
			unseen("lose-a-replica", 5*sec, 900*ms, 1100*ms), slowing("slow-store", 11*sec, 3*sec, 750*ms, 300*ms),
		},
	},
	{
		example: "07-no-write-lost", set: "early=on", rate: 50, seconds: 16, timeout: 4 * sec,
		load: []string{"write", "write post"}, fails: []string{"lost = 0"}, lost: 12,
		faults: []twinFault{
			unseen("lose-a-replica", 5*sec, 900*ms, 1100*ms), slowing("slow-store", 11*sec, 3*sec, 750*ms, 300*ms),
		},
	},
	{
		example: "08-zones-and-leaders", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"writers", "write"},
		faults: []twinFault{
			crash("behead#1", 6*sec, 800*ms, 1300*ms), crash("behead#2", 14*sec, 800*ms, 1300*ms),
			crash("behead#3", 22*sec, 800*ms, 1300*ms), crash("lose-zone", 30*sec, 800*ms, 1300*ms),
		},
	},
	{
		example: "10-nginx-redis", rate: 100, seconds: 42, timeout: 2 * sec, load: []string{"read", "page"},
		faults: []twinFault{
			unseen("lose-redis", 6*sec, 500*ms, 1500*ms), slowing("hang-redis", 15*sec, 4*sec, 100*ms, 2*ms),
			{name: "lose-an-app", at: 24 * sec, stays: 4 * sec},
			slowing("cut-redis", 33*sec, 4*sec, 20*ms, 10*ms),
		},
	},
	{
		example: "10-nginx-redis", set: "cache=off", rate: 100, seconds: 42, timeout: 2 * sec, load: []string{"read", "page"},
		fails: []string{"errors < 1% in hang-redis", "errors < 1% in cut-redis"}, rest: true,
		faults: []twinFault{
			crash("lose-redis", 6*sec, 500*ms, 1500*ms), failing("hang-redis", 15*sec, 4*sec, 1),
			{name: "lose-an-app", at: 24 * sec, stays: 4 * sec},
			failing("cut-redis", 33*sec, 4*sec, 1),
		},
	},
	{
		example: "12-vegeta", rate: 70, seconds: 15, timeout: 5 * sec, load: []string{"attack", "GET /posts/:id"},
		median: 3 * ms, faults: []twinFault{slowing("slow-store", 5*sec, 3*sec, 120*ms, 10*ms)},
	},
	{
		example: "17-primary-is-lost", rate: 100, seconds: 34, timeout: 2 * sec, load: []string{"writers", "write"},
		group: true,
		faults: []twinFault{{
			name: "primary-is-lost", at: 8 * sec, stays: 12 * sec, from: 2 * sec, least: 3 * sec, most: 3300 * ms, act: f503,
		}},
	},
	{
		example: "17-primary-is-lost", set: "promotion=9s", rate: 100, seconds: 34, timeout: 2 * sec,
		load: []string{"writers", "write"}, group: true, fails: []string{"recover < 5s after primary-is-lost"}, rest: true,
		faults: []twinFault{{
			name: "primary-is-lost", at: 8 * sec, stays: 12 * sec, from: 2 * sec, least: 7 * sec, most: 7300 * ms, act: f503,
		}},
	},
	{
		example: "24-grpc", rate: 200, seconds: 26, timeout: 2 * sec, load: []string{"customers", "place", "read"},
		faults: []twinFault{frozen("freeze", 6*sec, sec), crash("lose", 16*sec, 550*ms, 900*ms)},
	},
	{
		example: "24-grpc", set: "delay=80ms", rate: 200, seconds: 26, timeout: 2 * sec, median: 80 * ms,
		load: []string{"customers", "place", "read"}, fails: []string{"p95 < 50ms in baseline"},
		faults: []twinFault{frozen("freeze", 6*sec, sec), crash("lose", 16*sec, 550*ms, 900*ms)},
	},
	{
		example: "25-redis", rate: 100, seconds: 22, timeout: 2 * sec, load: []string{"shop", "place", "count", "read"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 550*ms, 900*ms)},
	},
	{
		example: "25-redis", set: "append=no", rate: 100, seconds: 22, timeout: 2 * sec, lost: 1200,
		load: []string{"shop", "place", "count", "read"}, fails: []string{"recover < 3s after lose", "lost = 0"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 20*sec, 20*sec)},
	},
	{
		example: "26-postgres-failover", rate: 200, seconds: 24, timeout: 2 * sec, load: []string{"shop", "place", "count"},
		group: true, faults: []twinFault{{
			name: "lose", at: 8 * sec, stays: 10 * sec, least: 1200 * ms, most: 2 * sec, act: f503,
		}},
	},
	{
		example: "26-postgres-failover", set: "promotion=7s", rate: 200, seconds: 24, timeout: 2 * sec,
		load: []string{"shop", "place", "count"}, fails: []string{"recover < 5s after lose"},
		group: true, faults: []twinFault{{
			name: "lose", at: 8 * sec, stays: 10 * sec, least: 7200 * ms, most: 8 * sec, act: f503,
		}},
	},
	{
		example: "28-mysql", rate: 100, seconds: 26, timeout: 2 * sec, load: []string{"shop", "place", "count"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, sec, 4*sec)},
	},
	{
		example: "28-mysql", set: "flush=0", rate: 100, seconds: 26, timeout: 2 * sec,
		load:  []string{"shop", "place", "count"},
		fails: []string{"lost = 0"}, lost: 40,
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, sec, 4*sec)},
	},
}

// lasts returns how long the effect of a fault lasts in the run of a seed.
func (f *twinFault) lasts(seed uint64) time.Duration {
	r := rand.New(rand.NewPCG(seed, uint64(len(f.name))+uint64(f.at)))
	return f.least + time.Duration(r.Float64()*float64(f.most-f.least))
}

// script is the system of a seed.
func (w *twin) script(seed uint64) truth.Script {
	sigma := math.Log(4) / 2.326 // the 99th percentile of a normal deviate
	median := w.median
	if median == 0 {
		median = 2 * ms
	}
	return func(n int) truth.Act {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		at := time.Duration(float64(n) / float64(w.rate) * float64(sec))
		a := truth.Act{Delay: time.Duration(float64(median) * math.Exp(sigma*r.NormFloat64()))}
		if w.set == "delay=80ms" {
			a.Delay = median + time.Duration(r.Float64()*2*float64(ms))
		}
		for i := range w.faults {
			f := &w.faults[i]
			end := f.at + f.from + f.lasts(seed)
			if at < f.at+f.from || at >= end || f.share > 0 && r.Float64() >= f.share {
				continue
			}
			a.Status = f.act.Status
			a.Delay += f.slower + time.Duration((2*r.Float64()-1)*float64(f.varies))
			if f.waiting {
				a.Delay += end - at
			}
		}
		return a
	}
}

// played is the case of a seed.
func (w *twin) played(sc *scenarios.Scenario, seed uint64) playedCase {
	j := sc.Judge
	p := playedCase{
		rate: w.rate, seconds: w.seconds, timeout: w.timeout, hold: j.HoldOr(), limit: j.LimitOr(), slow: j.Slow.D(),
		named: w.load, steps: len(w.load) - 1, script: w.script(seed), ended: map[int]time.Duration{}, group: w.group,
	}
	if p.slow == 0 {
		p.slowShare = j.LimitOr() / 2
	}
	for i := range w.faults {
		f := &w.faults[i]
		end := f.at + f.stays
		if f.stays == 0 { // its phase has 5 s
			over := f.at + f.lasts(seed)
			end, p.ended[i] = max(over, f.at+5*sec), over
			if end >= time.Duration(w.seconds)*sec {
				end = 0
				delete(p.ended, i)
			}
		}
		p.faults, p.called = append(p.faults, span{f.at, end}), append(p.called, f.name)
	}
	acknowledged := int64(w.rate * w.seconds)
	p.ledger = written(func(l *result.LedgerRecord) {
		l.Acknowledged, l.Lost, l.Held = acknowledged, w.lost, acknowledged-w.lost
		if w.lost > 0 {
			l.LostSpans = []result.LostSpan{{Fault: w.faults[len(w.faults)-1].name, Lost: w.lost}}
		}
	})
	return p
}

// TestExamples plays the examples whose systems can be played, 200 times each with another seed, in virtual time. Each
// has the verdicts that its README says. It logs how often each fault is seen as what.
//
// These examples are played by TestExample alone. 02 has a target of the reader's own, 06 and 16 ask a monitoring, 13
// replays a log, 11 runs k6, 14 and 15 have no fault to be judged, 27 and 29 have sessions, 30 has workers, 09 and 18
// have containers, and 00, 22 and 23 have tests of their own.
func TestExamples(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	times := max(5, suite.Trials(200)/6)
	if suite.Full() {
		times = 200
	}
	for i := range twins {
		w := &twins[i]
		t.Run(strings.TrimSpace(w.example+" "+w.set), func(t *testing.T) {
			t.Parallel()
			var o scenarios.Options
			if name, value, ok := strings.Cut(w.set, "="); ok {
				o.Set = map[string]string{name: value}
			}
			sc, err := scenarios.Parse(filepath.Join("../../../examples", w.example, "scenario.yaml"), o)
			if err != nil {
				t.Fatal(err)
			}
			outcomes := map[string]int{}
			for seed := range uint64(times) {
				w.play(t, sc, seed, outcomes)
			}
			for _, said := range slices.Sorted(maps.Keys(outcomes)) {
				t.Logf("%s: %d of %d", said, outcomes[said], times)
			}
		})
	}
}

// play plays the run of a seed, and counts what is said of each fault.
func (w *twin) play(t *testing.T, sc *scenarios.Scenario, seed uint64, outcomes map[string]int) {
	l := truth.Load{Rate: w.rate, Timeout: w.timeout, T0: time.Unix(1_000_000, 0), Requests: w.rate * w.seconds}
	p := w.played(sc, seed)
	all := slices.DeleteFunc(slices.Clone(sc.SLO), func(o slo.Objective) bool {
		// of a twin's metrics nothing is played
		return o.Load != "" && o.Load != w.load[0] || o.Metric.OfSeries() && o.Metric.Resource == ""
	})
	found := p.play(t, all, p.outcomes(l, l.Play(p.script)), time.Duration(w.seconds)*sec)
	for _, o := range found.Objectives {
		want := scenarios.Pass
		if slices.Contains(w.fails, o.Text) {
			want = scenarios.Fail
		}
		if o.Verdict != want && (want == scenarios.Fail || !w.rest) {
			t.Errorf("seed %d: %s is %s, measured %v from %v to %v, bound %v (%s), want %s", seed, o.Text, o.Verdict, o.Measured,
				o.Low, o.High, o.Bound, o.Note, want)
		}
	}
	for _, f := range found.Faults {
		outcomes[fmt.Sprintf("%s is %s, slower: %s", f.Name, f.Impact, f.Parts.Slower().Answer)]++
	}
}
