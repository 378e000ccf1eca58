package sql_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// Messages of a server.
const (
	bound    = "2\x00\x00\x00\x04"
	column   = "T\x00\x00\x00\x1a\x00\x01n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00"
	oneRow   = "D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x017"
	selected = "C\x00\x00\x00\x0dSELECT 1\x00"
	ready    = "Z\x00\x00\x00\x05I"
)

// benched are calls whose cost is measured.
var benched = []struct{ name, step, answer string }{
	{"fixed", "sql: select 1", bound + oneRow + selected + ready},
	{"template", `{sql: select $1, args: ["user:${int(1,50)}"]}`, bound + oneRow + selected + ready},
	{"check", `{sql: select 1, check: {rows: 1, "$[0].n": 7}}`, bound + column + oneRow + selected + ready},
}

// calling opens a user of a server that always answers the same.
func calling(t testing.TB, step, answer string) (*targetstest.User, scenarios.Call) {
	s := start(t, func(s *server) { s.raw, s.again = []byte(answer), true })
	flow := targetstest.Compile(t, descriptor(), "", step)
	o := targets.Options{
		Base: s.Base(), T0: time.Now(), Timeout: time.Minute,
		Emit: func(*template.Iter, scenarios.Call, int, *scenarios.Outcome) {},
	}
	client, err := descriptor().Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return flow.Open(t, client, o.T0, 0), flow.Calls[0]
}

func BenchmarkCall(b *testing.B) {
	for _, c := range benched {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			u, _ := calling(b, c.step, c.answer)
			for b.Loop() {
				if out := u.Do(0, time.Minute); out.Kind != scenarios.OK {
					b.Fatal(out)
				}
			}
		})
	}
}

// TestCall_Allocations: a call whose rows are not looked into allocates nothing.
func TestCall_Allocations(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range benched {
		u, call := calling(t, c.step, c.answer)
		u.It.Deadline = time.Minute
		out := new(scenarios.Outcome)
		n := testing.AllocsPerRun(500, func() {
			*out = scenarios.Outcome{}
			if u.Session.Do(&u.It, call, out); out.Kind != scenarios.OK {
				t.Fatal(out)
			}
		})
		t.Log(c.name, n)
		if most := map[string]float64{"check": 12}[c.name]; n > most {
			t.Errorf("%s: %v allocations a call", c.name, n)
		}
	}
}
