package drills_test

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestMatrix: a cell is the newest run that tried it, and a fault that was not verified or met no traffic tried
// nothing.
func TestMatrix(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	run := func(name string, after int, v scenarios.Verdict, f result.FaultRecord) drills.Tried {
		f.Name = "f"
		return drills.Tried{Name: name, Link: name + ".html", Result: &result.Result{
			Started: at.Add(time.Duration(after) * time.Hour), Usage: []result.UnitUsage{{Unit: "store[0]"}},
			Faults: []result.FaultRecord{f},
			Objectives: []result.ObjectiveResult{
				{Text: "errors < 1% in f", Phase: slo.ParsePhase("f"), Verdict: v, Measured: .5},
				{Text: "p95 < 1s", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail},
			},
		}}
	}
	crash := result.FaultRecord{Kind: "process.crash", Units: []string{"web[0]"}, Verified: 1, Traffic: 9}
	unmet, unseen, left := crash, crash, crash
	unmet.Traffic, unseen.Verified, left.Revert = 0, result.NaN, "failed"
	unmet.Kind, unseen.Kind, left.Kind = "process.freeze", "network.latency", "cpu.throttle"
	group := result.FaultRecord{Kind: result.GroupKind, Traffic: 9, Steps: []result.FaultStep{
		{Kind: "network.blackhole", Units: []string{"web[0]->store[0]"}, Verified: 1},
		{Kind: "time.skew", Units: []string{"web[0]"}, Verified: result.NaN},
	}}
	packets := crash // they are hit in the network of the caller
	packets.Kind, packets.Units, packets.Links = "network.latency", []string{"web[0]"}, []string{"web[0]->db[0]"}
	down := crash // a step was down, and no objective asks about it
	down.Units, down.Parts = []string{"db[0]"}, &result.ImpactParts{StepOutage: &result.StepOutage{Step: "pay"}}
	both := crash
	both.Units = []string{"web[0]", "web[1]"}
	m := drills.NewMatrix([]drills.Tried{
		run("both", 2, scenarios.Fail, both),
		run("old", 1, scenarios.Pass, crash), run("new", 3, scenarios.Fail, crash), run("older", 0, scenarios.Pass, crash),
		run("unmet", 4, scenarios.Pass, unmet), run("unseen", 4, scenarios.Pass, unseen),
		run("left", 5, scenarios.Pass, left), run("down", 5, scenarios.Pass, down),
		run("group", 6, scenarios.Pass, group), run("packets", 7, scenarios.Fail, packets),
	})
	if want := []string{"dies", "slow", "cut", "starved"}; !slices.Equal(m.Effects, want) {
		t.Errorf("effects %q, want %q", m.Effects, want)
	}
	want := []string{"db[0]", "store[0]", "web", "web[0]", "web[0]->db[0]", "web[0]->store[0]"}
	if !slices.Equal(m.Parts, want) {
		t.Errorf("parts %q, want %q", m.Parts, want)
	}
	for _, c := range []struct {
		part, effect string
		verdict      scenarios.Verdict
		link         string
	}{
		{"web[0]", "dies", scenarios.Fail, "new.html"},
		{"web", "dies", scenarios.Fail, "both.html"},
		{"web[0]", "starved", scenarios.NotReverted, "left.html"},
		{"web[0]->store[0]", "cut", scenarios.Pass, "group.html"},
		{"web[0]->db[0]", "slow", scenarios.Fail, "packets.html"},
		{"web[0]", "slow", "", ""},
		{"db[0]", "dies", scenarios.Inconclusive, "down.html"},
		{"store[0]", "dies", "", ""},
	} {
		if cell := m.Cells[[2]string{c.part, c.effect}]; cell.Verdict != c.verdict || cell.Link != c.link {
			t.Errorf("%s %s: %+v, want %s of %s", c.part, c.effect, cell, c.verdict, c.link)
		}
	}
}

// TestMatrix_Writes: an objective on the writes of a run counts for the fault that lost them, and for every fault if it
// held; a run without an objective hides no verdict of an older one; and the name of a command is no part of the
// target.
func TestMatrix_Writes(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	fault := func(name, unit string) result.FaultRecord {
		return result.FaultRecord{Name: name, Kind: "process.crash", Units: []string{unit}, Verified: 1, Traffic: 9}
	}
	run := func(after int, v scenarios.Verdict, lostTo string, faults ...result.FaultRecord) drills.Tried {
		r := &result.Result{
			Started: at.Add(time.Duration(after) * time.Hour),
			Usage:   []result.UnitUsage{{Unit: "a[0]"}, {Unit: "b[0]"}}, Faults: faults,
		}
		if v != "" {
			r.Objectives = []result.ObjectiveResult{{
				Text: "lost = 0", Metric: "lost", Phase: slo.ParsePhase("run"),
				Verdict: v, Measured: 1,
			}}
			r.Ledger = &result.LedgerRecord{Keys: []result.WriteKey{{State: result.WriteLost, Fault: lostTo}}}
		}
		return drills.Tried{Name: "r", Result: r}
	}
	interrupted := func(r drills.Tried) drills.Tried { r.Result.Verdict = scenarios.Interrupted; return r }
	stays := fault("f", "a[0]")
	stays.Revert = "failed"
	command := fault("c", "sh")
	command.Kind = "action.run"
	for name, c := range map[string]struct {
		runs []drills.Tried
		want map[string]scenarios.Verdict // of what dies
	}{
		"the only fault": {
			[]drills.Tried{run(1, scenarios.Fail, "", fault("f", "a[0]"))},
			map[string]scenarios.Verdict{"a[0]": scenarios.Fail},
		},
		"the one that lost": {
			[]drills.Tried{run(1, scenarios.Fail, "g", fault("f", "a[0]"), fault("g", "b[0]"))},
			map[string]scenarios.Verdict{"a[0]": scenarios.None, "b[0]": scenarios.Fail},
		},
		"none lost": {
			[]drills.Tried{run(1, scenarios.Pass, "", fault("f", "a[0]"), fault("g", "b[0]"))},
			map[string]scenarios.Verdict{"a[0]": scenarios.Pass, "b[0]": scenarios.Pass},
		},
		"a newer run asks nothing": {
			[]drills.Tried{run(1, scenarios.Fail, "", fault("f", "a[0]")), run(2, "", "", fault("f", "a[0]"))},
			map[string]scenarios.Verdict{"a[0]": scenarios.Fail},
		},
		"an older run asks": {
			[]drills.Tried{run(2, "", "", fault("f", "a[0]")), run(1, scenarios.Fail, "", fault("f", "a[0]"))},
			map[string]scenarios.Verdict{"a[0]": scenarios.Fail},
		},
		"an interrupted one": {
			[]drills.Tried{
				run(1, scenarios.Pass, "", fault("f", "a[0]")),
				interrupted(run(2, scenarios.Fail, "", fault("f", "a[0]"))),
			},
			map[string]scenarios.Verdict{"a[0]": scenarios.Pass},
		},
		"an interrupted one alone": {
			[]drills.Tried{interrupted(run(2, scenarios.Fail, "", fault("f", "a[0]")))},
			map[string]scenarios.Verdict{},
		},
		"an interrupted one that left its fault behind": {
			[]drills.Tried{interrupted(run(2, scenarios.Pass, "", stays))},
			map[string]scenarios.Verdict{"a[0]": scenarios.NotReverted},
		},
		"a command": {[]drills.Tried{run(1, scenarios.Pass, "", command)}, map[string]scenarios.Verdict{}},
	} {
		t.Run(name, func(t *testing.T) {
			m := drills.NewMatrix(c.runs)
			if len(m.Cells) != len(c.want) {
				t.Errorf("cells %v", m.Cells)
			}
			for part, v := range c.want {
				if cell := m.Cells[[2]string{part, "dies"}]; cell.Verdict != v {
					t.Errorf("%s: %+v, want %s", part, cell, v)
				}
			}
			if slices.Contains(m.Parts, "sh") {
				t.Errorf("the parts are %q", m.Parts)
			}
		})
	}
}

// TestShare: what is not known may be either.
func TestShare(t *testing.T) {
	if got, want := drills.Share(18, 3, 26),
		"18 of 26 that fit passed, 3 failed, 5 not known: between 69.2% and 88.5%"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHarmlessFirst: drills that break nothing come before those that may lose data.
func TestHarmlessFirst(t *testing.T) {
	all, err := drills.Library()
	if err != nil {
		t.Fatal(err)
	}
	sorted := drills.HarmlessFirst(all)
	if sorted[0].Family != "load" || sorted[len(sorted)-1].Family != "data" || len(sorted) != len(all) {
		t.Errorf("%s first, %s last", sorted[0].Name, sorted[len(sorted)-1].Name)
	}
}
