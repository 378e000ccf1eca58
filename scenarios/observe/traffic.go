package observe

import (
	"sync"
	"time"
)

// traffic tells whether a unit had any traffic since the watch began. It is read once a second, and before each
// injection, until it has seen some.
//
//   - A process in brunt's network namespace: a connection to the unit's port that is new, or data that
//     arrived on a connection that the unit already had, at either end of it.
//   - Any other network namespace of this machine: TCP segments that did not come through its loopback device, so
//     that a container's own health check does not count.
//
// It can't tell of a unit without an address, of another machine's, of a namespace that brunt may not look into,
// of traffic that is not TCP, and on systems other than Linux. What brunt itself asks a unit during the load, such
// as its metrics, counts.
type traffic struct {
	mu     sync.Mutex
	first  time.Duration // of the first reading
	latest time.Duration // of the last one
	reads  int
	seen   bool
	at     time.Duration // of the reading that saw it
	before baseline
}

// read compares the unit's traffic with the first reading, by what the kernel lists at since or later. Port is that of
// the unit.
func (t *traffic) read(now time.Duration, since time.Time, pid int, port uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen || pid == 0 || port == 0 {
		return
	}
	some, ok := t.before.moved(since, pid, port)
	if !ok {
		return
	}
	if t.reads++; t.reads == 1 {
		t.first = now
		return
	}
	t.latest = now
	if some {
		t.seen, t.at = true, now
	}
}

// trafficKnown is how long a unit must have been watched before it is said to have no traffic.
const trafficKnown = 2 * time.Second

// reached reports whether the unit had traffic before until.
func (t *traffic) reached(until time.Duration) (yes, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen && t.at <= until {
		return true, true
	}
	watched := min(t.latest, until) - t.first
	return false, t.reads > 1 && watched >= trafficKnown
}

// fresh is how old a list of connections may be that a later reading uses, so that units share it.
const fresh = 300 * time.Millisecond

// since is the earliest begin of a list that a reading at now may use. What an older one lacks is seen by the reading
// after; the first reading has no earlier one to be compared with, so that its list is new.
func (t *traffic) since(now time.Time) time.Time {
	if t.begun() {
		return now.Add(-fresh)
	}
	return now
}

// begun reports whether the traffic can be read, and was.
func (t *traffic) begun() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads > 0
}

// ReadTraffic reads the traffic of the units now: just before an injection, since what proves its effect is traffic,
// too.
func (u *Usage) ReadTraffic(now time.Duration) {
	if u == nil {
		return
	}
	since := time.Now()
	for _, one := range u.units {
		if one.traffic.begun() {
			one.readTraffic(now, since)
		}
	}
}

// reached reports whether a unit had any traffic since the watch began and before until. It is not known of every
// unit; see the documentation of the package.
func (u *Usage) reached(unit string, until time.Duration) (yes, known bool) {
	if u == nil {
		return false, false
	}
	for _, one := range u.units {
		if one.of.Name() == unit {
			return one.traffic.reached(until)
		}
	}
	return false, false
}
