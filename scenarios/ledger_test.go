package scenarios_test

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

func TestAck(t *testing.T) {
	answered := func(kind scenarios.Kind, status int32) scenarios.Outcome {
		return scenarios.Outcome{Kind: kind, Status: status, Answered: true}
	}
	tests := []struct {
		text string
		o    scenarios.Outcome
		want bool
	}{
		{"", answered(scenarios.OK, 200), true},
		{"", answered(scenarios.Error, 201), false},
		{"", scenarios.Outcome{Kind: scenarios.Error}, false},
		{"status 201", answered(scenarios.OK, 201), true},
		{"status 201", answered(scenarios.Error, 201), true}, // a check failed, and the write was acknowledged
		{"status 201", answered(scenarios.OK, 200), false},
		{"status 201", scenarios.Outcome{Kind: scenarios.Error, Status: 201}, false}, // the answer was late
		{"status 200, 2XX", answered(scenarios.OK, 204), true},
		{" status  202 , 409 ", answered(scenarios.Error, 409), true},
		{"status 2xx", answered(scenarios.OK, 301), false},
	}
	for _, tt := range tests {
		a := scenarios.Ack{}
		if tt.text != "" {
			var err error
			if a, err = scenarios.ParseAck(tt.text); err != nil {
				t.Errorf("%q: %v", tt.text, err)
			}
		}
		if got := a.Holds(&tt.o); got != tt.want {
			t.Errorf("%q of %+v: %v", tt.text, tt.o, got)
		}
	}
	for _, text := range []string{
		"201", "status", "status ", "status 99", "status 600", "status 6xx", "status 2xxx", "status 201,", "state 201",
	} {
		if _, err := scenarios.ParseAck(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestNewWrite checks that ids are unique to the write and to the run and never repeat, and that
// a template finds none outside of a write.
func TestNewWrite(t *testing.T) {
	id := func(salt uint64, n int) string {
		it := &template.Iter{Rand: rand.New(rand.NewPCG(1, 2)), Env: &template.Env{Salt: [2]uint64{salt, salt}}}
		for range n {
			it.NewWrite()
		}
		return string(it.Write)
	}
	seen := map[string]bool{}
	for salt := range uint64(3) {
		for n := 1; n < 4; n++ {
			seen[id(salt, n)] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d ids of 9: %v", len(seen), seen)
	}
	sc := parseText(t, `ledger: {write: GET /, id: "${ledger.id}", read: {get: "/${id}"}}`)
	it := &template.Iter{Env: &template.Env{}}
	if _, err := sc.Ledgers[0].ID.Append(nil, it); err == nil {
		t.Error("an id outside of a write")
	}
	it.Write = []byte("w1")
	if got, err := sc.Ledgers[0].ID.Append(nil, it); err != nil || string(got) != "w1" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLedger_Param checks that ${id} in the ledger is the id of a write, whatever the params.
func TestLedger_Param(t *testing.T) {
	sc := parseText(t, "params: {id: nine, path: /p}\nhypothesis: \"${id}\"\nledger: {write: GET /, id: \"${var.x}\", "+
		"read: {get: \"${path}/${id}\"}}")
	if sc.Hypothesis != "nine" {
		t.Errorf("outside it is the param: %q", sc.Hypothesis)
	}
	if text := sc.Explain(); !strings.Contains(text, "/p/${id}") {
		t.Errorf("it is lost in\n%s", text)
	}
}

// parseText parses a scenario of a url with one step, and more.
func parseText(t *testing.T, more string) *scenarios.Scenario {
	t.Helper()
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {l: {executor: constant-vus, vus: 1, duration: " +
		"1s, flow: [{get: /}]}}\n" + more + "\n"
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{
		Read: func(string) ([]byte, error) { return []byte(text), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestObjective_Ledger(t *testing.T) {
	for _, text := range []string{"lost = 0", "duplicated <= 2", "stale < 1%", "rpo < 5s", "lost = 0 in run"} {
		o, err := slo.ParseObjective(text)
		if err != nil || !o.Metric.OfLedger() {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"lost = 0 in baseline", "lost = 0 of write after crash", "rpo < 5s of write",
		"stale = 0 of write", "lost = 0 after crash", "stale = 1%", "rpo > 5s", "lost < 1%", "lost(1s) = 0",
	} {
		if _, err := slo.ParseObjective(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// FuzzAck checks that every accepted text matches the schema's pattern, and names a valid status.
func FuzzAck(f *testing.F) {
	for _, s := range []string{
		"status 201", "status 2xx, 409", " status 200,5XX ", "201", "status ,", "status 2xxx",
		"status +200", "status \u00a0200",
	} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(patternOf(f, (*scenarios.Ack)(nil).Schema()))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := scenarios.ParseAck(s)
		if err != nil {
			return
		}
		if a.IsZero() {
			t.Errorf("%q is taken and names nothing", s)
		}
		if !pattern.MatchString(s) {
			t.Errorf("%q is taken, and the schema refuses it", s)
		}
	})
}

// patternOf returns the pattern in the schema of a text.
func patternOf(t testing.TB, s syntax.Schema) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`"pattern":("(?:[^"\\]|\\.)*")`).FindSubmatch(b)
	var p string
	if m == nil || json.Unmarshal(m[1], &p) != nil {
		t.Fatalf("no pattern in %s", b)
	}
	return p
}
