package result

import (
	"cmp"
	"slices"

	"brunt/scenarios/slo"
)

// Generator is the load generator's own health. Only lag counts against brunt.
type Generator struct {
	Lag     Lag   `json:"lag"`     // delay of sending, caused by brunt
	Queue   Lag   `json:"queue"`   // time that requests waited for a slot
	Offered int64 `json:"offered"` // requests that the schedule asked for
	Sent    int64 `json:"sent"`    // requests that were sent
	// how often requests were written: more than once if a server did not accept one, or after a redirect
	Attempts int64 `json:"attempts"`
	Healthy  bool  `json:"healthy"` // brunt was not the bottleneck
	// sentences about the limits that the load met, and their remedies
	Limits   []string `json:"limits"`
	Limited  []Limit  `json:"limited,omitempty"` // limits as data, in the same order
	Pacing   string   `json:"pacing" mask:"-"`   // pacing of arrivals: precise or efficient
	LagLimit Num      `json:"lag_limit"`         // a p99 lag above this counts as a limit, seconds
	Clamped  int64    `json:"clamped,omitempty"` // values outside the range of the histograms
	CPU      Num      `json:"cpu"`               // mean number of cores that brunt used
	Memory   int64    `json:"memory"`            // maximum memory of brunt, bytes
	Steal    Num      `json:"steal"`             // share of CPU time that the hypervisor took
	// share of the worst ten seconds in which some task waited for a processor; null if the kernel does not report it
	Pressure Num `json:"pressure"`
	Quota    Num `json:"quota,omitempty"` // the CPU quota that limited brunt most, in cores
	// share of the quota's periods in which brunt used up the quota
	Throttled   Num             `json:"throttled,omitempty"`
	GCPauses    Num             `json:"gc_pauses"`         // total time, seconds
	GCPauseMax  Num             `json:"gc_pause_max"`      // the longest garbage collection pause
	ClockSteps  int             `json:"clock_steps"`       // number of jumps of the wall clock
	InFlightMax int64           `json:"in_flight_max"`     // maximum number of iterations in flight
	Connections int64           `json:"connections"`       // connections opened in total
	Spoken      []string        `json:"spoken" mask:"-"`   // protocol versions in use
	Peers       []Peer          `json:"peers,omitempty"`   // addresses that accepted connections, the most first
	Freezes     []Freeze        `json:"freezes,omitempty"` // spans in which brunt itself did not run
	Seconds     []GeneratorTick `json:"seconds,omitempty"` // health by second
}

// A Peer is an address that accepted connections of the load: a unit of the target, a balancer or a link.
type Peer struct {
	Address string `json:"address" mask:"-"` // IP:port
	Opened  int64  `json:"opened"`           // connections opened to it
}

// PeersOf adds the connections by address to a list of peers, and returns it with the most connections first.
func PeersOf(opened map[string]int64, list []Peer) []Peer {
	list = slices.Clone(list)
	for address, n := range opened {
		if i := slices.IndexFunc(list, func(p Peer) bool { return p.Address == address }); i >= 0 {
			list[i].Opened += n
			continue
		}
		list = append(list, Peer{address, n})
	}
	slices.SortFunc(list, func(a, b Peer) int {
		return cmp.Or(cmp.Compare(b.Opened, a.Opened), cmp.Compare(a.Address, b.Address))
	})
	return list
}

// A Limit is a limit of brunt or of its machine that the load reached, so that brunt was the bottleneck.
type Limit struct {
	Kind   LimitKind `json:"kind" mask:"-"`           // kind of the limit
	Phase  slo.Phase `json:"phase,omitzero" mask:"-"` // phase in which brunt was late
	Phases int       `json:"phases,omitempty"`        // number of further phases in which brunt was late
	Worker int       `json:"worker,omitempty"`        // worker with the limit, from 1; zero means the whole run
	// p99 of a lag, or error of a clock, seconds; null for other limits
	Value Num `json:"value"`
	// largest value that is allowed, seconds; null for other limits
	Most     Num    `json:"most"`
	Requests int64  `json:"requests,omitempty"`        // requests that were not sent because of it
	Remedy   Remedy `json:"remedy,omitempty" mask:"-"` // remedy for a lag
	Sentence string `json:"-"`                         // sentence for people; files have it under limits
}

// A LimitKind is the kind of a [Limit].
type LimitKind string

// The kinds of limits.
const (
	LimitLag       LimitKind = "lag"        // requests were sent late
	LimitPorts     LimitKind = "ports"      // requests found no local port
	LimitSockets   LimitKind = "sockets"    // requests found no socket
	LimitMemory    LimitKind = "memory"     // answers found no room in brunt's memory
	LimitUnsent    LimitKind = "unsent"     // requests were late by more than their timeouts
	LimitScript    LimitKind = "script"     // a script or its engine did not report all data
	LimitWorkerLag LimitKind = "worker_lag" // requests of one worker were sent late
	LimitReader    LimitKind = "reader"     // messages of deliveries were read late
	LimitClock     LimitKind = "clock"      // the clock of a worker was off
)

// A Remedy names what ends a lag.
type Remedy string

// The remedies.
const (
	MoreCores   Remedy = "cores"    // brunt used up its processors: give it more, or lower the rate
	OwnCore     Remedy = "own_core" // other programs used the processors: give brunt one of its own
	MoreQuota   Remedy = "quota"    // a CPU quota held brunt back: raise it
	RunToTheEnd Remedy = "no_stop"  // brunt or its machine was stopped: let both run on
)

// Add adds limits and their sentences.
func (g *Generator) Add(limits ...Limit) {
	for _, l := range limits {
		g.Limits, g.Limited = append(g.Limits, l.Sentence), append(g.Limited, l)
	}
}

// LateAlone reports whether the only limit was that requests of brunt's own process were sent late.
func (g *Generator) LateAlone() bool {
	return g.limitedBy(func(l Limit) bool { return l.Kind == LimitLag })
}

// CrowdedOut reports whether the only limits were lags that a processor for brunt alone would end.
func (g *Generator) CrowdedOut() bool {
	return g.limitedBy(func(l Limit) bool { return l.Remedy == OwnCore })
}

// limitedBy reports whether there are limits, and such holds for all of them.
func (g *Generator) limitedBy(such func(Limit) bool) bool {
	return len(g.Limited) > 0 && !slices.ContainsFunc(g.Limited, func(l Limit) bool { return !such(l) })
}

// A Worker is a process that made a part of the load. Each iteration that it owed was reported or is lost.
type Worker struct {
	N     int    `json:"n"`               // number of the worker, from 1
	PID   int    `json:"pid"`             // process id; zero for a pod
	Pod   string `json:"pod,omitempty"`   // name of the pod, for a worker on Kubernetes
	Node  string `json:"node,omitempty"`  // node that the pod ran on
	Clock Num    `json:"clock,omitempty"` // uncertainty of a pod's clock when the load began, seconds
	// iterations in its part of the schedules, up to the end of the load; for closed loads, iterations that began
	Owed     int64 `json:"owed"`
	Reported int64 `json:"reported"`         // owed iterations that the run received
	Lost     int64 `json:"lost"`             // owed iterations that the run did not receive
	Unsure   int64 `json:"unsure,omitempty"` // lost iterations that may have been sent
	// for closed loads: how long its virtual users were missing, summed over users, in seconds
	LostTime Num    `json:"lost_time,omitempty"`
	LostAt   Num    `json:"lost_at,omitempty"`  // when the worker was lost, an offset from t0
	LostWhy  string `json:"lost_why,omitempty"` // how the worker ended; empty if it was not lost
	Sent     int64  `json:"sent"`               // requests that it sent
	Bad      int64  `json:"bad"`                // requests that were neither ok nor shed
	P50      Num    `json:"p50"`                // response time of its good answers
	P95      Num    `json:"p95"`                // response time of its good answers
	P99      Num    `json:"p99"`                // response time of its good answers
	Lag      Num    `json:"lag"`                // p99 of the delay of sending that it caused itself
	CPU      Num    `json:"cpu"`                // mean number of cores that it used
	Memory   int64  `json:"memory"`             // maximum memory of the worker, bytes
	// share of the periods of its CPU quota in which it used up the quota
	Throttled   Num   `json:"throttled,omitempty"`
	Silent      Num   `json:"silent,omitempty"`      // how long its answers were overdue, seconds
	Connections int64 `json:"connections,omitempty"` // connections that it opened
}

// A Freeze is a span in which brunt itself did not run: it was stopped, or got no processor.
type Freeze struct {
	T Num `json:"t"` // its beginning, an offset from t0
	D Num `json:"d"` // its length, in seconds
}

// Lag is a distribution of delays in seconds.
type Lag struct {
	P50 Num `json:"p50"` // the median
	P99 Num `json:"p99"` // 99 % waited at most this
	Max Num `json:"max"` // the longest
}

// A GeneratorTick is the generator's health in one second.
type GeneratorTick struct {
	T     Num `json:"t"`     // its end, an offset from t0
	CPU   Num `json:"cpu"`   // cores that brunt used
	Steal Num `json:"steal"` // share of the CPU time that the hypervisor took
	// share of the last ten seconds in which some task waited for a processor; null if the kernel does not report it
	Pressure Num   `json:"pressure"`
	InFlight int64 `json:"in_flight"` // iterations under way at its end
	// share of this machine's processors that programs other than brunt and the target used; null if unknown, such as
	// for a target that brunt did not start as processes
	Others Num `json:"others"`
	// share of the time of this machine's processors in which they were idle; null if unknown
	Idle Num `json:"idle"`

	// Took is how long before T the reading of Others began; zero if that is not known, as in a file.
	Took Num `json:"-"`
}

// Contended is the share of time in which some task waits for a processor. From this share on, other programs
// count as
// the cause of a lag.
const Contended = .2

// leastIdle is the share of the time of the processors up to which tasks wait for one, where the kernel does not report
// that: hardly any was idle.
const leastIdle = .05

// contended reports whether tasks waited for a processor for a share of the time or more.
func (t *GeneratorTick) contended(share Num) bool {
	return t.Pressure >= share || !t.Pressure.Known() && t.Idle <= leastIdle
}

// ProcessorWaits is how many times a request waits for a processor of this machine at most: it passes several
// processes. The figure is an estimate.
const ProcessorWaits = 10

// heldShare is the share of the processors from which on other programs, or brunt itself, hold them.
const heldShare = .5

// A HeldSecond is a second in which other programs, or brunt itself, held the processors of the machine on which brunt
// runs, or several seconds without a reading. Times are offsets from t0.
type HeldSecond struct{ From, To Num }

// Held returns the seconds in which other programs used half of the processors or more, while tasks waited for one.
func (g *Generator) Held() []HeldSecond {
	return g.spans(func(t *GeneratorTick) bool { return t.Others >= heldShare && t.contended(Contended) })
}

// Used returns the seconds in which brunt itself used half of the processors that it may use or more, of cores in all.
func (g *Generator) Used(cores int) []HeldSecond {
	return g.spans(func(t *GeneratorTick) bool { return float64(t.CPU) >= heldShare*float64(cores) })
}

// Contested returns the seconds in which tasks waited for a processor of this machine, or may have, and it is not known
// which programs held them.
func (g *Generator) Contested() []HeldSecond {
	return g.spans(func(t *GeneratorTick) bool {
		return !t.Others.Known() && (t.contended(Contended) || !t.Pressure.Known() && !t.Idle.Known())
	})
}

// spans returns the seconds for which such holds. A reading is longer than a second if brunt itself waited. Without
// [GeneratorTick.Took] it began with the one before.
func (g *Generator) spans(such func(*GeneratorTick) bool) (out []HeldSecond) {
	for i := range g.Seconds {
		t := &g.Seconds[i]
		from := t.T - 1
		switch {
		case t.Took > 0:
			from = t.T - t.Took
		case i > 0:
			from = g.Seconds[i-1].T
		}
		if such(t) {
			out = append(out, HeldSecond{from, t.T})
		}
	}
	return out
}
