package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/scenarios/syntax"
)

// A Pod is a unit: the pod in a slot of a service. After a deletion it is the one that came in its place.
type Pod struct {
	t    *Target
	of   *service
	slot int
}

var _ chaos.Contained = (*Pod)(nil)

// Of returns the pod that a unit is; ok is false for a unit that is none.
func Of(u chaos.Unit) (p *Pod, ok bool) {
	p, ok = u.(*Pod)
	return p, ok
}

// TargetOf is the target that units are of; nil: they are no pods.
func TargetOf(units []chaos.Unit) *Target {
	for _, u := range units {
		if p, ok := Of(u); ok {
			return p.t
		}
	}
	return nil
}

func (p *Pod) Name() string { return syntax.UnitName(p.of.name, p.slot) }

func (p *Pod) Service() string { return p.of.name }

// PID implements [chaos.Unit]: the processes of a pod are on its node.
func (p *Pod) PID() int { return 0 }

// Target is the target that the pod is of.
func (p *Pod) Target() *Target { return p.t }

// Now is the pod that is in the slot.
func (p *Pod) Now(ctx context.Context) (*kube.Pod, error) {
	if _, err := p.t.relist(ctx, p.of); err != nil {
		return nil, err
	}
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if p.slot < len(p.of.slots) {
		if pod, has := p.t.pods[p.of.slots[p.slot]]; has {
			return &pod, nil
		}
	}
	return nil, fmt.Errorf("%s: %w: no pod is in its place", p.Name(), chaos.ErrNoUnit)
}

// Ready implements [chaos.Unit]: the node of the pod says that it is.
func (p *Pod) Ready(ctx context.Context) error {
	pod, err := p.Now(ctx)
	if err == nil && !IsReady(pod) {
		err = fmt.Errorf("%s: the pod %s is not ready", p.Name(), pod.Name)
	}
	return err
}

// Supervised implements [chaos.Unit]: its node starts the containers of a pod again.
func (p *Pod) Supervised() bool { return true }

// errOfCluster says that a cluster starts and stops its pods by itself.
var errOfCluster = errors.New("the cluster starts and stops its pods itself")

func (p *Pod) Stop(context.Context, time.Duration) error { return errOfCluster }

func (p *Pod) Start(context.Context) error { return errOfCluster }

func (p *Pod) Traits() chaos.UnitTraits {
	t := chaos.UnitTraits{Contained: p, Node: onNode{p}, StartAgent: p.startAgent}
	if a := p.t.Agents; a != nil {
		t.EndAgent = func(string) chaos.Undo { return a.End(p.last()) }
	}
	return t
}

// Grace is the longest time that some pods give their containers to end; zero where none says one.
func Grace(pods ...kube.Pod) (most time.Duration) {
	for i := range pods {
		if seconds := pods[i].Spec.TerminationGracePeriodSeconds; seconds != nil {
			most = max(most, time.Duration(*seconds)*time.Second)
		}
	}
	return most
}

// Replaced checks that something makes another pod in the place of one.
func Replaced(pod *kube.Pod) error {
	if pod.Controller() == nil {
		return fmt.Errorf("nothing makes the pod %s again: it has no controller, such as a deployment", pod.Name)
	}
	return nil
}
