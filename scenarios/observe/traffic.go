package observe

import (
	"sync"
	"time"

	"brunt/scenarios/judge/requests"
)

// traffic tells whether a unit had any traffic since the watch began. It is read once a second, and before each
// injection, until it has seen traffic before the first injection. From then on brunt asks units itself, to see what a
// fault does, so that it is read on.
//
//   - A process in brunt's network namespace: a connection to the unit's port that is new, or data that
//     arrived on a connection that the unit already had, at either end of it.
//   - Any other network namespace of this machine: TCP segments that did not come through its loopback device, so
//     that a container's own health check does not count.
//
// Traffic is unknown for a unit without an address, a unit on another machine, a namespace that brunt may not read,
// traffic other than TCP, and on systems other than Linux. Requests of brunt itself during the load, such as for
// metrics, count as traffic, but for those by which it asks for the effect and the end of a fault.
type traffic struct {
	mu     sync.Mutex
	first  time.Duration // time of the first reading
	latest time.Duration // time of the last reading
	reads  int
	faults bool            // a fault was injected
	done   bool            // there was traffic before that
	seen   []requests.Span // between readings, the last of which saw traffic
	before baseline
}

// read compares the unit's traffic with the reading before. It uses a list of connections that the kernel made at
// since or later. port is the unit's port.
func (t *traffic) read(now time.Duration, since time.Time, pid int, port uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done || pid == 0 || port == 0 {
		return
	}
	some, ok := t.before.moved(since, pid, port)
	if !ok {
		return
	}
	if t.reads++; t.reads == 1 {
		t.first, t.latest = now, now
		return
	}
	if some {
		t.seen, t.done = append(t.seen, requests.Span{From: t.latest, To: now}), !t.faults
	}
	t.latest = now
}

// trafficKnown is how long a unit must have been watched for the answer that it had no traffic.
const trafficKnown = 2 * time.Second

// reached reports whether the unit had traffic before until, but for readings of the spans in which brunt asked it
// itself. Known is false if the last of these was over too shortly before.
func (t *traffic) reached(until time.Duration, asked []requests.Span) (yes, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.seen {
		if s.To <= until && s.Covered(asked) == 0 {
			return true, true
		}
	}
	from := t.first
	for _, s := range asked {
		if s.From < until {
			from = max(from, s.To)
		}
	}
	return false, t.reads > 1 && min(t.latest, until)-from >= trafficKnown
}

// fresh is the maximum age of a list of connections that a later reading may use, so that units share lists.
const fresh = 300 * time.Millisecond

// since returns the earliest begin of a list that a reading at now may use. If a list lacks a connection, the next
// reading sees it. The first reading is the baseline of all others, so its list must be new.
func (t *traffic) since(now time.Time) time.Time {
	if t.begun() {
		return now.Add(-fresh)
	}
	return now
}

// begun reports whether the traffic was read successfully.
func (t *traffic) begun() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads > 0
}

// ReadTraffic reads the traffic of the units. It is called just before an injection, because the requests that verify
// the effect of the fault are traffic as well.
func (u *Usage) ReadTraffic(now time.Duration) {
	if u == nil {
		return
	}
	since := time.Now()
	for _, one := range u.units {
		if one.traffic.begun() {
			one.readTraffic(now, since)
		}
		one.traffic.faulted()
	}
}

// faulted says that a fault is injected.
func (t *traffic) faulted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = true
}

// reached reports whether a unit had any traffic since the watch began and before until, but for that of spans in which
// brunt asked it itself. known is false if that can't be known; see traffic.
func (u *Usage) reached(unit string, until time.Duration, asked []requests.Span) (yes, known bool) {
	if u == nil {
		return false, false
	}
	for _, one := range u.units {
		if one.of.Name() == unit {
			return one.traffic.reached(until, asked)
		}
	}
	return false, false
}
