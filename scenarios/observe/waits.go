package observe

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos/cgroup"
	"brunt/scenarios/machine"
)

// waitsEvery is the time between two readings of the waits for a processor. A reading of a group takes about 20 us.
const waitsEvery = 50 * time.Millisecond

// waits are readings of how long tasks have waited for a processor, in the order of time.
type waits []waitsReading

// A waitsReading is the time in which one task or more had waited for a processor, as of an instant.
type waitsReading struct {
	at, waited time.Duration
	group      uint64 // inode of the group; the times of two groups have nothing in common
}

// within returns the longest that tasks waited in any span of length most that begins in from..to. It counts the
// readings around such a span whole, so it may be too long by the waits of two intervals. It is not known if readings
// of one group do not cover from..to. The readings end with the load, and no request is under way then.
func (w waits) within(from, to, most time.Duration) (longest time.Duration, known bool) {
	first, found := slices.BinarySearchFunc(w, from, func(r waitsReading, t time.Duration) int { return int(r.at - t) })
	if !found {
		first--
	}
	if first < 0 || first >= len(w)-1 {
		return 0, false
	}
	end := first + 1
	for i := first; i < len(w)-1 && w[i].at < to; i++ {
		for end < len(w)-1 && w[end].at < w[i+1].at+most {
			end++
		}
		if w[end].group != w[i].group {
			return 0, false
		}
		longest = max(longest, w[end].waited-w[i].waited)
	}
	return min(longest, most), true
}

// unitWaits reads the waits of a unit that has a control group of its own.
type unitWaits struct {
	mu    sync.Mutex
	pid   int
	own   cgroup.Group // of version 2; the zero value means that the unit has none
	quota cgroup.Group // with the controller of processor time; the zero value means no quota
	list  waits
}

// of finds the group of the process of a unit. A group is the unit's own if brunt is neither in it nor below it. A
// process that is gone keeps its group, which has no waits then.
func (u *unitWaits) of(pid int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if pid == 0 || pid == u.pid {
		return
	}
	system := cgroup.System{}
	u.pid, u.own, u.quota = pid, cgroup.Group{}, cgroup.Group{}
	is, err := system.Unified(pid)
	if err != nil || is.Root {
		return
	}
	if self, err := system.Unified(os.Getpid()); err == nil &&
		strings.HasPrefix(self.Path+string(filepath.Separator), is.Path+string(filepath.Separator)) {
		return
	}
	if limited, err := system.Find(pid, cgroup.CPU); err == nil && !limited.Root {
		u.quota = limited
	}
	u.own = is
}

// read adds a reading. The time for which the unit's own quota stopped it is no wait for others.
func (u *unitWaits) read(clock func() time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.own.Path == "" {
		return
	}
	waited, err := u.own.Waited()
	if err != nil {
		return
	}
	at := clock()
	if u.quota.Path != "" {
		if stopped, err := u.quota.Throttled(); err == nil {
			waited -= stopped
		}
	}
	u.list = append(u.list, waitsReading{at, waited, u.own.Inode})
}

// watchWaits reads the waits of all units and of the machine, until ctx ends.
func (u *Usage) watchWaits(ctx context.Context, now func() time.Duration) {
	every := time.NewTicker(waitsEvery)
	defer every.Stop()
	for {
		if waited, known := machine.CPUWaited(); known {
			at := now()
			u.machine = append(u.machine, waitsReading{at: at, waited: waited})
		}
		for _, one := range u.units {
			one.waits.read(now)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// Waited returns how long tasks waited for a processor, at most, in any span of length most that begins in from..to. It
// is the sum over the units if each of them has a control group of its own, and own is true then. Otherwise it is the
// time of all tasks of this machine. It may be called once the watch has ended.
func (u *Usage) Waited(from, to, most time.Duration) (waited time.Duration, own, known bool) {
	if u == nil {
		return 0, false, false
	}
	groups := map[uint64]time.Duration{}
	for _, one := range u.units {
		is, ok := one.waits.list.within(from, to, most)
		if !ok {
			waited, known = u.machine.within(from, to, most)
			return waited, false, known
		}
		last := one.waits.list[len(one.waits.list)-1].group
		groups[last] = max(groups[last], is)
	}
	for _, is := range groups {
		waited += is
	}
	return waited, true, len(groups) > 0
}
