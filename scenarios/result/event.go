package result

import (
	"fmt"
	"maps"
	"time"
)

// An Event is one line of events.jsonl, on the run's clock.
type Event struct {
	T     Num       `json:"t"`                        // seconds since t0; negative before t0
	Event string    `json:"event" mask:"-"`           // kind of the event
	At    time.Time `json:"at,omitzero"`              // time by the wall clock, which may jump; zero means unknown
	Fault string    `json:"fault,omitempty" mask:"-"` // fault that the event concerns, with #n for an occurrence
	// unit that the event concerns: service[i]; on a cluster, the service or the node
	Unit string `json:"unit,omitempty" mask:"-"`
	Text string `json:"text,omitempty"` // the event in words, for people
	// time by the clock of the cluster, to the second; zero means unknown
	Cluster time.Time      `json:"cluster_time,omitzero"`
	Data    map[string]any `json:"data,omitempty"` // details by name
	// SHA-256, in hex, of the previous line of events.jsonl without its newline; zeros in the first line
	Prev string `json:"prev,omitempty" mask:"-"`
}

// Says returns the text of the event, with its time by the clock of the cluster.
func (e *Event) Says() string {
	if e.Cluster.IsZero() {
		return e.Text
	}
	at := "at " + e.Cluster.UTC().Format(time.TimeOnly) + " by the cluster's clock"
	if e.Text == "" {
		return at
	}
	return e.Text + "; " + at
}

// OutcomeData is the key of the outcome in the data of an event fault.reverted.
const OutcomeData = "outcome"

// BegunData is the key of the begin of the injection in the data of an event fault.injected, in seconds since t0: the
// event is told once all units are hit, and the phase of the fault begins before the first one is.
const BegunData = "begun"

// BegunT returns when the injection began that an event fault.injected tells of, as an offset from t0. Without that in
// its data it is the time of the event.
func (e *Event) BegunT() Num {
	if begun, has := e.Data[BegunData].(float64); has {
		return Num(begun)
	}
	return e.T
}

// Begun is BegunT by the wall clock. told is the time of the event if it has none itself.
func (e *Event) Begun(told time.Time) time.Time {
	if !e.At.IsZero() {
		told = e.At
	}
	return told.Add(e.BegunT().D() - e.T.D())
}

// KilledData is the key of the time in the data of an event fault.oom, in seconds since t0: when the kernel killed the
// process.
const KilledData = "killed"

// KilledT returns when the kernel killed the process that an event fault.oom tells of, as an offset from t0.
func (e *Event) KilledT() Num {
	killed, _ := e.Data[KilledData].(float64)
	return Num(killed)
}

// Outcome returns how a fault was taken back, for an event fault.reverted: ok, gone, unverified, failed or none.
// Events of older versions have the outcome only as their text.
func (e *Event) Outcome() string {
	if outcome, has := e.Data[OutcomeData]; has {
		return fmt.Sprint(outcome)
	}
	return e.Text
}

// HealthData is the key of the state in the data of an event container.health.
const HealthData = "health"

// Results of an engine's health check of a container.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// Health returns the result of a container's health check, for an event container.health: [Healthy], [Unhealthy] or
// another word of the engine. Events of older versions have it only as their text.
func (e *Event) Health() string {
	if health, has := e.Data[HealthData]; has {
		return fmt.Sprint(health)
	}
	return e.Text
}

// EventKinds returns the meaning of each kind of event.
func EventKinds() map[string]string {
	kinds := map[string]string{
		"run.start":         "the run began, before its target",
		"run.stop":          "a stop condition was met",
		"run.end":           "the verdict is known",
		"run.note":          "a note, by `brunt note`",
		"links.quiet":       "the calls on links are counted before the load, for objectives on amplification",
		"load.start":        "the loads begin, warm-up first",
		"load.end":          "the last iteration has ended",
		"escape.start":      "the load goes on, because it has not recovered from a fault that is gone",
		"escape.step":       "the load goes on at another share of the load of the baseline",
		"escape.end":        "the load is over; the text says how its escape ended",
		"script.mark":       "a script reports something, in its own words",
		"script.phase":      "a script reports that one of its phases begins",
		"script.start":      "a script's process was started; its init code and setup come first",
		"script.end":        "a script's process has ended",
		"target.up":         "the target is ready for a fault without load",
		"target.waiting":    "the target is not ready after 2 s; the run waits for it",
		"unit.waiting":      "the unit is not ready after 2 s; the run waits for it",
		"unit.start":        "a process of the target was started",
		"unit.ready":        "the unit's readiness check held",
		"unit.exit":         "a process of the target ended",
		"unit.error":        "a process of the target could not be started",
		"container.start":   "a container of the target was started",
		"container.die":     "a container's first process has ended",
		"container.oom":     "the kernel has killed a process of the container because memory ran out",
		"container.restart": "a container was restarted on request",
		"container.health":  "the engine's health check of a container changed its result",
		"container.pause":   "a container was paused",
		"container.unpause": "a container was resumed",
		"container.gone":    "a container was removed",
		"setup.command":     "a command of setup has ended",
		"teardown.command":  "a command of teardown has ended",
		"steady.held":       "the steady state held before the first injection",
		"steady.lost":       "the steady state did not hold, or the baseline failed: nothing is injected",
		"auth.token":        "a token was fetched before the load",
		"auth.refreshed":    "a token was renewed before it expired",
		"auth.failed":       "brunt could not renew a token, and tries again",
		"brunt.frozen":      "brunt itself stood still: it was stopped, or the machine was",
		"worker.joined":     "a process that makes a part of the load is ready",
		"worker.silent":     "a worker has told nothing for some seconds",
		"worker.back":       "a silent worker answered again and reported its work",
		"worker.lost":       "a worker ended, or brunt ended it because it stayed silent; its unreported work is lost",
		"condition.held":    "a fault that holds for the whole run is in, and its effect was observed",
		"condition.skipped": "nothing matched a fault that holds for the whole run, and that was allowed",
		"condition.cleared": "a fault that held for the whole run is taken back",
		"fault.injected":    "the fault was injected",
		"fault.verified":    "the fault's effect was observed at the unit",
		"fault.unverified":  "the fault's effect was not verified: the run is invalid",
		"fault.late":        "the fault came later than planned",
		"fault.missed":      "the fault never became due",
		"fault.failed":      "the fault could not be injected",
		"fault.skipped":     "nothing matched the fault, and that was allowed",
		"fault.again": "the fault was injected again, into the new namespaces of a restarted container, into the new " +
			"process of a unit, or at the new addresses of its peers",
		"fault.followed": "the fault was injected into a unit that joined while it was in, or a unit that it was in is " +
			"gone",
		"fault.oom":      "the kernel has killed brunt's own process beside the unit because memory ran out",
		"fault.lost":     "what held the fault on a unit has ended; it is injected there again, or the fault is void",
		"fault.void":     "the fault was over before its time, such as when its holder ended, or its unit was replaced",
		"fault.detected": "the team's own monitoring noticed the fault",
		"fault.reverted": "the fault was taken back, and brunt looked for the proof; the text is the outcome, as is " +
			"`outcome` among the data: ok, gone, unverified, failed or none",
		"fault.cleared":       "the fault was taken off, or its unit is healthy again: its phase ends here",
		"fault.gone":          "the fault's removal was proved; the text is the evidence",
		"operator.waiting":    "the fault is due, and waits until an operator continues it",
		"operator.continued":  "an operator continued the fault; `by` among the data is the person's name",
		"operator.seen":       "a person marked the harm of the fault as seen",
		"operator.understood": "a person marked the cause of the harm as understood",
		"operator.acted":      "a person marked that something was done about the harm",
		"detect.early":        "the monitoring had noticed something before the injection",
		"detect.failed":       "the monitoring could not be asked",
		"alert.pending":       "the condition of an alert of the team's monitoring holds",
		"alert.firing":        "an alert of the team's monitoring fires",
		"alert.resolved":      "an alert of the team's monitoring stopped firing",
		"alert.failed":        "the monitoring could not be asked for an alert",
		"watch.state":         "a unit gave another answer than before to a question of watch",
		"watch.silent":        "a unit gave no answer to a question of watch",
		"ledger.settle":       "the target is left alone before its writes are read",
		"ledger.again":        "writes that are not there are asked for again",
		"ledger.read":         "the writes were read at every unit",
		"ledger.skipped":      "the writes were not read",
		"write.lost":          "an acknowledged write is nowhere",
		"write.duplicated":    "a write is there more than once",
		"write.elsewhere":     "an acknowledged write is on another unit of the service than the one that clients read",
		"write.stale":         "a unit does not have the write, or not as it should be",
		"write.late":          "a write was not there at first, and is there now",
		"write.unknown":       "no unit answered whether the write is there",
		"write.unread":        "the write is there, and a unit gave no answer whether it has it too",
		"write.present":       "a write is there though it was not acknowledged",
	}
	maps.Copy(kinds, podEventKinds())
	return kinds
}

// podEventKinds returns the meaning of each kind of event of the pods of a cluster.
func podEventKinds() map[string]string {
	return map[string]string{
		"pod.scheduled":     "a pod of the target has a node",
		"pod.unschedulable": "no node takes a pod of the target; the text says why",
		"pod.pulled":        "the image of a container of a pod is on its node",
		"pod.waiting":       "a container of a pod can't start, or waits before it is started again",
		"pod.started":       "a container of a pod was started",
		"pod.ready":         "a pod is ready, as its node says",
		"pod.unready":       "a pod is no longer ready",
		"pod.killed":        "a container of a pod has ended, in good order or not",
		"pod.oom":           "the kernel has killed a container of a pod because memory ran out",
		"pod.evicted":       "the cluster ends a pod, for the sake of its node, another pod or an order",
		"pod.terminating":   "a pod was deleted, and its containers are to end",
		"pod.gone":          "a pod is no more",
		"probe.failed":      "a probe of a container of a pod failed",
		"hpa.desired":       "an autoscaler wants another number of pods",
		"workload.ready":    "another number of pods of a service is ready, or asked for",
		"node.notready":     "a node with pods of the target is not ready, or was removed",
		"node.pressure":     "a node with pods of the target runs short of memory, disk or processes",
		"node.ready":        "a node with pods of the target is ready again, and short of nothing",
		"unit.replaced":     "another pod has the place of the unit",
		"cluster.away":      "the API server does not answer: what happens to the pods is not seen",
		"cluster.back":      "the API server answers again, and all pods were read",
	}
}
