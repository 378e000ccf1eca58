package gates

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

func TestMain(m *testing.M) {
	if suite.Full() {
		os.Exit(suite.Loading(m).Run())
	}
	os.Exit(m.Run()) // there is nothing to wait for a turn with
}

// scenario is a short gate: a run takes about 6 s with its start and both probes.
const scenario = `version: 1
name: gates
params: {url: ""}
target: {url: "${url}"}
warmup: {for: 1s}
load: {read: {executor: constant-arrival-rate, rate: 200/s, duration: 4s, timeout: 2s, flow: [{get: /}]}}
slo: [errors < 20%]
`

// server answers after a typical time of 40 ms, as a service does that waits for a database, times a factor.
func server(t *testing.T, factor *atomic.Uint64) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		took := 40e-3 * math.Exp(.1*rand.NormFloat64()) * math.Float64frombits(factor.Load())
		time.Sleep(time.Duration(took * float64(time.Second))) // simulates the work of the server
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// disturb uses a processor in bursts of up to 2 s, for half of the time, until the end of ctx.
func disturb(ctx context.Context, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for ctx.Err() == nil {
		length := time.Duration((.2 + 1.8*r.Float64()) * float64(time.Second))
		for end := time.Now().Add(length); time.Now().Before(end) && ctx.Err() == nil; {
			math.Sqrt(r.Float64())
		}
		select {
		case <-time.After(length):
		case <-ctx.Done():
		}
	}
}

// gates is what all gates of the test share.
type gates struct {
	t       *testing.T
	brunt   string
	dir     string
	history string
}

// one makes a gate against a URL, and returns its exit code, its verdict and what it printed.
func (g *gates) one(url string, i int) (code int, verdict, out string) {
	g.t.Helper()
	c := exec.CommandContext(g.t.Context(), g.brunt, "gate", filepath.Join(g.dir, "s.yaml"), "--set", "url="+url,
		"--history", g.history,
		"--alpha", "1%", "--wait", "5s", "-o", filepath.Join(g.dir, "out", strconv.Itoa(i)))
	c.Dir = g.dir
	b, err := c.CombinedOutput()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		g.t.Fatal(err)
	}
	out = string(b)
	_, verdict, _ = strings.Cut(out, "\nGATE ")
	verdict, _, _ = strings.Cut(verdict, ":")
	_ = os.RemoveAll(filepath.Join(g.dir, "out", strconv.Itoa(i)))
	return code, verdict, out
}

// TestGates plays gates of a server that does not change, half of them while another load runs, with a rate of false
// alarms of 1 % for each gate; then gates of one that is slower by 15 %; then one at another address.
func TestGates(t *testing.T) {
	suite.Needs(t, suite.In("gate"), suite.Minutes(15))
	if !suite.Full() {
		t.Skip("it takes 15 minutes; BRUNT_FULL=1 runs it")
	}
	count := 60
	if n, err := strconv.Atoi(os.Getenv("BRUNT_GATES")); err == nil {
		count = n
	}
	files, remove, err := truth.Programs("brunt/cmd/brunt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	dir := t.TempDir()
	g := &gates{t: t, dir: dir, brunt: files[0], history: filepath.Join(dir, "history")}
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	var factor atomic.Uint64
	factor.Store(math.Float64bits(1))
	url := server(t, &factor)
	began := time.Now()
	for i := range 8 { // the history is learned without the other load
		if code, verdict, out := g.one(url, i); code != 0 || !strings.HasPrefix(verdict, "LEARNING") {
			t.Fatalf("learning ended with %d, %s:\n%s", code, verdict, out)
		} else if i == 7 {
			t.Log(out)
		}
	}
	t.Logf("8 gates learned in %s", time.Since(began).Round(time.Second))
	red, open, took := 0, 0, time.Now()
	for i := range count {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if i%2 == 1 {
				disturb(ctx, uint64(i))
			}
		}()
		code, verdict, out := g.one(url, 100+i)
		stop()
		<-ended
		switch verdict {
		case "REGRESSION":
			red++
			t.Logf("gate %d, disturbed %t, is red:\n%s", i, i%2 == 1, out)
		case "INCONCLUSIVE":
			open++
			t.Logf("gate %d, disturbed %t: %s", i, i%2 == 1, out[max(0, strings.Index(out, "\nGATE")):])
		case "PASS":
		default:
			t.Fatalf("gate %d ended with %d, %s:\n%s", i, code, verdict, out)
		}
	}
	each := time.Since(took) / time.Duration(count)
	t.Logf("%d gates of an unchanged server: %d red, %d inconclusive; %s a decision", count, red, open,
		each.Round(100*time.Millisecond))
	if red > count/20 || open > count/3 {
		t.Errorf("%d red and %d inconclusive, want at most %d and %d", red, open, count/20, count/3)
	}
	factor.Store(math.Float64bits(1.15))
	moved := server(t, &factor) // another address is held to the same history
	seen, whole := 0, 0
	for i := range max(1, count/6) {
		code, verdict, out := g.one(moved, 200+i)
		if strings.Contains(out, "the machine was disturbed") {
			t.Logf("slower gate %d was disturbed: %s", i, verdict)
			continue
		}
		if whole++; code == 4 {
			seen++
		} else {
			t.Logf("slower gate %d: %s", i, out)
		}
	}
	t.Logf("slower by 15 %%, at another address: %d of %d undisturbed gates are red", seen, whole)
	if 10*seen < 9*whole {
		t.Errorf("%d of %d gates of a slower server are red, want 9 of 10", seen, whole)
	}
}
