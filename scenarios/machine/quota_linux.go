package machine

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// CPUQuota reads the counts of brunt's control groups, of both versions of them. Without a quota, or
// where they cannot be read, they are zero.
func CPUQuota() Quota { return quotaBelow("/") }

// quotaBelow reads the counts below a root folder.
func quotaBelow(root string) (q Quota) {
	b, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return q
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		var mounts []string
		switch {
		case f[1] == "":
			mounts = []string{"", "unified"}
		case slices.Contains(strings.Split(f[1], ","), "cpu"):
			mounts = []string{f[1], "cpu"}
		}
		for _, m := range mounts {
			if found := quotaOf(path.Join(root, "sys/fs/cgroup", m), f[2]); found.Periods > 0 {
				q.Periods += found.Periods
				q.Throttled += found.Throttled
				break
			}
		}
	}
	return q
}

// quotaOf adds up the counts of a group and of those above it, up to the top of its tree.
func quotaOf(top, group string) (q Quota) {
	for at := path.Join("/", group); ; at = path.Dir(at) {
		b, _ := os.ReadFile(path.Join(top, at, "cpu.stat"))
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, _ := strconv.ParseInt(value, 10, 64)
			switch name {
			case "nr_periods":
				q.Periods += n
			case "nr_throttled":
				q.Throttled += n
			}
		}
		if at == "/" {
			return q
		}
	}
}
