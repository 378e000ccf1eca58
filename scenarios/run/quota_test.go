package run

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"brunt/chaos/cgroup"
	"brunt/scenarios/result"
)

// TestQuota checks that a CPU quota of brunt's own group, or of the one around it, is found with how often it was used
// up, in both versions of control groups.
func TestQuota(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("control groups exist on Linux only")
	}
	stat := func(periods, throttled int) string {
		return fmt.Sprintf("nr_periods %d\nnr_throttled %d\n", periods, throttled)
	}
	for _, c := range []struct {
		name         string
		mount, line  string
		own, around  map[string]string // files of the groups
		after        string            // cpu.stat of the group named
		in           string
		cores, share result.Num
	}{
		{
			"version 1", "cgroup cgroup rw,cpu", "1:cpu:/outer/own",
			map[string]string{"cpu.cfs_quota_us": "20000", "cpu.cfs_period_us": "100000", "cpu.stat": stat(100, 10)},
			map[string]string{"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000", "cpu.stat": stat(0, 0)},
			stat(200, 50), "outer/own", .2, .4,
		},
		{
			"version 2", "cgroup2 cgroup2 rw", "0::/outer/own",
			map[string]string{"cpu.max": "150000 100000\n", "cpu.stat": stat(100, 10), "cgroup.controllers": "cpu memory"},
			map[string]string{"cpu.max": "max 100000\n", "cpu.stat": stat(0, 0)},
			stat(200, 35), "outer/own", 1.5, .25,
		},
		{
			"the group around it", "cgroup2 cgroup2 rw", "0::/outer/own",
			map[string]string{"cpu.max": "max 100000\n", "cpu.stat": stat(0, 0), "cgroup.controllers": "cpu memory"},
			map[string]string{"cpu.max": "50000 100000\n", "cpu.stat": stat(10, 0)},
			stat(20, 5), "outer", .5, .5,
		},
		{
			"never used up", "cgroup2 cgroup2 rw", "0::/outer/own",
			map[string]string{"cpu.max": "50000 100000\n", "cpu.stat": stat(10, 3), "cgroup.controllers": "cpu memory"},
			nil,
			stat(90, 3), "outer/own", 0, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("proc/self/mountinfo", "20 1 8:1 / "+filepath.Join(dir, "mount")+" rw - "+c.mount+"\n")
			write(fmt.Sprintf("proc/%d/cgroup", os.Getpid()), c.line+"\n")
			for at, files := range map[string]map[string]string{"outer/own": c.own, "outer": c.around} {
				for name, text := range files {
					write(filepath.Join("mount", at, name), text)
				}
			}
			q := openQuota(cgroup.System{Proc: filepath.Join(dir, "proc")})
			write(filepath.Join("mount", c.in, "cpu.stat"), c.after)
			if cores, share := q.since(); cores != c.cores || share != c.share {
				t.Errorf("%v cores, used up in %v of the periods; want %v and %v", cores, share, c.cores, c.share)
			}
		})
	}
}
