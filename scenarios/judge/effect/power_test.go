package effect

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/judge/effect/effecttest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// update writes the table of the topic, which takes the long form.
var update = flag.Bool("update", false, "write the table of the topic statistics; needs BRUNT_FULL=1")

// A powerWorld is a target's baseline: how its response times and errors are spread.
type powerWorld struct {
	name string
	draw func(r *rand.Rand) float64 // seconds
	// its level of times, and of errors, is an AR(1) process with a time constant of 3 s
	correlated bool
}

func normalTimes(r *rand.Rand) float64 { return max(.001, .050+.008*r.NormFloat64()) }

func bimodalTimes(r *rand.Rand) float64 {
	if r.Float64() < .15 {
		return .060 * math.Exp(.1*r.NormFloat64())
	}
	return .002 * math.Exp(.2*r.NormFloat64())
}

func heavyTimes(r *rand.Rand) float64 { return .002 / math.Pow(1-r.Float64(), 1/1.3) }

var powerWorlds = []powerWorld{
	{"normal", normalTimes, false},
	{"bimodal", bimodalTimes, false},
	{"heavy-tailed", heavyTimes, false},
	{"normal, correlated", normalTimes, true},
	{"bimodal, correlated", bimodalTimes, true},
	{"heavy-tailed, correlated", heavyTimes, true},
}

// A powerEffect is what a fault does: to the share of errors at a time, in seconds, and to response times while
// it is in.
type powerEffect struct {
	name  string
	share func(at float64) float64
	times float64
	found func(a *Answer, slower bool) bool
}

const (
	powerInjected = 30370 * ms
	powerCleared  = 60810 * ms
	powerEnd      = 120 * sec
	powerUsual    = .002 // share of errors without a fault
)

func powerIn(at float64) bool { return at >= powerInjected.Seconds() && at < powerCleared.Seconds() }

// powerEffects are the columns of the table.
func powerEffects() []powerEffect {
	usual := func(float64) float64 { return powerUsual }
	during := func(share, from, until float64) func(float64) float64 {
		return func(at float64) float64 {
			if at >= from && at < until {
				return share
			}
			return powerUsual
		}
	}
	in, out := powerInjected.Seconds(), powerCleared.Seconds()
	impacted := func(a *Answer, slower bool) bool { return a.OnsetAt.Known() || slower }
	return []powerEffect{
		{"false impact", usual, 1, func(a *Answer, slower bool) bool { return a.OnsetAt.Known() || a.BadBefore || slower }},
		{"5 % errors", during(.05, in, out), 1, impacted},
		{"20 % errors", during(.2, in, out), 1, impacted},
		{"1 s of errors", during(1, 40.1, 41.1), 1, impacted},
		{"1.5x slower", usual, 1.5, impacted},
		{"3x slower", usual, 3, impacted},
		{"recovery", during(.2, in, out), 1, func(a *Answer, _ bool) bool {
			return a.RecoveredAt.Known() && math.Abs(float64(a.RecoveredAt)-out) <= 1
		}},
		{"false recovery", func(at float64) float64 {
			switch {
			case powerIn(at):
				return .2
			case at >= out:
				return .03
			}
			return powerUsual
		}, 1, func(a *Answer, _ bool) bool { return a.OnsetAt.Known() && a.RecoveredAt.Known() }},
	}
}

// play draws one run, and asks whether the fault had an impact, and whether it made answers slower.
func (w powerWorld) play(r *rand.Rand, rate float64, e *powerEffect) (Answer, bool) {
	n := int(powerEnd.Seconds() * rate)
	at, times, failed := make([]float64, n), make([]float64, n), make([]bool, n)
	m := effecttest.Errors{Most: 1}
	x, back, second := r.NormFloat64(), math.Exp(-1./3), 0
	var usual []float64
	for i := range n {
		at[i] = float64(i) / rate
		if int(at[i]) > second {
			x, second = back*x+math.Sqrt(1-back*back)*r.NormFloat64(), int(at[i])
		}
		level, errors := 1., 1.
		if w.correlated {
			level, errors = math.Exp(.15*x), math.Exp(.5*x)
		}
		times[i], failed[i] = level*w.draw(r), m.Next(r, min(1, e.share(at[i])*errors))
		if powerIn(at[i]) {
			times[i] *= e.times
		}
		if at[i] < powerInjected.Seconds() && !failed[i] {
			usual = append(usual, times[i])
		}
	}
	slices.Sort(usual)
	return w.ask(rate, at, times, failed, usual)
}

// ask judges the requests of a run as brunt does: they are bad where they failed, or are slower than the limit from
// the baseline.
func (w powerWorld) ask(rate float64, at, times []float64, failed []bool, usual []float64) (Answer, bool) {
	counter := newLatencyCounter([2]float64{1.1 * usual[len(usual)/2], 1.1 * usual[len(usual)*95/100]})
	slow := slowAbove(usual, .005)
	q := Question{Injected: powerInjected, Cleared: powerCleared, Horizon: powerEnd, Limit: .01, Hold: 10 * sec}
	var before, during, rest []LatencySlice
	i := 0
	for start := time.Duration(0); start < powerEnd; {
		s := Slice{Start: start, End: sliceEnd(start, []time.Duration{powerInjected, powerCleared}), InFlight: 1}
		l := LatencySlice{Start: start, End: s.End}
		var list []Mark
		for ; i < len(at) && at[i] < s.End.Seconds(); i++ {
			bad := failed[i] || slow > 0 && times[i] > slow
			s.N++
			if bad {
				s.Bad++
			}
			if !failed[i] {
				counter.count(&l, times[i])
			}
			list = append(list, Mark{At: time.Duration(at[i] * float64(sec)), Bad: bad})
		}
		s.Offered, s.Good, s.Ended = s.N, s.N-s.Bad, s.N
		if rate <= 500 {
			s.Marks = func(out []Mark) []Mark { return append(out, list...) }
		}
		q.Slices = append(q.Slices, s)
		switch {
		case s.End <= powerInjected:
			q.Baseline, before = append(q.Baseline, s), append(before, l)
		case s.End <= powerCleared:
			during = append(during, l)
		case s.Start >= powerCleared+q.Hold:
			rest = append(rest, l)
		}
		start = s.End
	}
	q.Before = q.Baseline
	l := Latencies{Baseline: before, Fault: during, Rest: rest}
	return Ask(q), Slower(l, l).Answer == result.Yes
}

// A latencyCounter counts answers as LatencySlice does.
type latencyCounter struct{ limits [2][]float64 }

func newLatencyCounter(limits [2]float64) (c latencyCounter) {
	for k, limit := range limits {
		for j := range LatencyRatios {
			c.limits[k] = append(c.limits[k], limit*LatencyRatio(j))
		}
	}
	return c
}

func (c *latencyCounter) count(s *LatencySlice, t float64) {
	s.N++
	for k := range c.limits {
		above, _ := slices.BinarySearch(c.limits[k], t) // limits below t
		for j := range above {
			s.Above[k][j]++
		}
	}
}

// slowAbove is the time above which an answer is bad, from the sorted times of the baseline: a second
// implementation of that of measure. Zero: they are too few.
func slowAbove(usual []float64, share float64) float64 {
	k := -1
	for lowerTail(float64(k+1), float64(len(usual)), share) <= .05 {
		k++
	}
	if k < 0 {
		return 0
	}
	bound := usual[len(usual)-1-k]
	return max(2*bound, bound+.02)
}

// TestPower gives the false alarms and the power of the rules for impact and recovery, and holds the table of the
// topic statistics against them. The long form takes some minutes; with -update it writes the table:
//
//	BRUNT_FULL=1 go test ./scenarios/judge/effect -run TestPower -v [-update]
func TestPower(t *testing.T) {
	suite.Sequential(t)
	full := suite.Full()
	const topic = "../../edit/reference/topics/statistics.md"
	text, err := os.ReadFile(topic)
	if err != nil {
		t.Fatal(err)
	}
	printed := powerTable(string(text))
	var table strings.Builder
	head, line := "| baseline | rate |", "|---|---:|"
	for _, e := range powerEffects() {
		head, line = head+" "+e.name+" |", line+"---:|"
	}
	table.WriteString(head + "\n" + line + "\n")
	for _, w := range powerWorlds {
		for _, rate := range []float64{20, 100, 1000} {
			var row strings.Builder
			fmt.Fprintf(&row, "| %s | %g/s |", w.name, rate)
			for _, e := range powerEffects() {
				trials := e.trials(rate, full)
				if !full && rate > 100 && (w.name != "normal" || e.times == 1) { // the long form has the rest
					continue
				}
				share := w.share(trials, rate, &e)
				fmt.Fprintf(&row, " %.1f %% |", 100*share)
				was, ok := printed[w.name+fmt.Sprintf(" %g/s ", rate)+e.name]
				if !ok && !*update {
					t.Errorf("%s, %g/s, %s: the topic does not say it", w.name, rate, e.name)
					continue
				}
				if off := 4*math.Sqrt(was*(1-was)/float64(trials)) + 1/float64(trials); !*update && math.Abs(share-was) > off {
					t.Errorf("%s, %g/s, %s: %.1f %%, and the topic says %.1f %%", w.name, rate, e.name, 100*share, 100*was)
				}
				if strings.HasPrefix(e.name, "false") && (was > .01 || full && share > .01) {
					t.Errorf("%s, %g/s, %s: %.1f %%, over 1 %%; the topic says %.1f %%", w.name, rate, e.name, 100*share, 100*was)
				}
			}
			t.Log(row.String())
			table.WriteString(row.String() + "\n")
		}
	}
	if *update && full {
		begin := strings.Index(string(text), "| baseline |")
		end := strings.LastIndex(string(text), "|\n") + 2
		if err := os.WriteFile(topic, []byte(string(text[:begin])+table.String()+string(text[end:])), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// trials is how many runs are played: more where one in a hundred has to show.
func (e *powerEffect) trials(rate float64, full bool) int {
	n := 20
	switch {
	case full && strings.HasPrefix(e.name, "false"):
		n = 1000
	case full:
		n = 200
	case rate > 20:
		n = 8
	}
	if rate > 100 {
		n = max(1, n/5)
		if strings.HasPrefix(e.name, "false") {
			return n
		}
		return max(1, n/2)
	}
	return n
}

// share is the share of runs in which a fault is found.
func (w powerWorld) share(trials int, rate float64, e *powerEffect) float64 {
	r := rand.New(rand.NewPCG(3, 7))
	n := 0
	for range trials {
		if a, slower := w.play(r, rate, e); e.found(&a, slower) {
			n++
		}
	}
	return float64(n) / float64(trials)
}

// powerTable reads the shares that a text prints, by baseline, rate and column.
func powerTable(text string) map[string]float64 {
	out := map[string]float64{}
	var head []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		switch {
		case strings.HasPrefix(line, "| baseline |"):
			head = cells
		case head != nil && len(cells) == len(head):
			for i := 2; i < len(cells); i++ {
				if n, err := strconv.ParseFloat(strings.TrimSuffix(cells[i], " %"), 64); err == nil {
					out[cells[0]+" "+cells[1]+" "+head[i]] = n / 100
				}
			}
		}
	}
	return out
}
