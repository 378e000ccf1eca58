package run

import (
	"os"
	"path/filepath"

	"brunt/chaos/cgroup"
	"brunt/scenarios/result"
)

// A quota watches the CPU quotas of brunt's own control group and of its parent groups, as far as they are visible.
type quota struct {
	groups []quotaGroup
}

// A quotaGroup is a control group with a CPU quota.
type quotaGroup struct {
	cgroup.Group
	cores            result.Num
	periods, blocked uint64 // counts at the begin of the run
}

// openQuota finds the quotas that apply to this process. A system without control groups has none.
func openQuota(of cgroup.System) (q quota) {
	g, err := of.Find(os.Getpid(), cgroup.CPU)
	for err == nil {
		has, _ := g.Quota() // a group whose quota can't be read counts as one without a quota
		if cores, limited := has.Processors(); limited {
			one := quotaGroup{Group: g, cores: result.Num(cores)}
			one.periods, one.blocked = one.counts()
			q.groups = append(q.groups, one)
		}
		dir := filepath.Dir(g.Path)
		if _, err = os.Stat(filepath.Join(dir, "cpu.stat")); err == nil {
			g, err = cgroup.Open(dir, g.Unified, false)
		}
	}
	return q
}

// counts returns the number of periods in which the group ran, and the number of periods in which it used up the
// quota.
func (g *quotaGroup) counts() (periods, blocked uint64) {
	periods, _ = g.Count("cpu.stat", "nr_periods")
	return periods, g.stops()
}

// stops returns how often the group used up its quota.
func (g *quotaGroup) stops() uint64 {
	blocked, _ := g.Count("cpu.stat", "nr_throttled")
	return blocked
}

// stops returns a function that counts how often the quotas have stopped this process; nil if there is no quota.
func (q *quota) stops() func() uint64 {
	if len(q.groups) == 0 {
		return nil
	}
	return func() (n uint64) {
		for i := range q.groups {
			n += q.groups[i].stops()
		}
		return n
	}
}

// since returns the quota that has limited brunt most since it was opened, in cores, and the share of its periods in
// which it did. Both are zero if no quota did.
func (q *quota) since() (cores, share result.Num) {
	for i := range q.groups {
		g := &q.groups[i]
		periods, blocked := g.counts()
		if periods <= g.periods || blocked <= g.blocked {
			continue
		}
		if s := result.Num(blocked-g.blocked) / result.Num(periods-g.periods); s > share {
			cores, share = g.cores, s
		}
	}
	return cores, share
}
