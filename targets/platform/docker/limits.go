package docker

import "context"

import "brunt/targets/platform/containers"

// usualPeriod is the period, in microseconds, over which the engine limits CPU time.
const usualPeriod = 100_000

// LimitsOf returns the limits in the configuration of a container. The limits in force are in its control groups.
func (e *Engine) LimitsOf(ctx context.Context, id string) (containers.Limits, error) {
	if err := e.Ping(ctx); err != nil {
		return containers.Limits{}, err
	}
	i, err := e.inspect(ctx, id)
	if err != nil {
		return containers.Limits{}, failed("inspecting", id, err)
	}
	h := i.HostConfig
	l := containers.Limits{
		CPUQuota: max(0, h.CPUQuota), Memory: max(0, h.Memory), Disk: map[string]map[string]uint64{"read": {}, "write": {}},
	}
	if h.NanoCPUs > 0 {
		l.CPUQuota = h.NanoCPUs * usualPeriod / 1_000_000_000
	}
	for _, d := range h.BlkioDeviceReadBps {
		if d != nil {
			l.Disk["read"][d.Path] = d.Rate
		}
	}
	for _, d := range h.BlkioDeviceWriteBps {
		if d != nil {
			l.Disk["write"][d.Path] = d.Rate
		}
	}
	return l, nil
}
