//go:build unix

package run_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/targets/targetstest"
)

// A noteRun is a run of 5 s that notes ids by a plug-in.
type noteRun struct {
	pid, notes string // files
	scenario   string
}

func newNotes(t *testing.T, env, more string) noteRun {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0") // the plug-in needs no server; brunt waits until one accepts connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	dir := t.TempDir()
	n := noteRun{pid: filepath.Join(dir, "pid"), notes: filepath.Join(dir, "notes")}
	if err := os.WriteFile(n.notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n.scenario = fmt.Sprintf(`
version: 1
target: {endpoints: {notes: {url: "plugin://%s", command: [%q], env: {%s: notebook, PID: %q, NOTES: %q%s}}}}
warmup: {for: 2s}
load:
  main:
    executor: constant-arrival-rate
    rate: 50/s
    duration: 5s
    timeout: 2s
    flow: [{plugin: note, name: note, with: {id: "${ID}"}}]
%s`, l.Addr(), os.Args[0], targetstest.PluginVar, n.pid, n.notes, env, more)
	return n
}

// noted returns how often each id is in the file.
func (n noteRun) noted(t *testing.T) map[string]int {
	t.Helper()
	b, err := os.ReadFile(n.notes)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for id := range strings.FieldsSeq(string(b)) {
		out[id]++
	}
	return out
}

// TestPlugin_Seen: deliveries are seen by a call of a plug-in, and those that the plug-in's file does not have are
// lost.
func TestPlugin_Seen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	for _, lose := range []string{"", ", LOSE: \"1\""} {
		n := newNotes(t, lose, `
deliveries:
  order: {sent: note, seen: {ask: {plugin: list}, repeats: on, every: 50ms, each: "$[*]", id: "$.id"}, within: 2s, settle: 3s}
slo: [lost = 0 of order, duplicated = 0 of order]
`)
		res := runOnce(t, strings.ReplaceAll(n.scenario, "${ID}", "${delivery.id}"), run.Options{})
		if len(res.Deliveries) != 1 {
			t.Fatalf("%s: %s", res.Verdict, res.Reason)
		}
		d, noted := res.Deliveries[0], int64(len(n.noted(t)))
		if d.Acknowledged < 250 || d.Lost != d.Acknowledged-noted || (d.Lost > 0) != (lose != "") ||
			d.Foreign+d.Unknown != 0 {
			t.Errorf("%d are in the file: %+v", noted, d)
		}
		want := scenarios.Pass
		if lose != "" {
			want = scenarios.Fail
		}
		if res.Verdict != want && !wasLate(res) {
			t.Errorf("%s: %s", res.Verdict, res.Reason)
		}
	}
}

// TestPlugin_Signals kills a plug-in in a run, and stops one. The run ends in time. Calls that were under way are
// errors, whose texts say what became of the plug-in. A killed one is started again and answers.
func TestPlugin_Signals(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		kind   string
		says   string
	}{
		{"SIGKILL", syscall.SIGKILL, "closed", "the plug-in has ended: signal: killed"},
		{"SIGSTOP", syscall.SIGSTOP, "timeout", "the plug-in has said nothing for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNotes(t, "", "slo: [errors < 90%]\n")
			hit := make(chan int, 1)
			began := time.Now()
			res := runOnce(t, strings.ReplaceAll(n.scenario, "${ID}", "${uuid()}"), run.Options{Event: func(e result.Event) {
				if e.Event != "load.start" {
					return
				}
				go func() {
					suite.Within(20*time.Second, func() bool { return len(n.noted(t)) > 150 })
					b, _ := os.ReadFile(n.pid)
					pid, _ := strconv.Atoi(string(b))
					if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil || pid == 0 {
						t.Errorf("%d: %v", pid, err)
					}
					<-time.After(300 * time.Millisecond) // in which 15 calls come
					if err := syscall.Kill(pid, c.signal); err != nil {
						t.Error(err)
					}
					hit <- pid
				}()
			}})
			pid := <-hit
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
			if err := syscall.Kill(pid, 0); err == nil {
				t.Errorf("the plug-in %d lives", pid)
			}
			ok, failed := cellOf(res, "run", "ok").Count, cellOf(res, "run", "error").Count
			if sum := ok + failed; sum != 250 || ok < 50 || c.signal == syscall.SIGKILL && (failed > 100 || ok < 150) ||
				c.signal == syscall.SIGSTOP && failed < 50 {
				t.Errorf("%d ok, %d failed", ok, failed)
			}
			if noted := int64(len(n.noted(t))); noted < ok {
				t.Errorf("%d are noted, and %d were acknowledged", noted, ok)
			}
			said := ""
			for _, e := range res.Errors {
				if e.Kind == c.kind && e.Sample != nil {
					said = e.Sample.Message
				}
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("%q does not say %q: %+v", said, c.says, res.Errors)
			}
		})
	}
}

// TestWorkers_Plugin: each worker has a plug-in of its own, and what they acknowledge is in the file.
func TestWorkers_Plugin(t *testing.T) {
	t.Parallel()
	n := newNotes(t, "", "slo: [errors < 50%]\n")
	res := withWorkers(t, 2, strings.ReplaceAll(n.scenario, "${ID}", "${uuid()}"), run.Options{})
	noted := n.noted(t)
	if ok := cellOf(res, "run", "ok").Count; ok != 250 || len(noted) < 250 || len(noted) > 350 {
		t.Errorf("%d ok, %d are noted: %s: %s; %+v", ok, len(noted), res.Verdict, res.Reason, res.Errors)
	}
	for id, times := range noted {
		if times != 1 {
			t.Errorf("%s is noted %d times", id, times)
		}
	}
}
