package k6

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSketch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		draw func() float64
	}{
		{"times", func() float64 { return math.Exp(r.NormFloat64() * 2) }},
		{"both signs", func() float64 { return r.NormFloat64() * 1000 }},
		{"shares", r.Float64},
		{"whole numbers", func() float64 { return float64(r.IntN(20)) }},
		{"many zeros", func() float64 { return float64(r.IntN(2)) * r.Float64() }},
		{"far apart", func() float64 { return math.Pow(10, float64(r.IntN(30)-15)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sketch
			var all []float64
			for range 20_000 {
				v := c.draw()
				s.add(v)
				all = append(all, v)
			}
			slices.Sort(all)
			shares := []float64{0, .5, .9, .95, .99, .999, 1}
			for i, got := range s.quantiles(shares...) {
				want := all[max(0, int(math.Ceil(shares[i]*float64(len(all))-1e-9))-1)]
				if math.Abs(got-want) > .001*math.Abs(want) {
					t.Errorf("p%g is %g, want %g", shares[i]*100, got, want)
				}
			}
			if s.min != all[0] || s.max != all[len(all)-1] || s.count != 20_000 {
				t.Errorf("from %g to %g, %d", s.min, s.max, s.count)
			}
		})
	}
	var s sketch
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		s.add(v)
	}
	if s.count != 0 || s.quantiles(.5)[0] != 0 {
		t.Errorf("%+v", s)
	}
}

func TestParseExpression(t *testing.T) {
	for _, c := range []struct{ source, what, op string }{
		{"p(95)<200", "p(95)", "<"},
		{" p(99.9) <= 1e3 ", "p(99.9)", "<="},
		{"avg>=-5", "avg", ">="},
		{"med!=0.5", "med", "!="},
		{"count===100", "count", "==="},
		{"rate<0.01", "rate", "<"},
		{"value>1", "value", ">"},
	} {
		e, err := parseExpression(c.source)
		if err != nil || e.text() != c.what || e.op != c.op {
			t.Errorf("%q: %+v, %v", c.source, e, err)
		}
	}
	for _, bad := range []string{
		"", "p95<200", "p(101)<1", "count", "count<", "count<x", "sum<1", "p()<1", "rate=<1", "rate<1 rate<2",
	} {
		if e, err := parseExpression(bad); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
}

func TestTally(t *testing.T) {
	tally := NewTally()
	for _, l := range []struct {
		metric, source string
		abort          bool
		delay          time.Duration
		holds          bool
		count          int64
		measured       float64
		aborts         bool
	}{
		{metric: "d", source: "p(50)<200", holds: true, count: 4, measured: 20},
		{metric: "d", source: "max<40", count: 4, measured: 40, abort: true, aborts: true},
		{metric: "d", source: "min==10", holds: true, count: 4, measured: 10, abort: true},
		{metric: "d", source: "avg>100", count: 4, measured: 25, abort: true, delay: time.Minute},
		{metric: "d{name:a}", source: "max<30", holds: true, count: 2, measured: 20},
		{metric: "d{name:a, status:200}", source: "max<30", holds: true, count: 1, measured: 10},
		{metric: `d{name:"b"}`, source: "med>=30", holds: true, count: 2, measured: 30},
		{metric: "n", source: "count==3", holds: true, count: 2, measured: 3},
		{metric: "n", source: "rate<0.2", count: 2, measured: .3},
		{metric: "r", source: "rate>0.6", holds: true, count: 3, measured: 2. / 3},
		{metric: "g", source: "value<8", holds: true, count: 2, measured: 7},
		{metric: "never", source: "count<1", holds: true},
		{metric: "g", source: "p(95)<8", holds: true},
	} {
		if err := tally.Limit(l.metric, l.source, l.abort, l.delay); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_, all := tally.Sum(10 * time.Second)
			i := slices.IndexFunc(all, func(x Threshold) bool { return x.Metric == l.metric && x.Source == l.source })
			if x := all[i]; x.Holds != l.holds || x.Count != l.count ||
				math.Abs(x.Measured-l.measured) > .001*math.Abs(l.measured) || x.Abort != l.aborts {
				t.Errorf("%+v, want %+v", x, l)
			}
		}()
	}
	add := func(name, typ string, v float64, tags ...string) {
		for _, s := range tally.Metric(name, typ, "default") {
			if s.Whole() != (s.of == nil) {
				t.Errorf("%s is whole: %v", s.name, s.Whole())
			}
			if s.Takes(func(k string) (string, bool) {
				i := slices.Index(tags, k)
				if i < 0 {
					return "", false
				}
				return tags[i+1], true
			}) {
				s.Add(v)
			}
		}
	}
	add("d", "trend", 10, "name", "a", "status", "200")
	add("d", "trend", 20, "name", "a", "status", "500")
	add("d", "trend", 30, "name", "b")
	add("d", "trend", 40, "name", "b")
	add("n", "counter", 1)
	add("n", "counter", 2)
	add("r", "rate", 1)
	add("r", "rate", 5)
	add("r", "rate", 0)
	add("g", "gauge", 3)
	add("g", "gauge", 7)
	if got := tally.Misfits(); len(got) != 1 || !strings.Contains(got[0], "p(95)<8") {
		t.Errorf("%q", got)
	}
	all, _ := tally.Sum(10 * time.Second)
	if len(all) != 7 {
		t.Errorf("%d metrics: %+v", len(all), all)
	}
}

func TestTally_Wrong(t *testing.T) {
	for metric, source := range map[string]string{"d": "p95<200", "d{name:a": "max<1"} {
		if NewTally().Limit(metric, source, false, 0) == nil {
			t.Errorf("%s: %s is accepted", metric, source)
		}
	}
	tally := NewTally()
	for i := range mostMetrics {
		if tally.Metric(strings.Repeat("x", i+1), "counter", "default") == nil {
			t.Fatalf("metric %d is one too many", i)
		}
	}
	if tally.Metric("one more", "counter", "default") != nil {
		t.Error("there is no bound")
	}
}

func TestStepName(t *testing.T) {
	tags := map[string]string{"url": "ws://x.test/chat"}
	if got := StepName(func(tag string) string { return tags[tag] }); got != "/chat" {
		t.Errorf("without a name: %q", got)
	}
	for _, c := range []struct{ name, method, group, want string }{
		{"list posts", "GET", "::login", "list posts"},
		{"http://x.test/posts/17/comments?y=1", "GET", "", "GET /posts/*/comments"},
		{"http://x.test/a/1/2/3", "POST", "", "POST /a/*/*/*"},
		{"http://x.test/f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "PUT", "", "PUT /*"},
		{"https://x.test", "GET", "", "GET /"},
		{"http://x.test/posts/17", "GET", "::login::form", "login / form"},
		{"http://x.test/users/${}/posts?p=${}", "GET", "::login", "GET /users/${}/posts"},
		{"${}/users/${}", "GET", "", "GET /users/${}"},
		{"", "", "::a", "a"},
		{"", "", "", "request"},
		{"iteration", "GET", "", "request iteration"},
		{"say \"x\"\nand go", "GET", "", "say 'x' and go"},
		{"/hello.HelloService/SayHello", "", "::a", "/hello.HelloService/SayHello"},
		{strings.Repeat("é", 300), "", "", strings.Repeat("é", 100) + "…"},
	} {
		got := StepName(func(tag string) string {
			return map[string]string{"name": c.name, "method": c.method, "group": c.group}[tag]
		})
		if got != c.want {
			t.Errorf("%s %s in %s: got %q, want %q", c.method, c.name, c.group, got, c.want)
		}
	}
}
