package escape

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios/result"
)

const sec = time.Second

// settings are those of a search with steps of 5 s: a hold of 2 s, a timeout of 800 ms.
func settings() Settings {
	return Settings{Gone: 20 * sec, Begin: 30 * sec, Hold: 2 * sec, Timeout: 800 * time.Millisecond, Limit: .01, Rate: 200}
}

// A server has a state that is set by hand. bad returns the share of requests that it answers badly at a rate, over a
// tenth of a second that begins at a time. It is called with ascending times.
type server struct {
	bad   func(at time.Duration, rate float64) float64
	now   time.Duration
	rates []float64 // by step
	stop  int       // the step before which the run ends; zero: it does not end
	whole float64   // the rate of the whole load; zero: 200/s
	short []int     // the steps, from 1, in which the half of the load is not made
}

var errEnded = errors.New("the run is ended")

func (s *server) At(ctx context.Context, share float64, d, hold, before time.Duration) (Counts, error) {
	if s.stop > 0 && len(s.rates) == s.stop {
		return Counts{}, errEnded
	}
	const slice = sec / 10
	rate := cmp.Or(s.whole, 200) * share
	s.rates = append(s.rates, rate)
	end := s.now + d
	c := Counts{From: (end - before - hold).Truncate(sec), To: (end - before).Truncate(sec)} // as a run does
	n, bad := 0.0, 0.0
	for ; s.now < end; s.now += slice {
		share := s.bad(s.now, rate)
		if s.now >= c.From && s.now < c.To {
			n += rate * slice.Seconds()
			bad += share * rate * slice.Seconds()
		}
	}
	c.N, c.Bad = int64(math.Round(n)), int64(math.Round(bad))
	if slices.Contains(s.short, len(s.rates)) { // the other half were never sent
		c.N, c.Bad = c.N/2, c.N/2
	}
	return c, ctx.Err()
}

// sticky is bad until the rate is at most a limit.
func sticky(limit float64) func(time.Duration, float64) float64 {
	stuck := true
	return func(_ time.Duration, rate float64) float64 {
		if stuck = stuck && rate > limit; stuck {
			return .9
		}
		return 0
	}
}

// until is bad until a time, at whatever rate.
func until(at time.Duration) func(time.Duration, float64) float64 {
	return func(now time.Duration, _ float64) float64 {
		if now < at {
			return .9
		}
		return 0
	}
}

// warming has a cold cache: the share of bad answers halves in each `half`.
func warming(half time.Duration) func(time.Duration, float64) float64 {
	return func(now time.Duration, _ float64) float64 {
		share := math.Exp2(-(now - 20*sec).Seconds() / half.Seconds())
		if share < .005 {
			return 0
		}
		return share
	}
}

// backlog is a queue of requests that grew by the retries of callers that gave up: below a limit of waiting requests
// all are good. It serves 500 attempts a second; while requests are bad, each is tried three times.
func backlog() func(time.Duration, float64) float64 {
	waiting := 1500.
	return func(_ time.Duration, rate float64) float64 {
		attempts := rate
		if waiting > 500 {
			attempts = 3 * rate
		}
		waiting = max(0, waiting+(attempts-500)/10)
		if waiting > 500 {
			return 1
		}
		return 0
	}
}

func TestSeek(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bad    func(time.Duration, float64) float64
		want   result.EscapeOutcome
		back   float64 // share; zero: it does not come back
		lowers bool
	}{
		{name: "stuck above 140/s", bad: sticky(140), want: result.EscapeStuck, back: .7, lowers: true},
		{name: "stuck above 25/s", bad: sticky(25), want: result.EscapeStuck, back: .1, lowers: true},
		{name: "a backlog that retries keep up", bad: backlog(), want: result.EscapeStuck, back: .2, lowers: true},
		{name: "a cold cache that warms in 20 s", bad: warming(3 * sec), want: result.EscapeByItself},
		{name: "a cold cache that warms in a minute", bad: warming(8 * sec), want: result.EscapeByItself},
		{name: "a cold cache that warms in an hour", bad: warming(20 * sec), want: result.EscapeImproving},
		{name: "back by itself at once", bad: until(31 * sec), want: result.EscapeByItself},
		{name: "back by itself during the wait", bad: until(36 * sec), want: result.EscapeByItself},
		{
			name: "back by itself long after the lowering", bad: until(82 * sec), want: result.EscapeUntold, back: .1,
			lowers: true,
		},
		{
			name: "half of the capacity is gone", want: result.EscapeLess, back: .5, lowers: true,
			bad: func(_ time.Duration, rate float64) float64 { return max(0, 1-100/rate) },
		},
		{
			name: "bad at any load", want: result.EscapeNone, lowers: true,
			bad: func(time.Duration, float64) float64 { return .5 },
		},
		{
			name: "stuck again at the whole load", want: result.EscapeLess, back: .7, lowers: true,
			bad: func() func(time.Duration, float64) float64 {
				inner, n := sticky(140), 0
				return func(at time.Duration, rate float64) float64 {
					if rate == 200 && at > 60*sec {
						n++
					}
					if n > 60 { // 6 s at the whole load
						return .9
					}
					return inner(at, rate)
				}
			}(),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := settings()
			host := &server{bad: tt.bad, now: s.Begin}
			got := Seek(t.Context(), host, s)
			if got.Outcome != tt.want {
				t.Errorf("the outcome is %s, want %s: %+v", got.Outcome, tt.want, got.Steps)
			}
			if tt.back == 0 && got.Back.Known() || tt.back > 0 && float64(got.Back) != tt.back {
				t.Errorf("it came back at %v of the load, want %v", got.Back, tt.back)
			}
			lowered := false
			for i, rate := range host.rates {
				lowered = lowered || rate < 200
				if share := float64(got.Steps[i].Share); math.Abs(rate-200*share) > 1e-9 {
					t.Errorf("step %d says %v of the load, the server had %v/s", i, share, rate)
				}
			}
			if lowered != tt.lowers {
				t.Errorf("lowered is %t, want %t: %v", lowered, tt.lowers, host.rates)
			}
			if last := host.rates[len(host.rates)-1]; got.Held.Known() && last != 200 {
				t.Errorf("it ends at %v/s and held", last)
			}
		})
	}
}

// TestSeek_Stuck: the server is bad from 20 s on at 200/s, and leaves that state at 140/s. The times and the last hold
// are those of the server.
func TestSeek_Stuck(t *testing.T) {
	s := settings()
	host := &server{bad: sticky(140), now: s.Begin}
	got := Seek(t.Context(), host, s)
	var lowered time.Duration
	for i, rate := range host.rates {
		if rate < 200 {
			lowered = time.Duration(i) * 5 * sec
			break
		}
	}
	if want := result.Sec(s.Begin + lowered - s.Gone); got.Bad != want {
		t.Errorf("bad for %v s, want %v", got.Bad, want)
	}
	if want := result.Num(5 + 2); got.After != want { // a step at 85 %, and the hold after it has settled at 70 %
		t.Errorf("back after %v s, want %v", got.After, want)
	}
	if got.Held < 2 {
		t.Errorf("held for %v s: 400 requests of which none is bad show 1 %%", got.Held)
	}
}

// TestSeek_Short: a step in which brunt does not make its load says nothing, and is made again at the same load.
func TestSeek_Short(t *testing.T) {
	s := settings()
	whole := &server{bad: sticky(140), now: s.Begin}
	Seek(t.Context(), whole, s)
	for n := 1; n <= len(whole.rates); n++ {
		host := &server{bad: sticky(140), now: s.Begin, short: []int{n}}
		got := Seek(t.Context(), host, s)
		if got.Outcome != result.EscapeStuck || got.Back != .7 || host.rates[n] != host.rates[n-1] {
			t.Errorf("step %d falls short: %s at %v of the load, %v", n, got.Outcome, got.Back, host.rates)
		}
	}
}

// TestSeek_Settles: a server leaves its bad state a second after the load is low enough, as one that looks at its last
// second. The hold that counts begins no earlier than a hold after the step did, whatever the fractions of seconds of
// the begin, the hold and the timeout are.
func TestSeek_Settles(t *testing.T) {
	for _, begin := range []time.Duration{30 * sec, 30*sec + 100*time.Millisecond, 30*sec + 900*time.Millisecond} {
		for _, timeout := range []time.Duration{sec / 2, 800 * time.Millisecond, sec, 1900 * time.Millisecond} {
			for _, hold := range []time.Duration{sec, 1500 * time.Millisecond} {
				low, stuck := time.Duration(0), true
				host := &server{now: begin, bad: func(_ time.Duration, rate float64) float64 {
					if rate > 140 {
						low = 0
					} else {
						low += sec / 10
					}
					if stuck = stuck && low < sec; stuck {
						return .9
					}
					return 0
				}}
				s := settings()
				s.Begin, s.Timeout, s.Hold = begin, timeout, hold
				got := Seek(t.Context(), host, s)
				if got.Outcome != result.EscapeStuck || got.Back != .7 {
					t.Errorf("begin %s, timeout %s, hold %s: %s at %v of the load", begin, timeout, hold, got.Outcome, got.Back)
				}
			}
		}
	}
}

// A queue serves a number of requests a second, one after the other. A request is bad if it waits for longer than its
// timeout. While requests are bad, each is tried a number of times.
func queue(waiting, capacity float64, timeout time.Duration, tries float64) func(time.Duration, float64) float64 {
	return func(_ time.Duration, rate float64) float64 {
		late := waiting > capacity*timeout.Seconds()
		if late {
			rate *= tries
		}
		if waiting = max(0, waiting+(rate-capacity)/10); late {
			return 1
		}
		return 0
	}
}

// TestSeek_Overload comes back from overloads of 200 servers, each by its own capacity. A server whose queue only has
// to drain is never stuck, however long that takes, because the load is not lowered before twice that time. A server
// that leaves its bad state at a lower load alone is stuck. It comes back at the first step at or below that load.
func TestSeek_Overload(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 38))
		capacity := 50 + 1000*r.Float64()
		rate := (.5 + .42*r.Float64()) * capacity
		s := settings()
		s.Gone, s.Rate, s.Timeout = s.Begin, rate, time.Duration(r.IntN(4000))*time.Millisecond
		last := (s.Timeout + 2*sec).Seconds()
		drains := capacity * last / (capacity - rate) // after twice the capacity
		s.Wait = time.Duration(2 * drains * float64(sec))
		if got := Seek(t.Context(), &server{
			bad: queue(capacity*last, capacity, s.Timeout, 1), now: s.Begin, whole: rate,
		}, s); got.Outcome != result.EscapeByItself || float64(got.Bad) > drains+2*s.Hold.Seconds()+s.Timeout.Seconds()+1.2 {
			t.Errorf("seed %d: a queue that drains in %.1f s is %s after %v s", seed, drains, got.Outcome, got.Bad)
		}
		limit := (.1 + .9*r.Float64()) * rate
		want := 0.
		for _, share := range shares {
			if want == 0 && share*rate <= limit {
				want = share
			}
		}
		got := Seek(t.Context(), &server{bad: sticky(limit), now: s.Begin, whole: rate}, s)
		if got.Outcome != result.EscapeStuck || float64(got.Back) != want || got.Bad < result.Sec(s.Wait) {
			t.Errorf("seed %d: stuck above %.3g of the load: %s at %v after %v s; the wait is %s", seed, limit/rate,
				got.Outcome, got.Back, got.Bad, s.Wait)
		}
	}
}

// TestSeek_Cut: the run ends at each step.
func TestSeek_Cut(t *testing.T) {
	s := settings()
	whole := &server{bad: sticky(140), now: s.Begin}
	Seek(t.Context(), whole, s)
	for n := 1; n < len(whole.rates); n++ {
		if got := Seek(t.Context(), &server{bad: sticky(140), now: s.Begin, stop: n}, s); got.Outcome != result.EscapeCut {
			t.Errorf("the run ended before step %d, and the outcome is %s", n, got.Outcome)
		}
	}
}
