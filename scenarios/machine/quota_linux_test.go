package machine

import (
	"os"
	"path/filepath"
	"testing"
)

// TestQuota: the counts of a group and of those above it, in either version of control groups.
func TestQuota(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Quota
	}{
		{"none", nil, Quota{}},
		{"version 2", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.stat": "usage_usec 7\nnr_periods 40\nnr_throttled 12\n", "sys/fs/cgroup/a/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
		}, Quota{40, 12}},
		{"version 2, above", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.stat": "nr_periods 4\nnr_throttled 3\n"}, Quota{4, 3}},
		{"version 1", map[string]string{
			"proc/self/cgroup": "2:cpu,cpuacct:/c\n1:memory:/m\n0::/\n", "sys/fs/cgroup/cpu,cpuacct/c/cpu.stat": "nr_periods 9\nnr_throttled 1\n",
		}, Quota{9, 1}},
		{"version 1, a short mount", map[string]string{"proc/self/cgroup": "2:cpu,cpuacct:/c\n", "sys/fs/cgroup/cpu/c/cpu.stat": "nr_periods 9\nnr_throttled 2\n"}, Quota{9, 2}},
		{"in a container", map[string]string{"proc/self/cgroup": "0::/outside\n", "sys/fs/cgroup/cpu.stat": "nr_periods 8\nnr_throttled 8\n"}, Quota{8, 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				name = filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := quotaBelow(root); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
