package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// mostStats is the maximum size of the engine's answer about the usage of a container, in bytes.
const mostStats = 16 << 20

// Stats is the resource usage of a container according to its engine.
type Stats struct {
	CPU    time.Duration // since it was started
	Memory int64         // bytes, without cached files that are not in use
	Tasks  int           // processes and threads
}

// Stats returns the current usage of a container. It is zero if the container does not run.
func (e *Engine) Stats(ctx context.Context, id string) (Stats, error) {
	if err := e.Ping(ctx); err != nil {
		return Stats{}, err
	}
	answer, err := e.api.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		if gone(err) {
			return Stats{}, fmt.Errorf("container %s: %w", id, ErrGone)
		}
		return Stats{}, fmt.Errorf("asking what container %s uses: %w", id, err)
	}
	defer answer.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(io.LimitReader(answer.Body, mostStats)).Decode(&s); err != nil {
		return Stats{}, fmt.Errorf("asking what container %s uses: %w", id, err)
	}
	return statsOf(&s), nil
}

// statsOf converts an engine's statistics. Like `docker stats`, it excludes cached files that the kernel could drop.
// Versions 1 and 2 of control groups have different names for that figure.
func statsOf(s *container.StatsResponse) Stats {
	memory := s.MemoryStats.Usage
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cached, ok := s.MemoryStats.Stats[name]; ok {
			if cached < memory {
				memory -= cached
			}
			break
		}
	}
	if memory == 0 { // Windows
		memory = s.MemoryStats.PrivateWorkingSet
	}
	tasks := int(s.PidsStats.Current)
	if tasks == 0 {
		tasks = int(s.NumProcs)
	}
	return Stats{CPU: time.Duration(s.CPUStats.CPUUsage.TotalUsage), Memory: int64(memory), Tasks: tasks}
}
