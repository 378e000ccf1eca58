package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// randomProfile returns up to six pieces: flat, rising, falling, zero, jumps.
func randomProfile(r *rand.Rand) *Profile {
	p := NewProfile(time.Duration(r.Int64N(int64(time.Hour))) - 30*time.Minute)
	at := 0.0
	for range 1 + r.IntN(6) {
		a, b := at, math.Floor(r.Float64()*5000)
		switch r.IntN(4) {
		case 0:
			a = b // a jump, then flat
		case 1:
			a, b = 0, 0
		case 2:
			b = 0
		}
		p.Add(time.Duration(1+r.Int64N(int64(20*time.Second))), a, b)
		at = b
	}
	return p
}

func TestProfile_InverseOfArea(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		p := randomProfile(r)
		total := p.Total()
		if got := p.Area(p.End()); math.Abs(got-total) > 1e-9*max(1, total) {
			t.Fatalf("area at the end is %v, in all %v", got, total)
		}
		if got := p.Area(p.Begin()); got != 0 {
			t.Fatalf("area at the begin is %v", got)
		}
		last := p.Begin()
		for n := 0.0; n < total; n += total/97 + 1e-3 {
			at := p.Inverse(n)
			if at < last || at < p.Begin() || at > p.End() {
				t.Fatalf("inverse of %v is %v after %v, in [%v,%v]", n, at, last, p.Begin(), p.End())
			}
			last = at
			// A nanosecond on either side brackets n: times are whole nanoseconds.
			if lo, hi := p.Area(at-2), p.Area(at+2); lo > n+1e-6 || hi < n-1e-6 {
				t.Fatalf("area around the inverse of %v is %v to %v", n, lo, hi)
			}
		}
	}
}

func TestProfile_AreaGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		p := randomProfile(r)
		last := -1.0
		for at := p.Begin() - time.Second; at < p.End()+time.Second; at += (p.End()-p.Begin())/211 + 1 {
			a := p.Area(at)
			if a < last-1e-9*p.Total() {
				t.Fatalf("area falls from %v to %v at %v", last, a, at)
			}
			last = a
		}
		if math.Abs(last-p.Total()) > 1e-9*p.Total() {
			t.Fatalf("area after the end is %v, in all %v", last, p.Total())
		}
	}
}

func TestProfile_At(t *testing.T) {
	p := NewProfile(10 * time.Second)
	p.Add(10*time.Second, 0, 100)
	p.Add(0, 1, 2) // no duration
	p.Add(5*time.Second, 20, 20)
	for _, c := range []struct {
		name string
		at   time.Duration
		want float64
	}{
		{"before", 9 * time.Second, 0},
		{"begin", 10 * time.Second, 0},
		{"half way up", 15 * time.Second, 50},
		{"right of the jump", 20 * time.Second, 20},
		{"flat", 22 * time.Second, 20},
		{"end", 25 * time.Second, 0},
	} {
		if got := p.At(c.at); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if p.Max() != 100 || p.First() != 0 || p.Total() != 600 || p.End() != 25*time.Second {
		t.Errorf("max %v first %v total %v end %v", p.Max(), p.First(), p.Total(), p.End())
	}
}

func TestProfile_Empty(t *testing.T) {
	p := NewProfile(time.Second)
	if p.Area(time.Hour) != 0 || p.Inverse(5) != time.Second || p.First() != 0 || p.At(time.Second) != 0 {
		t.Error("an empty profile is not empty")
	}
}

// A spike's arrivals stay within one of the area under its rate.
func TestProfile_SpikeFollowsItsArea(t *testing.T) {
	plan, mistakes := planOf(t,
		`{executor: spike, base: 500/s, peak: 5000/s, before: 3s, rise: 2s, hold: 4s, fall: 2s, after: 3s}`)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if want := 500*3 + 2750*2 + 5000*4 + 2750*2 + 500*3; plan.Arrivals() != int64(want) {
		t.Errorf("%d arrivals, want %d", plan.Arrivals(), want)
	}
	c := NewCursor(plan.Rate, 0, false, 0, Part{})
	count := int64(0)
	for {
		n, at, ok := c.Next()
		if !ok {
			break
		}
		if n != count {
			t.Fatalf("arrival %d comes as %d", count, n)
		}
		count++
		if off := plan.Rate.Area(at) - float64(n); math.Abs(off) > 1e-4 {
			t.Fatalf("arrival %d at %v is %v off the area", n, at, off)
		}
	}
	if count != plan.Arrivals() {
		t.Errorf("%d came of %d", count, plan.Arrivals())
	}
}

func FuzzProfile(f *testing.F) {
	f.Add(int64(0), 500.0, 5000.0, int64(time.Second), 5000.0, 0.0, int64(time.Second), 0.5)
	f.Add(int64(-5e9), 0.0, 1e7, int64(1), 0.0, 0.0, int64(24*time.Hour), 0.99)
	f.Fuzz(func(t *testing.T, start int64, a, b float64, d1 int64, c, e float64, d2 int64, share float64) {
		for _, x := range []float64{a, b, c, e} {
			if !(x >= 0 && x <= 1e7) {
				t.Skip()
			}
		}
		const most = int64(24 * time.Hour)
		if start < -most || start > most || d1 < 0 || d1 > most || d2 < 0 || d2 > most || !(share >= 0 && share <= 1) {
			t.Skip()
		}
		p := NewProfile(time.Duration(start))
		p.Add(time.Duration(d1), a, b)
		p.Add(time.Duration(d2), c, e)
		n := share * p.Total()
		at := p.Inverse(n)
		if at < p.Begin() || at > p.End() {
			t.Fatalf("inverse of %v is %v, outside [%v,%v]", n, at, p.Begin(), p.End())
		}
		// Error bound of rounding to nanoseconds and of float64 seconds.
		slack := 1e-9*p.Total() + p.Max()*4e-9 + 1e-6
		if lo, hi := p.Area(at-2), p.Area(at+2); lo > n+slack || hi < n-slack {
			t.Fatalf("area around the inverse of %v is %v to %v, at %v", n, lo, hi, at)
		}
		if m := p.Inverse(n * .9); m > at+2 {
			t.Fatalf("inverse falls from %v to %v", m, at)
		}
	})
}

// TestProfile_Only: the arrivals within spans are those of the whole, none is outside, and the schedule
// ends as before.
func TestProfile_Only(t *testing.T) {
	whole := NewProfile(0)
	whole.Add(10*time.Second, 10, 30)
	whole.Add(10*time.Second, 30, 30)
	spans := []Span{{4 * time.Second, 6 * time.Second}, {9 * time.Second, 13 * time.Second}}
	p := whole.Only(spans)
	if p.End() != whole.End() || p.Begin() != whole.Begin() || p.First() != 10 {
		t.Errorf("it goes from %s to %s, first %g; want those of the whole", p.Begin(), p.End(), p.First())
	}
	want := 0.0
	for _, s := range spans {
		want += whole.Area(s.To) - whole.Area(s.From)
		if got := p.Area(s.To) - p.Area(s.From); math.Abs(got-(whole.Area(s.To)-whole.Area(s.From))) > 1e-9 {
			t.Errorf("%v has %g arrivals", s, got)
		}
		if mid := (s.From + s.To) / 2; math.Abs(p.At(mid)-whole.At(mid)) > 1e-9 {
			t.Errorf("at %s the rate is %g, want %g", mid, p.At(mid), whole.At(mid))
		}
	}
	if math.Abs(p.Total()-want) > 1e-9 || p.At(7*time.Second) != 0 || p.At(19*time.Second) != 0 {
		t.Errorf("%g arrivals, want %g and none outside", p.Total(), want)
	}
	for n := 0.; n < p.Total(); n++ {
		at := p.Inverse(n)
		if !slices.ContainsFunc(spans, func(s Span) bool { return at >= s.From && at <= s.To }) {
			t.Errorf("arrival %g is at %s, outside of all spans", n, at)
		}
	}
}
