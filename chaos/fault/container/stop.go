package container

import (
	"cmp"
	"context"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Kill is the fault container.kill. To a restart policy it is an order of the engine, while process.crash is a crash.
// In a pod, the image of the container is set to a name that can't be started, as pod.fail does, and an agent sends the
// signal. With KILL, the agent stops the container (SIGSTOP) before that, so that it can't end in good order.
type Kill struct {
	selector.Selector `yaml:",inline"`
	Signal            string `yaml:"signal"` // name without SIG; zero is KILL
}

// Stop is the fault container.stop. In a pod, the image of the container is set to a name that can't be started, as
// pod.fail does. The node then ends the container with its stop signal, and within the grace of the pod if that is
// shorter.
type Stop struct {
	selector.Selector `yaml:",inline"`
	// from its stop signal to SIGKILL, in whole seconds; nil is 5s. 0s sends SIGKILL alone
	Grace *quantity.Duration `yaml:"grace"`
}

// Restart is the fault container.restart. In a pod, an agent sends SIGTERM, and SIGKILL when the grace is over; the
// node starts the container again.
type Restart struct {
	selector.Selector `yaml:",inline"`
	Grace             *quantity.Duration `yaml:"grace"` // from its stop signal to SIGKILL, in whole seconds; nil is 5s
}

var (
	_ chaos.Fault = (*Kill)(nil)
	_ chaos.Fault = (*Stop)(nil)
	_ chaos.Fault = (*Restart)(nil)
)

func (k *Kill) Traits(sc chaos.Scope) chaos.Traits { return downTraits(&k.Selector, sc) }

func (s *Stop) Traits(sc chaos.Scope) chaos.Traits {
	t := downTraits(&s.Selector, sc)
	t.Grace = container.GraceOf(s.Grace)
	return t
}

func (r *Restart) Traits(sc chaos.Scope) chaos.Traits {
	t := r.Selector.Traits(sc)
	t.OneShot = true
	return t
}

func (k *Kill) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&k.Selector, at, sc, m)
	container.CheckSignal(k.Of("signal"), k.signal(), "container", "container.pause stops a container, and lets it go on",
		m)
}

func (k *Kill) signal() string { return cmp.Or(k.Signal, "KILL") }

func (s *Stop) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&s.Selector, at, sc, m)
}

func (r *Restart) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&r.Selector, at, sc, m)
}

// checkContainers checks the selector of a fault on containers against the target.
func checkContainers(s *selector.Selector, at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	before := m.Len()
	s.CheckSelector(at, sc, m)
	switch {
	case m.Len() > before:
	case s.PID != 0:
		m.AddHint(s.Of("pid"), "process.freeze and process.crash are for processes", "a process is not a container")
	case s.Query().IsZero() && !sc.Containers && sc.Cluster == nil && !sc.Found[s.Service] &&
		!sc.Found[chaos.ServiceOf(s.Unit)]:
		m.AddHint(at, "process.stop, process.crash and process.freeze are for processes",
			"%s is not a container: the target's services are processes of this machine",
			s.Matching())
	}
}

func (k *Kill) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return k.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		if container.OnNode(env, t) {
			return k.onNode(ctx, env, t)
		}
		return container.KillStep(ctx, env, t, k.signal())
	})
}

func (s *Stop) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return s.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		if container.OnNode(env, t) {
			return s.onNode(ctx, env, t)
		}
		return container.StopStep(ctx, env, t, container.GraceOf(s.Grace))
	})
}

func (r *Restart) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return r.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		if container.OnNode(env, t) {
			if s, ok, err := env.ByAgent(ctx, t); ok || err != nil {
				return s, err
			}
			return container.EndStep(t, "TERM", container.GraceOf(r.Grace)), nil
		}
		return container.RestartStep(ctx, env, t, container.GraceOf(r.Grace))
	})
}

func (*Kill) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.kill", New: func() chaos.Fault { return new(Kill) },
		Undo:    append(operations(), cluster.EditOperations()...),
		Example: "{container: web}",
		Effect:  chaos.Dies,
		Nature:  scenarios.Nature{Verb: "died", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnContainers,
		Agent:   &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Nodes: true},
		Doc:     "Kills a container by a signal and keeps it down, whatever its restart policy, until the fault ends.",
	}
}

func (*Stop) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.stop", New: func() chaos.Fault { return new(Stop) },
		Undo:    append(operations(), cluster.EditOperations()...),
		Example: "{container: web, grace: 1s}",
		Effect:  chaos.Dies,
		Nature: scenarios.Nature{
			Verb:  "stopped",
			Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down, scenarios.Deaf},
		},
		On:    chaos.OnContainers,
		Agent: &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Nodes: true},
		Doc:   "Stops a container in good order and keeps it down until the fault ends.",
	}
}

func (*Restart) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.restart", New: func() chaos.Fault { return new(Restart) },
		Example: "{container: web, grace: 1s}",
		Effect:  chaos.Restarts,
		Nature: scenarios.Nature{
			Verb:  "restarted",
			Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down, scenarios.Deaf},
		},
		On:    chaos.OnContainers,
		Agent: &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Ends: true, Nodes: true},
		Doc:   "Stops a container in good order and starts it again at once.",
	}
}
