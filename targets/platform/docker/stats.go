package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Stats is what a container uses, as its engine counts it.
type Stats struct {
	CPU    time.Duration // since it was started
	Memory int64         // bytes: what it holds but for cached files that nobody uses
	Tasks  int           // processes and their threads
}

// Stats asks for what a container uses now. Of one that does not run it is nothing.
func (e *Engine) Stats(ctx context.Context, id string) (Stats, error) {
	if err := e.Ping(ctx); err != nil {
		return Stats{}, err
	}
	answer, err := e.api.ContainerStatsOneShot(ctx, id)
	if err != nil {
		if gone(err) {
			return Stats{}, fmt.Errorf("container %s: %w", id, ErrGone)
		}
		return Stats{}, fmt.Errorf("asking what container %s uses: %w", id, err)
	}
	defer answer.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return Stats{}, fmt.Errorf("asking what container %s uses: %w", id, err)
	}
	return statsOf(&s), nil
}

// statsOf reads an engine's statistics. What files the kernel has cached and could drop is
// no need of the container's, and is left out as `docker stats` does: the name of that
// figure is another in version 1 of control groups.
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
