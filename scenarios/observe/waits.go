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
	"brunt/chaos/proc"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/machine"
)

// waitsEvery is the time between two readings of the waits for a processor. A reading of a group takes about 20 us, and
// one of a thread about 8 us.
const waitsEvery = 50 * time.Millisecond

// Readings say how long tasks have waited for a processor, in the order of time.
type Readings []Reading

// A Reading is the time in which one task or more had waited for a processor, as of an instant.
type Reading struct {
	At, Waited time.Duration
	Least      time.Duration // the waits of all lives that are known
	Group      uint64        // inode of the group; zero: of threads
	Life       int           // of the threads, which have changed if it has
}

// follows reports whether the times of two readings have something in common.
func (r Reading) follows(of Reading) bool { return r.Group == of.Group && r.Life == of.Life }

// within returns the longest that tasks waited in any span of length most that begins in from..to. It counts the
// readings around such a span whole, so it may be too long by the waits of two intervals. It is not known if readings
// of one group do not cover from..to. The readings end with the load, and no request is under way then.
func (w Readings) within(from, to, most time.Duration) (longest time.Duration, known bool) {
	first, found := slices.BinarySearchFunc(w, from, func(r Reading, t time.Duration) int { return int(r.At - t) })
	if !found {
		first--
	}
	if first < 0 || first >= len(w)-1 {
		return 0, false
	}
	end := first + 1
	for i := first; i < len(w)-1 && w[i].At < to; i++ {
		for end < len(w)-1 && w[end].At < w[i+1].At+most {
			end++
		}
		if !w[end].follows(w[i]) {
			return 0, false
		}
		longest = max(longest, w[end].Waited-w[i].Waited)
	}
	return min(longest, most), true
}

// least returns how long tasks waited at least in a span, whatever tasks came and went.
func (w Readings) least(from, to time.Duration) time.Duration {
	at := func(t time.Duration) int {
		i, _ := slices.BinarySearchFunc(w, t, func(r Reading, t time.Duration) int { return int(r.At - t) })
		return i
	}
	first, end := at(from), at(to+1)
	if first >= end {
		return 0
	}
	return w[end-1].Least - w[first].Least
}

// waitedOne adds a wait of one thread that ended with the last reading. A thread tells of a wait once it is over, so a
// wait that is longer than the time since the reading before belongs to earlier times as well.
func (w Readings) waitedOne(wait time.Duration) {
	for i := len(w) - 1; i > 0 && wait > 0 && w[i].follows(w[i-1]); i-- {
		length := w[i].At - w[i-1].At
		more := min(wait, length) - (w[i].Waited - w[i-1].Waited)
		for k := i; k < len(w) && more > 0; k++ {
			w[k].Waited += more
		}
		wait -= length
	}
}

// unitWaits reads the waits of a unit: those of its control group if it has one of its own, and otherwise those of its
// threads.
type unitWaits struct {
	mu      sync.Mutex
	pid     int
	own     cgroup.Group // of version 2; the zero value means that the unit has none
	quota   cgroup.Group // with the controller of processor time; the zero value means no quota
	stopped time.Duration
	threads threadWaits
	life    int  // of the threads
	unlike  bool // the kernel gave a process of the unit processor time otherwise than it gave it to brunt
	list    Readings
}

// of finds the group of the process of a unit, and the processes that it has now. A group is the unit's own if brunt is
// neither in it nor below it. A process that is gone keeps its group, which has no waits then.
func (u *unitWaits) of(pid int, is used) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if pid == 0 || pid == u.pid && u.own.Path != "" {
		return
	}
	system := cgroup.System{}
	if pid != u.pid {
		u.pid, u.own, u.quota = pid, cgroup.Group{}, cgroup.Group{}
		u.life++
		if group, err := system.Unified(pid); err == nil && isOwn(group, system.Unified) {
			u.own = group
		}
	}
	if u.own.Path == "" && u.threads.of(is) {
		u.life++
	}
	// a fault gives a process a quota, and takes it away
	controlled := func(pid int) (cgroup.Group, error) { return system.Find(pid, cgroup.CPU) }
	quota, err := controlled(pid)
	if err != nil || quota.Root || u.own.Path == "" && !isOwn(quota, controlled) {
		quota = cgroup.Group{}
	}
	u.unlike = u.unlike || u.own.Path != "" || quota.Path != "" || !likeBrunt(pid)
	if quota.Path != u.quota.Path {
		u.quota = quota
		u.stopped, _ = u.throttled()
		u.life++
	}
}

// isOwn reports whether a group is not the root, and brunt is neither in it nor below it.
func isOwn(group cgroup.Group, find func(pid int) (cgroup.Group, error)) bool {
	if group.Root {
		return false
	}
	self, err := find(os.Getpid())
	return err != nil || !strings.HasPrefix(self.Path+string(filepath.Separator), group.Path+string(filepath.Separator))
}

// throttled returns for how long the unit's own quota has stopped it, which is no wait for others.
func (u *unitWaits) throttled() (stopped time.Duration, known bool) {
	if u.quota.Path == "" {
		return 0, false
	}
	stopped, err := u.quota.Throttled()
	return stopped, err == nil
}

// read adds a reading.
func (u *unitWaits) read(clock func() time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.own.Path == "" {
		u.readThreads(clock)
		return
	}
	waited, err := u.own.Waited()
	if err != nil {
		return
	}
	at := clock()
	if stopped, known := u.throttled(); known {
		waited -= stopped
	}
	r := Reading{At: at, Waited: waited, Group: u.own.Inode}
	if n := len(u.list); n > 0 {
		if r.Least = u.list[n-1].Least; r.follows(u.list[n-1]) {
			r.Least += max(waited-u.list[n-1].Waited, 0)
		}
	}
	u.list = append(u.list, r)
}

// readThreads adds a reading of the threads. Threads that wait at the same time count once: together they waited at
// most for the time since the reading before, unless one of them had begun to wait earlier.
func (u *unitWaits) readThreads(clock func() time.Duration) {
	all, longest, same, known := u.threads.read()
	if !known {
		return
	}
	at := clock()
	stopped := u.stopped
	if now, known := u.throttled(); known {
		stopped, u.stopped = now-stopped, now
		all, longest = max(all-stopped, 0), max(longest-stopped, 0)
	}
	if !same {
		u.life++
	}
	r := Reading{At: at, Life: u.life}
	if n := len(u.list); n > 0 {
		last := u.list[n-1]
		waited := min(all, at-last.At)
		r.Least = last.Least + waited
		if r.follows(last) {
			r.Waited = last.Waited + waited
		}
	}
	u.list = append(u.list, r)
	u.list.waitedOne(longest)
}

// watchWaits reads the waits of all units and of the machine, until ctx ends.
func (u *Usage) watchWaits(ctx context.Context, now func() time.Duration) {
	if pids := packetThreads(); len(pids) > 0 {
		u.helpers = append(u.helpers, waitsOf(used{processes: pids}))
	}
	every := time.NewTicker(waitsEvery)
	defer every.Stop()
	for {
		if waited, known := machine.CPUWaited(); known {
			at := now()
			u.machine = append(u.machine, Reading{At: at, Waited: waited})
		}
		for _, one := range u.units {
			one.waits.read(now)
		}
		u.readHelpers(now)
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// waitsOf prepares to read the waits of processes that are no unit of the target.
func waitsOf(is used) *unitWaits {
	h := &unitWaits{}
	h.threads.of(is)
	return h
}

// readHelpers reads the waits of the processes that help brunt on this machine. Requests between units pass the proxies
// of links, which are such processes.
func (u *Usage) readHelpers(now func() time.Duration) {
	for _, pid := range proc.Brunts()[1:] { // brunt's own waits are its lag
		if !slices.ContainsFunc(u.helpers, func(h *unitWaits) bool { return h.pid == pid }) {
			h := waitsOf(used{processes: []int{pid}})
			h.pid = pid
			u.helpers = append(u.helpers, h)
		}
	}
	for _, h := range u.helpers {
		h.readThreads(now)
	}
}

// Peers reports whether the kernel gave each unit processor time as it gave it to brunt and to packets: by one
// priority, on the same processors, and by no control group of the unit's own. It may be called once the watch has
// ended.
func (u *Usage) Peers() bool {
	return u != nil && len(u.units) > 0 && !slices.ContainsFunc(u.units, func(one *unitUsage) bool {
		return one.waits.pid == 0 || one.waits.unlike
	})
}

// Waits are the readings of all waits for a processor. Nil means that nothing was watched.
type Waits struct {
	Machine Readings // of all tasks of this machine
	Units   []UnitWaits
	Helpers []Readings // of brunt's helpers, and of the kernel's threads for packets
}

// UnitWaits are the waits of a unit.
type UnitWaits struct {
	Unit string
	Readings
}

// Waits returns the waits that were read. It may be called once the watch has ended.
func (u *Usage) Waits() *Waits {
	if u == nil {
		return nil
	}
	w := &Waits{Machine: u.machine}
	for _, one := range u.units {
		w.Units = append(w.Units, UnitWaits{one.of.Name(), one.waits.list})
	}
	for _, h := range u.helpers {
		w.Helpers = append(w.Helpers, h.list)
	}
	return w
}

// WaitedLeast returns how long tasks of a unit waited for a processor, at least, in a span. Tasks that began or ended
// meanwhile count as far as they are known, so a unit that starts has waits as well.
func (w *Waits) WaitedLeast(unit string, in requests.Span) (waited time.Duration) {
	if w == nil {
		return 0
	}
	for _, one := range w.Units {
		if one.Unit == unit {
			waited = max(waited, one.least(in.From, in.To))
		}
	}
	return waited
}

// Waited returns how long tasks waited for a processor, at most, in any span of length most that begins in from..to. It
// is the sum over the units, brunt's helpers and the kernel's threads for packets if the waits of each of them are
// known, and own is true then. Otherwise it is the time of all tasks of this machine.
func (w *Waits) Waited(from, to, most time.Duration) (waited time.Duration, own, known bool) {
	if w == nil {
		return 0, false, false
	}
	ofMachine := func() (time.Duration, bool, bool) {
		all, known := w.Machine.within(from, to, most)
		return all, false, known
	}
	groups := map[uint64]time.Duration{} // units may share one
	for _, one := range w.Units {
		is, ok := one.within(from, to, most)
		if !ok {
			return ofMachine()
		}
		if group := one.Readings[len(one.Readings)-1].Group; group != 0 {
			groups[group] = max(groups[group], is)
		} else {
			waited += is
		}
		known = true
	}
	for _, is := range groups {
		waited += is
	}
	for _, h := range w.Helpers {
		if len(h) == 0 || to+most <= h[0].At { // it had not started
			continue
		}
		began := h[0].At
		is, ok := h.within(max(from, began), max(to, began+1), most)
		if !ok {
			return ofMachine()
		}
		waited += is
	}
	return waited, known, known
}
