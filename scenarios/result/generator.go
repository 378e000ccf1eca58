package result

import (
	"slices"

	"brunt/scenarios/slo"
)

// Generator is the load generator's own health. Only lag counts against brunt.
type Generator struct {
	Lag     Lag   `json:"lag"`     // delay of sending, caused by brunt
	Queue   Lag   `json:"queue"`   // time that requests waited for a slot
	Offered int64 `json:"offered"` // requests that the schedule asked for
	Sent    int64 `json:"sent"`    // requests that were sent
	// times that they were written: again where a server did not take one, and behind a redirect
	Attempts    int64           `json:"attempts"`
	Healthy     bool            `json:"healthy"`             // brunt was not the bottleneck
	Limits      []string        `json:"limits"`              // limits that were hit, and what to do, in sentences
	Limited     []Limit         `json:"limited,omitempty"`   // the limits as data, in the order of the sentences
	Pacing      string          `json:"pacing" mask:"-"`     // pacing of arrivals: precise or efficient
	LagLimit    Num             `json:"lag_limit"`           // p99 lag above this makes the run invalid
	Clamped     int64           `json:"clamped,omitempty"`   // values outside the range of the histograms
	CPU         Num             `json:"cpu"`                 // mean number of cores that brunt used
	Memory      int64           `json:"memory"`              // maximum memory of brunt, bytes
	Steal       Num             `json:"steal"`               // share of CPU time that the hypervisor took
	Pressure    Num             `json:"pressure"`            // share of the time that tasks waited for a processor
	Quota       Num             `json:"quota,omitempty"`     // the CPU quota that held brunt back most, in cores
	Throttled   Num             `json:"throttled,omitempty"` // share of the quota's periods in which brunt had used it up
	GCPauses    Num             `json:"gc_pauses"`           // total time, seconds
	GCPauseMax  Num             `json:"gc_pause_max"`        // the longest garbage collection pause
	ClockSteps  int             `json:"clock_steps"`         // number of jumps of the wall clock
	InFlightMax int64           `json:"in_flight_max"`       // maximum number of iterations in flight
	Connections int64           `json:"connections"`         // connections opened in total
	Spoken      []string        `json:"spoken" mask:"-"`     // protocol versions in use
	Freezes     []Freeze        `json:"freezes,omitempty"`   // spans in which brunt itself did not run
	Seconds     []GeneratorTick `json:"seconds,omitempty"`   // health by second
}

// A Limit is a bound of brunt or of its machine that the load met, so that brunt was the bottleneck.
type Limit struct {
	Kind     LimitKind `json:"kind" mask:"-"`             // what it is of
	Phase    slo.Phase `json:"phase,omitzero" mask:"-"`   // in which brunt was late
	Phases   int       `json:"phases,omitempty"`          // further phases in which brunt was late, in the place of one
	Worker   int       `json:"worker,omitempty"`          // of which it is the limit, from 1; zero: it is of the run
	Value    Num       `json:"value"`                     // p99 of a lag, or error of a clock, seconds; null: neither
	Most     Num       `json:"most"`                      // up to which the value is no limit, seconds; null: neither
	Requests int64     `json:"requests,omitempty"`        // those that it kept from being sent
	Remedy   Remedy    `json:"remedy,omitempty" mask:"-"` // of a lag
	Sentence string    `json:"-"`                         // for people; files have it among the limits of the generator
}

// A LimitKind says what a limit is of.
type LimitKind string

// The kinds of limits.
const (
	LimitLag       LimitKind = "lag"        // requests were sent late
	LimitPorts     LimitKind = "ports"      // requests found no local port
	LimitSockets   LimitKind = "sockets"    // requests found no socket
	LimitUnsent    LimitKind = "unsent"     // requests were late by more than their timeouts
	LimitScript    LimitKind = "script"     // a script or its engine did not report all
	LimitWorkerLag LimitKind = "worker_lag" // requests of one worker were sent late
	LimitClock     LimitKind = "clock"      // the clock of a worker was off
)

// A Remedy says what ends a lag.
type Remedy string

// The remedies.
const (
	MoreCores   Remedy = "cores"    // brunt used its processors up: more of them, or a lower rate
	OwnCore     Remedy = "own_core" // other programs used the processors: one for brunt alone
	MoreQuota   Remedy = "quota"    // a CPU quota held brunt back: a larger one
	RunToTheEnd Remedy = "no_stop"  // brunt or its machine was stopped: let both run
)

// Add adds limits, with their sentences.
func (g *Generator) Add(limits ...Limit) {
	for _, l := range limits {
		g.Limits, g.Limited = append(g.Limits, l.Sentence), append(g.Limited, l)
	}
}

// LateAlone reports whether the only limit was that requests of brunt's own process were sent late.
func (g *Generator) LateAlone() bool {
	return g.limitedBy(func(l Limit) bool { return l.Kind == LimitLag })
}

// CrowdedOut reports whether the only limit was lag that a processor of brunt's own would end.
func (g *Generator) CrowdedOut() bool {
	return g.limitedBy(func(l Limit) bool { return l.Remedy == OwnCore })
}

// limitedBy reports whether there are limits, and all are such.
func (g *Generator) limitedBy(such func(Limit) bool) bool {
	return len(g.Limited) > 0 && !slices.ContainsFunc(g.Limited, func(l Limit) bool { return !such(l) })
}

// A Worker is a process that made a part of the load. What it owed was reported, or is lost.
type Worker struct {
	N     int    `json:"n"`               // from 1
	PID   int    `json:"pid"`             // of its process; zero: it is a pod
	Pod   string `json:"pod,omitempty"`   // its name, of a worker on Kubernetes
	Node  string `json:"node,omitempty"`  // that the pod ran on
	Clock Num    `json:"clock,omitempty"` // of a pod: to what its clock was known as the load began, seconds
	// iterations of its part of the schedules, up to the end of the load; of closed loads those that began
	Owed     int64 `json:"owed"`
	Reported int64 `json:"reported"`         // of those, the ones that the run received
	Lost     int64 `json:"lost"`             // of those, the others
	Unsure   int64 `json:"unsure,omitempty"` // of those lost, the ones that may have been sent
	// of closed loads: how long its virtual users were missing, in seconds of one user
	LostTime    Num    `json:"lost_time,omitempty"`
	LostAt      Num    `json:"lost_at,omitempty"`     // since when the worker is lost, an offset from t0
	LostWhy     string `json:"lost_why,omitempty"`    // how it ended; empty: it is not lost
	Sent        int64  `json:"sent"`                  // requests that it sent
	Bad         int64  `json:"bad"`                   // requests that were neither ok nor shed
	P50         Num    `json:"p50"`                   // response time of its good answers
	P95         Num    `json:"p95"`                   // response time of its good answers
	P99         Num    `json:"p99"`                   // response time of its good answers
	Lag         Num    `json:"lag"`                   // p99 of the delay of sending that it caused itself
	CPU         Num    `json:"cpu"`                   // mean number of cores that it used
	Memory      int64  `json:"memory"`                // its largest memory, bytes
	Throttled   Num    `json:"throttled,omitempty"`   // share of the periods of its CPU quota in which it had used that up
	Silent      Num    `json:"silent,omitempty"`      // for how long its answers were overdue
	Connections int64  `json:"connections,omitempty"` // that it opened
}

// A Freeze is a span in which brunt itself did not run: it was stopped, or got no processor.
type Freeze struct {
	T Num `json:"t"` // its beginning, an offset from t0
	D Num `json:"d"` // how long it lasted
}

// Lag is a distribution of delays in seconds.
type Lag struct {
	P50 Num `json:"p50"` // the median
	P99 Num `json:"p99"` // 99 % waited at most this
	Max Num `json:"max"` // the longest
}

// A GeneratorTick is the generator's health in one second.
type GeneratorTick struct {
	T        Num   `json:"t"`         // its beginning, an offset from t0
	CPU      Num   `json:"cpu"`       // cores that brunt used
	Steal    Num   `json:"steal"`     // share of the CPU time that the hypervisor took
	Pressure Num   `json:"pressure"`  // share of the time that tasks waited for a processor
	InFlight int64 `json:"in_flight"` // iterations under way at its end
}
