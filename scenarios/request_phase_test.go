package scenarios

import (
	"testing"
	"time"
)

// TestOutcome_Timings: the phases of a request add up to its response time without brunt's lag, however far it came.
func TestOutcome_Timings(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	opening := Opening{DNS: ms(3), Connect: ms(20), TLS: ms(30), Login: ms(4), Resent: 1}
	base := Outcome{Intended: ms(100), Ready: ms(102), Slot: ms(110)}
	for _, c := range []struct {
		name   string
		change func(*Outcome)
		want   [RequestPhases]time.Duration
	}{
		{"new connection", func(o *Outcome) {
			o.Opening, o.Sent, o.WasSent, o.First, o.End = opening, ms(168), true, ms(200), ms(215)
		}, [RequestPhases]time.Duration{ms(8), ms(3), ms(20), ms(30), ms(4), ms(1), ms(32), ms(15)}},
		{
			"open connection", func(o *Outcome) { o.Sent, o.WasSent, o.First, o.End = ms(111), true, ms(120), ms(120) },
			[RequestPhases]time.Duration{InQueue: ms(8), InSend: ms(1), InFirstByte: ms(9)},
		},
		{
			"no answer", func(o *Outcome) { o.Kind, o.Sent, o.WasSent, o.End = Error, ms(111), true, ms(300) },
			[RequestPhases]time.Duration{InQueue: ms(8), InSend: ms(1), InFirstByte: ms(189)},
		},
		{
			"an answer that ends early", func(o *Outcome) { o.Kind, o.Sent, o.WasSent, o.First, o.End = Error, ms(111), true, ms(121), ms(300) },
			[RequestPhases]time.Duration{InQueue: ms(8), InSend: ms(1), InFirstByte: ms(10), InReceive: ms(179)},
		},
		{
			"no connection", func(o *Outcome) { o.Kind, o.Opening, o.End = Error, Opening{Connect: ms(190)}, ms(300) },
			[RequestPhases]time.Duration{InQueue: ms(8), InConnect: ms(190)},
		},
		{"no slot", func(o *Outcome) { o.Kind, o.Slot, o.End = Error, ms(300), ms(300) }, [RequestPhases]time.Duration{InQueue: ms(198)}},
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
	if got := (&Outcome{Kind: Skipped, End: ms(100)}).Timings(); got != [RequestPhases]time.Duration{} {
		t.Errorf("a skipped request spent %v", got)
	}
}
