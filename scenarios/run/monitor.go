// brunt measures its own health during a run: whether brunt, and not the target, was the bottleneck.
//
//	every second --Tick--> Monitor --Finish--> result.Generator --Judge--> lag, limits, healthy
//	                                            findings -----------'
//
// An objective whose verdict brunt's own lag could have changed is invalid; other verdicts stand.

package run

import (
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
	stolen   float64
	ticks    float64
	wall     time.Duration // drift of the wall clock against the monotonic one
	seconds  []result.GeneratorTick
	out      result.Generator
	pauses   gcPauses
	pulse    *measure.Pulse
	quota    quota
	stealSum float64
	ticksSum float64
}

// newGeneratorMonitor begins to measure, by the clock and the t0 of the run.
func newGeneratorMonitor(now func() time.Duration, t0 time.Time) *generatorMonitor {
	m := &generatorMonitor{now: now, t0: t0, quota: openQuota(cgroup.System{})}
	m.pulse = measure.NewPulse(now, m.quota.stops())
	m.began, m.cpuBegan = now(), machine.CPUTime()
	m.at, m.cpu = m.began, m.cpuBegan
	m.stolen, m.ticks = machine.StolenTime()
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

// Tick records one second. others is the number of cores that other processes used to make the load.
func (m *generatorMonitor) Tick(inFlight int64, others result.Num) {
	now, cpu := m.now(), machine.CPUTime()
	stolen, ticks := machine.StolenTime()
	t := result.GeneratorTick{
		T: result.Sec(now), InFlight: inFlight, CPU: others, Pressure: result.Num(machine.CPUPressure()),
	}
	if d := now - m.at; d > 0 {
		t.CPU += result.Num((cpu - m.cpu).Seconds() / d.Seconds())
	}
	if d := ticks - m.ticks; d > 0 {
		t.Steal = result.Num((stolen - m.stolen) / d)
		m.stealSum += stolen - m.stolen
		m.ticksSum += d
	}
	if w := m.drift(); w-m.wall > clockStep || m.wall-w > clockStep {
		m.out.ClockSteps++
		m.wall = w
	}
	m.at, m.cpu, m.stolen, m.ticks = now, cpu, stolen, ticks
	m.out.Memory = max(m.out.Memory, machine.ResidentMemory())
	m.out.Pressure = max(m.out.Pressure, t.Pressure)
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
