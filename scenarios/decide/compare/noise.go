// Noise measures how busy a machine was with other work during a run. A run on a machine that is noisier than in its
// history shows nothing about the target.
//
//	probe -> run -> probe -> Noise -> Norm of the history -> within, or how it exceeds it
//
// There are two kinds of figures. The calibration probe, before and after the load, and stolen CPU time do not depend
// on the target. brunt's own lag and the CPU pressure during the load do: a target on the same machine that uses more
// CPU raises them.
//
//	noise.go   the figures of a run, and the norm of a history
//	probe.go   the calibration probe and the meter of a run
//
// To add a figure, add a field to Noise and a row to figures.

package compare

import (
	"fmt"
	"math"
	"slices"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/statistics"
)

// NoiseAttempts is how often a run is made at most if it shows nothing because the machine was too busy.
const NoiseAttempts = 5

// A Noise holds figures on the noise of the machine during a run. A figure of NaN, which is null in JSON, is not
// known.
type Noise struct {
	Lag      result.Num `json:"lag"`      // brunt's own lag, p99, in seconds
	Steal    result.Num `json:"steal"`    // share of the CPU time that the hypervisor took
	Pressure result.Num `json:"pressure"` // share of the time in which some task waited for CPU (PSI)
	// median of the calibration probe in seconds: the larger of the one before and the one after the load
	Probe   result.Num `json:"probe"`
	Slowest result.Num `json:"probe_p95"` // 95th percentile of the probe, likewise
}

// A figure describes one field of Noise.
type figure struct {
	name   string
	of     func(*Noise) result.Num
	share  bool    // compared by difference, otherwise by ratio
	least  float64 // smaller differences do not count, in seconds or as a share
	times  float64 // smaller ratios do not count
	byLoad bool    // a target on the same machine can raise it
}

var figures = []figure{
	{name: "brunt's own lag (p99)", of: func(n *Noise) result.Num { return n.Lag }, least: .5e-3, times: 2, byLoad: true},
	{name: "stolen CPU time", of: func(n *Noise) result.Num { return n.Steal }, share: true, least: .02},
	{name: "CPU pressure", of: func(n *Noise) result.Num { return n.Pressure }, share: true, least: .1, byLoad: true},
	{name: "the calibration probe (median)", of: func(n *Noise) result.Num { return n.Probe }, least: 50e-6, times: 1.3},
	{name: "the calibration probe (p95)", of: func(n *Noise) result.Num { return n.Slowest }, least: .2e-3, times: 1.5},
}

// LeastNoise is the number of runs that a norm needs. Fewer do not show how much a machine's noise varies.
const LeastNoise = 8

// outside is the probability that a run of the same machine exceeds the bound of one figure.
const outside = .005

// A NoiseNorm holds the noise of the runs of a history.
type NoiseNorm []Noise

// A NoiseExcess says whether the noise of a run exceeds that of a history, and how.
type NoiseExcess struct {
	Answer result.Answer // untested if the history has fewer than [LeastNoise] values of each figure that the run has
	Text   string        // for yes: "brunt's own lag (p99) 4.1ms, in the history typically 0.28ms and at most 0.4ms"
	ByLoad bool          // the target itself may be the cause: no figure that is independent of it exceeds the norm
}

// Exceeded says how a run exceeds the norm, by the figure that exceeds its bound most. Figures that are independent
// of the target take precedence.
func (n NoiseNorm) Exceeded(now Noise) NoiseExcess {
	var out NoiseExcess
	most := 0.0
	for i := range figures {
		f := &figures[i]
		x := float64(f.of(&now))
		middle, bound := f.bound(n)
		if math.IsNaN(x) || math.IsNaN(bound) {
			continue
		}
		if x <= bound {
			out.Answer = max(out.Answer, result.No)
			continue
		}
		by := (x - middle) / (bound - middle)
		if out.Answer != result.Yes || out.ByLoad && !f.byLoad || out.ByLoad == f.byLoad && by > most {
			most = by
			out = NoiseExcess{result.Yes, fmt.Sprintf("%s %s, in the history typically %s and at most %s", f.name, f.say(x),
				f.say(middle), f.say(bound)), f.byLoad}
		}
	}
	return out
}

// bound returns the median of the figure, and the value that a further run exceeds with probability outside. The
// latter is at least the smallest difference that counts above the median. Both are NaN if too few runs have the
// figure.
func (f *figure) bound(n NoiseNorm) (middle, bound float64) {
	var values, scaled []float64
	for i := range n {
		x := float64(f.of(&n[i]))
		if math.IsNaN(x) {
			continue
		}
		values = append(values, x)
		if !f.share {
			x = math.Log(max(x, 1e-6))
		}
		scaled = append(scaled, x)
	}
	if len(values) < LeastNoise {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	middle = statistics.Median(values)
	count := float64(len(scaled))
	mean, dev := statistics.MeanDeviation(scaled)
	bound = mean + statistics.Student(count-1).Quantile(1-outside)*dev*math.Sqrt(1+1/count)
	if f.share {
		return middle, max(bound, middle+f.least)
	}
	return middle, max(math.Exp(bound), middle+f.least, middle*f.times)
}

func (f *figure) say(x float64) string {
	if f.share {
		return quantity.FormatShareBriefly(x)
	}
	return quantity.FormatSeconds(x)
}

// String returns the figures in brief.
func (n Noise) String() string {
	say := func(x result.Num, format func(float64) string) string {
		if !x.Known() {
			return "unknown"
		}
		return format(float64(x))
	}
	return fmt.Sprintf("lag %s, stolen %s, pressure %s, probe %s", say(n.Lag, quantity.FormatSeconds),
		say(n.Steal, quantity.FormatShareBriefly),
		say(n.Pressure, quantity.FormatShareBriefly), say(n.Probe, quantity.FormatSeconds))
}
