package play

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestSystemOf_Counted: a sweep hits a service of one container once, as a whole, and not one of its containers as
// well.
func TestSystemOf_Counted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:9\", units: {store: {container: shop-db-1}, web: {project: " +
		"shop, service: web}}}\n" +
		"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /}]}}\nslo: [errors < 1%]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := compile(Source{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		counted map[string]int
		want    bool // one of the store's containers is hit as well
	}{{nil, true}, {map[string]int{"store": 1, "web": 2}, false}} {
		subject := Subject{counted: c.counted}
		s := subject.systemOf(p)
		all := s.Sweep(nil)
		has := func(name string) bool {
			return slices.ContainsFunc(all, func(one drills.Swept) bool { return one.Name == name })
		}
		if has("crash-one-of-store") != c.want || !has("crash-store") || !has("crash-one-of-web") {
			t.Errorf("counted %v: %+v", c.counted, all)
		}
	}
}

// TestProver_RealSystems: a drill that tests prove on real systems is not proved on the built-in one.
func TestProver_RealSystems(t *testing.T) {
	p := &Prover{Subject: Subject{Compile: compile}}
	trials, err := p.Lay(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range trials {
		if !one.Drill.Proof.OnBuiltin() {
			t.Errorf("%s is laid over %s", one.Drill.Name, one.System())
		}
	}
	if _, err := p.Lay([]string{"leader-lost"}); err == nil ||
		!strings.Contains(err.Error(), "proved on etcd, galera, jetstream, patroni, redis by the tests of brunt") {
		t.Error(err)
	}
}

// TestProver_NotReverted: after a fault that could not be taken back no further run is made, and the exit code is that
// of the run, also where the report could not be written.
func TestProver_NotReverted(t *testing.T) {
	for verdict, code := range map[scenarios.Verdict]int{
		scenarios.NotReverted: scenarios.ExitNotReverted, scenarios.Broken: scenarios.ExitError,
	} {
		runs, judged := 0, 0
		p := &Prover{
			Subject: Subject{Compile: compile}, Times: 3, Dir: t.TempDir(),
			Run: func(context.Context, *plan.Plan, string) (*result.Result, error) {
				runs++
				return &result.Result{Verdict: verdict, Reason: "1 entry is open", ExitCode: code}, nil
			},
			Judged: func(*Trial, drills.Judgement, time.Duration) { judged++ },
		}
		trials, err := p.Lay([]string{"replica-crash"})
		if err != nil {
			t.Fatal(err)
		}
		records, got, err := p.Prove(t.Context(), trials)
		if err != nil || got != code || runs != 1 || judged != 1 || len(records) != 1 || records[0].Runs != 1 ||
			!strings.Contains(records[0].Why, "1 entry is open") {
			t.Errorf("%s: exit code %d after %d runs, %v: %+v", verdict, got, runs, err, records)
		}
	}
}

// TestProver_Terminated: a proof that SIGTERM ended has its exit code.
func TestProver_Terminated(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := &Prover{
		Subject: Subject{Compile: compile}, Times: 3, Dir: t.TempDir(),
		Run: func(context.Context, *plan.Plan, string) (*result.Result, error) {
			cancel(run.Interrupt{Code: 143})
			return &result.Result{Verdict: scenarios.Interrupted, ExitCode: 143}, nil
		},
	}
	trials, err := p.Lay([]string{"replica-crash"})
	if err != nil {
		t.Fatal(err)
	}
	if _, code, err := p.Prove(ctx, trials); code != 143 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

// TestCampaign_Error: an error ends a campaign, which keeps the drills so far and says why the others were not run.
func TestCampaign_Error(t *testing.T) {
	runs, ran := 0, 0
	c := &Campaign{
		Subject: Subject{Compile: compile}, Dir: t.TempDir(), Only: []string{"redundancy"},
		Run: func(context.Context, *plan.Plan, string) (*result.Result, error) {
			if runs++; runs == 1 {
				return &result.Result{Verdict: scenarios.Pass}, nil
			}
			return &result.Result{Verdict: scenarios.Broken, ExitCode: scenarios.ExitError}, errors.New("no space left")
		},
		Kept: func(string) (*result.Result, error) { return nil, os.ErrNotExist },
		Ran:  func(*Attempt) { ran++ }, Unchecked: func(error) {},
	}
	if err := c.Lay(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := c.Play(t.Context())
	kept, left := 0, 0
	for _, a := range c.Attempts {
		if a.Result != nil {
			kept++
		} else if a.Why == "brunt itself failed before it: no space left" {
			left++
		}
	}
	if err == nil || runs != 2 || ran != 2 || kept != 2 || left == 0 {
		t.Errorf("%v: %d runs, %d told, %d kept, %d left out", err, runs, ran, kept, left)
	}
}
