package run_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
)

// stoppedLoads are the columns of the matrix that are loads.
var stoppedLoads = map[string]string{
	"open":   `{executor: constant-arrival-rate, rate: 20/s, duration: 50s, timeout: 300ms, flow: [{get: /far}]}`,
	"closed": `{executor: constant-vus, vus: 2, duration: 50s, timeout: 300ms, flow: [{get: /far}, {think: 50ms}]}`,
	"vegeta": `{engine: vegeta, executor: constant-arrival-rate, rate: 20/s, duration: 50s, timeout: 300ms, flow: [{get: /far}]}`,
	"k6":     `{k6: script.js, vus: 2, duration: 50s}`,
}

// stoppedScript is the script of the column k6.
const stoppedScript = `
import http from 'k6/http';
import { sleep } from 'k6';
export default function () { http.get(__ENV.BRUNT_URL + '/far', { timeout: '300ms' }); sleep(0.05); }
`

// stoppedColumns are the columns of the matrix: the loads, a drill as in the examples, where the fault is a step of a
// group that the team's monitoring is to detect, a fault of a scenario that is injected without load, and the form on
// one line.
var stoppedColumns = []string{"open", "closed", "vegeta", "k6", "drill", "inject", "short"}

// stoppedDrill is the fault of the column drill.
const stoppedDrill = `chaos:
  it:
    at: 1s
    for: 40s
    detect: {command: "false", every: 1s}
    steps:
      - {name: operator, exec: {inject: touch FLAG-ops, verify: test -e FLAG-ops, revert: rm -f FLAG-ops}}
      - {name: fault, after: 200ms, KIND: SETTINGS}
slo: [recover < 20s after it, detect < 30s after it, errors < 90% in it]
`

// stoppedKinds are the rows of the matrix: the settings of every kind that stays, and of kinds that have another
// mechanism on containers.
func stoppedKinds() map[string]string {
	out := map[string]string{
		"process.freeze on a container": "{container: CONTAINER}",
		"stress.cpu on a container":     "{container: CONTAINER, load: 30%, workers: 1}",
		"cpu.throttle on a container":   "{container: CONTAINER, share: 20%}",
		"memory.limit on a container":   "{container: CONTAINER, bytes: 64MiB}",
		"disk.fill on a container":      "{container: CONTAINER, path: /scratch, bytes: 4MiB}",
		"fd.exhaust on a container":     "{container: CONTAINER}",
		"time.skew on a container":      "{container: CONTAINER, offset: 1h}",
		"network.bandwidth by tbf":      "{container: CONTAINER, rate: 10Mbit/s, via: tbf}",
		"exec on a file":                "{inject: touch FLAG, verify: test -e FLAG, revert: rm -f FLAG}",
	}
	for _, f := range catalog.Faults() {
		d := f.Describe()
		sample := injectFaults[d.Kind]
		if !sample.stays || d.On == chaos.OnCluster {
			continue
		}
		out[d.Kind] = sample.settings
		if d.On&chaos.OnDiverted != 0 {
			out[d.Kind+" between containers"] = strings.Replace(sample.settings, onLink,
				"from: container/CONTAINER, to: container/OTHER", 1)
		}
		if d.On&chaos.OnLinks != 0 && d.On&chaos.OnPackets != 0 {
			out[d.Kind+" on packets"] = strings.Replace(sample.settings, onLink, "container: CONTAINER", 1)
		}
	}
	return out
}

// onLink stands in the example of a fault on links.
const onLink = "from: web, to: store"

// stoppedCell is a cell of the matrix.
type stoppedCell struct{ row, column string }

// kind returns the kind of fault.
func (c stoppedCell) kind() string { kind, _, _ := strings.Cut(c.row, " "); return kind }

// none says why a cell is empty.
func (c stoppedCell) none(settings string) bool {
	simple := !strings.Contains(strings.Trim(settings, "{}"), "{") && !strings.ContainsAny(settings, "[")
	bare := strings.Contains(settings, "CONTAINER") || strings.Contains(settings, "ALONE")
	return c.column == "short" && (!simple || !bare)
}

// stoppedCells returns the cells to play: all, or with BRUNT_FULL unset some of them, others for each BRUNT_TURN.
func stoppedCells(kinds map[string]string) []stoppedCell {
	var all []stoppedCell
	for _, row := range slices.Sorted(maps.Keys(kinds)) {
		for _, column := range stoppedColumns {
			if c := (stoppedCell{row, column}); !c.none(kinds[row]) {
				all = append(all, c)
			}
		}
	}
	if suite.Full() {
		return all
	}
	const some = 6
	turn := suite.Turn()
	every := len(all) / some
	var out []stoppedCell
	for i, c := range all {
		if i%every == turn%every && len(out) < some {
			out = append(out, c)
		}
	}
	return out
}

// TestStopped_Matrix stops brunt under every kind of fault that stays and every kind of load, until its watchdog has
// taken the fault back. brunt is not ended, says that the run is invalid as its fault was taken back, and leaves
// nothing.
func TestStopped_Matrix(t *testing.T) {
	if testing.Short() {
		t.Skip("each needs as long as the watchdog is patient")
	}
	kinds := stoppedKinds()
	for _, kind := range machineKinds() {
		if injectFaults[kind].stays && kinds[kind] == "" {
			t.Errorf("%s is not in the matrix", kind)
		}
	}
	var mu sync.Mutex
	found := map[stoppedCell]string{}
	yard := sync.OnceValue(func() *chaostest.Yard { return chaostest.NewYard(t) })
	t.Cleanup(func() { t.Log(stoppedTable(kinds, found)) })
	for _, c := range stoppedCells(kinds) {
		t.Run(c.row+"/"+c.column, func(t *testing.T) {
			t.Parallel()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				found[c] = map[bool]string{false: "ok", true: "FAILED"}[t.Failed()]
				if t.Skipped() {
					found[c] = "skipped"
				}
			}()
			c.play(t, kinds[c.row], yard)
		})
	}
}

// play plays a cell.
func (c stoppedCell) play(t *testing.T, settings string, yard func() *chaostest.Yard) {
	if forRoot(c.kind()) {
		needsRoot(t)
	}
	if c.column == "k6" {
		needK6(t)
	}
	m := newKilledRun(t)
	before := func() string { return "" }
	names := []string{
		"ALONE", strconv.Itoa(m.stranger.Process.Pid), "DIR", strconv.Quote(filepath.Dir(m.flag)), "FILE", m.flag, "FLAG",
		m.flag, "HOOK", hook(t),
	}
	if strings.Contains(settings, "CONTAINER") {
		suite.Needs(t, suite.Root)
		v := yard().Start(t, chaostest.VictimOptions{Unit: "v", Host: scratch, Restart: "unless-stopped"})
		other := yard().Start(t, chaostest.VictimOptions{Unit: "other"})
		names = append(names, "CONTAINER", v.Ref, "OTHER", other.Ref)
		before = func() string { return c.container(t, v) }
	}
	settings = strings.NewReplacer(names...).Replace(settings)
	was := before()
	out, ended := m.resumed(t, c.command(t, m, settings))
	if ended || !strings.Contains(out, "verdict invalid") || !strings.Contains(out, "runt itself stood still from") {
		t.Errorf("ended %v: %s", ended, out)
	}
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if is := before(); is != was {
		t.Errorf("the container differs:\n%s", chaostest.Difference(was, is))
	}
}

// container describes a container, in what the fault may change of it and its end does not.
func (c stoppedCell) container(t *testing.T, v *chaostest.Victim) string {
	all := chaostest.Inspected(t, v.Yard.Engine, v.ID)
	if family, kind, _ := strings.Cut(c.kind(), "."); family == "container" && kind != "pause" ||
		c.kind() == "network.disconnect" {
		return all // it may have another process, and another link
	}
	return all + resources(t, v.PID()) + state(v.PID()) + room(t, v) + chaostest.Networks(t, v.Container)
}

// command is the brunt of a cell.
func (c stoppedCell) command(t *testing.T, m *killedRun, settings string) *exec.Cmd {
	t.Helper()
	switch c.column {
	case "short":
		args := []string{"break", m.state, "guard", "0", c.kind(), "for=40s"}
		for s := range strings.SplitSeq(strings.Trim(settings, "{}"), ", ") {
			args = append(args, strings.Replace(s, ": ", "=", 1))
		}
		return m.brunt(args...)
	case "inject":
		text, _, _ := strings.Cut(injectable, "chaos:")
		return m.brunt("single", m.stoppedFile(t, text+stoppedChaos, c.kind(), settings), m.state, "guard", "0")
	}
	text, _, _ := strings.Cut(injectable, "load:")
	made, chaos := c.column, stoppedChaos
	if c.column == "drill" {
		made, chaos = "open", stoppedDrill
	}
	text += "load: {main: " + stoppedLoads[made] + "}\n" + chaos
	return m.brunt("brunt", m.stoppedFile(t, text, c.kind(), settings), m.state, "guard", "0")
}

// stoppedChaos is the fault of the other columns.
const stoppedChaos = "chaos: {it: {at: 1s, for: 40s, KIND: SETTINGS}}\n"

// stoppedFile writes the scenario of a cell, and its script.
func (m *killedRun) stoppedFile(t *testing.T, text, kind, settings string) string {
	t.Helper()
	file := scenario(t, strings.NewReplacer("ECHO", strings.Join(self("echo"), ", "), "KIND", kind, "SETTINGS", settings,
		"FLAG", m.flag).Replace(text))
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "script.js"), []byte(stoppedScript), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stoppedTable prints the matrix.
func stoppedTable(kinds map[string]string, found map[stoppedCell]string) string {
	var b bytes.Buffer
	b.WriteString("brunt stopped until its watchdog has taken the fault back:\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\t"+strings.Join(stoppedColumns, "\t"))
	tally := map[string]int{}
	for _, row := range slices.Sorted(maps.Keys(kinds)) {
		var line strings.Builder
		line.WriteString(row)
		for _, column := range stoppedColumns {
			said, played := found[stoppedCell{row, column}]
			if !played {
				said = "-"
			}
			tally[said]++
			line.WriteString("\t" + said)
		}
		fmt.Fprintln(w, line.String())
	}
	_ = w.Flush()
	fmt.Fprintf(&b, "%d ok, %d failed, %d skipped, %d not played", tally["ok"], tally["FAILED"], tally["skipped"],
		tally["-"])
	return b.String()
}
