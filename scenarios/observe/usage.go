package observe

import (
	"context"
	"math"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Usage samples the resources that the units of the target use while the load runs. Each unit has a goroutine of its
// own, so that a slow engine delays only its own units.
type Usage struct {
	units   []*unitUsage
	machine Readings // of all tasks of this machine
	helpers []*unitWaits
	pods    bool // units of the target are pods, which are not watched here
	cancel  context.CancelFunc
	ended   sync.WaitGroup
}

// unitUsage is the usage of one unit.
type unitUsage struct {
	of      chaos.Unit
	process bool // the unit is a process of this machine, not in a container
	sampler sampler

	mu     sync.Mutex
	out    result.UnitUsage
	life   string // identifies the process that was sampled last
	starts int
	at     time.Duration
	cpu    time.Duration // CPU time of that process
	sum    time.Duration // CPU time over the known seconds
	known  time.Duration
	queues acceptQueues

	traffic traffic
	waits   unitWaits
	pid     int // process of this machine that was sampled last; zero if the unit has none here
}

// used holds the resources that the processes of a unit have used so far.
type used struct {
	cpu     time.Duration
	memory  int64
	files   int // negative if brunt lacks the right to see them
	threads int
	began   int64 // when the first process began, in kernel time
	partial bool  // there are more processes than are read

	processes []int // those that were read
	reaped    int64 // page faults of children that have ended, which grow with each of them
}

// sample is one reading of a unit that runs.
type sample struct {
	used
	life   string // identifies the process among its predecessors and successors
	missed int    // number of unseen restarts, without the restart that a changed life shows
	via    string // proc or docker
	pid    int    // its process on this machine; zero: not known

	unknown bool // it is not known whether the unit runs
}

// A sampler reads the resources that a unit uses. ok is false if the unit does not run, or if nothing is known about
// it.
type sampler interface {
	sample(ctx context.Context) (s sample, ok bool)
}

// NewUsage prepares to watch units.
func NewUsage(units []chaos.Unit) *Usage {
	u := &Usage{}
	for _, of := range units {
		if _, ok := cluster.Of(of); ok { // the processes of a pod are on a node
			u.pods = true
			continue
		}
		one := &unitUsage{of: of, out: result.UnitUsage{Unit: of.Name(), Service: of.Service()}}
		if c, ok := container.Of(of); ok {
			one.sampler = &containerSampler{of: c}
		} else {
			one.process, one.sampler = true, processSampler{of}
		}
		u.units = append(u.units, one)
	}
	return u
}

// sampleWithin is the time limit for one sample of a unit.
const sampleWithin = 3 * time.Second

// Watch samples every unit once a second, until Stop.
func (u *Usage) Watch(now func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel = cancel
	if len(u.units) > 0 { // else nothing asks for their waits
		u.ended.Go(func() { u.watchWaits(ctx, now) })
	}
	for _, one := range u.units {
		u.ended.Go(func() {
			one.begin(ctx, now)
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(NextSecond(now()) - now()):
				}
				one.tick(ctx, now)
			}
		})
	}
}

// Stop ends the watch. It may be called again, and on nil.
func (u *Usage) Stop() {
	if u != nil && u.cancel != nil {
		u.cancel()
		u.ended.Wait()
	}
}

// begin reads the traffic of the unit before the load. For a process it does so at once: a sample may be late on a
// busy machine, and traffic before the first reading is not seen.
func (u *unitUsage) begin(ctx context.Context, clock func() time.Duration) {
	if u.process {
		u.readTraffic(clock(), time.Now())
		is, _ := usedBy(u.of.PID())
		u.waits.of(u.of.PID(), is)
		return
	}
	limited, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	if is, ok := u.sampler.sample(limited); ok && is.via == "proc" {
		u.readTraffic(clock(), time.Now())
		u.waits.of(is.pid, is.used)
	}
}

// readTraffic reads the traffic of the unit, whose process runs on this machine, from a list of connections made at
// since or later.
func (u *unitUsage) readTraffic(now time.Duration, since time.Time) {
	if addr := u.of.Traits().Addr; addr != nil {
		if at, err := netip.ParseAddrPort(addr()); err == nil {
			u.traffic.read(now, since, u.of.PID(), at.Port())
		}
	}
}

// tick records one second.
func (u *unitUsage) tick(ctx context.Context, clock func() time.Duration) {
	limited, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	is, ok := u.sampler.sample(limited)
	if ctx.Err() != nil { // the run ended meanwhile
		return
	}
	now := clock()
	u.waits.of(is.pid, is.used)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.pid = is.pid
	t := result.UsageTick{T: result.Sec(now), CPU: result.NaN, Files: result.NaN}
	if ok {
		t.Running, t.Memory, t.Threads, u.out.Via = true, is.memory, is.threads, is.via
		if is.files >= 0 {
			t.Files = result.Num(is.files)
		}
		if is.via == "proc" { // its process runs on this machine
			u.readTraffic(now, u.traffic.since(time.Now()))
			u.queues.read(u.of.PID())
			u.out.AcceptOverflows, u.out.AcceptShared = u.queues.sum, u.queues.sum > 0 && u.queues.shared()
		}
		if is.life != u.life {
			u.life, u.starts = is.life, u.starts+1+is.missed
		} else if d := now - u.at; d > 0 && is.cpu >= u.cpu { // less than before means that a child has ended
			t.CPU = result.Num((is.cpu - u.cpu).Seconds() / d.Seconds())
			u.sum, u.known = u.sum+is.cpu-u.cpu, u.known+d
		}
		u.cpu = is.cpu
	}
	u.at, t.Starts, t.Unknown = now, u.starts, !ok && is.unknown
	u.out.Memory = max(u.out.Memory, t.Memory)
	if now >= 0 { // usage during the warm-up is not reported
		u.out.Seconds = append(u.out.Seconds, t)
	}
}

// Finish ends the watch and returns the usage. It may be called on nil, for a run that was not
// watched.
func (u *Usage) Finish(events []result.Event) []result.UnitUsage {
	u.Stop()
	return u.SoFar(events)
}

// SoFar returns the usage of each unit so far. It leaves out units without a sample. events add ends and starts of
// processes between two samples.
func (u *Usage) SoFar(events []result.Event) []result.UnitUsage {
	if u == nil {
		return nil
	}
	var out []result.UnitUsage
	for _, one := range u.units {
		one.mu.Lock()
		if one.starts > 0 {
			is := one.out
			is.Seconds = slices.Clone(is.Seconds)
			if is.CPU = result.NaN; one.known > 0 {
				is.CPU = result.Num(one.sum.Seconds() / one.known.Seconds())
			}
			fromEvents(&is, events)
			out = append(out, is)
		}
		one.mu.Unlock()
	}
	return out
}

// sameOOM bounds the time between the engine's event and the end of brunt's own process for one kill by the kernel.
const sameOOM = time.Second

// fromEvents adds the ends and starts of processes in events to the usage of a unit. It leaves out stress processes of
// stress.memory, which the kernel killed in the place of the unit.
func fromEvents(u *result.UnitUsage, events []result.Event) {
	ooms, starts, i := 0, 0, 0
	own := func(oom *result.Event) bool {
		return slices.ContainsFunc(events, func(e result.Event) bool {
			return e.Event == "fault.oom" && e.Unit == u.Unit && (e.KilledT().D()-oom.T.D()).Abs() <= sameOOM
		})
	}
	for n := range u.Seconds {
		s := &u.Seconds[n]
		for ; i < len(events) && events[i].T <= s.T; i++ {
			if events[i].Unit != u.Unit {
				continue
			}
			switch events[i].Event {
			case "container.oom":
				if !own(&events[i]) {
					ooms++
				}
			case "unit.start":
				starts++
			}
		}
		s.OOMs, s.Starts = ooms, max(s.Starts, starts)
	}
	u.OOMs = ooms
}

// recent is the maximum age of a sample that counts as the present state.
const recent = 2500 * time.Millisecond

// running counts the running units of a service. known is false if one of them has no recent sample.
func (u *Usage) running(service string, now time.Duration) (n float64, known bool) {
	for _, one := range u.units {
		if one.out.Service != service {
			continue
		}
		one.mu.Lock()
		seconds := one.out.Seconds
		one.mu.Unlock()
		if len(seconds) == 0 {
			return 0, false
		}
		last := seconds[len(seconds)-1]
		if known = !last.Unknown && now-last.T.D() <= recent; !known {
			return 0, false
		}
		if last.Running {
			n++
		}
	}
	return n, known
}

// Latest returns the worst current usage of the units of a source, for a condition with an upper or
// lower bound; known is false without a recent sample.
func (u *Usage) Latest(o slo.Objective, now time.Duration, events func() []result.Event) (worst float64, known bool) {
	if o.Metric.Resource == slo.UnitsFigure {
		return u.running(o.Metric.Source, now)
	}
	for _, one := range u.units {
		if !ofSource(o.Metric.Source, one.out.Unit, one.out.Service) {
			continue
		}
		one.mu.Lock()
		last := one.out
		if n := len(last.Seconds); n > 0 {
			last.Seconds = []result.UsageTick{last.Seconds[n-1]}
		}
		one.mu.Unlock()
		if len(last.Seconds) == 0 || now-last.Seconds[0].T.D() > recent {
			continue
		}
		if o.Metric.Figure().Counted {
			fromEvents(&last, events())
		}
		v := float64(last.Points(o.Metric.Resource)[0].V)
		if !math.IsNaN(v) && (!known || o.Upper() == (v < worst)) {
			// A stop condition holds when one unit is beyond it, so the unit that is closest to the
			// bound decides.
			worst, known = v, true
		}
	}
	return worst, known
}

// ofSource reports whether a metric is about a unit.
func ofSource(source, unit, service string) bool { return source == unit || source == service }

// NextSecond returns the first whole second after t. t may be before t0.
func NextSecond(t time.Duration) time.Duration {
	return time.Duration(math.Floor(t.Seconds())+1) * time.Second
}

// OwnCPU returns the CPU time that brunt and the units of the target have used on this machine, with the processes
// that they started. It is known only where each unit is a process that brunt started, or a container whose process is
// seen on this machine. A process that detaches itself from its parent counts as another program.
func (u *Usage) OwnCPU() (cpu time.Duration, known bool) {
	if len(u.units) == 0 || u.pods {
		return 0, false
	}
	pids := []int{os.Getpid()} // with the processes that it started
	for _, one := range u.units {
		if one.process {
			continue
		}
		one.mu.Lock()
		pid := one.pid
		one.mu.Unlock()
		if pid == 0 {
			return 0, false
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		is, known := usedBy(pid)
		if !known || is.partial {
			return 0, false
		}
		cpu += is.cpu
	}
	return cpu, true
}
