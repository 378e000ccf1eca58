package capacity_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/suite"
)

// TestBounds_Coverage searches 200 simulated servers of known capacity, each alone and with a known share of it. The
// intervals of the capacity, and of the share, hold the truth in at least 95 % of the searches, whether the capacity
// varies from probe to probe or not. BRUNT_SERIES=N takes other seeds.
func TestBounds_Coverage(t *testing.T) {
	if testing.Short() {
		t.Skip("it computes 180 intervals")
	}
	series, _ := strconv.ParseUint(os.Getenv("BRUNT_SERIES"), 10, 64) // another one of seeds
	searches := suite.Trials(200)
	for _, noise := range []float64{0, .02, .05} {
		var alone, under, share int
		var wide float64
		for seed := range uint64(searches) {
			r := rand.New(rand.NewPCG(seed, 38+series))
			truth := 300 + 1000*r.Float64()
			part := .3 + .6*r.Float64()
			find := func(of, from float64) *search.Found {
				f, err := capacity.Find(t.Context(), &server{capacity: of, noise: noise, r: r}, capacity.Options{From: from})
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			all := find(truth, 100)
			c := search.Capacity{Found: *all, Interval: all.Bounds()}
			c.Add(search.Under{Found: *find(part*truth, all.Low/2)})
			u := c.Under[0]
			holds := func(iv search.Interval, truth float64) int {
				if iv.Low <= truth && truth <= iv.High {
					return 1
				}
				return 0
			}
			alone += holds(c.Interval, truth)
			under += holds(u.Interval, part*truth)
			share += holds(*u.Share, part)
			wide += math.Log(c.Interval.High/c.Interval.Low) / float64(searches)
			if c.Interval.High/c.Interval.Low > 1.5 {
				t.Errorf("noise %v, seed %d: the interval is from %v to %v", noise, seed, c.Interval.Low, c.Interval.High)
			}
		}
		t.Logf("noise %v: %d alone, %d under the fault, %d shares of %d; the width is %.3f", noise, alone, under, share,
			searches, wide)
		for _, n := range []int{alone, under, share} {
			if n < searches*95/100 {
				t.Errorf("noise %v: an interval held the truth in %d of %d searches", noise, n, searches)
			}
		}
	}
}

// TestBounds_OpenEnd: a search without an upper end has an interval without one, and a quotient of it is unknown.
func TestBounds_OpenEnd(t *testing.T) {
	all := search.Found{Low: 100, Limited: 110, Tries: []search.Try{{Rate: 100, Answer: search.Holds}}}
	c := search.Capacity{Found: all, Interval: all.Bounds()}
	c.Add(search.Under{Found: search.Found{High: 10}}) // no rate held
	if c.Interval != (search.Interval{Low: 100}) || c.Under[0].Share != nil {
		t.Errorf("%+v, share %v", c.Interval, c.Under[0].Share)
	}
	if u := c.Under[0].Interval; u.Low != 0 || u.High < 10 {
		t.Errorf("where no rate held, the interval is %+v", u)
	}
}

func TestCapacity_Demanded(t *testing.T) {
	c := search.Capacity{
		Found: search.Found{Low: 1210, High: 1260}, Interval: search.Interval{Low: 1200, High: 1270},
		Under: []search.Under{
			{Found: search.Found{Low: 640, High: 670}, Interval: search.Interval{Low: 630, High: 680}},
			{Found: search.Found{Low: 900, Limited: 950}, Interval: search.Interval{Low: 900}},
			{Found: search.Found{Low: 900}, Interval: search.Interval{Low: 900}},
		},
	}
	for _, tt := range []struct {
		rate  float64
		all   search.Fit
		under [3]search.Fit
	}{
		{600, search.Fits, [3]search.Fit{search.Fits, search.Fits, search.Fits}},
		{650, search.Fits, [3]search.Fit{search.Uncertain, search.Fits, search.Fits}},
		{1000, search.Fits, [3]search.Fit{search.TooMuch, search.Untried, search.Uncertain}},
		{1230, search.Uncertain, [3]search.Fit{search.TooMuch, search.Untried, search.Uncertain}},
		{1300, search.TooMuch, [3]search.Fit{search.TooMuch, search.Untried, search.Uncertain}},
	} {
		d := c.Demanded(tt.rate)
		if d.All != tt.all || [3]search.Fit(d.Under) != tt.under {
			t.Errorf("%v/s: %s, %v; want %s, %v", tt.rate, d.All, d.Under, tt.all, tt.under)
		}
		if got := d.Decisive(); len(got) != 3 {
			t.Errorf("%v/s is decided by %v", tt.rate, got)
		}
	}
	none := search.Capacity{Found: c.Found, Interval: c.Interval}
	none.Add(search.Under{Found: search.Found{High: 200}}) // requests were bad until the fault was taken back
	for rate, want := range map[float64]search.Fit{150: search.Uncertain, 200: search.TooMuch} {
		if got := none.Demanded(rate).Under[0]; got != want {
			t.Errorf("%v/s, where no rate held: %s, want %s", rate, got, want)
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil || all["low"] != 1210.0 || all["high"] != 1260.0 {
		t.Errorf("the keys of a search stay at the top: %s (%v)", text, err)
	}
}
