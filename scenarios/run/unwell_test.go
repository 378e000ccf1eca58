package run_test

import (
	"reflect"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestUnwellUnits checks that the events of the units that a fault hit tell when they were not well, and those of
// other units do not.
func TestUnwellUnits(t *testing.T) {
	unhealthy := map[string]any{result.HealthData: result.Unhealthy}
	events := []result.Event{
		{T: 1, Event: "unit.ready", Unit: "db[0]"},
		{T: 22, Event: "unit.start", Unit: "db[0]"},
		{T: 20, Event: "unit.exit", Unit: "db[0]"},
		{T: 25, Event: "container.health", Unit: "web[1]", Text: "the check fails", Data: unhealthy},
		{T: 26, Event: "container.oom", Unit: "web[1]"},
		{T: 21, Event: "container.oom", Unit: "store[0]"}, // a process that is not the main one
		{T: 31, Event: "container.oom", Unit: "store[1]"},
		{T: 31.1, Event: "container.die", Unit: "store[1]", Text: "exit code 137"},
		{T: 32, Event: "container.start", Unit: "store[1]"},
		{T: 28, Event: "container.health", Unit: "web[1]", Text: "healthy"},
		{T: 29, Event: "pod.terminating", Unit: "shop[2]"},
		{T: 30, Event: "unit.replaced", Unit: "shop[2]"},
		{T: 30, Event: "pod.unready", Unit: "shop"},
		{T: 40, Event: "fault.cleared", Fault: "f"},
	}
	span := func(from, to time.Duration) []requests.Span { return []requests.Span{{From: from, To: to}} }
	for _, c := range []struct {
		name string
		rec  chaos.Record
		want []requests.Span
	}{
		{"a process that ended", chaos.Record{Units: []string{"db[0]"}}, span(20*time.Second, 22*time.Second)},
		{"a container that lost a process and runs on", chaos.Record{Units: []string{"store[0]"}}, nil},
		{
			"a container that ran out of memory",
			chaos.Record{Units: []string{"store[1]"}},
			span(31100*time.Millisecond, 32*time.Second),
		},
		{"the end of a link", chaos.Record{Links: []string{"web[1]->db[1]"}}, span(25*time.Second, 28*time.Second)},
		{
			"a pod that is replaced",
			chaos.Record{Units: []string{"shop[2]"}},
			span(29*time.Second, 30*time.Second),
		},
		{"a pod that stays, and another one is not well", chaos.Record{Units: []string{"shop[1]"}}, nil},
		{
			"a pod that was replaced before",
			chaos.Record{Units: []string{"shop[2]"}, Injected: 31 * time.Second},
			nil,
		},
		{"a whole service", chaos.Record{Units: []string{"shop"}}, span(30*time.Second, measure.Never)},
		{
			"a step of a group",
			chaos.Record{Steps: []*chaos.Record{{Units: []string{"db[0]"}}}},
			span(20*time.Second, 22*time.Second),
		},
		{"another unit", chaos.Record{Units: []string{"db[1]", "db"}}, nil},
		{"a fault that was not injected", chaos.Record{Units: []string{"db[0]"}, N: -1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run.UnwellUnits([]*chaos.Record{&c.rec}, events)[c.rec.N]; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestApartFrom checks which ends of units that a fault hit have another reason: a signal of another program, the same
// end without a fault, or a fault whose effect was not shown. The end of the load ends units.
func TestApartFrom(t *testing.T) {
	exit := func(at result.Num, text string) result.Event {
		return result.Event{T: at, Event: "unit.exit", Unit: "db[0]", Text: text}
	}
	slow := chaos.Record{Kind: "network.latency", Links: []string{"web[0]->db[0]"}}
	throttled := chaos.Record{Kind: "cpu.throttle", Units: []string{"db[0]"}, NotShown: "that it waits"}
	at := []time.Duration{21 * time.Second}
	for _, c := range []struct {
		name   string
		rec    chaos.Record
		events []result.Event
		want   []time.Duration
	}{
		{"it ended", slow, []result.Event{exit(21, "exit status 3")}, nil},
		{"and the same way later", slow, []result.Event{exit(21, "exit status 3"), exit(40, "exit status 3")}, at},
		{"and the same way before", slow, []result.Event{exit(3, "exit status 3"), exit(21, "exit status 3")}, at},
		{"and another way later", slow, []result.Event{exit(21, "exit status 3"), exit(40, "exit status 4")}, nil},
		{"and the same way when the load was over", slow, []result.Event{
			exit(21, "exit status 3"), exit(60.1, "exit status 3"),
		}, nil},
		{"a signal", slow, []result.Event{exit(21, "signal: killed")}, at},
		{"a signal of its own", slow, []result.Event{exit(21, "signal: segmentation fault (core dumped)")}, nil},
		{"not shown", throttled, []result.Event{exit(21, "exit status 3")}, at},
		{"a crash", chaos.Record{Kind: "process.crash", Units: []string{"db[0]"}}, []result.Event{
			exit(21, "signal: killed"),
		}, nil},
		{"the kernel, for want of memory", chaos.Record{Kind: "memory.limit", Units: []string{"db[0]"}}, []result.Event{
			exit(21, "signal: killed"),
		}, nil},
		{"a step that ends it", chaos.Record{Kind: result.GroupKind, Steps: []*chaos.Record{
			{Kind: "process.stop", Units: []string{"db[0]"}},
		}}, []result.Event{exit(21, "signal: killed")}, nil},
		{"before the fault", slow, []result.Event{exit(10, "signal: killed")}, nil},
		{"after the fault", slow, []result.Event{exit(31, "exit status 3")}, nil},
		{
			"after the fault, and again", slow,
			[]result.Event{exit(31, "exit status 3"), exit(50, "exit status 3")},
			[]time.Duration{31 * time.Second, 50 * time.Second},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rec.Injected, c.rec.Until = 20*time.Second, 30*time.Second
			for _, r := range append(c.rec.Steps, &c.rec) {
				r.Nature = reporterstest.NatureOf(r.Kind)
			}
			got, _ := run.ApartFrom([]*chaos.Record{&c.rec}, c.events, time.Minute)
			if !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("%v, want %v", got[0], c.want)
			}
		})
	}
	rec := chaos.Record{Kind: slow.Kind, Links: slow.Links, Injected: 20 * time.Second, Until: 30 * time.Second}
	_, recurring := run.ApartFrom([]*chaos.Record{&rec}, []result.Event{
		exit(21, "exit status 3"), exit(31, "exit status 3"), exit(40, "exit status 4"), exit(50, "exit status 3"),
	}, time.Minute)
	if want := []time.Duration{31 * time.Second, 50 * time.Second}; !reflect.DeepEqual(recurring, want) {
		t.Errorf("recurring: %v, want %v", recurring, want)
	}
}

// TestOwnDeaths checks that processes and containers that end without a fault are noted, and those that a fault, or a
// step of a group, ends are not. While a fault is in of which only its author knows what it does, a unit only ended.
func TestOwnDeaths(t *testing.T) {
	faults := []result.FaultRecord{
		{Kind: "process.crash", Injected: 10, Until: 15, Units: []string{"web[0]"}},
		{Kind: result.GroupKind, Injected: 20, Until: 25, Steps: []result.FaultStep{{Units: []string{"web[1]"}}}},
		{Injected: result.NaN, Until: 40, Units: []string{"db[0]"}},
		{Kind: "network.partition", Injected: 30, Until: 35, Links: []string{"app[0]->db[0]"}},
		{
			Kind: "action.run", Nature: reporterstest.NatureOf("action.run"),
			Injected: 36, Until: 38, Units: []string{"kubectl"},
			Revert: "ok",
		},
	}
	got := (&result.Result{Faults: faults}).OwnDeaths([]result.Event{
		{T: 9.95, Event: "unit.exit", Unit: "web[0]", Text: "signal killed"},
		{T: 16, Event: "unit.exit", Unit: "web[0]", Text: "exit status 1"},
		{T: 17, Event: "unit.exit", Unit: "web[0]", Text: "exit status 2"},
		{T: 21, Event: "container.die", Unit: "web[1]", Text: "exit code 137"},
		{T: 26, Event: "container.die", Unit: "web[1]", Text: "exit code 1"},
		{T: 27, Event: "container.die", Text: "another's container"},
		{T: 28, Event: "unit.start", Unit: "db[0]"},
		{T: 29, Event: "unit.exit", Unit: "db[0]", Text: "exit status 3"},
		{T: 31, Event: "unit.exit", Unit: "app[0]", Text: "the fault cut its link"},
		{T: 37, Event: "container.die", Unit: "app[1]", Text: "exit code 143"},
		{T: 37, Event: "pod.killed", Unit: "shop", Text: "a rollout"},
		{T: 39, Event: "container.die", Unit: "app[2]", Text: "exit code 2"},
		{T: 41, Event: "unit.exit", Unit: "api[0]", Text: "the run was over"},
	}, 40*time.Second)
	want := []string{
		"web[0] ended by itself 2 times, first at 16s: exit status 1", "web[1] ended by itself at 26s: exit code 1",
		"db[0] ended by itself at 29s: exit status 3", "app[1] ended at 37s: exit code 143",
		"app[2] ended by itself at 39s: exit code 2",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	small := result.Condition{Name: "small", Units: []string{"web[0]"}, Evidence: "64MiB", Injected: result.NaN}
	limited := result.Result{Conditions: []result.Condition{small}}
	got = limited.OwnDeaths([]result.Event{
		{T: 12, Event: "unit.exit", Unit: "web[0]", Text: "signal: killed"},
		{T: 13, Event: "unit.exit", Unit: "web[1]", Text: "exit status 1"},
	}, 40*time.Second)
	want = []string{"web[0] ended at 12s: signal: killed", "web[1] ended by itself at 13s: exit status 1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("beside a condition: %q, want %q", got, want)
	}
	faults[4].Revert = "none" // what it did stays
	late := result.Event{T: 39, Event: "container.die", Unit: "app[2]"}
	if ended, itself := (&result.Result{Faults: faults}).OwnEnd(&late); !ended || itself {
		t.Errorf("after an action that stays: ended %v, by itself %v", ended, itself)
	}
}

// TestUnwellUnits_Again checks that a span in which a unit is not well belongs to the last fault that hit it.
func TestUnwellUnits_Again(t *testing.T) {
	events := []result.Event{
		{T: 10, Event: "unit.exit", Unit: "db[0]"},
		{T: 12, Event: "unit.start", Unit: "db[0]"},
		{T: 20, Event: "unit.exit", Unit: "db[0]"}, // it is not back when the third fault hits it
	}
	crash := func(n int, at time.Duration, unit string) *chaos.Record {
		return &chaos.Record{N: n, Injected: at, Units: []string{unit}}
	}
	got := run.UnwellUnits([]*chaos.Record{
		crash(0, 9*time.Second, "db[0]"), crash(1, 20*time.Second, "db[0]"), crash(2, 30*time.Second, "db[0]"),
		crash(3, 11*time.Second, "web[0]"),
	}, events)
	want := map[int][]requests.Span{
		0: {{From: 10 * time.Second, To: 12 * time.Second}},
		1: {{From: 20 * time.Second, To: 30 * time.Second}},
		2: {{From: 30 * time.Second, To: measure.Never}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestStaysIn: a crash that nothing starts again is in until the end, and so is a group of crashes with one, but no
// group with a step that is taken back.
func TestStaysIn(t *testing.T) {
	steps := make([]*chaos.Record, 2)
	for _, c := range []struct {
		rec  chaos.Record
		want bool
	}{
		{chaos.Record{LeftDown: true, OneShot: true}, true},
		{chaos.Record{LeftDown: true}, true},
		{chaos.Record{OneShot: true}, false},
		{chaos.Record{LeftDown: true, OneShot: true, Steps: steps}, true},
		{chaos.Record{LeftDown: true, Steps: steps}, false},
	} {
		if got := run.StaysIn(&c.rec); got != c.want {
			t.Errorf("%+v: %t", c.rec, got)
		}
	}
}
