package proc

import (
	"slices"
	"testing"
)

func TestGroupPaths(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"version 2", "0::/system.slice/ssh.service\n", []string{"/system.slice/ssh.service"}},
		{"version 1", "8:pids:/docker/a\n4:memory:/docker/a\n", []string{"/docker/a", "/docker/a"}},
		{"both", "9:name=systemd:/docker/a\n0::/\n", []string{"/docker/a", "/"}},
		{"a colon in the path", "4:cpu,cpuacct:/a:b:c\n", []string{"/a:b:c"}},
		{"nothing", "", nil},
	} {
		if got := groupPaths(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
