package cgroup

import (
	"fmt"
	"strconv"
	"strings"
)

// The period of a quota in version 1; in version 2 it is in the same file as the quota.
var quotaPeriod = Setting{File: "cpu.cfs_period_us"}

// QuotaSetting is the setting that limits the processor time of the group.
func (g Group) QuotaSetting() Setting {
	if g.Unified {
		return Setting{File: "cpu.max"} // quota and period
	}
	return Setting{File: "cpu.cfs_quota_us"}
}

// A Quota is the processor time that a group may use. The zero value means no limit.
type Quota struct {
	Text   string  // text of [Group.QuotaSetting]
	Time   float64 // microseconds in each period; zero or less: no limit
	Period float64 // microseconds; zero: not known
}

// Processors returns the number of processors that the quota amounts to.
func (q Quota) Processors() (n float64, limited bool) {
	if q.Time <= 0 || q.Period <= 0 {
		return 0, false
	}
	return q.Time / q.Period, true
}

// Quota reads the quota of processor time. The error is [io/fs.ErrNotExist] if the group can have none, such as the
// root of a tree.
func (g Group) Quota() (Quota, error) {
	var q Quota
	var err error
	if q.Text, err = g.Read(g.QuotaSetting()); err != nil {
		return Quota{}, err
	}
	quota, period, both := strings.Cut(q.Text, " ")
	if !both {
		if period, err = g.Read(quotaPeriod); err != nil {
			return Quota{}, err
		}
	}
	if quota != "max" {
		if q.Time, err = strconv.ParseFloat(quota, 64); err != nil {
			return Quota{}, fmt.Errorf("%s of %s: %w", g.QuotaSetting().File, g.Path, err)
		}
	}
	if q.Period, err = strconv.ParseFloat(period, 64); err != nil {
		return Quota{}, fmt.Errorf("the period of %s: %w", g.Path, err)
	}
	return q, nil
}
