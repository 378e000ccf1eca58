package sockets_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/truth"
)

// A lossCase is a run with two faults, a and b, of which each may lose writes that the store has. The faults do nothing
// else. The store counts what each loses.
type lossCase struct {
	name    string
	a, b    string // when they are in; an empty b is no fault
	losesA  func(at, now time.Time) bool
	losesB  func(at, now time.Time) bool
	between func(s *truth.Store) // called when a is taken back
	after   func(s *truth.Store) // called when b is taken back
	late    time.Duration        // a write is found this long after it was acknowledged
	settle  string               // empty is 1s
	own     func(n int) bool     // the writes, counted from 0, that the store never keeps

	blamed    string // the faults that are shown to have lost writes
	suspected string // the faults that may have lost writes
	// what the report may say of the lost writes, by the faults that they were lost to: at least how many
	to    map[string]int
	says  string // in the terminal
	short bool   // it is played in the short form, too
}

const apart = "at: 2s, for: 1s" // from b, and with the time for a reading between

func everything(time.Time, time.Time) bool { return true }

var lossCases = []lossCase{
	{
		name: "a harmless pause beside a crash that lost all", short: true, a: apart, b: "at: 6s, for: 1s", losesB: everything,
		blamed: "b", to: map[string]int{"b": 120},
		says: "lost to b, acknowledged from",
	},
	{
		name: "loss to the second shown by the reading between", a: apart, b: "at: 6s, for: 1s",
		losesB: func(at, now time.Time) bool { return now.Sub(at) > 3*time.Second },
		blamed: "b", to: map[string]int{"b": 60},
	},
	{
		name: "a crash that lost all beside a harmless pause", a: apart, b: "at: 6s, for: 1s", losesA: everything,
		blamed: "a", to: map[string]int{"a": 40},
	},
	{
		name: "the writes of the last instants before a crash", a: apart, b: "at: 6s, for: 1s",
		losesB: func(at, now time.Time) bool { return now.Sub(at) < 200*time.Millisecond },
		blamed: "b", to: map[string]int{"b": 2},
	},
	{
		name: "both lose writes", a: apart, b: "at: 6s, for: 1s", losesA: everything, losesB: everything,
		blamed: "a b", to: map[string]int{"a": 40, "b": 70},
	},
	{
		name: "no time to read between", short: true, a: apart, b: "at: 3500ms, for: 1s", losesB: everything,
		suspected: "a b", to: map[string]int{"a or b": 60},
		says: "no time to read writes back between a, b",
	},
	{
		name: "both are in at once", a: "at: 2s, for: 4s", b: "at: 3s, for: 1s", losesB: everything,
		suspected: "a b", to: map[string]int{"a or b": 50},
		says: "lost to it or to",
	},
	{
		name: "the reading between has no answer", a: apart, b: "at: 6s, for: 1s", losesB: everything,
		between: func(s *truth.Store) { s.Silence(true) }, after: func(s *truth.Store) { s.Silence(false) },
		suspected: "a b", to: map[string]int{"a or b": 120},
		says: "no unit answered",
	},
	{
		name: "a store that is behind has lost nothing to the first", a: apart, b: "at: 6s, for: 1s", losesB: everything,
		late: 2500 * time.Millisecond, settle: "3s", blamed: "b", suspected: "a b", to: map[string]int{"b": 30, "a or b": 20},
	},
	{
		name: "nothing is lost", a: apart, b: "at: 6s, for: 1s",
		says: "writes were read back",
	},
	{
		name: "the only fault loses all", a: apart, losesA: everything,
		blamed: "a", to: map[string]int{"a": 40},
	},
	{
		name: "the store lost writes before the only fault", short: true, a: apart, settle: "500ms",
		own: func(n int) bool { return n < 10 },
		to:  map[string]int{"": 10}, says: "10 writes were lost, acknowledged",
	},
	{
		name: "a store that loses each tenth write, and a harmless fault", a: apart,
		own:       func(n int) bool { return n%10 == 0 },
		suspected: "a", to: map[string]int{"": 1, "a": 10}, says: "lost to a or no fault",
	},
}

// TestLosses: which faults brunt blames for the loss of writes. It never blames one that lost none.
func TestLosses(t *testing.T) {
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("one of the long cases")
			}
			t.Parallel()
			c.try(t)
		})
	}
}

func (c lossCase) try(t *testing.T) {
	s, err := truth.Start(truth.Healthy(0))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Store.Effects = func(n int) truth.Effect {
		return truth.Effect{Late: c.late, Lost: c.own != nil && c.own(n)}
	}
	var mu sync.Mutex
	in, lost := map[string]bool{}, map[string]int{}
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fault, do, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		loses, then := c.losesA, c.between
		if fault == "b" {
			loses, then = c.losesB, c.after
		}
		switch {
		case do == "on" && !in[fault]:
			in[fault] = true
			if now := time.Now(); loses != nil {
				lost[fault] = s.Store.Lose(func(at time.Time) bool { return loses(at, now) })
			}
		case do == "off":
			in[fault] = false
			if then != nil {
				then(&s.Store)
			}
		case do == "" && !in[fault]:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer hooks.Close()
	var chaos []string
	for fault, at := range map[string]string{"a": c.a, "b": c.b} {
		if at != "" {
			chaos = append(chaos, fmt.Sprintf("%s: {%s, webhook: {inject: {post: %[3]q}, verify: {get: %[4]q}, revert: {post: %[5]q}}}",
				fault, at, hooks.URL+"/"+fault+"/on", hooks.URL+"/"+fault, hooks.URL+"/"+fault+"/off"))
		}
	}
	settle := c.settle
	if settle == "" {
		settle = "1s"
	}
	r := play(t, fmt.Sprintf(`version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 25/s, duration: 9s, timeout: 2s, flow: %s}}
chaos: {%s}
judge: {hold: 1s, slow: 1s}
ledger: {write: write, ack: status 201, id: "${ledger.id}", read: {get: "/writes?id=${id}"}, count: "$.items", settle: %s, within: 1s}
slo: [lost = 0]
`, s.URL(), writing, strings.Join(chaos, ", "), settle), nil)
	wrong := &truth.Complaints{}
	if r.Ledger == nil {
		t.Fatalf("there is no ledger: %s\n%s", r.Reason, r.stdout)
	}
	if want := lost["a"] + lost["b"]; r.Ledger.Lost != want && c.own == nil {
		wrong.Errorf("%d are lost, the store lost %d", r.Ledger.Lost, want)
	}
	var blamed, suspected []string
	for _, f := range r.Faults {
		if f.Parts.Lost > 0 {
			blamed = append(blamed, f.Name)
		}
		if f.Parts.LostShared > 0 {
			suspected = append(suspected, f.Name)
		}
		if red := strings.Contains(r.stdout, "✗ "+f.Name+" "); red != (f.Parts.Lost > 0) {
			wrong.Errorf("%s has a cross: %t, and is shown to have lost %d writes", f.Name, red, f.Parts.Lost)
		}
		if f.Parts.LostShared > 0 && strings.Contains(r.stdout, "✓ "+f.Name+" ") {
			wrong.Errorf("%s has a tick, and may have lost writes", f.Name)
		}
		if f.Parts.Lost > lost[f.Name] {
			wrong.Errorf("%s is blamed for %d lost writes, and lost %d", f.Name, f.Parts.Lost, lost[f.Name])
		}
		if f.Parts.Lost+f.Parts.LostShared < lost[f.Name] {
			wrong.Errorf("%s is suspected of %d lost writes, and lost %d", f.Name, f.Parts.Lost+f.Parts.LostShared, lost[f.Name])
		}
	}
	if got := strings.Join(blamed, " "); got != c.blamed {
		wrong.Errorf("%q are blamed, want %q", got, c.blamed)
	}
	if got := strings.Join(suspected, " "); got != c.suspected {
		wrong.Errorf("%q are suspected, want %q", got, c.suspected)
	}
	to := map[string]int{}
	for _, span := range r.Ledger.LostSpans {
		to[span.Fault+strings.Join(span.Faults, " or ")] += span.Lost
	}
	for who, n := range to {
		if least, ok := c.to[who]; !ok || n < least {
			wrong.Errorf("%d are lost to %q, want at least %d", n, who, least)
		}
	}
	if len(to) != len(c.to) {
		wrong.Errorf("lost to %v, want %v", slices.Collect(maps.Keys(to)), slices.Collect(maps.Keys(c.to)))
	}
	if text := strings.Join(strings.Fields(r.stdout), " "); !strings.Contains(text, c.says) {
		wrong.Errorf("the terminal does not say %q", c.says)
	}
	wrong.Report(t, "", func() string {
		return fmt.Sprintf("\nreason: %s\nlost by the store: %v\nread back: %+v\n%s", r.Reason, lost, r.Ledger.ReadBacks, r.stdout)
	})
}
