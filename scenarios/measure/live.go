package measure

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// An interval holds the counts since the last call of [Recorder.Interval].
type interval struct {
	began time.Duration           // start of the interval
	under int64                   // requests in flight at the start that were already reported as offered
	since []Counts                // by series
	steps []stepSince             // counts by step; empty unless configured
	live  *hdrhistogram.Histogram // response times of good answers
	lag   *hdrhistogram.Histogram
}

func newInterval(c *Config) interval {
	iv := interval{
		began: c.Begin,
		since: make([]Counts, len(c.Steps)+len(c.Loads)),
		live:  hdrhistogram.New(result.HistMin, result.HistMax, result.HistDigits),
		lag:   hdrhistogram.New(result.HistMin, result.HistMax, result.HistDigits),
	}
	if c.BySteps {
		iv.steps = make([]stepSince, len(c.Steps))
	}
	return iv
}

// Interval folds, returns the counts since the last call, and begins the next interval. It is called about once a
// second. It counts requests that ended in the interval. Offered is the number of requests that ended, plus the
// change in the number of requests in flight, so that the load is visible even while the target answers nothing. An
// iteration in flight counts as one request, even while it pauses.
func (r *Recorder) Interval() (result.Interval, Second) {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	defer r.mu.Unlock()
	iv := result.Interval{At: r.cfg.Now(), Total: r.offered, Bad: r.bad}
	sec := Second{At: iv.At, Span: max(time.Millisecond, r.sinceLast(r.began, iv.At)), Config: r.cfg, Counts: r.since}
	for i := range r.cfg.Steps {
		if !r.cfg.InSums(i) {
			continue
		}
		t := &r.since[i]
		iv.Ended += t.Offered()
		iv.Sent += t.Sent
		iv.OK += t.Kinds[scenarios.OK]
		iv.Shed += t.Kinds[scenarios.Shed]
		iv.Errors += t.Bad()
	}
	iv.Span = sec.Span
	sec.steps = r.stepsSince()
	r.since, r.began = make([]Counts, len(r.since)), max(r.began, iv.At)
	if r.live.TotalCount() > 0 {
		iv.P50, iv.P95, iv.P99 = r.liveAt(50), r.liveAt(95), r.liveAt(99)
	}
	iv.Lag = time.Duration(r.lag.ValueAtQuantile(99)) * time.Microsecond
	r.live.Reset()
	r.lag.Reset()
	if r.cfg.InFlight != nil {
		iv.InFlight = r.cfg.InFlight()
	}
	// subtle: a request that ended since the fold is no longer in flight and is not yet counted as
	// ended. The next interval includes it.
	iv.Offered = max(0, iv.Ended+iv.InFlight-r.under)
	r.under += iv.Offered - iv.Ended
	for _, f := range r.Faults {
		if f.Name != "" && !f.Over {
			iv.Faults = append(iv.Faults, f.Name)
		}
	}
	sec.InFlight = iv.InFlight
	if len(r.cfg.Totals) > 0 {
		sec.Totals, sec.History = r.allTotals(), History{Faults: slices.Clone(r.Faults)}
	}
	second := FloorSecond(iv.At) - time.Second
	r.asked[second] = int64(float64(iv.Offered) / sec.Span.Seconds())
	delete(r.asked, second-r.cfg.Timeout-2*time.Second)
	return iv, sec
}

func (v *interval) liveAt(q float64) time.Duration {
	return time.Duration(v.live.ValueAtQuantile(q)) * time.Microsecond
}

// A Second holds the counts of requests that ended in an interval, for stop conditions and running totals.
type Second struct {
	History
	At       time.Duration // the end of the interval
	Span     time.Duration // its length; never zero
	InFlight int64
	Config   Config
	Counts   []Counts // by series
	Totals   Totals   // totals of the configured phases until At
	steps    []stepCounts
}

// Baseline returns the counts, with distributions, of the requests that ended before the first injection. Its span is
// the time until then; InFlight is the present number.
func (r *Recorder) Baseline() Second {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := make([]Counts, len(r.base))
	for i := range r.base {
		counts[i].Merge(r.base[i].CountsWithTimes())
	}
	for _, w := range r.windows.open {
		w.Each(func(k Key, c *Cell) {
			if r.InBaseline(k) {
				c.Settle(&r.scratch)
				counts[k.Series].Merge(c.CountsWithTimes())
			}
		})
	}
	out := Second{At: r.cfg.Now(), Config: r.cfg, Counts: counts}
	out.Span = max(time.Millisecond, r.fromBegin(min(out.At, r.FirstInjection())))
	if r.cfg.InFlight != nil {
		out.InFlight = r.cfg.InFlight()
	}
	return out
}
