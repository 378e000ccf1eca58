package slo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// TestParseObjective covers every production of the grammar in the package documentation.
func TestParseObjective(t *testing.T) {
	ms := func(n float64) float64 { return n / 1000 }
	lose, second := slo.ParsePhase("lose"), slo.ParsePhase("lose#2")
	tests := []struct {
		text string
		want slo.Objective // Text, ID and the metric's Text are set from text
	}{
		{"p95 < 200ms", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .95}, Op: "<", Value: .2}},
		{"p95 < 200 ms", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .95}, Op: "<", Value: .2}},
		{"errors < 1 %", slo.Objective{Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01}},
		{"p99.99 <= 1.5s", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .9999}, Op: "<=", Value: 1.5}},
		{"p5 > 1us", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .05}, Op: ">", Value: 1e-6}},
		{"p(95)<200", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .95}, Op: "<", Value: ms(200)}},
		{"p(99.9) < 0.5", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .999}, Op: "<", Value: ms(.5)}},
		{"p( 90 ) < 2s", slo.Objective{Metric: slo.Metric{Name: "p", Quantile: .9}, Op: "<", Value: 2}},
		{"ok.p95 < 200ms", slo.Objective{Metric: slo.Metric{Name: "p", Of: "ok", Quantile: .95}, Op: "<", Value: .2}},
		{"service.p99 < 1m", slo.Objective{Metric: slo.Metric{Name: "p", Of: "service", Quantile: .99}, Op: "<", Value: 60}},
		{"ok.p(95) < 200ms", slo.Objective{Metric: slo.Metric{Name: "p", Of: "ok", Quantile: .95}, Op: "<", Value: .2}},
		{"max < 5s", slo.Objective{Metric: slo.Metric{Name: "max"}, Op: "<", Value: 5}},
		{"mean >= 1ms", slo.Objective{Metric: slo.Metric{Name: "mean"}, Op: ">=", Value: ms(1)}},
		{"ok.max < 5s", slo.Objective{Metric: slo.Metric{Name: "max", Of: "ok"}, Op: "<", Value: 5}},
		{"service.mean < 5s", slo.Objective{Metric: slo.Metric{Name: "mean", Of: "service"}, Op: "<", Value: 5}},
		{"errors < 1%", slo.Objective{Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01}},
		{"availability > 99.9%", slo.Objective{
			Metric: slo.Metric{Name: "availability", Unit: slo.ShareOf}, Op: ">",
			Value: .999,
		}},
		{"shed <= 5%", slo.Objective{Metric: slo.Metric{Name: "shed", Unit: slo.ShareOf}, Op: "<=", Value: .05}},
		{"checks > 99%", slo.Objective{Metric: slo.Metric{Name: "checks", Unit: slo.ShareOf}, Op: ">", Value: .99}},
		{"rate > 200/s", slo.Objective{Metric: slo.Metric{Name: "rate", Unit: slo.PerSecond}, Op: ">", Value: 200}},
		{"timeouts = 0", slo.Objective{Metric: slo.Metric{Name: "timeouts", Unit: slo.Count}, Op: "="}},
		{"timeouts == 0", slo.Objective{Metric: slo.Metric{Name: "timeouts", Unit: slo.Count}, Op: "="}},
		{"within(200ms) > 95%", slo.Objective{Metric: slo.Metric{
			Name: "within", Span: 200 * time.Millisecond,
			Unit: slo.ShareOf,
		}, Op: ">", Value: .95}},
		{"burn(99.9%, 1m) < 2", slo.Objective{Metric: slo.Metric{
			Name: "burn", Share: .999, Span: time.Minute,
			Unit: slo.Plain,
		}, Op: "<", Value: 2}},
		{"burn(99.9%,1m)<2.5", slo.Objective{Metric: slo.Metric{
			Name: "burn", Share: .999, Span: time.Minute,
			Unit: slo.Plain,
		}, Op: "<", Value: 2.5}},
		{"slices(1s, 99%) = 100%", slo.Objective{Metric: slo.Metric{
			Name: "slices", Share: .99, Span: time.Second,
			Unit: slo.ShareOf,
		}, Op: "=", Value: 1}},
		{"slices(1s, 99%) > 99%", slo.Objective{Metric: slo.Metric{
			Name: "slices", Share: .99, Span: time.Second,
			Unit: slo.ShareOf,
		}, Op: ">", Value: .99}},
		{"onset < 2s after lose", slo.Objective{Metric: slo.Metric{Name: "onset"}, Op: "<", Value: 2, After: lose}},
		{"failover < 2s after lose", slo.Objective{Metric: slo.Metric{Name: "failover"}, Op: "<", Value: 2, After: lose}},
		{"recover <= 10s after lose#2", slo.Objective{
			Metric: slo.Metric{Name: "recover"}, Op: "<=", Value: 10,
			After: second,
		}},
		{"recover(200ms) < 10s after lose", slo.Objective{
			Metric: slo.Metric{Name: "recover", Span: 200 * time.Millisecond},
			Op:     "<", Value: 10, After: lose,
		}},
		{"heal < 10s after lose", slo.Objective{Metric: slo.Metric{Name: "heal"}, Op: "<", Value: 10, After: lose}},
		{"degraded < 5s after lose", slo.Objective{Metric: slo.Metric{Name: "degraded"}, Op: "<", Value: 5, After: lose}},
		{"degraded > 1s after lose", slo.Objective{Metric: slo.Metric{Name: "degraded"}, Op: ">", Value: 1, After: lose}},
		{"failed = 0 after lose", slo.Objective{Metric: slo.Metric{Name: "failed", Unit: slo.Count}, Op: "=", After: lose}},
		{"area < 3s after lose", slo.Objective{Metric: slo.Metric{Name: "area"}, Op: "<", Value: 3, After: lose}},
		{"errors < 1% in baseline", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01,
			Phase: slo.ParsePhase("baseline"),
		}},
		{"errors < 1% in recovery/lose", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<",
			Value: .01, Phase: slo.ParsePhase("recovery/lose"),
		}},
		{"errors < 1% of list", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01,
			Step: "list",
		}},
		{
			`errors < 1% of "read post" in run`,
			slo.Objective{
				Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01, Step: "read post",
				Phase: slo.ParsePhase("run"),
			},
		},
		{`errors < 1% of "load" in run`, slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<",
			Value: .01, Step: "load", Phase: slo.ParsePhase("run"),
		}},
		{"errors < 1% of load", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01,
			Step: "load",
		}},
		{"errors < 1% of load browse", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<",
			Value: .01, Load: "browse",
		}},
		{"errors < 1% load browse", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<", Value: .01,
			Load: "browse",
		}},
		{"errors < 1% in x of load browse", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "<",
			Value: .01, Load: "browse", Phase: slo.ParsePhase("x"),
		}},
		{
			"posts.memory < 256MiB",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "posts", Resource: "memory", Fold: "max", Unit: slo.Bytes},
				Op:     "<", Value: 256 << 20,
			},
		},
		{
			"posts[1].cpu < 1.5 in slow",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "posts[1]", Resource: "cpu", Fold: "max", Unit: slo.Cores},
				Op:     "<", Value: 1.5, Phase: slo.ParsePhase("slow"),
			},
		},
		{
			"service.memory < 1GB",
			slo.Objective{Metric: slo.Metric{
				Name: "series", Source: "service", Resource: "memory", Fold: "max",
				Unit: slo.Bytes,
			}, Op: "<", Value: 1e9},
		},
		{
			"heal.processor.fds <= 64",
			slo.Objective{Metric: slo.Metric{
				Name: "series", Source: "heal.processor", Resource: "fds", Fold: "max",
				Unit: slo.Count,
			}, Op: "<=", Value: 64},
		},
		{"errors = 0%", slo.Objective{Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: "="}},
		{"checks = 100% in baseline", slo.Objective{
			Metric: slo.Metric{Name: "checks", Unit: slo.ShareOf}, Op: "=", Value: 1,
			Phase: slo.ParsePhase("baseline"),
		}},
		{"stale = 0%", slo.Objective{Metric: slo.Metric{Name: "stale", Unit: slo.ShareOf}, Op: "="}},
		{"posts.restarts = 0", slo.Objective{Metric: slo.Metric{
			Name: "series", Source: "posts", Resource: "restarts",
			Fold: "max", Unit: slo.Count,
		}, Op: "="}},
		{
			"mean( posts.fds ) < 64.5",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "posts", Resource: "fds", Fold: "mean", Unit: slo.Plain},
				Op:     "<", Value: 64.5,
			},
		},
		{
			"slope(posts.fds) < 1/m",
			slo.Objective{Metric: slo.Metric{
				Name: "series", Source: "posts", Resource: "fds", Fold: "slope", Unit: slo.Count,
				PerTime: true,
			}, Op: "<", Value: 1. / 60},
		},
		{
			"slope(posts.memory) < 36MiB/h",
			slo.Objective{
				Metric: slo.Metric{
					Name: "series", Source: "posts", Resource: "memory", Fold: "slope", Unit: slo.Bytes,
					PerTime: true,
				},
				Op: "<", Value: 36 << 20 / 3600.,
			},
		},
		{
			"metric(queue-depth) < 100 in slow",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "queue-depth", Fold: "max", Unit: slo.Plain}, Op: "<",
				Value: 100, Phase: slo.ParsePhase("slow"),
			},
		},
		{"min(hit-ratio) > 90%", slo.Objective{Metric: slo.Metric{
			Name: "series", Source: "hit-ratio", Fold: "min",
			Unit: slo.ShareOf,
		}, Op: ">", Value: .9}},
		{"last(lag)<2s", slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "lag", Fold: "last", Unit: slo.Seconds},
			Op:     "<", Value: 2,
		}},
		{"mean(errors-seen) < 6/m", slo.Objective{Metric: slo.Metric{
			Name: "series", Source: "errors-seen", Fold: "mean",
			Unit: slo.PerSecond,
		}, Op: "<", Value: .1}},
		{"increase(calls) <= 2GiB in slow", slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "calls", Fold: "increase", Unit: slo.Bytes}, Op: "<=", Value: 2 << 30,
			Phase: slo.ParsePhase("slow"),
		}},
		{"ratio(hits, lookups) > 90%", slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "hits", By: "lookups", Fold: "ratio", Unit: slo.ShareOf}, Op: ">",
			Value: .9,
		}},
		{`amplification( posts->store[0] ) < 1.5 in slow`, slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "posts->store[0]", Fold: "amplification", Unit: slo.Plain},
			Op:     "<", Value: 1.5, Phase: slo.Phase{Kind: slo.FaultPhase, Fault: "slow"},
		}},
		{`per_request(calls) < 1.5 of "read post"`, slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "calls", Fold: "per_request", Unit: slo.Plain}, Op: "<", Value: 1.5,
			Step: "read post",
		}},
		{
			"slope(lag) < 1ms/s",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "lag", Fold: "slope", Unit: slo.Seconds, PerTime: true},
				Op:     "<", Value: .001,
			},
		},
		{
			"posts.memory > 2GiB for 10s",
			slo.Objective{
				Metric: slo.Metric{Name: "series", Source: "posts", Resource: "memory", Fold: "max", Unit: slo.Bytes},
				Op:     ">", Value: 2 << 30, For: 10 * time.Second,
			},
		},
		{
			"alert(HighErrorRate) < 60s after lose",
			slo.Objective{Metric: slo.Metric{Name: "alert", Source: "HighErrorRate"}, Op: "<", Value: 60, After: lose},
		},
		{
			"resolved(HighErrorRate) < 2m after lose#2",
			slo.Objective{Metric: slo.Metric{Name: "resolved", Source: "HighErrorRate"}, Op: "<", Value: 120, After: second},
		},
		{
			"alert(High_5xx).p95 < 60s after lose",
			slo.Objective{Metric: slo.Metric{Name: "alert", Source: "High_5xx", Over: .95}, Op: "<", Value: 60, After: lose},
		},
		{"reach(metric(replicas) >= 4) < 60s after lose", slo.Objective{
			Metric: slo.Metric{Name: "reach", Source: "replicas", Until: slo.Condition{Op: ">=", Value: 4, Unit: slo.Plain}},
			Op:     "<", Value: 60, After: lose,
		}},
		{"reach( posts.memory<256MiB )<=5s after lose#2", slo.Objective{
			Metric: slo.Metric{
				Name: "reach", Source: "posts", Resource: "memory",
				Until: slo.Condition{Op: "<", Value: 256 << 20, Unit: slo.Bytes},
			},
			Op: "<=", Value: 5, After: second,
		}},
		{"scaled( web,6 ) < 90s after browse.hold", slo.Objective{
			Metric: slo.Metric{
				Name: "scaled", Source: "web", Resource: "ready",
				Until: slo.Condition{Op: ">=", Value: 6, Unit: slo.Count},
			},
			Op: "<", Value: 90, After: slo.ParsePhase("browse.hold"),
		}},
		{"web.ready >= 2", slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "web", Resource: "ready", Fold: slo.Worst, Unit: slo.Count}, Op: ">=",
			Value: 2,
		}},
		{"posts.units >= 2 in lose", slo.Objective{
			Metric: slo.Metric{Name: "series", Source: "posts", Resource: "units", Fold: slo.Worst, Unit: slo.Count}, Op: ">=",
			Value: 2, Phase: lose,
		}},
		{"reach(posts.units >= 4) < 60s after browse.hold", slo.Objective{
			Metric: slo.Metric{
				Name: "reach", Source: "posts", Resource: "units",
				Until: slo.Condition{Op: ">=", Value: 4, Unit: slo.Count},
			},
			Op: "<", Value: 60, After: slo.ParsePhase("browse.hold"),
		}},
		{"recover < 5s for 99.5% after lose", slo.Objective{
			Metric: slo.Metric{Name: "recover"}, Op: "<", Value: 5, Share: .995, After: lose,
		}},
		{"alert(HighErrorRate) < 60s after lose for 90%", slo.Objective{
			Metric: slo.Metric{Name: "alert", Source: "HighErrorRate"}, Op: "<", Value: 60, Share: .9, After: lose,
		}},
		{"errors > 90% for 30s", slo.Objective{
			Metric: slo.Metric{Name: "errors", Unit: slo.ShareOf}, Op: ">", Value: .9,
			For: 30 * time.Second,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := slo.ParseObjective(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.Text, want.ID, want.Metric.Text = tt.text, tt.text, got.Metric.Text
			if math.Abs(got.Value-want.Value) < 1e-12 {
				got.Value = want.Value
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if !strings.HasPrefix(tt.text, got.Metric.Text) {
				t.Errorf("the metric's text is %q", got.Metric.Text)
			}
		})
	}
}

// TestObjectiveLong parses the long form and checks that its text is the same objective in the
// short form.
func TestObjectiveLong(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"below", "{metric: p99, below: 3s, phase: slow, load: browse, id: x}", "p99 < 3s of load browse in slow"},
		{"at most", "{metric: errors, at_most: 1%, step: read post}", `errors <= 1% of "read post"`},
		{"above", "{metric: availability, above: 99%}", "availability > 99%"},
		{"at least", "{metric: rate, at_least: 200/s}", "rate >= 200/s"},
		{"equals", "{metric: failed, equals: 0, after: lose}", "failed = 0 after lose"},
		{"for", "{metric: errors, above: 90%, for: 90s}", "errors > 90% for 1m30s"},
		{"for a share", "{metric: recover, below: 5s, after: lose, for: 90%}", "recover < 5s after lose for 90%"},
		{"k6", "{metric: p(95), below: 200}", "p(95) < 200"},
		{"a comma", `{metric: "burn(99.9%, 1m)", below: 2}`, "burn(99.9%, 1m) < 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m syntax.Mistakes
			var o slo.Objective
			o.DecodeNode(syntaxtest.Parse(t, tt.text), &m)
			if m.Len() > 0 {
				t.Fatal(m.Err())
			}
			if o.Text != tt.want {
				t.Errorf("text is %q, want %q", o.Text, tt.want)
			}
			if want := map[bool]string{true: "x", false: o.Text}[tt.name == "below"]; o.ID != want {
				t.Errorf("id is %q, want %q", o.ID, want)
			}
			short, err := slo.ParseObjective(o.Text)
			short.ID, short.Pos = o.ID, o.Pos
			if err != nil || short != o {
				t.Errorf("the short form reads as %+v, not %+v: %v", short, o, err)
			}
		})
	}
}

func TestObjectiveHolds(t *testing.T) {
	tests := []struct {
		op          string
		below, at   bool // result below the value and at it
		above, upto bool // result above the value; whether it is an upper bound
	}{
		{"<", true, false, false, true},
		{"<=", true, true, false, true},
		{">", false, false, true, false},
		{">=", false, true, true, false},
		{"=", false, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.op, func(t *testing.T) {
			o := slo.Objective{Op: tt.op, Value: 2}
			if o.Holds(1) != tt.below || o.Holds(2) != tt.at || o.Holds(3) != tt.above || o.Holds(math.NaN()) ||
				o.Upper() != tt.upto {
				t.Errorf("%v %v %v %v %v", o.Holds(1), o.Holds(2), o.Holds(3), o.Holds(math.NaN()), o.Upper())
			}
		})
	}
	if o := (slo.Objective{Op: "!=", Value: 2}); !o.Holds(1) || o.Holds(2) || !o.Holds(3) {
		t.Errorf("!= 2 holds for 1, 2, 3: %v %v %v", o.Holds(1), o.Holds(2), o.Holds(3))
	}
}

func TestPhaseOrRun(t *testing.T) {
	for text, want := range map[string]string{
		"p95 < 1s": "run", "p95 < 1s in baseline": "baseline", "recover < 1s after lose": "lose",
	} {
		if o, err := slo.ParseObjective(text); err != nil || o.PhaseOrRun().String() != want {
			t.Errorf("%s is judged in %s: %v", text, o.PhaseOrRun(), err)
		}
	}
}

// TestMetricNames checks that all names that messages offer can be parsed.
func TestMetricNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range slo.MetricNames() {
		m, err := slo.ParseMetric(name)
		if err != nil || m.Text != name || m.Unit != m.Row().Unit && !m.OfSeries() {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		seen[m.Name] = true
	}
	for _, r := range slo.Metrics() {
		if !seen[r.Name] {
			t.Errorf("%s is offered nowhere", r.Name)
		}
		if !strings.HasSuffix(r.Meaning, ".") {
			t.Errorf("%s does not say what it means: %q", r.Name, r.Meaning)
		}
		for other, name := range r.Aliases {
			if _, err := slo.ParseMetric(name); err != nil {
				t.Errorf("%s is said to be %s: %v", other, name, err)
			}
			if _, err := slo.ParseMetric(other); err == nil {
				t.Errorf("%s is a metric", other)
			}
		}
	}
}

func TestFormatValue(t *testing.T) {
	tests := []struct {
		metric string
		value  float64
		want   string
	}{
		{"p95", .2, "200ms"},
		{"p95", math.Inf(1), "∞"},
		{"p95", math.NaN(), "–"},
		{"errors", .01, "1%"},
		{"errors", .0123456, "1.23%"},
		{"errors", 0, "0%"},
		{"errors", 1e-9, "0.0000001%"},
		{"availability", 1, "100%"},
		{"availability", .9999999, "99.99999%"},
		{"availability", .999, "99.9%"},
		{"errors", math.NaN(), "–"},
		{"rate", 199.96, "200/s"},
		{"rate", 33.33, "33.3/s"},
		{"timeouts", 3, "3"},
		{"timeouts", 1e7, "10000000"},
		{"burn(99%, 1m)", 2.345, "2.35"},
		{"burn(99%, 1m)", 2, "2"},
		{"posts.memory", 231.4 * (1 << 20), "231MiB"},
		{"posts.memory", 0, "0B"},
		{"posts.memory", 1000, "1000B"},
		{"posts.cpu", 1.2345, "1.23"},
		{"posts.fds", 17, "17"},
		{"metric(share)", .99501, "0.99501"},
		{"metric(share)", .004, "0.004"},
		{"metric(share)", .3333333, "0.333"},
		{"metric(share)", 1, "1"},
		{"slope(posts.fds)", 0, "0/m"},
		{"slope(posts.fds)", 1. / 60, "1/m"},
		{"slope(posts.fds)", 3, "3/s"},
		{"slope(posts.fds)", -.5 / 3600, "-0.5/h"},
		{"slope(posts.memory)", 1 << 20 / 60., "17.1KiB/s"},
		{"slope(posts.memory)", 100, "5.86KiB/m"},
		{"alert(HighErrorRate)", 12.3, "12.3s"},
	}
	for _, tt := range tests {
		t.Run(tt.metric+"="+tt.want, func(t *testing.T) {
			m, err := slo.ParseMetric(tt.metric)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.FormatValue(tt.value); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzObjective checks that no text breaks the parser, that values are valid, and that an
// objective's text parses to the same objective.
func FuzzObjective(f *testing.F) {
	for _, s := range []string{
		"p95 < 200ms in baseline", `p99 < 500ms of "read post" in baseline`, "recover < 10s after lose#2", "p(95)<200",
		"burn(99.9%, 1m) < 2",
		"slices(1s, 99%) >= 99%", "errors > 90% for 30s", "timeouts = 0", "ok.p99.9 <= 1s of load browse",
		"within(200ms) > 95% load x", "p95 < ",
		`x < 1 of "`, "recover(1s) < 1s after a in b",
		"recover.p95 < 5s after a", "recover(200ms).p50 <= 5s after a", "failed.p90 < 3 after a",
		"posts[1].memory < 256MiB in a", "slope(posts.fds) < 1/m", "mean(queue) > 90%", "metric(lag) < 2s",
		"alert(HighErrorRate).p50 < 1m after a", "slope(lag) < 1%/h",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := slo.ParseObjective(s)
		if err != nil {
			if strings.Contains(err.Error(), "%!") && !strings.Contains(s, "%!") {
				t.Errorf("%q: a format is wrong: %v", s, err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("%q: the message is too long: %v", s, err)
			}
			return
		}
		if o.Metric.Name == "" || o.Metric.Row().Unit != o.Metric.Unit && !o.Metric.OfSeries() || o.Metric.Unit == slo.Open ||
			!(o.Value >= 0) || math.IsInf(o.Value, 0) || o.For < 0 || o.Metric.Span < 0 {
			t.Errorf("%q is %+v", s, o)
		}
		if o.Metric.Unit == slo.ShareOf && o.Value > 1 ||
			o.Metric.Name == "p" && !(o.Metric.Quantile > 0 && o.Metric.Quantile < 1) {
			t.Errorf("%q is %+v", s, o)
		}
		if o.Metric.OfFault() != (o.After != slo.Phase{}) || o.ID != o.Text {
			t.Errorf("%q is %+v", s, o)
		}
		again, err := slo.ParseObjective(o.Text)
		if err != nil || again != o {
			t.Errorf("%q reads as %+v, not %+v: %v", o.Text, again, o, err)
		}
		_ = o.Metric.FormatValue(o.Value)
	})
}

// TestParseMetric_DidYouMean: a metric with arguments is suggested with those that were written.
func TestParseMetric_DidYouMean(t *testing.T) {
	for text, want := range map[string]string{
		"amplificaton(a -> b)":   `did you mean "amplification(a -> b)"?`,
		"per_requst(calls)":      `did you mean "per_request(calls)"?`,
		"witin(200ms)":           `did you mean "within(200ms)"?`,
		"slpe(posts.fds)":        `did you mean "slope(posts.fds)"?`,
		"mean(metric(queue))":    `did you mean "mean(queue)"?`,
		"metrc(queue-depth)":     `did you mean "metric(queue-depth)"?`,
		"increse(calls)":         `did you mean "increase(calls)"?`,
		"alrt(HighErrorRate)":    `did you mean "alert(HighErrorRate)"?`,
		"nothing-like-it(calls)": "known are",
	} {
		if _, err := slo.ParseMetric(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}
