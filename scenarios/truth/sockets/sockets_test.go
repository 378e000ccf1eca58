package sockets_test

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/truth"
)

// A socketCase is a run of one constant load against a server of known behaviour.
type socketCase struct {
	name     string
	script   truth.Script
	rate     int    // requests a second; zero is 100
	seconds  int    // of load; zero is 10
	flow     string // zero is one GET
	executor string // "" is constant-arrival-rate
	check    string // of the step
	chaos    string // when the fault is in; "" is no fault
	judge    string
	slo      []string
	more     string // further keys of the scenario
	slow     time.Duration
	timeout  time.Duration // of a request; zero is 2 s

	verdict    string
	exit       int
	objectives map[string]string // verdicts by text, where they are not the run's
	see        func(c *truth.Complaints, g got)

	effects func(n int) truth.Effect // of writes; see truth.Store
	early   bool                     // brunt ends the run before the load's end
	short   bool                     // it is played in the short form, too
	open    string                   // why brunt does not get it right yet; empty where it does
	freeze  time.Duration            // brunt stands still for this long, 3 s after the first request
}

// got is what a case has to compare.
type got struct {
	*report
	server *truth.Server
	load   truth.Load
	truth  truth.Truth
}

const inFault = "at: 3s, for: 2s"

var fail = truth.Act{Status: 500}

var socketCases = []socketCase{
	{
		name:   "healthy",
		short:  true,
		script: truth.Healthy(0), slo: []string{"errors < 1%", "p99 < 500ms"}, verdict: "pass",
	},
	{
		name:   "without objectives, every request failed",
		short:  true,
		script: truth.Healthy(0).Between(0, 1<<30, fail), seconds: 3,
		verdict: "none", exit: 3,
	},
	{
		name: "without objectives, all good", script: truth.Healthy(0), seconds: 3, verdict: "none", exit: 0,
	},
	{
		name: "an outage of 1.5 s is recovered from in time", script: truth.Healthy(0).Between(310, 460, fail),
		chaos: inFault, slo: []string{"recover < 1800ms after f"}, verdict: "pass", see: sharpOutage,
	},
	{
		name:   "an outage of 1.5 s is too long",
		short:  true,
		script: truth.Healthy(0).Between(310, 460, fail),
		chaos:  inFault, slo: []string{"recover < 1400ms after f"}, verdict: "fail", exit: 3, see: sharpOutage,
	},
	{
		name: "an outage at 50/s", rate: 50, seconds: 12, script: truth.Healthy(0).Between(157, 243, fail),
		chaos: inFault, slo: []string{"recover < 2s after f"}, verdict: "pass", see: sharpOutage,
	},
	{
		name: "an outage by resets", script: truth.Healthy(0).Between(305, 420, truth.Act{Reset: true}),
		chaos: inFault, slo: []string{"recover < 1500ms after f"}, verdict: "pass", see: sharpOutage,
	},
	{
		name:  "an outage of 0.3 s is seen and named",
		short: true,
		rate:  200, script: truth.Healthy(0).Between(620, 680, fail),
		chaos: inFault, slo: []string{"recover < 1s after f"}, verdict: "pass", see: func(c *truth.Complaints, g got) {
			sharpOutage(c, g)
			if g.Faults[0].Failed != 60 {
				c.Errorf("%d requests failed by the fault, want 60", g.Faults[0].Failed)
			}
		},
	},
	{
		name: "a budget for errors does not make an outage harmless", script: truth.Healthy(0).Between(310, 460, fail),
		chaos: inFault, slo: []string{"errors < 30%"}, verdict: "pass", see: sharpOutage,
	},
	{
		name:   "everything 270 times slower is an impact",
		script: truth.Healthy(time.Millisecond).Between(310, 500, truth.Act{Delay: 270 * time.Millisecond}),
		chaos:  inFault, slow: 100 * time.Millisecond, slo: []string{"recover < 1s after f", "errors < 1%"},
		verdict: "fail", exit: 3, objectives: map[string]string{"errors < 1%": "pass"}, see: sharpOutage,
	},
	{
		name: "a relapse sooner than the recovery took is not a recovery", seconds: 16,
		script: truth.Healthy(0).Between(310, 800, fail).Between(1200, 1<<30, truth.Act{Status: 503}),
		chaos:  inFault, slo: []string{"recover < 8s after f"}, verdict: "fail", exit: 3,
		see: func(c *truth.Complaints, g got) {
			if !strings.Contains(g.stdout, "relapsed at 12") {
				c.Errorf("the terminal names no relapse at 12s")
			}
		},
	},
	{
		name: "a relapse long after the recovery is not shown to be the fault's", seconds: 16,
		script: truth.Healthy(0).Between(310, 400, fail).Between(1100, 1<<30, truth.Act{Status: 503}),
		chaos:  inFault, slo: []string{"recover < 3s after f"}, verdict: "inconclusive", exit: 8,
		see: func(c *truth.Complaints, g got) {
			if !strings.Contains(g.stdout, "requests were bad from 11") {
				c.Errorf("the terminal names no harm from 11s on: %s", g.stdout)
			}
		},
	},
	{
		name: "two outages with good seconds between", seconds: 16,
		script: truth.Healthy(0).Between(310, 410, fail).Between(600, 720, fail),
		chaos:  "at: 3s, for: 5s", slo: []string{"errors < 30%"}, verdict: "pass", see: func(c *truth.Complaints, g got) {
			c.Near("degraded", g.Faults[0].Degraded, 2200*time.Millisecond, 2*(10*time.Millisecond+truth.Edge))
			want, _ := g.truth.Recover(at(g.server, g.report), time.Hour)
			c.NearSpan("recover", g.Faults[0].Recover, want, 10*time.Millisecond+truth.Edge)
		},
	},
	{
		name: "noise in a long fault is not shown to be the fault's", seconds: 16,
		script: truth.Healthy(0).Between(750, 800, fail), chaos: "at: 3s, for: 8s",
		slo: []string{"recover < 1s after f", "recover < 10s after f"}, verdict: "inconclusive", exit: 8,
		objectives: map[string]string{"recover < 10s after f": "pass"},
		see: func(c *truth.Complaints, g got) {
			if len(g.Incidents) != 1 || g.Incidents[0].By != "" || len(g.Incidents[0].Faults) != 1 {
				c.Errorf("incidents: %+v, want one during f", g.Incidents)
			}
			if f := g.Faults[0]; f.Impact != "unknown" || !strings.Contains(g.stdout, "and nothing shows that it did that") {
				c.Errorf("the impact is %s, and the terminal does not say that nothing shows it", f.Impact)
			}
		},
	},
	{
		name: "slow harm that lasts until a long fault is taken back is the fault's", seconds: 16,
		script: truth.Healthy(0).Between(750, 1105, fail), chaos: "at: 3s, for: 8s",
		slo: []string{"recover < 6s after f", "recover < 10s after f"}, verdict: "fail", exit: 3,
		objectives: map[string]string{"recover < 10s after f": "pass"},
		see: func(c *truth.Complaints, g got) {
			sharpOutage(c, g)
			if len(g.Incidents) != 1 || g.Incidents[0].By != "f" {
				c.Errorf("incidents: %+v, want one by f", g.Incidents)
			}
		},
	},
	{
		name:   "a surge of shed is an impact",
		script: truth.Healthy(0).Between(310, 500, truth.Act{Status: 503}), check: "shed: [503]",
		chaos: inFault, slo: []string{"errors < 1%", "availability > 99%"}, verdict: "fail", exit: 3,
		objectives: map[string]string{"errors < 1%": "pass"}, see: func(c *truth.Complaints, g got) {
			if g.Faults[0].Impact != "impacted" {
				c.Errorf("impact is %q, want impacted", g.Faults[0].Impact)
			}
			if len(g.Incidents) == 1 && len(g.truth.Outages) == 1 { // of shed requests alone, and yet to the request
				c.NearSpan("begin of the incident", g.Incidents[0].Begin, g.truth.Outages[0].Begin, 10*time.Millisecond+truth.Edge)
				c.NearSpan("end of the incident", g.Incidents[0].End, g.truth.Outages[0].End, 10*time.Millisecond+truth.Edge)
			} else {
				c.Errorf("%d incidents, and %d outages of the server", len(g.Incidents), len(g.truth.Outages))
			}
			if n := g.count("run", "shed"); n != 190 {
				c.Errorf("%d requests were shed, want 190", n)
			}
		},
	},
	{
		name: "no harm, no recovery to wait for", rate: 200, script: truth.Healthy(0), chaos: inFault,
		slo: []string{"recover < 1s after f", "errors < 1% in f"}, verdict: "pass", see: func(c *truth.Complaints, g got) {
			c.Near("recover", g.Faults[0].Recover, 0, 0)
			if g.Faults[0].Impact != "not_impacted" {
				c.Errorf("impact is %q, want not_impacted", g.Faults[0].Impact)
			}
		},
	},
	{
		name: "a bimodal target is healthy", script: truth.Healthy(0).EveryIn(0, 1<<30, 7,
			truth.Act{Delay: 60 * time.Millisecond}),
		chaos: inFault, slo: []string{"recover < 1s after f"}, verdict: "pass", see: func(c *truth.Complaints, g got) {
			c.Near("recover", g.Faults[0].Recover, 0, 0)
		},
	},
	{
		name:  "2 of 60 errors do not show errors < 5%",
		short: true,
		rate:  10, seconds: 6, script: truth.Healthy(0).EveryIn(20, 50, 15, fail),
		slo: []string{"errors < 5%"}, verdict: "inconclusive", exit: 8,
	},
	{
		name: "no error at all is a fact", rate: 10, seconds: 5, script: truth.Healthy(0), slo: []string{"errors = 0%"},
		verdict: "pass",
	},
	{
		name: "one error refutes errors = 0%", seconds: 5, script: truth.Healthy(0).Between(250, 251, fail),
		slo: []string{"errors = 0%"}, verdict: "fail", exit: 3,
	},
	{
		name:   "a baseline of errors breaks nothing",
		early:  true,
		script: truth.Healthy(0).Between(0, 1<<30, fail), chaos: inFault,
		slo: []string{"recover < 1s after f"}, verdict: "invalid", exit: 5, see: notInjected,
	},
	{
		name:  "a steady state that fails breaks nothing",
		early: true, objectives: map[string]string{"recover < 1s after f": "inconclusive"},
		script: truth.Healthy(0).Between(0, 1<<30, fail), chaos: "at: 4s, for: 2s",
		more: "steady: [errors < 1%]", slo: []string{"recover < 1s after f"}, verdict: "fail", exit: 3, see: notInjected,
	},
	{
		name: "a hang with one step", seconds: 14, timeout: time.Second,
		script: truth.Healthy(0).Between(310, 510, truth.Act{Hang: true}),
		chaos:  inFault, slo: []string{"recover < 3s after f"}, verdict: "pass", see: sharpOutage,
	},
	{
		name: "a hang with two steps recovers as fast", seconds: 14, timeout: time.Second,
		script: truth.Healthy(0).Between(310, 510, truth.Act{Hang: true}),
		flow:   `[{get: "/one?n=${data.n.value}", name: one}, {get: "/two?n=${data.n.value}", name: two}]`,
		chaos:  inFault, slo: []string{"recover < 3s after f"}, verdict: "pass", see: func(c *truth.Complaints, g got) {
			want, _ := g.truth.Recover(at(g.server, g.report), time.Hour)
			c.NearSpan("recover", g.Faults[0].Recover, want, 10*time.Millisecond+truth.Edge)
		},
	},
	{
		name: "down to the end is not recovered", script: truth.Healthy(0).Between(310, 1<<30, fail), chaos: inFault,
		slo: []string{"recover < 4s after f"}, verdict: "fail", exit: 3, see: func(c *truth.Complaints, g got) {
			if g.Faults[0].Recover != nil {
				c.Errorf("recover is %.3fs, want none", *g.Faults[0].Recover)
			}
		},
	},
	{
		name: "90 writes are lost",
		flow: writing, more: fmt.Sprintf(ledger, "2s"), chaos: inFault, script: truth.Healthy(0),
		effects: effectsBetween(310, 400, truth.Effect{Lost: true}), slo: []string{"lost = 0", "errors < 1%"},
		verdict: "fail", exit: 3,
		objectives: map[string]string{"errors < 1%": "pass"}, see: func(c *truth.Complaints, g got) {
			if g.Ledger == nil || g.Ledger.Lost != 90 {
				c.Errorf("the ledger is %+v, want 90 lost", g.Ledger)
			}
			if g.Faults[0].Impact != "impacted" {
				c.Errorf("impact is %q, want impacted: writes were lost", g.Faults[0].Impact)
			}
		},
	},
	{
		name: "late writes are not lost", flow: writing, more: fmt.Sprintf(ledger, "20s"), script: truth.Healthy(0),
		seconds: 6,
		effects: effectsBetween(310, 600, truth.Effect{Late: 7 * time.Second}), slo: []string{"lost = 0", "late < 15s"},
		verdict: "pass",
	},
	{
		name: "writes that come too late", flow: writing, more: fmt.Sprintf(ledger, "20s"), script: truth.Healthy(0),
		seconds: 6,
		effects: effectsBetween(500, 600, truth.Effect{Late: 7 * time.Second}), slo: []string{"lost = 0", "late < 2s"},
		verdict: "fail", exit: 3,
		objectives: map[string]string{"lost = 0": "pass"},
	},
	{
		name: "7 writes are there twice", flow: writing, more: fmt.Sprintf(ledger, "2s"), script: truth.Healthy(0),
		seconds: 6,
		effects: effectsBetween(100, 107, truth.Effect{Double: true}), slo: []string{"lost = 0", "duplicated = 0"},
		verdict: "fail", exit: 3,
		objectives: map[string]string{"lost = 0": "pass"}, see: func(c *truth.Complaints, g got) {
			if g.Ledger == nil || g.Ledger.Duplicated != 7 {
				c.Errorf("the ledger is %+v, want 7 duplicated", g.Ledger)
			}
		},
	},
	{
		name: "brunt stands still, the target is good", script: truth.Healthy(0), freeze: 420 * time.Millisecond,
		slo: []string{"errors < 1%", "p98 < 50ms"}, verdict: "invalid", exit: 5, see: func(c *truth.Complaints, g got) {
			for text, want := range map[string]string{"errors < 1%": "pass", "p98 < 50ms": "invalid"} {
				if have := g.objective(text); have != want {
					c.Errorf("%s: %s, want %s", text, have, want)
				}
			}
		},
	},
	{
		name: "brunt stands still for longer than the timeout of two steps", script: truth.Healthy(100 * time.Millisecond),
		freeze:  700 * time.Millisecond,
		timeout: 300 * time.Millisecond,
		flow:    `[{get: "/one?n=${data.n.value}", name: one}, {get: "/two?n=${data.n.value}", name: two}]`,
		slo:     []string{"errors = 0%", "errors < 1%"}, verdict: "invalid", exit: 5, see: func(c *truth.Complaints, g got) {
			for text, want := range map[string]string{"errors = 0%": "invalid", "errors < 1%": "invalid"} {
				if have := g.objective(text); have != want {
					c.Errorf("%s: %s, want %s", text, have, want)
				}
			}
			if len(g.Incidents) != 0 {
				c.Errorf("incidents: %+v, want none: brunt's freeze is not the target's", g.Incidents)
			}
		},
	},
	{
		name: "brunt stands still through most of a fault", seconds: 13, script: truth.Healthy(0),
		freeze: 2500 * time.Millisecond,
		chaos:  "at: 2900ms, for: 3s", slo: []string{
			"recover < 1s after f", "recover < 5s after f",
			"recover < 1s after incident",
		}, verdict: "invalid", exit: 5,
		objectives: map[string]string{
			"recover < 1s after f": "invalid", "recover < 1s after incident": "invalid",
		},
		see: func(c *truth.Complaints, g got) {
			if f := g.Faults[0]; f.Impact != "unknown" {
				c.Errorf("the impact is %s, want unknown: brunt saw nothing of most of it", f.Impact)
			}
			want := "pass"
			if g.Faults[0].Parts.Untold != "" { // on a busy machine, the answers to what brunt sends at once take long
				want = "invalid"
			}
			if have := g.objective("recover < 5s after f"); have != want {
				c.Errorf("recover < 5s after f: %s, want %s (%s)", have, want, g.Faults[0].Parts.Untold)
			}
		},
	},
	{
		name: "brunt stands still, the target fails", script: truth.Healthy(0).EveryIn(0, 1<<30, 3, truth.Act{Status: 404}),
		freeze: 420 * time.Millisecond,
		slo:    []string{"errors < 1%", "p98 < 50ms"}, verdict: "fail", exit: 3,
		objectives: map[string]string{"p98 < 50ms": "fail"},
	},
	{
		name:   "a closed load hides no stall",
		script: truth.Healthy(0).Between(900, 910, truth.Act{Delay: 5 * time.Second}), timeout: 10 * time.Second,
		executor: "executor: per-vu-iterations, vus: 10, iterations: 200, max_duration: 30s",
		flow:     `[{get: "/read?n=${data.n.value}", name: read}, {think: 10ms}]`,
		slo:      []string{"availability > 99%"}, verdict: "inconclusive", exit: 8,
	},
}

// ledger is a scenario of writes that are read back.
const ledger = `ledger: {write: write, ack: status 201, id: "${ledger.id}", read: {get: "/writes?id=${id}"}, count: "$.items", settle: 200ms, within: %s}`

// writing are the steps that write.
const writing = `[{post: "/writes?id=${ledger.id}", name: write, check: {status: 201}}]`

// effectsBetween gives the writes from first up to, and without, end a effect.
func effectsBetween(first, end int, f truth.Effect) func(int) truth.Effect {
	return func(n int) truth.Effect {
		if n >= first && n < end {
			return f
		}
		return truth.Effect{}
	}
}

// notInjected holds that the fault did not come in.
func notInjected(c *truth.Complaints, g got) {
	if on := g.server.Log.Injected(); len(on) > 0 {
		c.Errorf("the fault was injected at %v", on[0].Sub(g.T0))
	}
}

// kept holds that the run names the one peer of its connections, and says that it kept them through the fault.
func kept(c *truth.Complaints, g got) {
	n := &g.Generator
	if len(n.Peers) != 1 || "http://"+n.Peers[0].Address != g.server.URL() || n.Peers[0].Opened != n.Connections {
		c.Errorf("the peers are %+v, want %d connections to %s", n.Peers, n.Connections, g.server.URL())
	}
	if said := strings.Contains(strings.Join(g.Notes, "\n"), `clients that keep their connections open, as "main"`); !said {
		c.Errorf("no note says that the load kept its connections: %q", g.Notes)
	}
}

// sharpOutage holds onset and recovery against the log.
func sharpOutage(c *truth.Complaints, g got) {
	kept(c, g)
	apart := g.load.Intended(1)
	injected := at(g.server, g.report)
	want, over := g.truth.Recover(injected, time.Hour)
	if !over || len(g.truth.Outages) == 0 {
		c.Errorf("the server made no outage with an end: %+v", g.truth.Outages)
		return
	}
	f := g.Faults[0]
	if f.Impact != "impacted" {
		c.Errorf("impact is %q, want impacted", f.Impact)
	}
	c.Near("injected", f.Injected, injected, 20*time.Millisecond)
	c.NearSpan("recover", f.Recover, want, apart+truth.Edge)
	c.NearSpan("onset", f.Onset, g.truth.Outages[0].Begin.Since(injected), apart+truth.Edge)
	if len(g.Incidents) != len(g.truth.Outages) {
		c.Errorf("%d incidents, want %d: %+v", len(g.Incidents), len(g.truth.Outages), g.Incidents)
		return
	}
	for i, o := range g.truth.Outages {
		in := g.Incidents[i]
		c.NearSpan("begin of the incident", in.Begin, o.Begin, apart+truth.Edge)
		c.NearSpan("end of the incident", in.End, o.End, apart+truth.Edge)
		if want := o.Last - o.First + 1; in.Bad != want {
			c.Errorf("%d bad requests in the incident, want %d", in.Bad, want)
		}
		if !in.Planned || len(in.Faults) != 1 || in.Faults[0] != "f" {
			c.Errorf("the incident's faults are %v, planned %v; want f, planned", in.Faults, in.Planned)
		}
	}
}

func (c socketCase) scenario(s *truth.Server, l truth.Load) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nname: truth\ntarget: {url: %q}\ndata: {n: {range: 0..99999, pick: next}}\n", s.URL())
	flow := c.flow
	if flow == "" {
		flow = `[{get: "/read?n=${data.n.value}", name: read`
		if c.check != "" {
			flow += ", check: {" + c.check + "}"
		}
		flow += "}]"
	}
	executor := c.executor
	if executor == "" {
		executor = fmt.Sprintf("executor: constant-arrival-rate, rate: %d/s, duration: %ds", l.Rate, l.Requests/l.Rate)
	}
	fmt.Fprintf(&b, "load: {main: {%s, timeout: %v, flow: %s}}\n", executor, l.Timeout, flow)
	if c.chaos != "" {
		fmt.Fprintf(&b, "chaos: {f: {%s, webhook: {inject: {post: %q}, verify: {get: %q}, revert: {post: %q}}}}\n",
			c.chaos, s.URL()+"/fault/on", s.URL()+"/fault", s.URL()+"/fault/off")
	}
	judge := c.judge
	if judge == "" {
		judge = "hold: 2s"
	}
	if c.slow > 0 {
		judge += ", slow: " + c.slow.String()
	}
	fmt.Fprintf(&b, "judge: {%s}\n", judge)
	if c.more != "" {
		b.WriteString(c.more + "\n")
	}
	if len(c.slo) > 0 {
		b.WriteString("slo:\n" + indent(strings.Join(c.slo, "\n"), "  - ") + "\n")
	}
	return b.String()
}

// TestSockets plays each case against a real server. The short form plays those marked so.
func TestSockets(t *testing.T) {
	if n := len(socketCases); n > truth.SocketCases {
		t.Errorf("there are %d cases: raise truth.SocketCases from %d", n, truth.SocketCases)
	}
	for _, c := range socketCases {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("one of the long cases")
			}
			if c.freeze > 0 && runtime.GOOS == "windows" {
				t.Skip("windows has no signal that stops a process")
			}
			t.Parallel()
			c.try(t)
		})
	}
}

func (c socketCase) try(t *testing.T) {
	g, scenario := c.play(t, machine{})
	wrong := &truth.Complaints{}
	c.compare(wrong, g)
	wrong.Report(t, c.open, func() string { return c.circumstances(g, scenario) })
}

// circumstances describes a run that brunt got wrong.
func (c socketCase) circumstances(g got, scenario string) string {
	return fmt.Sprintf("\nreason: %s\nserver: %d good, %d failed, %d missing, %d outages %+v\n%s\n%s", g.Reason,
		g.truth.Good, g.truth.Failed, g.truth.Missing, len(g.truth.Outages), g.truth.Outages[:min(3, len(g.truth.Outages))],
		scenario, g.stdout)
}

// play runs the case on a machine.
func (c socketCase) play(t *testing.T, m machine) (g got, scenario string) {
	l := truth.Load{Rate: cmp.Or(c.rate, 100), Slow: c.slow, Timeout: cmp.Or(c.timeout, 2*time.Second)}
	l.Requests = l.Rate * cmp.Or(c.seconds, 10)
	s, err := truth.Start(c.script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Store.Effects = c.effects
	scenario = c.scenario(s, l)
	r := play(t, scenario, func(p *os.Process) {
		if m.quota > 0 {
			limit(t, p, m.quota)
		}
		if c.freeze > 0 {
			freeze(t, p, s, c.freeze, c.chaos != "")
		}
	})
	if c.early {
		l.Requests = len(s.Log.Entries())
	}
	l.T0 = r.T0
	keepLog(t, s, r)
	return got{report: r, server: s, load: l, truth: truth.Of(s.Log.Entries(), l)}, scenario
}

// compare holds what brunt said against what the case wants and the server knows.
func (c socketCase) compare(wrong *truth.Complaints, g got) {
	if g.Verdict != c.verdict || g.exit != c.exit {
		wrong.Errorf("verdict %q, exit %d, want %q and %d", g.Verdict, g.exit, c.verdict, c.exit)
	}
	for _, text := range c.slo {
		want, own := c.objectives[text]
		if !own {
			want = c.verdict
		}
		if have := g.objective(text); have != want && (own || c.verdict != "invalid") {
			wrong.Errorf("%s: %s, want %s", text, have, want)
		}
	}
	g.counts(wrong, c)
	if c.see != nil {
		c.see(wrong, g)
	}
}

// counts compares the counts of outcomes with the log, where a case has one step that reads.
func (g got) counts(wrong *truth.Complaints, c socketCase) {
	if c.flow != "" || c.freeze > 0 {
		return
	}
	if good := g.count("run", "ok"); good != g.truth.Good {
		wrong.Errorf("brunt counts %d good requests, the server %d", good, g.truth.Good)
	}
	if bad := g.count("run", "error") + g.count("run", "skipped") + g.count("run", "shed"); bad != g.truth.Failed+
		g.truth.Missing {
		wrong.Errorf("brunt counts %d bad requests, the server %d", bad, g.truth.Failed+g.truth.Missing)
	}
}
