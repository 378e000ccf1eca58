package target

import (
	"context"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/scenarios/observe/pods"
	"brunt/scenarios/result"
	"brunt/targets/platform/docker"
)

// watcher reports events of the containers that the run started, named, or injected faults into. It converts their
// times from the engine's clock to the run's clock.
type watcher struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// stop ends the watch. It may be called again, and on nil.
func (w *watcher) stop() {
	if w == nil {
		return
	}
	w.cancel()
	w.ended.Wait()
}

// watched maps an engine's events to those of a run.
var watched = map[string]result.Event{
	"start": {Event: "container.start"}, "die": {Event: "container.die"}, "oom": {Event: "container.oom"},
	"restart":       {Event: "container.restart"},
	"health_status": {Event: "container.health"}, "pause": {Event: "container.pause"},
	"unpause": {Event: "container.unpause"}, "destroy": {Event: "container.gone"},
}

// Watch starts to report the events of containers and of pods. The timelines learn of each start of a container.
func (s *System) Watch() {
	if t := s.Containers.Pods(); t != nil && s.pods == nil {
		s.pods = pods.Watch(t, pods.Host{
			T0: s.host.Log.T0, Mask: s.host.Plan.Scenario.Secrets.Mask, Event: s.host.Log.Event, Note: s.host.Log.Note,
		})
	}
	engine := s.Containers.Engine()
	if engine == nil || s.watcher != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{cancel: cancel}
	s.watcher = w
	ahead := time.Duration(0)
	if !engine.Address().Local() {
		short, done := context.WithTimeout(ctx, 5*time.Second)
		if i, err := engine.Info(short); err == nil {
			ahead = i.Ahead
		}
		done()
	}
	names := s.watchedNames()
	began := time.Now()
	w.ended.Go(func() {
		tell := func(e docker.Event) {
			began = e.At.Add(1)
			if e.Kind == "connect" || e.Kind == "disconnect" {
				s.joined(ctx, e)
				return
			}
			unit, ours := names[e.Name]
			if !ours && !s.Containers.Selected(e.Name) {
				return
			}
			if !ours {
				unit = chaos.ContainerName(e.Name)
			}
			what := watched[e.Kind]
			what.Unit, what.Text = unit, e.Text
			if e.Health != "" {
				what.Data = map[string]any{result.HealthData: e.Health}
			}
			s.host.Log.EventAt(e.At.Add(-ahead), what)
			if e.Kind != "start" {
				return
			}
			s.host.restarted(e.ID) // faults first, as traffic passes without them meanwhile
			s.noteUncounted(s.counters.Restarted(ctx, e.ID))
		}
		began = began.Add(ahead)
		for noted := false; ; noted = true { // the engine may restart meanwhile
			err := engine.Events(ctx, began, tell)
			if err == nil {
				return
			}
			if !noted {
				s.host.Log.Note("%v; brunt goes on to listen", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
}

// PodWatcher returns the watcher of the target's pods, which runs since Watch. It is nil if the target has no pods,
// and for an import, which has no target.
func (s *System) PodWatcher() *pods.Watcher {
	if s == nil {
		return nil
	}
	return s.pods
}

// Measure begins to record the usage of the target's pods, by the run's clock.
func (s *System) Measure(now func() time.Duration) {
	if s.pods != nil {
		s.pods.Measure(s.host.Plan.Scenario.Target.Kubernetes.Usage, now)
	}
}

// joined tells the timeline that a running container was connected to a network or disconnected. Changes at the start
// or the end of a container are reported with that event.
func (s *System) joined(ctx context.Context, e docker.Event) {
	timelines := s.host.Timelines()
	if len(timelines) == 0 && s.counters == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Both times are by the engine's clock.
	if is, err := s.Containers.Engine().Inspect(ctx, e.ID); err == nil && is.Running && e.At.After(is.Started) {
		s.noteUncounted(s.counters.Rejoined(ctx, e.ID))
		for _, t := range timelines {
			t.OnNetworkChange(e.ID)
		}
	}
}

// noteUncounted notes which calls are counted no longer, and why.
func (s *System) noteUncounted(ended []error) {
	for _, why := range ended {
		s.host.Log.Note("%v", why)
	}
}

// watchedNames returns the units that are containers, by container name.
func (s *System) watchedNames() map[string]string {
	out := map[string]string{}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, u := range s.Units() {
		if c, ok := container.Of(u); ok {
			if is, err := c.Engine.Inspect(ctx, c.Ref); err == nil {
				out[is.Name] = u.Name()
			}
		}
	}
	return out
}
