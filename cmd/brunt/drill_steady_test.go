package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestAllDrills_Settle: a system that goes on between drills is held against what it answered before the first, also by
// a process that continues.
func TestAllDrills_Settle(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	t.Setenv("BRUNT_STATE", filepath.Join(dir, "state"))
	c := drillAllCommand()
	open := func() *allFlags {
		f := &allFlags{dir: dir, steady: steadyState{within: time.Second, lasts: time.Second}}
		f.log, f.url, f.rate = logFlags{"text", "error"}, server.URL, "40"
		base, err := f.base(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		f.prepareSteady(c, base.Plan, nil, nil)
		return f
	}
	asks := func(f *allFlags, want bool, ask func() (bool, error)) {
		t.Helper()
		goes, err := ask()
		if err != nil || goes != want {
			t.Fatalf("%v, %v: %s", goes, err, f.steady.broken)
		}
		code := f.ended(t.Context(), scenarios.Pass, scenarios.ExitPass)
		if broken := f.steady.broken != ""; broken == want || broken != (code == scenarios.ExitFail) {
			t.Errorf("exit code %d: %s", code, f.steady.summary())
		}
	}
	f := open()
	settled := func() (bool, error) { return f.settled(t.Context(), c) }
	asks(f, true, settled)
	if all := f.steady.before.Steps["requests: GET /"]; all.All != 40 || all.Bad != 0 {
		t.Errorf("before the first drill %+v", f.steady.before)
	}
	broken.Store(true)
	asks(f, false, func() (bool, error) { return f.settleAfter(t.Context(), c, "replica-crash") })
	const lost = "The system did not come back after replica-crash, within 1s: all of 40 requests failed. Once it is " +
		"mended,"
	if got := f.steady.summary(); !strings.HasPrefix(got, lost) {
		t.Errorf("it says %q", got)
	}
	asks(f, false, settled) // of the next drill
	f = open()
	asks(f, false, settled) // of another process
	if got := f.steady.summary(); !strings.Contains(got, "does not answer as it did before the first drill") ||
		!strings.Contains(got, "steady.json") {
		t.Errorf("it says %q", got)
	}
	broken.Store(false)
	f = open()
	asks(f, true, settled)
	broken.Store(true)
	f = open()
	f.dir = t.TempDir()
	asks(f, false, settled) // there is nothing that a system could come back to
	if got := f.steady.summary(); !strings.HasPrefix(got,
		"The system does not answer before the first drill: all of 40 requests failed. Nothing was started.") {
		t.Errorf("it says %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if why := f.steady.why(ctx); why != "interrupted before it" {
		t.Errorf("it says %q", why)
	}
}
