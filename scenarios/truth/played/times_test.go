package played

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// A timed play is an outage of which the length is known, seen by a brunt that may be late or stand still.
type timed struct {
	playedCase
	own  string        // what brunt itself does
	down span          // requests that arrive in it are bad
	over time.Duration // the objectives' limit less the truth
	want []timedTruth
}

// A timedTruth is an objective on a time, and whether it is met.
type timedTruth struct {
	text string
	met  bool
}

// drawTimed returns a random play.
func drawTimed(r *rand.Rand) timed {
	p := timed{playedCase: playedCase{seconds: 40, rate: pick(r, 5, 20, 100, 100, 100, 300), timeout: 5 * sec}}
	from := 12*sec + time.Duration(r.IntN(1000))*ms
	lasts := 1500*ms + time.Duration(r.IntN(3500))*ms
	p.down = span{from, from + lasts}
	ends := from + lasts + pick(r, 500*ms, -500*ms, -300*ms) // of the fault
	stays := r.IntN(4) == 0
	if stays {
		ends = from + 25*sec
	}
	p.faults = []span{{from, ends}}
	switch p.own = pick(r, "punctual", "freeze", "freeze", "lag"); p.own {
	case "freeze": // around the begin or the end of the outage
		at := pick(r, p.down.from, p.down.to, p.down.to)
		z := time.Duration(300+r.IntN(1200)) * ms
		before := time.Duration(r.Int64N(int64(z)))
		p.freezes = []measure.Freeze{{From: at - before, To: at - before + z}}
	case "lag":
		late := time.Duration(100+r.IntN(900)) * ms
		p.lag = func(int) time.Duration { return late }
	}
	bad := pick(r, f503, truth.Act{Reset: true}, hang)
	if bad.Hang {
		p.timeout = 2 * sec
	}
	if p.own == "punctual" && r.IntN(2) == 0 { // a process that is frozen, and users who wait
		p.own, p.timeout = "closed", pick(r, sec, sec, 10*sec)
		p.users = &truth.Users{Users: pick(r, 2, 2, 5, 20), Think: pick(r, 50*ms, 100*ms, 300*ms)}
		p.dark, p.rate = p.down, p.users.Users
	}
	p.script = func(n int) truth.Act {
		at := time.Duration(n) * sec / time.Duration(p.rate)
		for _, z := range p.freezes {
			if at >= z.From && at < z.To {
				at = z.To
			}
		}
		if p.lag != nil {
			at += p.lag(n)
		}
		if at >= p.down.from && at < p.down.to {
			return bad
		}
		return truth.Act{Delay: 2 * ms}
	}
	p.over = pick[time.Duration](r, 1, 1, -1) * pick(r, 50*ms, 100*ms, 300*ms, 300*ms, lasts/2)
	add := func(is time.Duration, form string) {
		if at := is + p.over; at > 0 {
			p.want = append(p.want, timedTruth{fmt.Sprintf(form, at), p.over > 0})
		}
	}
	add(lasts, "recover < %v after f")
	add(lasts, "degraded < %v after f")
	if p.users == nil { // the area of users who wait is known by whole seconds only
		add(lasts, "area < %v after f")
	}
	add(lasts, "recover < %v after incident")
	if ends < p.down.to {
		add(p.down.to-ends, "heal < %v after f")
	}
	if stays {
		add(lasts, "failover < %v after f")
	}
	return p
}

// judged plays it, and returns the verdicts of its objectives.
func (p timed) judged(t *testing.T) []scenarios.Verdict {
	l := truth.Load{Rate: p.rate, Timeout: p.timeout, T0: time.Unix(1_000_000, 0), Requests: p.rate * p.seconds}
	var objectives []slo.Objective
	for _, w := range p.want {
		o, err := slo.ParseObjective(w.text)
		if err != nil {
			t.Fatal(err)
		}
		objectives = append(objectives, o)
	}
	var out []scenarios.Verdict
	end := time.Duration(p.seconds) * sec
	for _, o := range p.play(t, objectives, p.outcomes(l, p.logOf(l)), end).Objectives {
		out = append(out, o.Verdict)
	}
	return out
}

// TestTimes_OfOutages plays outages of which the length is known. An objective on it fails only if the outage was
// longer, and passes only if it was shorter, whatever brunt itself does meanwhile.
func TestTimes_OfOutages(t *testing.T) {
	for seed := range uint64(suite.Trials(1500)) {
		p := drawTimed(rand.New(rand.NewPCG(seed, 68)))
		for i, v := range p.judged(t) {
			w := p.want[i]
			if v == scenarios.Pass && !w.met || v == scenarios.Fail && w.met {
				t.Errorf("seed %d: %d/s, brunt has %s, down from %v to %v, fault from %v to %v, freezes %v: %s is %s", seed, p.rate,
					p.own, p.down.from, p.down.to, p.faults[0].from, p.faults[0].to, p.freezes, w.text, v)
			}
		}
	}
}
