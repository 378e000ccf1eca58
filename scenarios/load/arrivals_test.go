package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

type arrival struct {
	n  int64
	at time.Duration
}

func all(c Cursor) (list []arrival) {
	for {
		n, at, ok := c.Next()
		if !ok {
			return list
		}
		list = append(list, arrival{n, at})
	}
}

// wave returns a profile that rises, pauses, jumps and falls: 9000 arrivals.
func wave() *Profile {
	p := NewProfile(3500 * time.Millisecond)
	p.Add(10*time.Second, 0, 600)
	p.Add(1700*time.Millisecond, 0, 0)
	p.Add(10*time.Second, 1000, 200)
	return p
}

func TestCursor_Even(t *testing.T) {
	list := all(NewCursor(wave(), wave().Begin(), false, 0, Part{}))
	if len(list) != 9000 {
		t.Fatalf("%d arrivals, want 9000", len(list))
	}
	for i, a := range list {
		if a.n != int64(i) {
			t.Fatalf("arrival %d is numbered %d", i, a.n)
		}
		if off := math.Abs(wave().Area(a.at) - float64(i)); off > 1e-5 {
			t.Fatalf("arrival %d is %v off", i, off)
		}
		if from := 13500 * time.Millisecond; a.at > from && a.at < from+1700*time.Millisecond {
			t.Fatalf("arrival %d at %v, while the rate is zero", i, a.at)
		}
	}
}

func TestCursor_PartsAreTheWhole(t *testing.T) {
	for _, poisson := range []bool{false, true} {
		whole := all(NewCursor(wave(), wave().Begin(), poisson, 7, Part{}))
		if len(whole) < 8000 {
			t.Fatalf("poisson %v: %d arrivals", poisson, len(whole))
		}
		for _, m := range []int64{1, 2, 3, 7, 64} {
			var union []arrival
			for k := range m {
				part := all(NewCursor(wave(), wave().Begin(), poisson, 7, Part{Index: k, Of: m}))
				for _, a := range part {
					if a.n%m != k {
						t.Fatalf("worker %d of %d took arrival %d", k, m, a.n)
					}
				}
				union = append(union, part...)
			}
			slices.SortFunc(union, func(a, b arrival) int { return int(a.n - b.n) })
			if !slices.Equal(union, whole) {
				t.Errorf("poisson %v: the parts of %d workers are not the whole", poisson, m)
			}
		}
	}
}

func TestCursor_PoissonRepeats(t *testing.T) {
	of := func(seed uint64) []arrival { return all(NewCursor(wave(), wave().Begin(), true, seed, Part{})) }
	if !slices.Equal(of(1), of(1)) {
		t.Error("the same seed gives other arrivals")
	}
	if slices.Equal(of(1), of(2)) {
		t.Error("another seed gives the same arrivals")
	}
	list := of(3)
	if !slices.IsSortedFunc(list, func(a, b arrival) int { return int(a.at - b.at) }) {
		t.Error("arrivals are out of order")
	}
	if first, last := list[0].at, list[len(list)-1].at; first < wave().Begin() || last > wave().End() {
		t.Errorf("arrivals from %v to %v lie outside the load", first, last)
	}
}

// Each second is drawn from its own seed, independent of the other seconds and their rates.
func TestCursor_PoissonSecondsAreIndependent(t *testing.T) {
	flat := NewProfile(0)
	flat.Add(10*time.Second, 300, 300)
	bumpy := NewProfile(0)
	bumpy.Add(4*time.Second, 1000, 0)
	bumpy.Add(6*time.Second, 300, 300)
	second := func(list []arrival, s time.Duration) (at []time.Duration) {
		for _, a := range list {
			if a.at >= s*time.Second && a.at < (s+1)*time.Second {
				at = append(at, a.at)
			}
		}
		return at
	}
	a, b := all(NewCursor(flat, 0, true, 5, Part{})), all(NewCursor(bumpy, 0, true, 5, Part{}))
	late := all(NewCursor(flat, 7*time.Second, true, 5, Part{}))
	for s := time.Duration(4); s < 10; s++ {
		if !slices.EqualFunc(second(a, s), second(b, s), func(x, y time.Duration) bool { return (x - y).Abs() < 2 }) {
			t.Errorf("second %d depends on those before it", s)
		}
		if s >= 7 && !slices.Equal(second(a, s), second(late, s)) {
			t.Errorf("second %d depends on where the cursor began", s)
		}
	}
}

// Counts per second follow the Poisson distribution, and arrivals are uniform within a second:
// chi-square tests at 0.1 %, with fixed seeds.
func TestCursor_PoissonIsPoisson(t *testing.T) {
	const seconds, rate = 20000, 5.0
	p := NewProfile(0)
	p.Add(seconds*time.Second, rate, rate)
	counts := make([]int, seconds)
	var place [20]float64
	list := all(NewCursor(p, 0, true, 42, Part{}))
	for _, a := range list {
		counts[min(a.at/time.Second, seconds-1)]++
		place[a.at%time.Second*20/time.Second]++
	}
	const most = 13
	var seen [most + 1]float64
	for _, n := range counts {
		seen[min(n, most)]++
	}
	d := distuv.Poisson{Lambda: rate}
	chi := 0.0
	for k := range seen {
		want := d.Prob(float64(k)) * seconds
		if k == most {
			want = (1 - d.CDF(most-1)) * seconds
		}
		chi += (seen[k] - want) * (seen[k] - want) / want
	}
	if limit := (distuv.ChiSquared{K: most}).Quantile(.999); chi > limit {
		t.Errorf("counts per second: chi-square %.1f over %.1f: %v", chi, limit, seen)
	}
	chi = 0
	for _, n := range place {
		want := float64(len(list)) / 20
		chi += (n - want) * (n - want) / want
	}
	if limit := (distuv.ChiSquared{K: 19}).Quantile(.999); chi > limit {
		t.Errorf("places within a second: chi-square %.1f over %.1f: %v", chi, limit, place)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(uint64(1), int64(time.Second), 100.0, int64(0), int64(3), true)
	f.Fuzz(func(t *testing.T, seed uint64, d int64, rate float64, start, of int64, poisson bool) {
		if d < 0 || d > int64(time.Minute) || !(rate >= 0 && rate <= 2000) || of < 1 || of > 50 ||
			start < -int64(time.Hour) || start > int64(time.Hour) {
			t.Skip()
		}
		p := NewProfile(time.Duration(start))
		p.Add(time.Duration(d), rate, rate/2)
		count := 0
		for k := range of {
			last := p.Begin()
			for _, a := range all(NewCursor(p, p.Begin(), poisson, seed, Part{k, of})) {
				if a.at < last || a.at > p.End() {
					t.Fatalf("arrival %d at %v after %v, in [%v,%v]", a.n, a.at, last, p.Begin(), p.End())
				}
				last = a.at
				count++
			}
		}
		if want := len(all(NewCursor(p, p.Begin(), poisson, seed, Part{}))); count != want {
			t.Fatalf("%d workers take %d of %d", of, count, want)
		}
	})
}

func BenchmarkCursor_Next(b *testing.B) {
	for _, poisson := range []bool{false, true} {
		name := "even"
		if poisson {
			name = "poisson"
		}
		b.Run("arrivals="+name, func(b *testing.B) {
			b.ReportAllocs()
			p := NewProfile(0)
			p.Add(1e6*time.Second, 10000, 10000)
			c := NewCursor(p, 0, poisson, 1, Part{})
			for b.Loop() {
				c.Next()
			}
		})
	}
}
