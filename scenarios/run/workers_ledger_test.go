//go:build unix

package run_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestWorkers_Ledger: the writes of all workers are one ledger: each is read back once, by an id that no other worker
// draws, and what the target lost and doubled is found exactly. Reads during the load are of all workers.
func TestWorkers_Ledger(t *testing.T) {
	t.Parallel()
	s := newReplicated(t)
	lost, doubled := int64(0), int64(0)
	keys := map[string]bool{}
	s.write = func(s *replicated, n int, key string) (int, string) {
		keys[key] = true
		switch {
		case n > 100 && n <= 130: // 0.2 s on end: each worker reads every 0.15 s, and would miss one in ten at an even beat
			lost++
		case n > 200 && n <= 230:
			doubled++
			s.put(key, 2, 2)
		default:
			s.put(key, 1, 1)
		}
		return 201, key
	}
	ledger := strings.Replace(byKey, "settle: 0s, within: 10s", "settle: 0s, within: 3s, probe: 20/s", 1)
	text := strings.Replace(s.text(ledger, "[lost = 0, duplicated = 0, stale.reads < 1000000]"),
		"executor: shared-iterations, vus: 4, iterations: 40",
		"executor: constant-arrival-rate, rate: 150/s, duration: 2s", 1)
	res := withWorkers(t, 3, text, run.Options{})
	w := res.Ledger
	if int64(len(keys)) != 300 || s.n != 300 || w.Acknowledged != 300 || w.Lost != lost || w.Duplicated != doubled ||
		w.Held != 300-lost-doubled ||
		w.Unrecorded != 0 || w.Unreported != "" || lost != 30 || doubled != 30 {
		t.Errorf("%d keys of %d writes, %d lost, %d doubled: %+v", len(keys), s.n, lost, doubled, w)
	}
	if w.Reads == nil || w.Reads.Made < 20 || w.Reads.Made > 2*20*3 || w.Reads.Stale == 0 || !w.Reads.First.Known() {
		t.Errorf("reads: %+v", w.Reads)
	}
	for i, want := range []scenarios.Verdict{scenarios.Fail, scenarios.Fail, scenarios.Pass} {
		if o := res.Objectives[i]; o.Verdict != want {
			t.Errorf("%s: %s, want %s: %s", o.Text, o.Verdict, want, o.Note)
		}
	}
}

// TestWorkers_LedgerKilled: what a lost worker wrote and did not report is not known, so that no objective on writes
// passes. One that the reported writes miss fails.
func TestWorkers_LedgerKilled(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	s := newReplicated(t)
	lose := false
	s.write = func(s *replicated, n int, key string) (int, string) {
		if !lose || n%10 != 3 {
			s.put(key, 1, 1)
		}
		return 201, key
	}
	var p pids
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		suite.Until(t, "half of the load", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.n > 150 })
		p.signal(t, 2, "KILL")
		s.mu.Lock()
		defer s.mu.Unlock()
		lose = true
	}()
	soon := strings.Replace(byKey, "within: 10s", "within: 2s", 1)
	text := strings.Replace(s.text(soon, "[lost = 0, duplicated = 0, stale < 1%]"),
		"executor: shared-iterations, vus: 4, iterations: 40",
		"executor: constant-arrival-rate, rate: 150/s, duration: 2s", 1)
	res := withWorkers(t, 3, text, run.Options{Event: p.note})
	<-killed
	w, lost := res.Ledger, res.Workers[1]
	reported := int64(300) - lost.Lost
	if w.Acknowledged > int64(s.n) || w.Acknowledged < reported-1 ||
		!strings.HasPrefix(w.Unreported, "worker 2 of 3 was lost at ") || w.Lost == 0 {
		t.Errorf("the server has seen %d, %d are reported: %+v", s.n, reported, w)
	}
	if sum := w.Held + w.Lost + w.Duplicated + w.Late + w.Stale + w.Unsure(); sum != w.Acknowledged {
		t.Errorf("the states of %d of %d writes are known", sum, w.Acknowledged)
	}
	for i, want := range []scenarios.Verdict{scenarios.Fail, scenarios.Invalid, scenarios.Invalid} {
		if o := res.Objectives[i]; o.Verdict != want || (want == scenarios.Invalid) != (fmt.Sprint(o.Note) == w.Unreported) {
			t.Errorf("%s: %s, want %s: %s", o.Text, o.Verdict, want, o.Note)
		}
	}
}
