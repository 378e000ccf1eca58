package scenarios_test

import (
	"testing"
	"time"

	"brunt/scenarios"
)

// TestOutcome_Timings: the phases of a request add up to its response time without brunt's lag, however far it came.
func TestOutcome_Timings(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	opening := scenarios.Opening{DNS: ms(3), Connect: ms(20), TLS: ms(30), Login: ms(4), Resent: 1}
	base := scenarios.Outcome{Intended: ms(100), Ready: ms(102), Slot: ms(110)}
	for _, c := range []struct {
		name   string
		change func(*scenarios.Outcome)
		want   [scenarios.RequestPhases]time.Duration
	}{
		{"new connection", func(o *scenarios.Outcome) {
			o.Opening, o.Sent, o.WasSent, o.First, o.End = opening, ms(168), true, ms(200), ms(215)
		}, [scenarios.RequestPhases]time.Duration{ms(8), ms(3), ms(20), ms(30), ms(4), ms(1), ms(32), ms(15)}},
		{
			"open connection", func(o *scenarios.Outcome) {
				o.Sent, o.WasSent, o.First, o.End = ms(111), true, ms(120),
					ms(120)
			},
			[scenarios.RequestPhases]time.Duration{
				scenarios.InQueue: ms(8), scenarios.InSend: ms(1),
				scenarios.InFirstByte: ms(9),
			},
		},
		{
			"no answer", func(o *scenarios.Outcome) {
				o.Kind, o.Sent, o.WasSent, o.End = scenarios.Error, ms(111), true,
					ms(300)
			},
			[scenarios.RequestPhases]time.Duration{
				scenarios.InQueue: ms(8), scenarios.InSend: ms(1),
				scenarios.InFirstByte: ms(189),
			},
		},
		{
			"an answer that ends early", func(o *scenarios.Outcome) {
				o.Kind, o.Sent, o.WasSent, o.First, o.End = scenarios.Error, ms(111), true, ms(121), ms(300)
			},
			[scenarios.RequestPhases]time.Duration{
				scenarios.InQueue: ms(8), scenarios.InSend: ms(1),
				scenarios.InFirstByte: ms(10), scenarios.InReceive: ms(179),
			},
		},
		{
			"no connection", func(o *scenarios.Outcome) {
				o.Kind, o.Opening, o.End = scenarios.Error, scenarios.Opening{Connect: ms(190)}, ms(300)
			},
			[scenarios.RequestPhases]time.Duration{scenarios.InQueue: ms(8), scenarios.InConnect: ms(190)},
		},
		{
			"no slot", func(o *scenarios.Outcome) { o.Kind, o.Slot, o.End = scenarios.Error, ms(300), ms(300) },
			[scenarios.RequestPhases]time.Duration{scenarios.InQueue: ms(198)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := base
			c.change(&o)
			got, sum := o.Timings(), o.Lag()
			for _, d := range got {
				sum += d
			}
			if got != c.want || sum != o.Response() {
				t.Errorf("%v, want %v; they add up to %s of %s", got, c.want, sum, o.Response())
			}
		})
	}
	if got := (&scenarios.Outcome{
		Kind: scenarios.Skipped, End: ms(100),
	}).Timings(); got != [scenarios.RequestPhases]time.Duration{} {
		t.Errorf("a skipped request spent %v", got)
	}
}
