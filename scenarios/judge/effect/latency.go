package effect

import (
	"iter"
	"math"
	"slices"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/statistics"
)

// LatencySlice counts the good answers of a part of the load, by intended time and by multiples of two limits of
// their step: a tenth above the baseline's median, and a tenth above its 95th percentile.
type LatencySlice struct {
	Start, End time.Duration
	N          int64 // good answers
	// good answers slower than each LatencyRatio times the limit of the median, and of the 95th percentile
	Above [2][LatencyRatios]int64
	Far   [2]int64 // good answers slower than FarAbove of the baseline's median, and of its 95th percentile
}

// Latencies hold the good answers that tell whether a fault made answers slower.
type Latencies struct {
	Baseline []LatencySlice // to requests before the first fault
	Fault    []LatencySlice // to requests that met the fault
	Rest     []LatencySlice // to requests that met no fault, a hold or more after the last one
}

// FarAbove returns the time above which an answer is far slower than a percentile of the baseline, in seconds: twice
// the percentile, and at least 20 ms above it.
func FarAbove(percentile float64) float64 { return max(2*percentile, percentile+.02) }

// LatencyRatios is the number of multiples of a limit that are counted.
const LatencyRatios = 29

// LatencyRatio returns multiple i of a limit, from 1/8 to 16; from 1/2 to 2 in steps of 9 %.
func LatencyRatio(i int) float64 { return math.Exp2(latencyPower(i)) }

// latencyPower returns the binary logarithm of LatencyRatio: steps of 1/8 from -1 to 1, below that of 1/2, above of
// 3/8.
func latencyPower(i int) float64 {
	const near, fine = 8, 4 // number of fine steps on each side of the limit, and of coarse steps below them
	switch at := i - near - fine; {
	case at < -near:
		return -1 + float64(at+near)/2
	case at > near:
		return 1 + float64(at-near)*3/8
	default:
		return float64(at) / near
	}
}

const (
	// latencyChance is the chance of a false answer for each of the two percentiles. Both together, including the
	// error of the approximation, stay under 1 % per fault; TestLatency_Simulation verifies it.
	latencyChance = .0015
	// rarerChance is the chance of a false answer for each level that rarer tests, of faults that Slower finds slower
	// by the baseline.
	rarerChance = 1. / 300
	// latencyBlocks is the least number of blocks of the baseline that show how its level varies. latencyMore is the
	// least number of longer blocks, which are tested in addition.
	latencyBlocks, latencyMore = 5, 10
	// latencyApart is the least number of seconds of a fault, or of their parts, that are compared by rank.
	latencyApart = 3
	// LeastAnswers is the least number of good answers in the baseline, and in the fault, that show slower ones.
	LeastAnswers = 20
	// latencyBlock is the least mean number of good answers in a block: fewer give no percentile.
	latencyBlock = 10
	// latencyLeast is the deviation that the steps of LatencyRatio add to each level.
	latencyLeast = .025
	// latencyLimit is the index of the multiple 1 in LatencyRatio: the limit itself.
	latencyLimit = 12
)

// latencyPercentiles are the percentiles of the baseline from which limits are computed.
var latencyPercentiles = [2]float64{.5, .95}

// Slower reports whether the good answers to requests that met a fault were slower than in the baseline, by more than
// chance explains. It errs in at most 1 % of faults without an effect.
//
// Slower means by a tenth, at the median or at the 95th percentile. The level of a block of time is the logarithm of
// the ratio of its percentile to the limit. A t test compares the mean level of the fault's blocks with the mean
// level of the baseline's. Neighbouring answers depend on each other, because queues and pauses last for a while, so
// a test on single answers would raise more false alarms. The variance of levels of blocks includes this dependence.
// A level has no upper bound, so the test also detects slower answers of a target whose level varies from second to
// second. A share of slow answers, which is at most 100 %, can't show that.
//
// The variance is the variance of the baseline, which a fault without an effect has as well. It is computed for
// blocks of one second, two, four and so on while there are ten of them; the largest chance decides. Blocks are
// modelled as a first-order autoregressive process with the correlation ρ of neighbours. The estimate of ρ is too low
// by (1+3ρ)/n (Kendall, 1954) and is raised by that. The correlation inflates the variance of a mean by (1+ρ)/(1-ρ),
// and leaves n(1-ρ²)/(1+ρ²) independent blocks (Bartlett, 1935), which are the degrees of freedom.
//
// In addition, more answers must be slow than Fisher's exact test explains. A baseline with too few answers for
// levels, such as 30 s at one answer a second, is compared by the shares of slow answers in its blocks.
//
// A short baseline leaves two degrees of freedom, with which the test does not even find answers that take a hundred
// times as long. So answers are slower, too, if every second of the fault is far slower than the seconds of the
// baseline; see [apart].
//
// A target that pauses at random, once in some seconds, is outside of the model: a short baseline may have no pause.
// So the answer is yes only if seconds as slow are rarer in the rest, too; see [rarer]. TestSlower_Pauses gives the
// false alarms with the rest and without it.
//
// The answer is yes only by the answers of own, without the time that brunt itself may have added. It is no if the
// answers as measured were not far slower; see [Far]. Otherwise it is untested.
func Slower(measured, own Latencies) result.Told {
	far := Far(measured.Fault)
	usual := usually(own.Baseline, own.Rest)
	few := answersOf(measured.Baseline) < LeastAnswers || answersOf(measured.Fault) < LeastAnswers
	switch {
	case !few && slower(own.Baseline, usual, own.Fault):
		return result.Told{Answer: result.Yes}
	case far.Answer == result.No:
		return far
	case !few && slower(own.Baseline, nil, own.Fault):
		return result.NotTold(result.Note{Kind: result.SlowerRest})
	case !few && slower(measured.Baseline, nil, measured.Fault):
		return result.NotTold(result.Note{Kind: result.SlowerOwn})
	case !few && secondsOf(measured.Baseline) < latencyBlocks:
		return result.NotTold(result.Note{
			Kind: result.SlowerShort, Count: secondsOf(measured.Baseline), Need: latencyBlocks,
		})
	case !TellsSlower(measured):
		return result.NotTold(result.Note{
			Kind: result.SlowerFew, Count: answersOf(measured.Fault), Base: result.Num(answersOf(measured.Baseline)),
			Need: EnoughForFar(0), NeedBase: LeastAnswers,
		})
	case far.Answer == result.Untested:
		return far
	}
	return result.NotTold(result.Note{Kind: result.SlowerVaried})
}

// EnoughForFar returns the least number of good answers with which [Far] is no although some of them are far slower: 59
// with none, and 93 with one, which chance may bring.
func EnoughForFar(slower int64) int64 {
	n := EnoughFor(1 - latencyPercentiles[1])
	for UpperBound(float64(slower), float64(n), Confidence) >= 1-latencyPercentiles[1] {
		n++
	}
	return n
}

// Far answers whether the answers took over twice as long as in the baseline, and over 20 ms longer, at the median or
// at the 95th percentile. It is no if the 95 % upper bounds of both exclude it, and yes if the 95 % lower bound of one
// shows it. Else it is untested: fewer than 59 answers have no upper bound of the 95th percentile.
func Far(fault []LatencySlice) result.Told {
	all, open := together(fault), -1
	for k := range latencyPercentiles {
		switch all.far(k) {
		case result.Yes:
			return result.Told{Answer: result.Yes}
		case result.Untested:
			open = k
		}
	}
	if open < 0 {
		return result.Told{Answer: result.No}
	}
	of := [2]result.NoteKind{result.SlowerHalf, result.SlowerTail}
	return result.NotTold(result.Note{Kind: of[open], Part: all.Far[open], Count: all.N})
}

// MostlyFar reports whether [Far] is yes by the median alone.
func MostlyFar(fault []LatencySlice) bool {
	all := together(fault)
	return all.far(0) == result.Yes
}

// far is the answer of [Far] by percentile k alone.
func (s *LatencySlice) far(k int) result.Answer {
	n, far, above := float64(s.N), float64(s.Far[k]), 1-latencyPercentiles[k]
	switch {
	case LowerBound(far, n, Confidence) > above:
		return result.Yes
	case UpperBound(far, n, Confidence) >= above:
		return result.Untested
	}
	return result.No
}

// StepTimes count the good answers of one step, and the windows in which they came.
type StepTimes struct {
	N       int64    // good answers
	Far     [2]int64 // of them, the far slower ones, as in [LatencySlice]
	Windows int64    // windows with good answers
	FarIn   [2]int64 // of them, windows whose own percentile is far above that of the baseline
}

// Add counts the answers of the step in one window.
func (t *StepTimes) Add(s *LatencySlice) {
	one := StepTimes{N: s.N, Far: s.Far, Windows: min(s.N, 1)}
	for k, far := range s.Far {
		if float64(far) > (1-latencyPercentiles[k])*float64(s.N) {
			one.FarIn[k] = 1
		}
	}
	t.Join(&one)
}

// Join adds other windows of the step.
func (t *StepTimes) Join(o *StepTimes) {
	t.N, t.Windows = t.N+o.N, t.Windows+o.Windows
	for k := range t.Far {
		t.Far[k], t.FarIn[k] = t.Far[k]+o.Far[k], t.FarIn[k]+o.FarIn[k]
	}
}

// FarOfStep reports whether the answers of one of so many steps took over twice as long in a fault, and over 20 ms
// longer, and returns the number of them that did. Usual holds the step's windows of the baseline and of the rest of
// the run. The chances of error are divided by the number of steps.
//
// A 95 % bound has to show it, as for [Far]. At least three in four windows of the fault have to be far slower: a step
// may pause by itself once in a while, and a pause shorter than that is no effect of the fault. Such windows also have
// to be rarer without the fault, by Fisher's exact test. TestFarOfStep_Pauses gives the false alarms.
func FarOfStep(usual, fault *StepTimes, steps int) (far int64, found bool) {
	if min(usual.N, fault.N) < LeastAnswers {
		return 0, false
	}
	each := 1 / float64(max(1, steps))
	for k := range latencyPercentiles {
		one, other := latencyShare{float64(usual.Windows), float64(usual.FarIn[k])},
			latencyShare{float64(fault.Windows), float64(fault.FarIn[k])}
		if 4*fault.FarIn[k] >= 3*fault.Windows && answersTail(one, other) < rarerChance*each &&
			LowerBound(float64(fault.Far[k]), float64(fault.N), 1-(1-Confidence)*each) > 1-latencyPercentiles[k] {
			return fault.Far[k], true
		}
	}
	return 0, false
}

// slower is the test of Slower. Usual is empty if only the baseline is known.
func slower(baseline, usual, fault []LatencySlice) bool {
	for k := range latencyPercentiles {
		if slowerAt(baseline, fault, k) && (len(usual) == 0 || rarer(usual, fault, k)) {
			return true
		}
	}
	return false
}

// slowerAt compares a fault with the baseline at percentile k.
func slowerAt(baseline, fault []LatencySlice, k int) bool {
	if apart(baseline, fault, k) {
		return true
	}
	chance, ok := latencyTail(baseline, fault, k)
	if !ok {
		chance = sharesTail(baseline, fault, k)
	} else if chance < latencyChance {
		chance = answersTail(shareOf(baseline, k), shareOf(fault, k))
	}
	return chance < latencyChance
}

// usually returns the baseline and rest together, if most seconds of rest are no slower than the slowest of the
// baseline, at both percentiles. Otherwise an effect of a fault may go on in rest, and it returns nothing. It takes
// ten seconds of rest.
func usually(baseline, rest []LatencySlice) []LatencySlice {
	for k := range latencyPercentiles {
		before, _ := levelsOf(baseline, k, time.Second)
		after, answers := levelsOf(rest, k, time.Second)
		if len(before) == 0 || len(after) < latencyMore || answers < latencyBlock {
			return nil
		}
		slices.Sort(after)
		if after[len(after)/2] > slices.Max(before)+math.Log(1.1) {
			return nil
		}
	}
	return slices.Concat(baseline, rest)
}

// rarer reports whether seconds as slow as those of the fault are rarer without a fault, at percentile k, than chance
// explains. For a level of a second of the fault, Fisher's exact test compares how many seconds reach it. So does a
// second of the fault that is twice as slow as every usual one, and a fault of too few seconds for the test if all are
// slower.
func rarer(usual, fault []LatencySlice, k int) bool {
	without, _ := levelsOf(usual, k, time.Second)
	in, _ := levelsOf(fault, k, time.Second)
	if len(in) == 0 { // the fault was shorter than a second
		in = []float64{joinedLevel(fault, k)}
	}
	slowest := slices.Max(without)
	if slices.Max(in)-slowest >= math.Ln2 {
		return true
	}
	reach := func(list []float64, level float64) latencyShare {
		s := latencyShare{n: float64(len(list))}
		for _, v := range list {
			if v >= level {
				s.over++
			}
		}
		return s
	}
	least := answersTail(latencyShare{n: float64(len(without))}, latencyShare{n: float64(len(in)), over: float64(len(in))})
	if least >= rarerChance {
		return slices.Min(in) > slowest
	}
	return slices.ContainsFunc(in, func(level float64) bool {
		return answersTail(reach(without, level), reach(in, level)) < rarerChance
	})
}

// apart reports whether every second of the fault is far slower than the seconds of the baseline at percentile k: at
// least twice as slow as all but the slowest one, in which a target may have paused or connections were made, and
// [Far] from the baseline as a whole. It compares ranks, so it needs no model of how seconds vary. It takes three
// seconds of the fault, or parts of seconds, and five of the baseline.
func apart(baseline, fault []LatencySlice, k int) bool {
	before, answers := levelsOf(baseline, k, time.Second)
	if len(before) < latencyBlocks || answers < latencyBlock {
		return false
	}
	var all LatencySlice
	n, lowest := 0, math.Inf(1)
	for i := range fault {
		all.Add(&fault[i])
		if fault[i].N >= latencyBlock {
			n, lowest = n+1, min(lowest, fault[i].level(k))
		}
	}
	slices.Sort(before)
	return n >= latencyApart && lowest-before[len(before)-2] >= math.Ln2 && all.far(k) == result.Yes
}

// TellsSlower reports whether there are enough good answers to tell whether they were slower: 20 of the baseline in
// five blocks of a second, and for the fault either as many as the answer no needs, see [EnoughForFar], or 20 that
// were slower.
func TellsSlower(l Latencies) bool {
	if secondsOf(l.Baseline) < latencyBlocks || answersOf(l.Baseline) < LeastAnswers {
		return false
	}
	n := answersOf(l.Fault)
	return n >= EnoughForFar(0) || n >= LeastAnswers && slower(l.Baseline, nil, l.Fault)
}

// secondsOf returns the number of seconds that have good answers.
func secondsOf(list []LatencySlice) (n int64) {
	for range blocksOf(list, time.Second) {
		n++
	}
	return n
}

func answersOf(list []LatencySlice) (n int64) {
	for i := range list {
		n += list[i].N
	}
	return n
}

// latencyTail returns the chance that a fault without an effect has levels as high as these, at percentile k. found
// is false if the baseline has too few answers.
func latencyTail(baseline, fault []LatencySlice, k int) (worst float64, found bool) {
	worst = 1
	pooled := joinedLevel(baseline, k)
	for length := time.Second; ; length *= 2 {
		b, perBaseline := levelsOf(baseline, k, length)
		f, perFault := levelsOf(fault, k, length)
		blocks := float64(len(f))
		switch {
		case len(b) < latencyBlocks, found && (len(b) < latencyMore || len(f) == 0):
			return worst, found
		case perBaseline < latencyBlock:
			continue
		case len(f) == 0: // the fault was shorter than a block
			f, perFault, blocks = []float64{joinedLevel(fault, k)}, float64(answersOf(fault)),
				max(.25, spanOf(fault).Seconds()/length.Seconds())
			perFault /= blocks
		}
		base, variance, freedom := latencyNoise(b)
		over := mean(f) - base + pooled // the level of the baseline is a tenth below the limit
		if over <= 0 {
			return 1, true
		}
		fewer := max(1, perBaseline/perFault) // blocks of fewer answers vary more
		v := variance * (1/float64(len(b)) + fewer/blocks)
		chance := statistics.Student(freedom).Survival(over / math.Sqrt(v))
		if !found || chance > worst {
			worst, found = chance, true
		}
	}
}

func spanOf(list []LatencySlice) (d time.Duration) {
	for i := range list {
		d += list[i].End - list[i].Start
	}
	return d
}

// latencyNoise returns the mean of levels, the variance of one level, inflated by the correlation of neighbours, and
// its degrees of freedom.
func latencyNoise(levels []float64) (of, variance, freedom float64) {
	of = mean(levels)
	n := float64(len(levels))
	var sum, pairs, last float64
	for i, v := range levels {
		d := v - of
		sum += d * d
		if i > 0 {
			pairs += d * last
		}
		last = d
	}
	sum += (n - 1) * latencyLeast * latencyLeast
	rho := pairs / sum
	rho = max(0, min(.9, rho+(1+3*max(0, rho))/n))
	variance = sum / (n - 1) * (1 + rho) / (1 - rho)
	return of, variance, max(2, (n-1)*(1-rho*rho)/(1+rho*rho))
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// levelsOf returns the levels of blocks of at least length, and their mean number of answers.
func levelsOf(list []LatencySlice, k int, length time.Duration) (levels []float64, answers float64) {
	for b := range blocksOf(list, length) {
		levels = append(levels, joinedLevel(b, k))
		answers += float64(answersOf(b))
	}
	return levels, answers / max(1, float64(len(levels)))
}

// blocksOf divides slices into blocks of at least length. It leaves out blocks without a good answer, and the rest at
// the end.
func blocksOf(list []LatencySlice, length time.Duration) iter.Seq[[]LatencySlice] {
	return func(yield func([]LatencySlice) bool) {
		from, d := 0, time.Duration(0)
		for i := range list {
			if d += list[i].End - list[i].Start; d < length-10*time.Millisecond {
				continue
			}
			if b := list[from : i+1]; answersOf(b) > 0 && !yield(b) {
				return
			}
			from, d = i+1, 0
		}
	}
}

// joinedLevel returns the level of all slices together.
func joinedLevel(list []LatencySlice, k int) float64 {
	all := together(list)
	return all.level(k)
}

// together returns the answers of all slices.
func together(list []LatencySlice) (all LatencySlice) {
	for i := range list {
		all.Add(&list[i])
	}
	return all
}

// Add adds the answers of another slice.
func (s *LatencySlice) Add(o *LatencySlice) {
	s.N += o.N
	for k := range s.Above {
		for i := range s.Above[k] {
			s.Above[k][i] += o.Above[k][i]
		}
		s.Far[k] += o.Far[k]
	}
}

// level returns the logarithm of the ratio of percentile k to its limit, interpolated between two multiples.
func (s *LatencySlice) level(k int) float64 {
	above := 1 - latencyPercentiles[k]
	share := func(i int) float64 { return float64(s.Above[k][i]) / float64(s.N) }
	for i := range LatencyRatios {
		if share(i) > above {
			continue
		}
		if i == 0 {
			return latencyPower(0) * math.Ln2
		}
		from, to := latencyPower(i-1), latencyPower(i)
		return (from + (to-from)*(share(i-1)-above)/(share(i-1)-share(i))) * math.Ln2
	}
	return latencyPower(LatencyRatios-1) * math.Ln2
}
