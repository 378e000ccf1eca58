package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/compare"
	"github.com/spf13/cobra"
)

// TestMeeting: no run goes on before all have come, and none waits for one that never comes.
func TestMeeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting(2)
		begun := make(chan time.Time, 2)
		for i := range 2 {
			go func() {
				time.Sleep(time.Duration(i) * time.Second) // simulates the start of the target
				if err := m.wait(t.Context()); err == nil {
					begun <- time.Now()
				}
			}()
		}
		if a, b := <-begun, <-begun; !a.Equal(b) {
			t.Errorf("they began at %s and %s", a, b)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errOther)
		if err := newMeeting(2).wait(ctx); !errors.Is(err, errOther) {
			t.Errorf("a run without the other ends with %v", err)
		}
	})
}

// TestAB_Apart: where a side does not begin, the other does not wait for it.
func TestAB_Apart(t *testing.T) {
	c := &cobra.Command{}
	c.SetErr(io.Discard)
	x := &ab{abFlags: &abFlags{}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}, each: time.Second}
	x.one = func(ctx context.Context, s *side, _ int) (compare.Run, error) {
		if s == x.b {
			return compare.Run{}, errApart
		}
		return compare.Run{}, x.met.wait(ctx)
	}
	if _, _, err := x.pair(t.Context()); !errors.Is(err, errApart) {
		t.Errorf("the round ends with %v, want %v", err, errApart)
	}
}

// TestAB_Switchback switches a real load between two servers: each gets requests only while the other gets
// none, and a side that is much slower is found out.
func TestAB_Switchback(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a load of 12 s")
	}
	var both, total atomic.Int64
	var last [2]atomic.Int64
	server := func(side int, takes time.Duration) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now().UnixMilli()
			last[side].Store(now)
			total.Add(1)
			if now-last[1-side].Load() < 100 { // of requests around a switch alone
				both.Add(1)
			}
			time.Sleep(takes) // simulates the work of a server
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	a, b := server(0, 2*time.Millisecond), server(1, 40*time.Millisecond)
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	err := os.WriteFile(file, fmt.Appendf(nil, `version: 1
name: x
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 42s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, a), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress strings.Builder
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&progress)
	c.SetArgs([]string{"ab", file, "--a", a, "--b", b, "--block", "3s", "--pairs", "2", "--metric", "p50", "-o", filepath.Join(dir, "out")})
	if got := c.ExecuteContext(t.Context()); !errors.Is(got, exit(4)) {
		t.Errorf("it ends with %v, want exit code 4:\n%s\n%s", got, out.String(), progress.String())
	}
	if n := total.Load(); n < 3500 || both.Load() > n/20 {
		t.Errorf("%d requests, of which %d while the other side had some", n, both.Load())
	}
	if !strings.Contains(out.String(), "7 pairs of blocks") {
		t.Errorf("it does not end when it knows:\n%s", out.String())
	}
}
