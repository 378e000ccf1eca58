package agents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
)

// Names of the undo operations. They stand in journals: they must never change.
const (
	opSweep   = "kube.agents"  // removes all agents of a run
	opEnd     = "kube.agent"   // removes the agents on a node, which revert what they did there
	opAnother = "kube.byagent" // has another agent on a node execute undos
)

// undoArgs are the arguments of all these undos.
type undoArgs struct {
	Settings
	Node string       `json:"node,omitempty"`
	Undo []chaos.Undo `json:"undo,omitempty"`
}

// undoIdentity identifies the thing that an undo restores.
type undoIdentity struct {
	chaos.ContainerID        // the network of the pod, or none
	Run               string `json:"run"`
	Node              string `json:"node,omitempty"`
}

func (s *Settings) undo(op, node string, of chaos.ContainerID, undo []chaos.Undo) chaos.Undo {
	return chaos.Undo{
		Op: op, Args: cluster.JSON(undoArgs{Settings: *s, Node: node, Undo: undo}),
		Identity: cluster.JSON(undoIdentity{of, s.Run, node}),
	}
}

// sweep returns the undo that removes all agents of the run.
func (s *Settings) sweep() chaos.Undo { return s.undo(opSweep, "", chaos.ContainerID{}, nil) }

func (n *Nodes) End(pod *kube.Pod) chaos.Undo {
	s := n.settings()
	return s.undo(opEnd, pod.Spec.NodeName, cluster.NetworkOf(pod), nil)
}

// ByAnother implements [cluster.Agents]. Each undo has its own identity.
func (n *Nodes) ByAnother(pod *kube.Pod, undo []chaos.Undo) chaos.Undo {
	s := n.settings()
	u := s.undo(opAnother, pod.Spec.NodeName, cluster.NetworkOf(pod), undo)
	u.Identity = cluster.JSON(undo[0].Identity)
	return u
}

func (n *Nodes) Revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error) {
	return chaos.OperationsOf(Operations(cluster.OpenedAt(n.c, n.settings().Place.UID))).Revert(ctx, undo)
}

// Operations returns the undos that revert what agents on nodes did, and remove the agents.
func Operations(open cluster.Opener) []chaos.Operation {
	by := func(do func(context.Context, *kube.Cluster, *undoArgs) (chaos.Outcome, error)) func(context.Context,
		chaos.Undo) (chaos.Outcome, error) {
		return func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			var args undoArgs
			if err := json.Unmarshal(u.Args, &args); err != nil || args.Run == "" || args.Namespace == "" {
				return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
			}
			c, done, err := open(ctx, args.Place)
			if err != nil {
				return chaos.Failed, err
			}
			defer done()
			return do(ctx, c, &args)
		}
	}
	remove := by(func(ctx context.Context, c *kube.Cluster, args *undoArgs) (chaos.Outcome, error) {
		return args.remove(ctx, c, args.Node)
	})
	network := func(u chaos.Undo) string {
		var of undoIdentity
		_ = json.Unmarshal(u.Identity, &of)
		return of.ID
	}
	return []chaos.Operation{
		{Name: opSweep, Do: remove, ByCluster: true, Helps: true},
		{Name: opEnd, Do: remove, ByCluster: true, PerRun: true, Network: network},
		{Name: opAnother, ByCluster: true, Do: by(another), Inner: func(u chaos.Undo) []chaos.Undo {
			var args undoArgs
			if json.Unmarshal(u.Args, &args) != nil {
				return nil
			}
			return args.Undo
		}},
	}
}

// remove deletes the pods of agents on a node, or on all, and waits until they are gone: each reverts what it did
// before it ends. A pod that reverts what another did may end by itself first, because its starter waits for its
// result.
func (s *Settings) remove(ctx context.Context, c *kube.Cluster, node string) (chaos.Outcome, error) {
	out, asked, began, ended := chaos.Gone, map[string]bool{}, time.Now(), map[string]time.Time{}
	for {
		pods, err := kube.Pods(c, s.Namespace).List(ctx, s.selector())
		left := 0
		for i := range pods {
			p := &pods[i]
			if err != nil || node != "" && p.Spec.NodeName != node {
				continue
			}
			left++
			if _, known := ended[string(p.UID)]; !known && hasEnded(p) {
				ended[string(p.UID)] = time.Now()
			}
			at, over := ended[string(p.UID)]
			if p.Labels[undoesLabel] != "" && !(over && time.Since(at) > readFor) && time.Since(began) < startFor {
				continue
			}
			if !asked[string(p.UID)] {
				err = kube.Pods(c, s.Namespace).Delete(ctx, p.Name, kube.Deletion{UID: string(p.UID)})
				asked[string(p.UID)] = err == nil
			}
			out = chaos.Reverted
		}
		switch {
		case err != nil && !kube.Is(err, kube.NotFound) && !kube.Is(err, kube.Conflict):
			return chaos.Failed, fmt.Errorf("remove agents: %w", err)
		case err == nil && left == 0:
			return out, nil
		}
		select {
		case <-time.After(pollEach):
		case <-ctx.Done():
			return chaos.Failed, fmt.Errorf("remove agents: %d are there still: %w", left, context.Cause(ctx))
		}
	}
}

// errDeleted says that something else deleted the pod that was to execute undos.
var errDeleted = errors.New("the agent that was to take it back was deleted before its end")

// another makes a pod on a node execute undos. If something else deletes that pod before its end, it makes one more.
func another(ctx context.Context, c *kube.Cluster, args *undoArgs) (out chaos.Outcome, err error) {
	for range 3 {
		if out, err = once(ctx, c, args); !errors.Is(err, errDeleted) {
			break
		}
	}
	return out, err
}

// once starts a pod on a node that executes undos, and waits for its end.
func once(ctx context.Context, c *kube.Cluster, args *undoArgs) (out chaos.Outcome, err error) {
	of := args.pod(args.Node, false, program, "--undo", string(cluster.JSON(args.Undo)))
	of.Labels[undoesLabel] = "yes"
	pod, err := kube.Pods(c, args.Namespace).Create(ctx, of, false)
	if err != nil {
		return chaos.Failed, err
	}
	defer func() {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), joinFor)
		defer cancel()
		derr := kube.Pods(c, args.Namespace).Delete(own, pod.Name, kube.Deletion{UID: string(pod.UID)})
		if derr != nil && !kube.Is(derr, kube.NotFound) && !kube.Is(derr, kube.Conflict) {
			out, err = chaos.Failed, chaos.JoinErrors(err, derr)
		}
	}()
	ran, succeeded := false, false
	err = args.await(ctx, c, pod.Name, func(running, ended bool) bool {
		ran, succeeded = ran || running, ended
		return ended
	})
	switch {
	case kube.Is(err, kube.NotFound) && ran:
		return chaos.Failed, errDeleted
	case kube.Is(err, kube.NotFound): // the node is gone, and everything on it
		return chaos.Gone, nil
	case err != nil || !succeeded:
		return chaos.Failed, fmt.Errorf("the agent that takes it back: %w", err)
	}
	is, err := kube.Pods(c, args.Namespace).Get(ctx, pod.Name)
	switch {
	case err == nil && is.Status.Phase == kube.PodSucceeded:
		return chaos.Reverted, nil
	case kube.Is(err, kube.NotFound), err == nil && is.DeletionTimestamp != nil:
		return chaos.Failed, errDeleted
	case err != nil:
		return chaos.Failed, err
	}
	_, _, why, _ := args.state(is)
	return chaos.Failed, fmt.Errorf("the agent that was to take it back: %s", why)
}
