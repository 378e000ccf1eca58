package sockets_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// A machine is a condition under which brunt runs: something that takes processor time from it and from the server.
type machine struct {
	name     string
	spinning int // processes that use all the processor time they get
	quota    int // share of one processor that brunt may use, in percent; zero is no limit
	decided  int // least percentage of the cases of TestBusy in which brunt decides
}

var machines = []machine{
	{name: "idle", decided: 80},
	{name: "two processes spin", spinning: 2, decided: 50},
	{name: "24 processes spin", spinning: 24},
	{name: "half a processor", quota: 50, decided: 50},
}

// A busyCase is a run on a machine that is busy. The script leaves no doubt: each objective holds or is missed by
// far. So on any machine the run ends with the verdict of the script, or it doubts it because brunt was late.
type busyCase struct {
	name      string
	script    truth.Script
	slo       []string
	fails     bool // the script misses an objective; otherwise all hold
	slower    bool // answers in the fault are far slower than before
	unlimited bool // no limit tells which answers are slow, so a recovery may stay open on an idle machine as well
	effects   func(n int) truth.Effect
	flow      string
	more      string
	short     bool
}

// Requests are sent at 100/s for 12 s, and the fault is in from request 500 to 800.
const busyFault, busySeconds, busyFirst, busyEnd = "at: 5s, for: 3s", 12, 500, 800

var busyCases = []busyCase{
	{
		name: "healthy", script: truth.Healthy(0), slo: []string{"errors < 5%", "p95 < 1500ms", "recover < 3s after f"},
	},
	{
		name: "500 ms of latency", script: truth.Healthy(time.Millisecond).Between(520, 780, truth.Act{Delay: 500 * ms}),
		slo: []string{"recover < 4s after f"}, slower: true, unlimited: true, short: true,
	},
	{
		name: "60 ms of latency", script: truth.Healthy(0).Between(busyFirst, busyEnd, truth.Act{Delay: 60 * ms}),
		slo: []string{"errors < 5%"}, slower: true,
	},
	{
		name:   "a tenth of the answers takes 300 ms",
		script: truth.Healthy(0).EveryIn(busyFirst, busyEnd, 10, truth.Act{Delay: 300 * ms}),
		slo:    []string{"errors < 5%"}, slower: true,
	},
	{
		name: "700 ms over the limit of latency", slo: []string{"p95 < 300ms in f"}, fails: true, slower: true,
		script: truth.Healthy(0).Between(busyFirst, busyEnd, truth.Act{Delay: 700 * ms}),
	},
	{
		name: "an outage of 2 s is too long", script: truth.Healthy(0).Between(520, 720, fail),
		slo: []string{"recover < 500ms after f"}, fails: true, short: true,
	},
	{
		name: "an outage of 1 s is over in time", script: truth.Healthy(0).Between(520, 620, fail),
		slo: []string{"recover < 4s after f"},
	},
	{
		name: "a third of the requests fails", script: truth.Healthy(0).EveryIn(busyFirst, busyEnd, 3, fail),
		slo: []string{"errors < 5% in f"}, fails: true, short: true,
	},
	{
		name: "down to the end", script: truth.Healthy(0).Between(520, 1<<30, fail),
		slo: []string{"recover < 3s after f"}, fails: true,
	},
	{
		name: "a hang", script: truth.Healthy(0).Between(520, 620, truth.Act{Hang: true}),
		slo: []string{"errors < 2%"}, fails: true,
	},
	{
		name: "90 writes are lost", script: truth.Healthy(0), flow: writing, more: fmt.Sprintf(ledger, "4s"),
		effects: effectsBetween(510, 600, truth.Effect{Lost: true}), slo: []string{"lost = 0"}, fails: true,
	},
	{
		name: "every write is kept", script: truth.Healthy(0), flow: writing, more: fmt.Sprintf(ledger, "4s"),
		slo: []string{"lost = 0", "errors < 5%"},
	},
}

const ms = time.Millisecond

// TestBusy plays runs on a machine that is idle, and on a machine that is busy, which is the condition under which
// false words came up (row H1 of the audit). On each: no false pass, no false fail, and no fault without an effect
// where the server's own log says that answers were slower. A run is in doubt only where the log says that requests
// came late, and a part of the runs is decided. The short form plays some of them, beside two processes that spin.
func TestBusy(t *testing.T) {
	onMachines(t, func(t *testing.T, m machine) {
		var all, decided atomic.Int32
		t.Cleanup(func() { // when the cases have ended
			t.Logf("brunt decided %d of %d cases", decided.Load(), all.Load())
			if n := all.Load(); !testing.Short() && 100*decided.Load() < int32(m.decided)*n {
				t.Errorf("brunt decided %d of %d cases, want %d %%", decided.Load(), n, m.decided)
			}
		})
		for _, c := range busyCases {
			t.Run(c.name, func(t *testing.T) {
				if testing.Short() && !c.short {
					t.Skip("one of the long cases")
				}
				t.Parallel()
				all.Add(1)
				if verdict := c.try(t, m); verdict == "pass" || verdict == "fail" || c.unlimited {
					decided.Add(1)
				}
			})
		}
	})
}

// TestBusy_Sockets plays the cases of TestSockets on a busy machine, without those in which brunt stands still. The
// short form plays two of them.
func TestBusy_Sockets(t *testing.T) {
	onMachines(t, func(t *testing.T, m machine) {
		for _, c := range socketCases {
			if c.freeze > 0 || m == (machine{name: m.name}) { // TestSockets plays them on an idle one
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				if testing.Short() && !(c.short && c.chaos != "") {
					t.Skip("one of the long cases")
				}
				t.Parallel()
				g, scenario := c.play(t, m)
				wrong := &truth.Complaints{}
				c.doubted(wrong, g)
				wrong.Report(t, c.open, func() string { return c.circumstances(g, scenario) })
			})
		}
	})
}

// onMachines calls play on each machine, and in the short form on the one beside which two processes spin.
func onMachines(t *testing.T, play func(t *testing.T, m machine)) {
	for _, m := range machines {
		t.Run(m.name, func(t *testing.T) {
			if testing.Short() && m.spinning != 2 {
				t.Skip("one of the long conditions")
			}
			if m.quota > 0 {
				suite.Needs(t, suite.Root, suite.ControlGroups)
			}
			for range m.spinning {
				spin(t)
			}
			// so that the processes spin until all have ended
			t.Run("cases", func(t *testing.T) { play(t, m) })
		})
	}
}

// doubted holds what brunt said on a busy machine against what the case wants and the server knows. Each verdict is
// the one that the case wants, or a doubt because requests came late. An objective that has to pass may fail only if
// the server itself was slow in the span that the objective judges.
func (c socketCase) doubted(wrong *truth.Complaints, g got) {
	log := busyLog{g.server.Log.Entries(), g.server.Log.Stalls(), g.load}
	excused := false // the server failed an objective that has to pass
	hold := func(what, have, want string, first, end int) {
		late := log.late(end)
		if c.executor != "" {
			late = time.Second // a closed load has no schedule
		}
		switch {
		case have == want:
		case have == "fail" && want == "pass" && c.slow == 0 && log.slow(first, end):
			excused = true
		case have != "invalid" && have != "inconclusive":
			wrong.Errorf("%s: %s, want %s; requests came up to %s late, and from request %d to %d the server was "+
				"slow: %t",
				what, have, want, late, first, end, log.slow(first, end))
		case late < 10*ms:
			wrong.Errorf("%s: %s, want %s: no request came more than %s late", what, have, want, late)
		}
	}
	for _, text := range c.slo {
		want, own := c.objectives[text]
		if !own {
			want = c.verdict
		}
		if have := g.objective(text); own || c.verdict != "invalid" {
			first, end := g.judged(text)
			hold(text, have, want, first, end)
		}
	}
	if !excused || g.Verdict != "fail" {
		hold("the run", g.Verdict, c.verdict, 0, 0)
	}
	if c.flow != "" || c.early || len(g.Faults) == 0 || g.Faults[0].Injected == nil || g.Faults[0].Cleared == nil {
		return
	}
	at := func(second *float64) int { return int(*second * float64(g.load.Rate)) }
	first, end := at(g.Faults[0].Injected), at(g.Faults[0].Cleared)
	before, during := log.served(0, first), log.served(first, end)
	if f := &g.Faults[0]; before > 0 && during > 2*before+20*ms && !f.Parts.Slowed && f.Parts.Untold == "" &&
		f.Impact == "not_impacted" {
		wrong.Errorf("answers were not slower, says brunt; the server says %s before the fault and %s in it", before, during)
	}
	if f := &g.Faults[0]; len(g.truth.Outages) > 0 && g.truth.Outages[0].Last-g.truth.Outages[0].First > 10 &&
		g.truth.Outages[0].First >= first && g.truth.Outages[0].First < end && f.Impact == "not_impacted" {
		wrong.Errorf("no impact, says brunt; the server failed requests %d to %d", g.truth.Outages[0].First,
			g.truth.Outages[0].Last)
	}
}

// try plays the case, and returns the verdict.
func (c busyCase) try(t *testing.T, m machine) string {
	l := truth.Load{Rate: 100, Requests: 100 * busySeconds, Timeout: 2 * time.Second}
	s, err := truth.Start(c.script)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Store.Effects = c.effects
	scenario := socketCase{chaos: busyFault, slo: c.slo, flow: c.flow, more: c.more}.scenario(s, l)
	r := play(t, scenario, func(p *os.Process) {
		if m.quota > 0 {
			limit(t, p, m.quota)
		}
	})
	l.T0 = r.T0
	log := busyLog{s.Log.Entries(), s.Log.Stalls(), l}
	wrong := &truth.Complaints{}
	late := log.late(l.Requests)
	want := map[bool]string{false: "pass", true: "fail"}[c.fails]
	switch {
	case r.Verdict == want:
	case r.Verdict == "pass" || r.Verdict == "fail":
		wrong.Errorf("the verdict is %s, want %s", r.Verdict, want)
	case r.Verdict == "inconclusive" && c.unlimited:
	case late < 10*ms:
		wrong.Errorf("the verdict is %s, want %s: no request came more than %s late", r.Verdict, want, late)
	}
	before, during := log.served(0, busyFirst), log.served(busyFirst, busyEnd)
	if c.slower {
		if during <= 2*before+20*ms {
			t.Fatalf("the server's answers took %s before the fault and %s in it: the case shows nothing", before, during)
		}
		if p := &r.Faults[0].Parts; !p.Slowed && p.Untold == "" {
			wrong.Errorf("answers were not slower, says brunt; the server says %s before the fault and %s in it", before, during)
		}
		if strings.Contains(r.stdout, "survived") {
			wrong.Errorf("the terminal says that the target survived")
		}
	}
	t.Logf("%s; requests came up to %s late; served in %s and %s; slower: %+v", r.Verdict, late, before, during, r.Faults[0].Parts)
	wrong.Report(t, "", func() string { return fmt.Sprintf("\nreason: %s\n%s\n%s", r.Reason, scenario, r.stdout) })
	return r.Verdict
}

// judged returns the requests that an objective judges: those of its phase, and for the time after a fault those from
// the end of the outage that the server made, or from the injection, to the recovery that brunt saw.
func (g got) judged(text string) (first, end int) {
	end = g.load.Requests
	if len(g.Faults) == 0 || g.Faults[0].Injected == nil {
		return 0, end
	}
	f := &g.Faults[0]
	at := func(second float64) int { return min(g.load.Requests, max(0, int(second*float64(g.load.Rate)))) }
	injected := at(*f.Injected)
	switch {
	case strings.HasSuffix(text, " in baseline"):
		return 0, injected
	case strings.HasSuffix(text, " in f") && f.Cleared != nil:
		return injected, at(*f.Cleared)
	case strings.Contains(text, " after "):
		first = injected
		for _, o := range g.truth.Outages {
			first = max(first, o.Last+1)
		}
		if f.RecoveredAt != nil {
			end = at(*f.RecoveredAt) + 1
		}
		return first, end
	}
	return 0, end
}

// A busyLog is what the server knows of a run.
type busyLog struct {
	entries []truth.Entry
	stalls  []truth.Stall
	load    truth.Load
}

// late returns how long after its intended time the latest request came, of those up to, but not including, end; zero
// is all.
func (l busyLog) late(end int) (d time.Duration) {
	for _, e := range l.entries {
		if end == 0 || e.N < end {
			d = max(d, e.Arrived.Sub(l.load.T0)-l.load.Intended(e.N))
		}
	}
	return d
}

// slow reports whether the server itself was slow at a request from first up to, but not including, end: it took longer
// than its script says, or it did not run when the request was due.
func (l busyLog) slow(first, end int) bool {
	return slices.ContainsFunc(l.entries, func(e truth.Entry) bool {
		return e.N >= first && e.N < end && e.Act.Good() && e.Ended.Sub(e.Arrived) >= e.Act.Delay+truth.LeastStall
	}) || slices.ContainsFunc(l.stalls, func(s truth.Stall) bool {
		return s.To.Sub(l.load.T0) > l.load.Intended(first) && s.From.Sub(l.load.T0) < l.load.Intended(end)
	})
}

// served returns the 92nd percentile of the server's own times of the good requests from first up to, but not
// including, end. It is what one answer in ten exceeds, and some more.
func (l busyLog) served(first, end int) time.Duration {
	var list []time.Duration
	for _, e := range l.entries {
		if e.N >= first && e.N < end && e.Act.Good() {
			list = append(list, e.Ended.Sub(e.Arrived))
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)*92/100]
}

// TestBusyLog: a slow server excuses an objective only where it was slow in the span that the objective judges.
func TestBusyLog(t *testing.T) {
	t0 := time.Unix(1000, 0)
	l := truth.Load{Rate: 100, Requests: 1000, T0: t0, Timeout: 2 * time.Second}
	at := func(n int) time.Time { return t0.Add(l.Intended(n)) }
	for _, c := range []struct {
		name    string
		slow    int // number of the request that took 30 ms; negative: none
		stalled int // number of the request at which the server stalled
		want    map[string]bool
	}{
		{"quick", -1, -1, map[string]bool{}},
		{"slow before the fault", 120, -1, map[string]bool{"errors < 1%": true, "p95 < 1s in baseline": true}},
		{"slow at a failure that it makes by its script", 330, -1, map[string]bool{}},
		{
			"slow after its outage", 470, -1,
			map[string]bool{"errors < 1%": true, "errors < 1% in f": true, "recover < 1s after f": true},
		},
		{"slow after its recovery", 700, -1, map[string]bool{"errors < 1%": true}},
		{
			"stalled after its outage", -1, 470,
			map[string]bool{"errors < 1%": true, "errors < 1% in f": true, "recover < 1s after f": true},
		},
		{"stalled before the fault", -1, 120, map[string]bool{"errors < 1%": true, "p95 < 1s in baseline": true}},
	} {
		entries := l.Play(truth.Healthy(ms).Between(310, 460, fail))
		if c.slow >= 0 {
			entries[c.slow].Ended = entries[c.slow].Ended.Add(30 * ms)
		}
		g := got{report: &report{}, load: l, truth: truth.Of(entries, l)}
		const found = `{"faults": [{"injected": 3, "cleared": 5, "recovered_at": 5.2}]}`
		if err := json.Unmarshal([]byte(found), g.report); err != nil {
			t.Fatal(err)
		}
		log := busyLog{entries: entries, load: l}
		if c.stalled >= 0 {
			log.stalls = []truth.Stall{{From: at(c.stalled), To: at(c.stalled).Add(30 * ms)}}
		}
		for _, text := range []string{
			"errors < 1%", "p95 < 1s in baseline", "errors < 1% in f", "recover < 1s after f",
			"recover < 1s after incident",
		} {
			want := c.want[text] || text == "recover < 1s after incident" && c.want["recover < 1s after f"]
			if first, end := g.judged(text); log.slow(first, end) != want {
				t.Errorf("%s: `%s` judges requests %d to %d, and is excused: %t", c.name, text, first, end, !want)
			}
		}
	}
}

// spin starts a process that spins until the test ends.
func spin(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "TRUTH_SPIN=1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
}

// limit lets a process, and what it starts from now on, use a share of one processor.
func limit(t *testing.T, p *os.Process, percent int) {
	const period = 100_000 // microseconds
	quota := strconv.Itoa(period * percent / 100)
	dir := filepath.Join("/sys/fs/cgroup/cpu", "truth-"+strconv.Itoa(p.Pid))
	file, value := "cpu.cfs_quota_us", quota
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		dir, file, value = filepath.Join("/sys/fs/cgroup", filepath.Base(dir)), "cpu.max", quota+" "+strconv.Itoa(period)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !suite.Within(10*time.Second, func() bool { return os.Remove(dir) == nil }) {
			t.Errorf("%s stays: a process is in it", dir)
		}
	})
	for name, text := range map[string]string{file: value, "cgroup.procs": strconv.Itoa(p.Pid)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
}
