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

// A Pod is a unit: a slot of a service. After the deletion of its pod it stands for the pod that replaced it.
type Pod struct {
	t    *Target
	of   *service
	slot int
}

var _ chaos.Contained = (*Pod)(nil)

// Of returns u as a Pod; ok is false for a unit that is not a pod.
func Of(u chaos.Unit) (p *Pod, ok bool) {
	p, ok = u.(*Pod)
	return p, ok
}

// TargetOf returns the target of units; nil means that they are not pods.
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

// Target returns the target that the pod belongs to.
func (p *Pod) Target() *Target { return p.t }

// Now returns the pod that is in the slot now.
func (p *Pod) Now(ctx context.Context) (*kube.Pod, error) {
	if _, err := p.t.relist(ctx, p.of); err != nil {
		return nil, err
	}
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if pod, has := p.inSlot(); has {
		return &pod, nil
	}
	return nil, fmt.Errorf("%s: %w: no pod is in its place", p.Name(), chaos.ErrNoUnit)
}

// inSlot returns the pod that was last known to be in the slot. mu is held.
func (p *Pod) inSlot() (pod kube.Pod, has bool) {
	if p.slot < len(p.of.slots) {
		pod, has = p.t.pods[p.of.slots[p.slot]]
	}
	return pod, has
}

// Ready implements [chaos.Unit]: the node of the pod reports that it is ready.
func (p *Pod) Ready(ctx context.Context) error {
	pod, err := p.Now(ctx)
	if err == nil && !IsReady(pod) {
		err = fmt.Errorf("%s: the pod %s is not ready", p.Name(), pod.Name)
	}
	return err
}

// Supervised implements [chaos.Unit]: the node of a pod starts its containers again.
func (p *Pod) Supervised() bool { return true }

// errOfCluster says that a cluster starts and stops its pods by itself.
var errOfCluster = errors.New("the cluster starts and stops its pods itself")

func (p *Pod) Stop(context.Context, time.Duration) error { return errOfCluster }

func (p *Pod) Start(context.Context) error { return errOfCluster }

func (p *Pod) Traits() chaos.UnitTraits {
	t := chaos.UnitTraits{Contained: p, Addr: p.Addr, Node: onNode{p}, StartAgent: p.startAgent}
	if a := p.t.Agents; a != nil {
		t.EndAgent = func(string) chaos.Undo { return a.End(p.last()) }
	}
	return t
}

// Grace returns the longest grace that some pods give their containers; zero if none sets one.
func Grace(pods ...kube.Pod) (most time.Duration) {
	for i := range pods {
		if seconds := pods[i].Spec.TerminationGracePeriodSeconds; seconds != nil {
			most = max(most, time.Duration(*seconds)*time.Second)
		}
	}
	return most
}

// Replaced checks that a controller replaces a pod that is gone.
func Replaced(pod *kube.Pod) error {
	if pod.Controller() == nil {
		return fmt.Errorf("nothing makes the pod %s again: it has no controller, such as a deployment", pod.Name)
	}
	return nil
}
