//go:build linux

package chaos_test

import (
	"strings"
	"testing"
	"time"

	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"

	"github.com/docker/docker/api/types/container"
)

// TestDocker_Resources holds the faults on what a unit may use to their promises on real
// containers: what the engine says of them stays as it was while they are in, and the
// kernel's side is as it was afterwards.
func TestDocker_Resources(t *testing.T) {
	chaostest.Root(t)
	y := chaostest.NewYard(t)
	for _, c := range []struct {
		name, yaml string
		host       func(*container.HostConfig)
		spoil      func(v *victim)
	}{
		{"throttled", "cpu.throttle: {service: web, share: 5%}", nil, unthrottle},
		{"throttled, and was before", "cpu.throttle: {service: web, share: 5%}", func(h *container.HostConfig) { h.NanoCPUs = 1_500_000_000 }, unthrottle},
		{"limited in memory", "memory.limit: {service: web, bytes: 48MiB}", nil, unlimit},
		{"limited in memory, and was before", "memory.limit: {service: web, bytes: 48MiB}", func(h *container.HostConfig) { h.Memory = 256 << 20 }, unlimit},
		{"slowed at its disk", "disk.throttle: {service: web, rate: 1MiB/s}", nil, unslow},
		{"beside burnt processors", "stress.cpu: {service: web, load: 60%, workers: 1}", nil, func(v *victim) { v.killBurners(cgroup.CPU) }},
		{"beside taken memory", "stress.memory: {service: web, bytes: 64MiB}", nil, func(v *victim) { v.killBurners(cgroup.Memory) }},
		{"beside taken memory, beyond the limit", "stress.memory: {service: web, percent: 100%}", func(h *container.HostConfig) { h.Memory = 64 << 20 }, nil},
		{"beside a busy disk", "stress.io: {service: web, path: /, workers: 2}", nil, func(v *victim) { v.killBurners(cgroup.Disk) }},
		{"without room in memory", "disk.fill: {service: web, path: DIR, percent: 100%}", func(h *container.HostConfig) {
			h.Tmpfs = map[string]string{"/data": "size=16m"}
		}, emptyNameless},
		{"with less room on the machine's disk", "disk.fill: {service: web, path: /, bytes: 512MiB, keep_free: 1GiB}", nil, emptyNameless},
		{"out of descriptors", "fd.exhaust: {service: web}", nil, moreFiles},
		{"with a clock that is behind", "time.skew: {service: web, offset: -1h}", nil, func(v *victim) { v.setClock(-time.Hour, true) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			holdResource(t, c.yaml, c.spoil, func(t *testing.T) *victim {
				v := y.Start(t, chaostest.VictimOptions{Host: c.host})
				before := chaostest.Inspected(t, v.Engine, v.ID)
				t.Cleanup(func() {
					if after := chaostest.Inspected(t, v.Engine, v.ID); after != before {
						t.Errorf("docker inspect differs:\n%s", chaostest.Difference(before, after))
					}
				})
				dir := "/"
				if strings.Contains(c.yaml, "DIR") {
					dir = "/data"
				}
				return &victim{Unit: v.AskedContainer, t: t, alone: true, dir: dir}
			})
		})
	}
}
