package main

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// An operator plays the person of a game day by HTTP, and keeps the times of its requests by its own clock.
type operator struct {
	url, token string
	t          *testing.T
}

// say marks a fault, and tries again while the run refuses the mark because its time has not come. It returns the times
// just before and after the request that was taken.
func (o *operator) say(mark string) (before, after time.Time) {
	o.t.Helper()
	suite.Until(o.t, mark+" is taken", func() bool {
		before = time.Now()
		resp, err := http.PostForm(o.url+"/mark", url.Values{
			"token": {o.token}, "mark": {mark}, "fault": {"cut-the-store"}, "by": {"ann"},
		})
		if err != nil {
			o.t.Fatal(err)
		}
		after = time.Now()
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return before, after
}

// TestExample_GameDay plays the operator of the game day by HTTP, and holds the split of its result against the times
// of its own requests.
func TestExample_GameDay(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("a minute")
	}
	file := filepath.Join("examples", "38-game-day", "scenario.yaml")
	r := liveOf(t, exec.Command(built(t, "brunt/cmd/brunt"), "run", file, "--set", "duration=34s", "--set", "patience=12s"))
	o := &operator{r.url, r.token, t}
	continued, _ := o.say("continue")
	seen, seenBy := o.say("seen")
	time.Sleep(time.Second) // simulates a person who thinks
	understood, understoodBy := o.say("understood")
	acted, actedBy := o.say("acted")
	code, res := r.wait(t)
	if len(res.Faults) != 1 || res.Faults[0].Operator == nil || res.Faults[0].Operator.Split == nil {
		t.Fatalf("exit code %d: %s; %+v", code, res.Reason, res.Faults)
	}
	f := &res.Faults[0]
	s := f.Operator.Split
	t.Logf("exit code %d: %s; %+v", code, res.Reason, *s)
	for _, c := range []struct {
		name      string
		got       result.Num
		low, high time.Duration
	}{
		{"detect", s.Detect, 0, seenBy.Sub(continued)},
		{"decide", s.Decide, understood.Sub(seenBy), understoodBy.Sub(seen)},
		{"act", s.Act, acted.Sub(understoodBy), actedBy.Sub(understood)},
	} {
		if c.got.D() < c.low || c.got.D() > c.high {
			t.Errorf("%s took %v, want %s to %s", c.name, c.got, c.low, c.high)
		}
	}
	report, err := os.ReadFile(filepath.Join(r.dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`class="split"`, "were the machine&#39;s", "Minute by minute", "is marked as seen by ann"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}
