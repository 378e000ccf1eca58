package forecast_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
)

// notesWith compiles a scenario, and returns its notes that contain one of some texts.
func notesWith(t *testing.T, scenario string, texts ...string) (found []string) {
	t.Helper()
	p, err := plantest.CompileText(scenario)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	for _, n := range p.Notes {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(n, text) }) {
			found = append(found, n)
		}
	}
	return found
}

// TestCompile_ObjectiveNotes: a scenario without objectives, and one whose steps may shed load while no
// objective says how much, are reported so.
func TestCompile_ObjectiveNotes(t *testing.T) {
	for _, c := range []struct {
		name, slo, check string
		want             string // empty: neither note
	}{
		{"no objective", "", "status: 200", "a run has no verdict"},
		{"an objective", "slo: [errors < 1%]", "status: 200", ""},
		{"shed, and errors alone", "slo: [errors < 1%]", "shed: [503]", "may shed load"},
		{"shed, and an objective on it", "slo: [errors < 1%, shed < 5%]", "shed: [503]", ""},
		{"shed, and availability, which counts it", "slo: [availability > 99%]", "shed: [503]", ""},
		{
			"shed, and an objective on it in another phase", "slo: [errors < 1%, shed < 5% in baseline]", "shed: [503]",
			"may shed load",
		},
		{"shed, and a lower bound", "slo: [errors < 1%, shed > 5%]", "shed: [503]", "may shed load"},
		{"shed, and an objective on it of the load", "slo: [errors < 1%, shed < 5% of load main]", "shed: [503]", ""},
		{
			"shed, and an objective on it of another load", "slo: [errors < 1%, shed < 5% of load other]", "shed: [503]",
			"may shed load",
		},
		{"shed, and the other availability", "slo: [availability.admitted > 99%]", "shed: [503]", "may shed load"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := notesWith(t, "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n"+
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /, check: {"+c.check+"}}]}\n"+
				"  other: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /}]}\n"+c.slo+"\n",
				"has no verdict", "may shed load")
			if got := strings.Join(found, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("notes %q, want %q", got, c.want)
			}
		})
	}
}

// Each of eight faults in 75 s is noted, as the run can tell the outcome of none, with what mends it. As
// mended, none is.
func TestCompile_UntoldFaults(t *testing.T) {
	const faults = `
chaos:
  a: {at: 8s, process.crash: {service: posts}}
  slow-store: {at: 16s, for: 4s, network.latency: {from: posts, to: store, delay: 60ms}}
  c: {at: 24s, for: 3s, network.stall: {to: users}}
  d: {at: 32s, process.crash: {service: users}}
  e: {at: 40s, for: 3s, network.partition: {from: gateway, to: users}}
  f: {at: 48s, process.crash: {service: posts}}
  g: {at: 56s, for: 3s, network.stall: {to: posts}}
  h: {at: 64s, for: 3s, network.stall: {to: users}}
slo: [errors < 20%]
`
	for _, c := range []struct {
		name, more, faults string
		want               []string
	}{
		{"all", "", faults, []string{
			"a: its effect can't be measured, because slow-store comes at 16s, and a hold of 10s from 8s on must be free: " +
				"move slow-store, and what follows it, to 18s, or judge: {hold: 4s}.",
			"move c, and what follows it, to 30s", "move d,", "move e,", "move f,", "move g,", "move h,",
			"h: if it does harm to its end, recovery can't be shown, because the load ends at 1m15s, " +
				"and a hold of 10s from 1m7s on must be free: duration: 1m17s, or judge: {hold: 4s}.",
		}},
		{"mended", "judge: {hold: 4s}", faults, nil},
		{"at the same time", "", `
chaos:
  a: {at: 20s, for: 5s, network.stall: {to: users}}
  b: {at: 22s, for: 5s, network.stall: {to: posts}}
slo: [recover < 15s after incident]
`, []string{"a: its effect can't be separated from the effect of b", "move b to 35s, or make both one group by `steps`"}},
		{"as a group", "", `
chaos: {a: {at: 20s, for: 9s, steps: [{for: 5s, network.stall: {to: users}}, {after: 2s, for: 5s, network.stall: {to: posts}}]}}
slo: [recover < 15s after incident, recover < 15s after a]
`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := strings.Join(notesWith(t, "version: 1\ntarget: {stack: demo}\nload:\n"+
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 75s, flow: [{get: /}]}\n"+c.more+c.faults,
				"its effect can't be", "can't be shown"), "\n")
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("no note %q in\n%s", want, all)
				}
			}
			if len(c.want) == 0 && all != "" {
				t.Errorf("notes\n%s", all)
			}
		})
	}
}

// A refusal of an objective says what would be enough, and that is.
func TestCompile_MendsAreEnough(t *testing.T) {
	text := func(rate, duration, faults, slo string) string {
		return "version: 1\ntarget: {stack: demo}\nload:\n  main: {executor: constant-arrival-rate, rate: " + rate +
			", duration: " + duration +
			", flow: [{get: /}]}\n" + faults + "\nslo: [" + slo + "]\n"
	}
	fault := func(times string) string { return "chaos: {f: {" + times + ", network.stall: {to: users}}}" }
	for _, c := range []struct {
		text, want string
		mended     []string
	}{
		{
			text("50/s", "4s", "", "errors < 1%"), "duration: 6s, or rate: 75/s",
			[]string{text("75/s", "4s", "", "errors < 1%"), text("50/s", "6s", "", "errors < 1%")},
		},
		{
			text("100/s", "60s", fault("at: 10s, for: 4s"), "p99.9 < 1s in f"), "for: 1m40s, or rate: 2500/s",
			[]string{
				text("2500/s", "60s", fault("at: 10s, for: 4s"), "p99.9 < 1s in f"),
				text("100/s", "120s", fault("at: 10s, for: 1m40s"), "p99.9 < 1s in f"),
			},
		},
		{
			text("100/s", "60s", fault("at: 2s, for: 4s"), "errors < 1% in baseline"),
			"let the first fault come at 4s, or rate: 167/s",
			[]string{
				text("167/s", "60s", fault("at: 2s, for: 4s"), "errors < 1% in baseline"),
				text("100/s", "60s", fault("at: 4s, for: 4s"), "errors < 1% in baseline"),
			},
		},
		{
			text("100/s", "30s", fault("at: 10s, for: 4s"), "recover < 15s after f"), "duration: 35s, or judge: {hold: 5s}",
			[]string{
				text("100/s", "35s", fault("at: 10s, for: 4s"), "recover < 15s after f"),
				"judge: {hold: 5s}\n" + text("100/s", "30s", fault("at: 10s, for: 4s"), "recover < 15s after f"),
			},
		},
		{
			text("100/s", "30s", fault("at: 12s, for: 4s"), "recover < 10s after incident"),
			"`recover < 10s after incident` can't be judged: from the injection of f at 12s on, 10s and a hold of 10s must " +
				"fit in, and the load ends at 30s " +
				"already; 2s more is needed; duration: 32s, or judge: {hold: 8s}",
			[]string{
				text("100/s", "32s", fault("at: 12s, for: 4s"), "recover < 10s after incident"),
				"judge: {hold: 8s}\n" + text("100/s", "30s", fault("at: 12s, for: 4s"), "recover < 10s after incident"),
			},
		},
		{ // a hold of 3s is needed to show 1% at 100/s: a shorter one is no remedy
			"judge: {hold: 2s}\n" + text("100/s", "20s", fault("at: 8s, for: 3s"), "recover < 10s after f"),
			"and a hold of 3s (in the 2s of `judge.hold` too few requests come: 299 are needed) must fit in, and the load " +
				"ends at 20s already; " +
				"1s more is needed; duration: 21s\n",
			[]string{"judge: {hold: 2s}\n" + text("100/s", "21s", fault("at: 8s, for: 3s"), "recover < 10s after f")},
		},
	} {
		_, err := plantest.CompileText(c.text)
		if err == nil || !strings.Contains(plantest.Explained(err)+"\n", c.want) {
			t.Errorf("%v\nwant %q", err, c.want)
		}
		for _, m := range c.mended {
			if _, err := plantest.CompileText(m); err != nil {
				t.Errorf("as it says, it is refused still: %s\n%s", plantest.Explained(err), m)
			}
		}
	}
}

// TestCompile_LedgerNotes: a ledger is noted while no objective asks whether writes were lost.
func TestCompile_LedgerNotes(t *testing.T) {
	for slo, want := range map[string]bool{
		"errors < 1%": true, "duplicated = 0": true, "lost = 0": false, "rpo < 5s": false,
	} {
		found := notesWith(t, "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n"+
			"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{post: /posts, extract: {id: "+
			"\"$.id\"}}]}\n"+
			"ledger: {write: POST /posts, id: \"${var.id}\", read: {get: \"/posts/${id}\"}, count: \"$.n\"}\nslo: ["+slo+"]\n",
			"no objective asks whether any was lost")
		if got := len(found) > 0; got != want {
			t.Errorf("%s: noted: %t, want %t", slo, got, want)
		}
	}
}

// TestCompile_ReadBacks: faults between which a ledger has no time to read writes back are noted, and a dry run says
// when it reads.
func TestCompile_ReadBacks(t *testing.T) {
	const ledger = "ledger: {write: POST /posts, id: \"${var.id}\", read: {get: \"/posts/${id}\"}}\n"
	for _, c := range []struct{ name, ledger, faults, note, line string }{
		{"one fault", ledger, "a: {at: 5s, for: 2s, EXEC}", "", "read-back: 3.25s to 4.75s  before a"},
		{"one fault at once", ledger, "a: {at: 500ms, for: 2s, EXEC}", "", ""},
		{"two", ledger, "a: {at: 5s, for: 2s, EXEC}, b: {at: 12s, for: 1s, EXEC}", "", "read-back: 7s to 11.75s  between a and b"},
		{"two, and no ledger", "", "a: {at: 5s, for: 2s, EXEC}, b: {at: 7s, for: 1s, EXEC}", "", ""},
		{
			"too close", ledger, "a: {at: 5s, for: 2s, EXEC}, b: {at: 7900ms, for: 1s, EXEC}",
			"no time to read writes back between a and b: ", "read-back: no time between a and b: ",
		},
		{
			"one in another", ledger, "b: {at: 6s, for: 1s, EXEC}, a: {at: 5s, for: 9s, EXEC}, c: {at: 16s, for: 1s, EXEC}",
			"no time to read writes back between a and b: ", "read-back: 14s to 15.75s  between a and c",
		},
		{
			"occurrences", ledger, "a: {at: 5s, every: 2s, repeat: 3, for: 1500ms, EXEC}",
			"between a#1 and a#2, and between 1 more pair", "read-back: no time between a#2 and a#3: ",
		},
		{
			"one that follows another", ledger, "a: {at: 5s, for: 2s, EXEC}, b: {after: a, wait: 4s, for: 1s, EXEC}", "",
			"read-back: 7s to 10.75s  between a and b",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := strings.ReplaceAll(c.faults, "EXEC", "exec: {inject: 'true', verify: 'true', revert: 'true'}")
			text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n" +
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{post: /posts, extract: {id: " +
				"\"$.id\"}}]}\n" + c.ledger + "chaos: {" + faults + "}\nslo: [errors < 1%]\n"
			found := strings.Join(notesWith(t, text, "no time to read"), "; ")
			if (found == "") != (c.note == "") || !strings.Contains(found, c.note) {
				t.Errorf("the note is %q, want %q", found, c.note)
			}
			p, err := plantest.CompileText(text)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Join(dryrun.Describe(p), "\n")
			if strings.Contains(lines, "read-back") != (c.line != "") || !strings.Contains(lines, c.line) {
				t.Errorf("no %q in:\n%s", c.line, lines)
			}
		})
	}
}

// TestCompile_SlowAnswers: a baseline that is too short to tell which answers are slow is noted with what mends it,
// where an objective asks how long a fault lasted.
func TestCompile_SlowAnswers(t *testing.T) {
	for _, c := range []struct{ name, rate, at, more, want string }{
		{
			"too short", "20/s", "20s", "slo: [recover < 30s after a]",
			"about 396 requests come before the first fault, and 598 good answers are needed to tell " +
				"which are slow: if a fault only slows the target down, its recovery can't be shown: let the first fault come " +
				"at 31s, or rate: 31/s, " +
				"or judge: {slow: 500ms}.",
		},
		{"mended by time", "20/s", "31s", "slo: [recover < 30s after a]", ""},
		{"mended by the rate", "31/s", "20s", "slo: [recover < 30s after a]", ""},
		{"mended by a limit", "20/s", "20s", "slo: [recover < 30s after a]\njudge: {slow: 500ms}", ""},
		{"a time of its own", "20/s", "20s", "slo: [recover(500ms) < 30s after a]", ""},
		{"not asked", "20/s", "20s", "slo: [errors < 5%]", ""},
	} {
		got := notesWith(t, "version: 1\ntarget: {stack: demo}\nload:\n"+
			"  main: {executor: constant-arrival-rate, rate: "+c.rate+", duration: 120s, flow: [{get: /}]}\n"+
			"chaos: {a: {at: "+c.at+", for: 5s, network.stall: {to: users}}}\n"+c.more+"\n", "which are slow")
		if strings.Join(got, "") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCompile_Failover: an objective on a failover that a fault is too short to show is refused, or noted if it shows
// only some failovers, with what mends it.
func TestCompile_Failover(t *testing.T) {
	for _, c := range []struct{ rate, stays, limit, mistake, note string }{
		{
			"100/s", "15s", "7s", "", "`failover < 7s after a` may not be decided for a failover of more than 5s: a is over " +
				"15s later, and before that a hold of 10s must be good: let it stay for 17s, or judge: {hold: 8s}.",
		},
		{"100/s", "17s", "7s", "", ""},
		{
			"20/s", "5s", "3s", "`failover < 3s after a` can't pass: a is over 5s later, and before that a hold of 15s (in " +
				"the 10s of `judge.hold` too few requests come: 299 are needed) must be good; let it stay for 18s", "",
		},
		{"400/s", "1s", "500ms", "before that a hold of 10s must be good; let it stay for 11s", ""},
		{
			"400/s", "5s", "3s", "", "`failover < 3s after a` may not be decided for a failover of more than 0s: a is over 5s " +
				"later, and before that a hold of 10s must be good: let it stay for 13s, or judge: {hold: 2s}.",
		},
	} {
		text := "version: 1\ntarget: {stack: demo}\nload:\n" +
			"  main: {executor: constant-arrival-rate, rate: " + c.rate + ", duration: 60s, flow: [{get: /}]}\n" +
			"chaos: {a: {at: 10s, for: " + c.stays + ", network.stall: {to: users}}}\n" +
			"slo: [failover < " + c.limit + " after a]\n"
		if c.mistake != "" {
			if _, err := plantest.CompileText(text); err == nil || !strings.Contains(err.Error(), c.mistake) {
				t.Errorf("%s, for %s: %v, want %q", c.rate, c.stays, err, c.mistake)
			}
			continue
		}
		if got := notesWith(t, text, "failover"); strings.Join(got, "") != c.note {
			t.Errorf("%s, for %s: %q, want %q", c.rate, c.stays, got, c.note)
		}
	}
}

// TestCompile_FailoverAlone: a fault that ends by itself may do so before a failover shows, so that an objective on one
// is noted. A crash whose unit stays down is in until the end.
func TestCompile_FailoverAlone(t *testing.T) {
	for _, c := range []struct {
		name, restart, fault string
		noted                bool
	}{
		{"started again", "always", "process.crash: {service: web}", true},
		{"started again, whatever is allowed", "always", "process.crash: {service: web, irreversible: true}", true},
		{"restarted", "never", "process.restart: {service: web}", true},
		{"stays down", "never", "process.crash: {service: web, irreversible: true}", false},
		{"group", "always", "steps: [{process.crash: {service: web}}, {after: 1s, process.restart: {service: web}}]", true},
	} {
		text := "version: 1\n" +
			"target: {processes: {web: {command: [web, \"${self.port}\"], replicas: 2, restart: " + c.restart + "}}}\n" +
			"load:\n  main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}\n" +
			"chaos: {a: {at: 10s, " + c.fault + "}}\nslo: [failover < 7s after a]\n"
		want := "`failover < 7s after a` may not be decided: a ends by itself, and before that a hold of 10s must be " +
			"good: ask `recover < 7s after a`."
		if got := strings.Join(notesWith(t, text, "failover"), ""); got != want && (c.noted || got != "") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// TestCompile_InsideFault: an objective on recovery that ends before its fault does is noted, with the one that counts
// from the fault's end.
func TestCompile_InsideFault(t *testing.T) {
	for _, c := range []struct{ name, chaos, slo, want string }{
		{
			"it stays longer", "{at: 10s, for: 10s, network.latency: {from: load, to: target, delay: 50ms}}",
			"recover < 5s after f", "`heal < 5s after f`",
		},
		{"as long", "{at: 10s, for: 5s, network.latency: {from: load, to: target, delay: 50ms}}", "recover < 5s after f", ""},
		{
			"from its end", "{at: 10s, for: 10s, network.latency: {from: load, to: target, delay: 50ms}}", "heal < 5s after f",
			"",
		},
		{"over at once", "{at: 10s, network.reset: {from: load, to: target}}", "recover < 5s after f", ""},
		{
			"connections that are open go on",
			"{at: 10s, for: 10s, network.partition: {from: load, to: target, existing: keep}}", "recover < 5s after f",
			"`heal < 5s after f`",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := notesWith(t, "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n"+
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}\nchaos: {f: "+c.chaos+
				"}\nslo: [\""+c.slo+"\"]\n",
				"counts from the injection")
			if got := strings.Join(found, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("notes %q, want %q", got, c.want)
			}
		})
	}
}

// TestCompile_FewAnswers: a fault that too few requests meet to show that it made none slower is noted with what mends
// it, where an objective asks of it.
func TestCompile_FewAnswers(t *testing.T) {
	const note = " meet it, and 93 good answers are needed to show that it made none far slower, if one of them is " +
		"by chance; with fewer, "
	stall := func(stays string) string { return "{at: 80s, for: " + stays + ", network.stall: {to: users}}" }
	for _, c := range []struct{ name, rate, fault, more, want string }{
		{
			"too few", "10/s", stall("4s"), "slo: [recover < 30s after a]", "a: about 40 requests" + note +
				"`recover < 30s after a` may not pass if no request fails: for: 10s, or rate: 24/s, or judge: {slow: 500ms}.",
		},
		{"mended by time", "10/s", stall("10s"), "slo: [recover < 30s after a]", ""},
		{"mended by the rate", "24/s", stall("4s"), "slo: [recover < 30s after a]", ""},
		{"mended by a limit", "10/s", stall("4s"), "slo: [recover < 30s after a]\njudge: {slow: 500ms}", ""},
		{"a time of its own", "10/s", stall("4s"), "slo: [recover(500ms) < 30s after a]", ""},
		{
			"of the incident", "10/s", stall("4s"), "slo: [recover < 30s after incident]",
			"`recover < 30s after incident` may not pass",
		},
		{"not asked", "10/s", stall("4s"), "slo: [errors < 5%]", ""},
		{
			"one-shot", "10/s", "{at: 80s, process.crash: {service: users}}", "slo: [recover < 30s after a]",
			"a: about 50 requests" + note,
		},
	} {
		got := strings.Join(notesWith(t, "version: 1\ntarget: {stack: demo}\nload:\n"+
			"  main: {executor: constant-arrival-rate, rate: "+c.rate+", duration: 240s, flow: [{get: /}]}\n"+
			"chaos: {a: "+c.fault+"}\n"+c.more+"\n", "meet it"), "")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCompile_Doubts: what a run decides only for most targets is noted with what mends it: harm so slight that a
// window shows it only with others, and users who wait longer than usual for their answers. A time of its own in
// parentheses is no doubt.
func TestCompile_Doubts(t *testing.T) {
	open := "executor: constant-arrival-rate, rate: 25/s"
	for _, c := range []struct{ name, load, slo, want string }{
		{
			"slight harm", open + ", duration: 70s", "recover < 3s after f",
			"f: if it harms few requests, that can't be told from chance, because the load ends at 1m10s, and 3 windows of " +
				"20s from 20s on must be free: duration: 1m20s.",
		},
		{"slight harm, mended", open + ", duration: 80s", "recover < 3s after f", ""},
		{"slight harm, not asked for", open + ", duration: 70s", "errors < 5%", ""},
		{"a time of its own", open + ", duration: 150s", "recover(400ms) < 20s after f", ""},
		{
			"users", "executor: constant-vus, vus: 5, duration: 62s", "errors < 1%",
			"if answers take 200ms: `errors < 1%` can't be judged: at most 258 requests are expected in run (0s to 1m2s), " +
				"and 299 are needed; duration: 1m12s.",
		},
		{
			"a hold that shows recovery from an outage alone", "executor: constant-arrival-rate, rate: 100/s, duration: 34s",
			"recover < 10s after f",
			"`recover < 10s after f` may not be decided if the harm is slight, or lasts as long as it may: from the " +
				"injection of f at 20s on, 10s and a hold of 8s (in the 2s of `judge.hold` too few requests come: 746 are " +
				"needed) must fit in, and the load ends at 34s already; 4s more is needed: duration: 38s.",
		},
		{
			"a hold that shows recovery from any harm", "executor: constant-arrival-rate, rate: 100/s, duration: 38s",
			"recover < 10s after f", "",
		},
		{
			"a loss", "executor: constant-arrival-rate, rate: 100/s, duration: 42s", "failed < 2000 after f",
			"from the injection of f at 20s on, 20s and a hold of 8s (in the 2s of `judge.hold` too few requests come: " +
				"790 are needed) must fit in, and the load ends at 42s already; 6s more is needed: duration: 48s.",
		},
		{
			"a loss in a fault that lasts longer", "executor: constant-arrival-rate, rate: 100/s, duration: 30s",
			"degraded < 1s after f",
			"from the clearing of f at 25s on, a hold of 8s (in the 2s of `judge.hold` too few requests come: 706 are " +
				"needed)",
		},
		{"a loss, mended", "executor: constant-arrival-rate, rate: 100/s, duration: 48s", "failed < 2000 after f", ""},
		{
			"a reading that may be late", open + ", duration: 35s", "slope(posts.memory) < 1MiB/m in rest/f",
			"`slope(posts.memory) < 1MiB/m in rest/f` may not be decided if a reading comes late: it needs 10 readings of " +
				"posts, one every 1s, and rest/f (25s to 35s) has room for 10: ask about a longer phase.",
		},
		{"a reading that may be late, mended", open + ", duration: 36s", "slope(posts.memory) < 1MiB/m in rest/f", ""},
		{"users, mended", "executor: constant-vus, vus: 5, duration: 72s", "errors < 1%", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := notesWith(t, "version: 1\ntarget: {stack: demo}\nload:\n  main: {"+c.load+
				", flow: [{get: /}, {think: 1s}]}\n"+
				"chaos: {f: {at: 20s, for: 5s, network.stall: {to: users}}}\njudge: {slow: 1s, hold: 2s}\nslo: ["+c.slo+"]\n",
				"harms few requests", "may not be decided", "can't pass", "if answers take")
			if got := strings.Join(found, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("notes %q, want %q", got, c.want)
			}
		})
	}
}

// TestCompile_RestartDelay: the time in which a unit has to be healthy again counts from its restart, which the
// scenario itself may delay, and a note says so.
func TestCompile_RestartDelay(t *testing.T) {
	for delay, want := range map[string]string{
		"40s": "lose: web starts again 40s after it ends (restart_delay), so it has 1m10s to be healthy again (within).",
		"29s": "",
	} {
		p, err := plantest.CompileText("version: 1\ntarget: {processes: {web: {command: [web], restart_delay: " + delay +
			"}}}\nload: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 100s, flow: [{get: /}]}}\n" +
			"chaos: {lose: {at: 5s, process.crash: {service: web}}}\nslo: [recover < 50s after lose]\n")
		if err != nil {
			t.Fatal(plantest.Explained(err))
		}
		within := map[string]string{"40s": "1m10s", "29s": "50s"}[delay]
		if got := p.Faults[0].Within.D().String(); !strings.HasPrefix(got, within) {
			t.Errorf("%s: within is %s, want %s", delay, got, within)
		}
		got := strings.Join(p.Notes, "\n")
		if strings.Contains(got, "restart_delay") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: notes\n%s\nwant %q", delay, got, want)
		}
	}
}

// TestCompile_Down: a fault on a unit that another fault keeps down is noted, and so is one that may be over before its
// unit is down.
func TestCompile_Down(t *testing.T) {
	const meanwhile, grace = "keeps store[0] down", "does not end by SIGTERM"
	for _, c := range []struct {
		name, faults string
		want         string // empty: neither note
	}{
		{
			"a crash meanwhile", "s: {at: 10s, for: 9s, process.stop: {service: store}}\n" +
				"  k: {at: 15s, process.crash: {service: store}}",
			"k comes at 15s, while s keeps store[0] down: a unit that does not run can't be hit, and the run is invalid then. " +
				"Let it come before 10s or after 19s.",
		},
		{
			"a crash of another unit", "s: {at: 10s, for: 9s, process.stop: {service: store}}\n" +
				"  k: {at: 15s, process.crash: {service: web}}", "",
		},
		{
			"a fault on its link", "s: {at: 10s, for: 9s, process.stop: {service: store}}\n" +
				"  k: {at: 15s, for: 1s, network.latency: {from: web, to: store, delay: 5ms}}", "",
		},
		{
			"a crash after it", "s: {at: 10s, for: 9s, process.stop: {service: store}}\n" +
				"  k: {at: 30s, process.crash: {service: store}}", "",
		},
		{
			"over before the grace", "s: {at: 10s, for: 3s, process.stop: {service: store}}",
			"s: a unit that does not end by SIGTERM runs on for 5s (grace), and the fault stays for 3s, so that such a unit is " +
				"not down meanwhile. Give it a shorter `grace` or a longer `for`.",
		},
		{"killed at once", "s: {at: 10s, for: 3s, process.stop: {service: store, grace: 0s}}", ""},
		{"a short pulse", "s: {at: 10s, for: 30s, pulse: {on: 2s, off: 9s}, process.stop: {service: store}}", grace},
	} {
		found := notesWith(t, "version: 1\ntarget: {processes: {web: {command: [web], links: [store]}, "+
			"store: {command: [store]}}, entry: web}\n"+
			"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n"+
			"chaos:\n  "+c.faults+"\nslo: [errors < 50%]\n", meanwhile, grace)
		if got := strings.Join(found, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: notes %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCompile_LossesUnasked: a ledger and a delivery without an objective on losses are noted, whatever the other one's
// objective asks.
func TestCompile_LossesUnasked(t *testing.T) {
	const ledger, mails = "writes are read back", "the messages of mails are waited for"
	for slo, want := range map[string][]string{
		"errors < 1%":                  {ledger, mails},
		"lost = 0 of mails":            {ledger},
		"lost = 0":                     {mails},
		"lost = 0, lost = 0 of mails":  {},
		"lost = 0, p95 < 1s of mails":  {mails},
		"stale = 0, lost = 0 of mails": {ledger},
	} {
		found := notesWith(t, "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n"+
			"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{post: /, name: post, "+
			"extract: {id: \"$.id\"}, json: {to: \"${delivery.id}\"}}]}\n"+
			"ledger: {write: post, id: \"${var.id}\", read: {get: \"/${id}\"}}\n"+
			"deliveries: {mails: {sent: post, seen: {http: \":9099/\", id: \"$.id\"}, within: 5s}}\nslo: ["+slo+"]\n",
			ledger, mails)
		if len(found) != len(want) || !slices.EqualFunc(found, want, strings.Contains) {
			t.Errorf("%s: notes %q, want %q", slo, found, want)
		}
	}
}

// TestCompile_One: a number of one stands with a singular.
func TestCompile_One(t *testing.T) {
	for _, c := range []struct{ load, rest, want string }{
		{"rate: 1/s, duration: 1s", "slo: [errors < 1%]", "about 1 request is expected in run"},
		{
			"rate: 100/s, duration: 60s", "chaos: {x: {at: 20s, for: 5s, network.stall: {to: users}}}\n" +
				"slo: [recover.p95 < 10s after x]", "x comes once, and ",
		},
	} {
		_, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload: {main: {executor: constant-arrival-rate, " +
			c.load + ", flow: [{get: /}]}}\n" + c.rest + "\n")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}

// TestCompile_StopElsewhere: a stop condition is refused beside an objective on a recovery only if both are about the
// same requests, or about steps of the same flow: a step is skipped if one before it fails.
func TestCompile_StopElsewhere(t *testing.T) {
	for _, c := range []struct {
		stop, slo string
		refused   bool
	}{
		{"errors > 50%", "recover < 10s after f", true},
		{"errors > 50%", "recover < 10s after f of load shop", true},
		{"errors > 50% of load admin", "recover < 10s after f", true},
		{"errors > 50% of load admin", "recover < 10s after f of load shop", false},
		{"errors > 50% of users", "recover < 10s after f of load shop", false},
		{"errors > 50% of pay", "recover < 10s after f of cart", true},
		{"errors > 50% of search", "recover < 10s after f of cart", false},
		{"errors > 50% of iteration", "recover < 10s after f of cart", true},
	} {
		_, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload:\n" +
			"  shop: {executor: constant-arrival-rate, rate: 200/s, duration: 90s, mix: [" +
			"{weight: 1, flow: [{get: /, name: cart}, {get: /, name: pay}]}, " +
			"{weight: 1, flow: [{get: /, name: search}]}]}\n" +
			"  admin: {executor: constant-arrival-rate, rate: 100/s, duration: 90s, flow: [{get: /, name: users}]}\n" +
			"chaos: {f: {at: 20s, for: 5s, network.stall: {to: users}}}\nstop: [" + c.stop + "]\nslo: [" + c.slo + "]\n")
		got := ""
		if err != nil {
			got = plantest.Explained(err)
		}
		if (got != "") != c.refused || !strings.Contains(got, "would end the run before") && c.refused {
			t.Errorf("%s beside %s: %q", c.stop, c.slo, got)
		}
	}
}

// TestCompile_WholeRequests: `whole` counts the requests of steps with `want` alone, so a run has too few of them
// although it has enough requests.
func TestCompile_WholeRequests(t *testing.T) {
	for _, c := range []struct{ slo, length, want string }{
		{
			"whole > 95%", "30s",
			"about 30 requests are expected from steps with `want` in run (0s to 30s), and 59 are needed",
		},
		{"whole > 95% of iteration", "30s", "about 30 requests are expected from steps with `want`"},
		{"whole > 95%", "60s", ""},
		{"whole > 95% of iteration", "60s", ""},
		{"checks > 95%", "30s", ""},
	} {
		_, err := plantest.CompileText("version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n" +
			"  main: {executor: constant-arrival-rate, rate: 10/s, duration: " + c.length + ", mix: [" +
			"{weight: 1, flow: [{get: /a, want: {\"$.a\": exists}}]}, {weight: 9, flow: [{get: /b}]}]}\n" +
			"slo: [" + c.slo + "]\n")
		got := ""
		if err != nil {
			got = plantest.Explained(err)
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s in %s: %q, want %q", c.slo, c.length, got, c.want)
		}
	}
}
