// brunt measures its own health during a run: whether brunt, and not the target, was the bottleneck.
//
//	every second --Tick--> Monitor --Finish--> result.Generator --Judge--> lag, limits, healthy
//	                                            findings -----------'
//
// An objective whose verdict brunt's own lag could have changed is invalid; other verdicts stand.

package run

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"brunt/chaos/cgroup"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// A generatorMonitor measures brunt's own health every second.
type generatorMonitor struct {
	now      func() time.Duration
	t0       time.Time
	began    time.Duration
	cpuBegan time.Duration
	cpu      time.Duration
	at       time.Duration
	machine  machine.ProcessorTime
	of       func() (cpu time.Duration, known bool) // CPU time of brunt and of the target; nil: unknown
	ofCPU    time.Duration
	ofKnown  bool
	wall     time.Duration // drift of the wall clock against the monotonic one
	seconds  []result.GeneratorTick
	out      result.Generator
	pauses   gcPauses
	pulse    *measure.Pulse
	quota    quota
	stealSum float64
	ticksSum float64
}

// newGeneratorMonitor begins to measure, by the clock and the t0 of the run. of returns the CPU time that brunt and
// the target have used on this machine; nil means that it is not known.
func newGeneratorMonitor(
	now func() time.Duration, t0 time.Time, of func() (time.Duration, bool),
) *generatorMonitor {
	m := &generatorMonitor{now: now, t0: t0, of: of, quota: openQuota(cgroup.System{})}
	m.out.Pressure = result.NaN
	m.pulse = measure.NewPulse(now, m.quota.stops())
	m.began, m.cpuBegan = now(), machine.CPUTime()
	m.at, m.cpu = m.began, m.cpuBegan
	m.machine = machine.Processors()
	m.otherShare(0, m.machine)
	m.wall = m.drift()
	m.pauses.read()
	return m
}

// drift returns the offset of the wall clock from the monotonic one.
func (m *generatorMonitor) drift() time.Duration {
	return time.Duration(time.Now().UnixNano() - m.t0.UnixNano() - int64(m.now()))
}

// clockStep is the least change of the wall clock against the monotonic one that counts as a step and not as a slew.
const clockStep = 50 * time.Millisecond

// otherShare returns the share of the machine's processors that other programs used in the last d, and the hypervisor.
// It is not a number if that is not known.
func (m *generatorMonitor) otherShare(d time.Duration, is machine.ProcessorTime) result.Num {
	if m.of == nil {
		return result.NaN
	}
	before, known := m.ofCPU, m.ofKnown
	m.ofCPU, m.ofKnown = m.of()
	all := is.All - m.machine.All
	if !known || !m.ofKnown || d <= 0 || all <= 0 || m.ofCPU < before {
		return result.NaN
	}
	busy := 1 - (is.Idle-m.machine.Idle)/all
	own := (m.ofCPU - before).Seconds() / d.Seconds() / float64(runtime.NumCPU())
	return result.Num(min(1, max(0, busy-own)))
}

// Tick records one second. workers is the number of cores that other processes used to make the load.
func (m *generatorMonitor) Tick(inFlight int64, workers result.Num) {
	now, cpu, is := m.now(), machine.CPUTime(), machine.Processors()
	t := result.GeneratorTick{
		T: result.Sec(now), InFlight: inFlight, CPU: workers, Pressure: result.Num(machine.CPUPressure()),
		Others: m.otherShare(now-m.at, is), Idle: result.NaN, Took: result.Sec(now - m.at),
	}
	if d := now - m.at; d > 0 {
		t.CPU += result.Num((cpu - m.cpu).Seconds() / d.Seconds())
	}
	if d := is.All - m.machine.All; d > 0 {
		stolen := is.Stolen - m.machine.Stolen
		t.Steal, t.Idle = result.Num(stolen/d), result.Num((is.Idle-m.machine.Idle)/d)
		m.stealSum += stolen
		m.ticksSum += d
	}
	if w := m.drift(); w-m.wall > clockStep || m.wall-w > clockStep {
		m.out.ClockSteps++
		m.wall = w
	}
	m.at, m.cpu, m.machine = now, cpu, is
	m.out.Memory = max(m.out.Memory, machine.ResidentMemory())
	if !(m.out.Pressure >= t.Pressure) && t.Pressure.Known() {
		m.out.Pressure = t.Pressure
	}
	m.seconds = append(m.seconds, t)
}

// SoFar returns the totals so far, with the means over the seconds.
func (m *generatorMonitor) SoFar() result.Generator {
	g := m.out
	g.Seconds = slices.Clone(m.seconds)
	for _, t := range g.Seconds {
		g.CPU += t.CPU / result.Num(len(g.Seconds))
		g.InFlightMax = max(g.InFlightMax, t.InFlight)
	}
	return g
}

// Freezes returns the spans in which brunt itself stood still.
func (m *generatorMonitor) Freezes() []measure.Freeze { return m.pulse.Freezes() }

// Finish ends the measurement and returns the totals.
func (m *generatorMonitor) Finish() result.Generator {
	g := m.out
	if d := m.now() - m.began; d > 0 {
		g.CPU = result.Num((machine.CPUTime() - m.cpuBegan).Seconds() / d.Seconds())
	}
	if m.ticksSum > 0 {
		g.Steal = result.Num(m.stealSum / m.ticksSum)
	}
	g.GCPauses, g.GCPauseMax = m.pauses.since()
	m.pulse.Stop()
	for _, f := range m.pulse.Freezes() {
		if f.To-f.From < measure.LeastFreeze { // a quota causes up to ten of these a second; Throttled sums them up
			continue
		}
		g.Freezes = append(g.Freezes, result.Freeze{T: result.Sec(f.From), D: result.Sec(f.To - f.From)})
	}
	g.Quota, g.Throttled = m.quota.since()
	g.Seconds = m.seconds
	g.Memory = max(g.Memory, machine.ResidentMemory())
	return g
}

// gcPauses reads the runtime's histogram of stop-the-world pauses.
type gcPauses struct{ before []uint64 }

const pausesMetric = "/sched/pauses/total/gc:seconds"

func readPauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: pausesMetric}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	return s[0].Value.Float64Histogram()
}

func (g *gcPauses) read() {
	if h := readPauses(); h != nil {
		g.before = slices.Clone(h.Counts)
	}
}

// since returns the sum and the maximum of the pauses since the call of read, by the upper edges of their buckets.
func (g *gcPauses) since() (sum, longest result.Num) {
	h := readPauses()
	if h == nil || len(h.Counts) != len(g.before) {
		return 0, 0
	}
	for i, n := range h.Counts {
		edge := h.Buckets[i+1]
		if edge > 10 { // the last bucket is open
			edge = h.Buckets[i]
		}
		if d := n - g.before[i]; d > 0 {
			sum += result.Num(float64(d) * edge)
			longest = max(longest, result.Num(edge))
		}
	}
	return sum, longest
}
