package judge_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// line returns n points, one a second from 1 on.
func line(n int, f func(t float64) float64) []result.Point {
	var out []result.Point
	for i := 1; i <= n; i++ {
		out = append(out, result.Point{T: result.Num(i), V: result.Num(f(float64(i)))})
	}
	return out
}

func TestTheilSen(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name            string
		points          []result.Point
		lives           []int
		low, high       float64 // bounds of the slope
		flat            bool    // the interval contains zero
		narrow, atLeast float64 // width of the interval
	}{
		{"a line", line(30, func(t float64) float64 { return 3*t + 7 }), nil, 2.999, 3.001, false, .001, 0},
		{"a constant", line(30, func(float64) float64 { return 7 }), nil, 0, 0, true, 0, 0},
		{"a line and an outlier in five", line(50, func(t float64) float64 {
			if int(t)%5 == 0 {
				return 1e6
			}
			return 3 * t
		}), nil, 2.9, 3.1, false, 1e4, 0},
		{"noise", line(100, func(float64) float64 { return noise.NormFloat64() }), nil, -.01, .01, true, .02, 1e-3},
		{
			"a slow leak under noise", line(300, func(t float64) float64 { return .05*t + noise.NormFloat64() }), nil, .045,
			.055, false, .01, 1e-4,
		},
		{"a saw", line(300, func(t float64) float64 { return math.Mod(t, 20) }), nil, -.02, .02, true, .1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			slope, low, high := effect.TheilSen(c.points, c.lives)
			if slope < c.low || slope > c.high || low > slope || high < slope {
				t.Errorf("slope %v, between %v and %v; want it from %v to %v", slope, low, high, c.low, c.high)
			}
			if w := high - low; w > c.narrow || w < c.atLeast || c.flat != (low <= 0 && high >= 0) {
				t.Errorf("it lies between %v and %v", low, high)
			}
		})
	}
}

// TestTheilSen_Restart: a leak is detected although a restart in the middle frees all of it.
func TestTheilSen_Restart(t *testing.T) {
	points := line(40, func(t float64) float64 { return math.Mod(t-1, 20) })
	lives := make([]int, 40)
	for i := range lives {
		lives[i] = i / 20
	}
	if slope, low, _ := effect.TheilSen(points, lives); math.Abs(slope-1) > .01 || low < .9 {
		t.Errorf("it grows by %v a second, at least %v", slope, low)
	}
	if slope, _, _ := effect.TheilSen(points, nil); slope > .9 {
		t.Errorf("without its lives it grows by %v a second: the test shows nothing", slope)
	}
}

// TestTheilSen_Interval: the interval of a trend under noise contains it 95 of 100 times.
func TestTheilSen_Interval(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	held := 0
	const times = 400
	for range times {
		_, low, high := effect.TheilSen(line(40, func(t float64) float64 { return .02*t + noise.NormFloat64() }), nil)
		if low <= .02 && high >= .02 {
			held++
		}
	}
	if share := float64(held) / times; share < .92 || share > .98 {
		t.Errorf("the interval held the trend in %.1f %% of the cases", share*100)
	}
}

func TestJudgeSeries(t *testing.T) {
	unit := func(name string, mem func(t int) int64, down func(t int) bool) result.UnitUsage {
		u := result.UnitUsage{Unit: name, Service: "posts"}
		starts := 1
		for i := 1; i <= 60; i++ {
			s := result.UsageTick{T: result.Num(i), Running: !down(i), CPU: .5, Files: result.Num(10 + i/30)}
			if s.Running {
				s.Memory = mem(i)
			}
			if i > 1 && down(i-1) && !down(i) {
				starts++
			}
			s.Starts = starts
			if i > 45 {
				s.OOMs = 1
			}
			u.Seconds = append(u.Seconds, s)
		}
		return u
	}
	never := func(int) bool { return false }
	usage := []result.UnitUsage{
		unit("posts[0]", func(int) int64 { return 100 << 20 }, never),
		unit("posts[1]", func(t int) int64 { return int64(100+t) << 20 }, func(t int) bool { return t >= 20 && t < 25 }),
	}
	gap := line(60, func(t float64) float64 {
		if t > 20 {
			return math.NaN()
		}
		return t
	})
	named := []result.Series{
		{Name: "depth", Every: 1, Points: line(60, func(t float64) float64 { return t })},
		{Name: "gap", Every: 1, Points: gap},
		{Name: "hole", Every: 1, Points: line(60, func(t float64) float64 {
			if t > 30 && t < 34 {
				return math.NaN()
			}
			return t
		})},
		{Name: "reset", Every: 1, Points: line(60, func(t float64) float64 {
			if t > 30 && t < 34 {
				return math.NaN()
			}
			return math.Mod(t, 32)
		})},
		{Name: "late", Every: 1, Points: line(60, func(t float64) float64 { return t })[30:]},
		{
			Name: "many", Every: 1, Labels: map[string]string{"zone": "a"},
			Points: line(60, func(float64) float64 { return 1 }),
		},
		{
			Name: "many", Every: 1, Labels: map[string]string{"zone": "b"},
			Points: line(60, func(float64) float64 { return 9 }),
		},
		{Name: "silent", Every: 1, Points: []result.Point{}},
		{
			Name: "calls", Every: 1, Labels: map[string]string{"unit": "a"},
			Points: line(60, func(t float64) float64 { return 1000 + 10*t }),
		},
		// started again at 30
		{Name: "calls", Every: 1, Labels: map[string]string{"unit": "b"}, Points: line(60, func(t float64) float64 {
			return 20 * math.Mod(t, 30)
		})},
		{Name: "lookups", Every: 1, Points: line(60, func(t float64) float64 { return 100 * t })},
		{Name: "idle", Every: 1, Points: line(60, func(float64) float64 { return 7 })},
		{
			Name: "codes", Every: 1, Labels: map[string]string{"code": "200"},
			Points: line(60, func(t float64) float64 { return 100 * t }),
		},
		// from 40 s on
		{
			Name: "codes", Every: 1, Labels: map[string]string{"code": "503"},
			Points: line(60, func(t float64) float64 { return t })[39:],
		},
	}
	second := time.Second
	for _, c := range []struct {
		text     string
		in       requests.Span
		verdict  scenarios.Verdict
		measured float64
		note     string
	}{
		{"posts.memory < 200MiB", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 160 << 20, "posts[1]"},
		{"posts.memory < 150MiB", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 160 << 20, "posts[1]"},
		{"posts[0].memory < 150MiB", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 100 << 20, ""},
		{"posts.memory < 150MiB", requests.Span{From: 0, To: 40 * second}, scenarios.Pass, 140 << 20, "posts[1]"},
		{"min(posts.memory) > 90MiB", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 100 << 20, "posts[0]"},
		{"posts.cpu <= 0.5", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, .5, "posts[0]"},
		{"posts.restarts = 0", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 1, "posts[1]"},
		{"posts.restarts = 0", requests.Span{From: 30 * second, To: 60 * second}, scenarios.Pass, 0, "posts[0]"},
		{"posts.ooms = 0", requests.Span{From: 0, To: 45 * second}, scenarios.Pass, 0, "posts[0]"},
		{"posts.ooms = 0", requests.Span{From: 45 * second, To: 60 * second}, scenarios.Fail, 1, "posts[0]"},
		{"slope(posts[1].memory) < 1MiB/m", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 1 << 20, ""},
		{"slope(posts[0].memory) < 1MiB/m", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 0, ""},
		{
			"slope(posts[0].memory) < 1MiB/m",
			requests.Span{From: 0, To: 9 * second},
			scenarios.Inconclusive, math.NaN(),
			"9 values, but at least 10 are needed",
		},
		{"metric(depth) < 100", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 60, ""},
		{"mean(depth) < 30", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 30.5, ""},
		{"last(depth) < 30", requests.Span{From: 0, To: 20 * second}, scenarios.Pass, 20, ""},
		{
			"metric(depth) < 100",
			requests.Span{From: 0, To: second / 2},
			scenarios.Inconclusive, math.NaN(),
			"no value was read in p, which lasted 500ms",
		},
		{
			"metric(gap) < 100",
			requests.Span{From: 0, To: 60 * second},
			scenarios.Inconclusive, 20,
			"20 values are known in p, but 60 were expected",
		},
		{"metric(gap) < 10", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 20, ""},
		{
			"metric(gap) < 100",
			requests.Span{From: 30 * second, To: 60 * second},
			scenarios.Inconclusive, math.NaN(),
			"no value is known in p",
		},
		{
			"metric(gap) < 100",
			requests.Span{From: 0, To: 30 * second},
			scenarios.Inconclusive, 20,
			"20 values are known in p, but 30 were expected, and none for 10s",
		},
		{"metric(gap) < 100", requests.Span{From: 0, To: 22 * second}, scenarios.Pass, 20, ""},
		{"metric(gap) < 100", requests.Span{From: 0, To: 22*second + second/2}, scenarios.Inconclusive, 20, "none for 2"},
		{"max(gap) > 10", requests.Span{From: 0, To: 30 * second}, scenarios.Pass, 20, ""},
		{"max(gap) > 30", requests.Span{From: 0, To: 30 * second}, scenarios.Inconclusive, 20, "none for 10s"},
		{"metric(hole) < 100", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 60, ""},
		{"metric(hole) < 50", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 60, ""},
		{"last(hole) < 100", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 60, ""},
		{"slope(hole) < 70/m", requests.Span{From: 0, To: 60 * second}, scenarios.Pass, 1, ""},
		{"metric(late) < 100", requests.Span{From: 0, To: 60 * second}, scenarios.Inconclusive, 60, "none for 31s"},
		{"metric(many) < 5", requests.Span{From: 0, To: 60 * second}, scenarios.Fail, 9, "[zone:b]"},
		{
			"metric(silent) < 5",
			requests.Span{From: 0, To: 60 * second},
			scenarios.Inconclusive, math.NaN(),
			"no value was read",
		},
		{
			"metric(other) < 5",
			requests.Span{From: 0, To: 60 * second},
			scenarios.Inconclusive, math.NaN(),
			"no value of other is known",
		},
		{"increase(lookups) < 2000", requests.Span{From: 10 * second, To: 30 * second}, scenarios.Fail, 2000, ""},
		{"increase(lookups) < 2000", requests.Span{From: 10 * second, To: 29*second + second/2}, scenarios.Pass, 1950, ""},
		{"increase(calls) < 1000", requests.Span{From: 2 * second, To: 22 * second}, scenarios.Pass, 600, ""},
		// 80 up to 29 s, 0 at 30 s, then 100
		{"increase(calls) < 1000", requests.Span{From: 25 * second, To: 35 * second}, scenarios.Pass, 100 + 180, ""},
		// read from 1 s to 60 s
		{"increase(lookups) < 7000", requests.Span{From: 0, To: 61 * second}, scenarios.Pass, 6100, ""},
		// read until 60 s
		{"increase(lookups) < 7000", requests.Span{From: 50 * second, To: 62 * second}, scenarios.Pass, 1050, ""},
		{
			"increase(lookups) < 7000",
			requests.Span{From: 50 * second, To: 70 * second},
			scenarios.Inconclusive, math.NaN(),
			"its growth in 10s of it is not known",
		},
		{"increase(lookups) < 900", requests.Span{From: 50 * second, To: 70 * second}, scenarios.Fail, math.NaN(), ""},
		{"increase(lookups) > 900", requests.Span{From: 50 * second, To: 70 * second}, scenarios.Pass, math.NaN(), ""},
		{
			"per_request(lookups) < 3",
			requests.Span{From: 50 * second, To: 70 * second},
			scenarios.Inconclusive, math.NaN(),
			"not known",
		},
		{"per_request(lookups) < 2", requests.Span{From: 50 * second, To: 70 * second}, scenarios.Fail, math.NaN(), ""},
		{
			"ratio(calls, lookups) < 99%",
			requests.Span{From: 50 * second, To: 70 * second},
			scenarios.Inconclusive, math.NaN(),
			"not known",
		},
		// unread for 4 s: the growth is that between the readings
		{"increase(hole) < 100", requests.Span{From: 2 * second, To: 60 * second}, scenarios.Pass, 58, ""},
		{"increase(reset) < 100", requests.Span{From: 2 * second, To: 60 * second}, scenarios.Pass, 56, ""},
		{"increase(reset) < 100", requests.Span{From: 34 * second, To: 60 * second}, scenarios.Pass, 26, ""},
		{"increase(late) < 100", requests.Span{From: 0, To: 60 * second}, scenarios.Inconclusive, math.NaN(), "in 31s of it"},
		{
			"increase(calls) < 1000",
			requests.Span{From: 60 * second, To: 70 * second},
			scenarios.Inconclusive, math.NaN(),
			"calls was read 0 times in p",
		},
		{
			"increase(codes) < 1",
			requests.Span{From: 38 * second, To: 40 * second},
			scenarios.Inconclusive, math.NaN(),
			"codes was read 2 times in p",
		},
		{"increase(codes) < 541", requests.Span{From: 36 * second, To: 41 * second}, scenarios.Fail, 541, ""},
		{"ratio(calls, lookups) < 31%", requests.Span{From: 2 * second, To: 22 * second}, scenarios.Pass, .3, "600 for 2000"},
		{"ratio(calls, lookups) > 31%", requests.Span{From: 2 * second, To: 22 * second}, scenarios.Fail, .3, "600 for 2000"},
		{
			"ratio(calls, idle) < 2",
			requests.Span{From: 2 * second, To: 22 * second},
			scenarios.Inconclusive, math.NaN(),
			"idle did not grow in p",
		},
		{
			"ratio(calls, other) < 2",
			requests.Span{From: 2 * second, To: 22 * second},
			scenarios.Inconclusive, math.NaN(),
			"no value of other is known",
		},
		{"per_request(calls) < 1.5", requests.Span{From: 2 * second, To: 22 * second}, scenarios.Fail, 1.5, "600 for 400"},
	} {
		t.Run(c.text, func(t *testing.T) {
			o, err := slo.ParseObjective(c.text)
			if err != nil {
				t.Fatal(err)
			}
			r := series.JudgeGauge(o, slo.ParsePhase("p"), c.in, usage, named, 400)
			r.Asked = &o
			r.Say()
			if r.Verdict != c.verdict || math.Abs(float64(r.Measured)-c.measured) > 1e-6 ||
				math.IsNaN(c.measured) != math.IsNaN(float64(r.Measured)) || !strings.Contains(r.Note, c.note) ||
				c.note == "" && r.Note != "" {
				t.Errorf("%s, measured %v, %q; want %s, %v, %q", r.Verdict, r.Measured, r.Note, c.verdict, c.measured, c.note)
			}
		})
	}
}
