package guard

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/journal"
	"brunt/chaos/kube"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/plan"
)

// inside is the watchdog in the cluster that a run injects faults into. The zero value means that there is none.
type inside struct {
	entry int                            // entry of the journal that ends the watchdog
	at    atomic.Pointer[guard.Watchdog] // nil means that there is none
}

// tells passes lines of the journal to two receivers. Each may be nil.
func tells(first, second func([]byte) error) func([]byte) error {
	if first == nil {
		return second
	}
	return func(line []byte) error { return errors.Join(first(line), second(line)) }
}

// ImageIn returns the name of brunt's image in the cluster of a plan.
func ImageIn(p *plan.Plan) (string, error) { return imageIn(p.Scenario.Target.Kubernetes, p.Getenv) }

// imageIn returns the name of brunt's image in a cluster.
func imageIn(k *scenarios.Kubernetes, getenv func(string) string) (string, error) {
	name, err := Image(k.Image, getenv)
	if err != nil {
		return "", fmt.Errorf("the image of brunt in the cluster: %w; target.kubernetes.image and BRUNT_IMAGE name another",
			err)
	}
	return name, nil
}

// GuardCluster starts a watchdog in the cluster of the pods that faults hit, if the plan has faults that the
// cluster's API has to take back. It ends the run with a [StoppedError] if a person at the cluster asks for that.
// current returns the timeline in progress, or nil.
func (p *Protection) GuardCluster(ctx context.Context, in *kube.Cluster, at cluster.Place,
	current func() *timeline.Timeline,
	cancel context.CancelCauseFunc,
) error {
	k := p.plan.Scenario.Target.Kubernetes
	if p.inside.at.Load() != nil { // already started when the target was brought up
		return nil
	}
	undoes := plan.PodUndoes(k, p.plan.Scope, p.plan.Parts())
	if len(undoes) == 0 {
		if k.Watchdog == scenarios.NoWatchdog && len(p.plan.Parts()) > 0 {
			p.log.Note("no watchdog runs in the cluster, as target.kubernetes.watchdog says: if this machine is gone, what a "+
				"fault has changed there stays until "+
				"`brunt revert --discover --context %s --namespace %s`", k.Context, k.Namespace)
		}
		return nil
	}
	s := guard.Settings{
		Run: p.o.Run, Place: at, Undoes: undoes, Lasts: p.longest(), Spare: p.plan.Scenario.Guard.Allow.Nodes,
		PullSecrets: k.PullSecrets,
	}
	s.Host, _ = os.Hostname()
	var err error
	if s.Key, p.key, err = ed25519.GenerateKey(nil); err != nil {
		return err
	}
	if s.Image, err = imageIn(k, p.plan.Getenv); err != nil {
		return err
	}
	if p.inside.entry, err = p.Journal.Intent(chaos.Intent{
		What: "the watchdog in " + at.String(), Undo: []chaos.Undo{s.Undo()},
	}); err != nil {
		return err
	}
	w, err := guard.Start(ctx, in, s, guard.Host{
		Ops: catalog.AllOperations(),
		Taken: func(entry int, ago time.Duration) {
			if p.Journal.OfTarget(entry) { // a condition
				cancel(TargetGoneError{"the watchdog in the cluster took back a fault that was to hold for the whole run"})
			} else if t := current(); t != nil {
				t.TakenBack(entry, chaos.TakenBackError{At: p.log.Now() - ago, By: "the watchdog in the cluster"})
			}
		},
		Stopped: func(why error) {
			if stop, ok := errors.AsType[guard.StopError](why); ok {
				cancel(StoppedError{stop})
				return
			}
			cancel(TargetGoneError{why.Error()})
		},
	})
	if err != nil {
		return fmt.Errorf("start a watchdog in %s, which takes faults back when this machine is gone "+
			"(target.kubernetes.watchdog: none does without it): %w",
			at, err)
	}
	p.inside.at.Store(w)
	p.Journal.Tell = tells(p.Journal.Tell, w.Tell)
	p.log.Note("a watchdog in %s takes faults back when this machine is gone; at the cluster, `%s` ends them and the run",
		at, w.Lever())
	return nil
}

// StartAgents starts the agents on the nodes of the pods that faults hit, if the plan has faults that need agents.
func (p *Protection) StartAgents(ctx context.Context, t *cluster.Target) error {
	k := p.plan.Scenario.Target.Kubernetes
	if t == nil || k == nil {
		return nil
	}
	s, needs, err := AgentSettings(p.plan, p.o.Run, t.Place)
	if err != nil || !needs {
		return err
	}
	s.Lasts, s.Key = p.longest(), p.key
	if p.nodes, err = agents.New(t.Cluster, s, p.Journal); err != nil {
		return err
	}
	t.Agents = p.nodes
	return p.nodes.Ready(ctx, t.NodeNames())
}

// AgentSettings returns the settings of a plan's agents on nodes. needs says whether the plan has faults that need
// agents.
func AgentSettings(p *plan.Plan, run string, at cluster.Place) (s agents.Settings, needs bool, err error) {
	k := p.Scenario.Target.Kubernetes
	s = agents.Settings{Run: run, Place: at, Namespace: k.Agents(), PullSecrets: k.PullSecrets}
	if s.Rights, needs = plan.PodAgents(p.Scope, p.Parts()); needs {
		s.Image, err = imageIn(k, p.Getenv)
	}
	return s, needs, err
}

// A StoppedError is the cause of a run that a person at the cluster has ended.
type StoppedError struct{ error }

func (e StoppedError) Unwrap() error { return e.error }

// check finds out which faults the watchdog took back while the cluster could not be reached.
func (i *inside) check() {
	if w := i.at.Load(); w != nil {
		w.Check()
	}
}

// stop removes the watchdog, and closes its entry of the journal.
func (i *inside) stop(j *journal.Journal) error {
	var err error
	if w := i.at.Load(); w != nil {
		left := false
		if left, err = w.Stop(); left {
			return err
		}
	}
	if i.entry == 0 {
		return nil
	}
	entry := i.entry
	i.entry = 0
	i.at.Store(nil)
	return errors.Join(err, j.Done(entry, chaos.Reverted))
}

// LeaveCluster ends the agents and the watchdog in the cluster, before the run removes the namespaces that it made
// for them. An error says which faults are left there to be taken back.
func (p *Protection) LeaveCluster(ctx context.Context) error {
	if err := p.endAgents(ctx); err != nil {
		return err
	}
	return p.inside.stop(p.Journal)
}

// endAgents ends the agents on nodes.
func (p *Protection) endAgents(ctx context.Context) error {
	if p.nodes == nil {
		return nil
	}
	nodes := p.nodes
	p.nodes = nil
	return nodes.Close(ctx)
}
