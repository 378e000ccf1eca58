package agents

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/rpc"
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
	// Signature of all the others by the key of the run, where another agent executes undos: it does so with the rights
	// of an agent, whoever wrote them
	Signature []byte `json:"signature,omitempty"`
}

// signed returns the bytes that are signed.
func (a *undoArgs) signed() []byte {
	unsigned := *a
	unsigned.Signature = nil
	return cluster.JSON(unsigned)
}

// undoIdentity identifies the thing that an undo restores.
type undoIdentity struct {
	chaos.ContainerID        // the network of the pod, or none
	Run               string `json:"run"`
	Node              string `json:"node,omitempty"`
}

func (s *Settings) undo(op, node string, of chaos.ContainerID) chaos.Undo {
	return chaos.Undo{
		Op: op, Args: cluster.JSON(undoArgs{Settings: *s, Node: node}),
		Identity: cluster.JSON(undoIdentity{of, s.Run, node}),
	}
}

// sweep returns the undo that removes all agents of the run.
func (s *Settings) sweep() chaos.Undo { return s.undo(opSweep, "", chaos.ContainerID{}) }

func (n *Nodes) End(pod *kube.Pod) chaos.Undo {
	s := n.settings()
	return s.undo(opEnd, pod.Spec.NodeName, cluster.NetworkOf(pod))
}

// ByAnother implements [cluster.Agents]. Each undo has its own identity.
func (n *Nodes) ByAnother(pod *kube.Pod, undo []chaos.Undo) chaos.Undo {
	s := n.settings()
	args := undoArgs{Settings: s, Node: pod.Spec.NodeName, Undo: undo}
	args.Signature = ed25519.Sign(n.private, args.signed())
	return chaos.Undo{Op: opAnother, Args: cluster.JSON(args), Identity: cluster.JSON(undo[0].Identity)}
}

func (n *Nodes) Revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error) {
	return chaos.OperationsOf(Operations(cluster.OpenedAt(n.c, n.settings().Place.UID))).Revert(ctx, undo)
}

// Operations returns the undos that revert what agents on nodes did, and remove the agents.
func Operations(open cluster.Opener) []chaos.Operation { return OperationsFrom(open, nil) }

// OperationsFrom is Operations for the undos of a journal in a cluster; nil is brunt's own journal.
func OperationsFrom(open cluster.Opener, from *cluster.Journal) []chaos.Operation {
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
			if from != nil && args.Run != from.Run {
				return chaos.Failed, from.Unproven("it is for agents of the run %q, and the journal is of %s", args.Run, from.Run)
			}
			return do(ctx, c, &args)
		}
	}
	remove := by(func(ctx context.Context, c *kube.Cluster, args *undoArgs) (chaos.Outcome, error) {
		return args.remove(ctx, c, args.Node, from)
	})
	executed := by(func(ctx context.Context, c *kube.Cluster, args *undoArgs) (chaos.Outcome, error) {
		if from != nil {
			if !from.Signed(args.Namespace, args.signed(), args.Signature) {
				return chaos.Failed, from.Unproven("%s: it is not signed by the run", args)
			}
		}
		return another(ctx, c, args)
	})
	text := func(u chaos.Undo) string {
		var args undoArgs
		if json.Unmarshal(u.Args, &args) != nil {
			return u.Op
		}
		return args.String()
	}
	network := func(u chaos.Undo) string {
		var of undoIdentity
		_ = json.Unmarshal(u.Identity, &of)
		return of.ID
	}
	return []chaos.Operation{
		{Name: opSweep, Do: remove, ByCluster: true, Helps: true, Text: text},
		{Name: opEnd, Do: remove, ByCluster: true, PerRun: true, Network: network, Text: text},
		{Name: opAnother, ByCluster: true, Do: executed, Text: text, Inner: func(u chaos.Undo) []chaos.Undo {
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
//
// From a journal in a cluster it deletes only agents of runs on the journal's namespace.
func (s *Settings) remove(
	ctx context.Context, c *kube.Cluster, node string, from *cluster.Journal,
) (chaos.Outcome, error) {
	out, asked, began, ended := chaos.Gone, map[string]bool{}, time.Now(), map[string]time.Time{}
	for {
		pods, err := kube.Pods(c, s.Namespace).List(ctx, s.selector())
		left := 0
		for i := range pods {
			p := &pods[i]
			if err != nil || node != "" && p.Spec.NodeName != node {
				continue
			}
			if from != nil && p.Namespace != from.Namespace && p.Labels[targetLabel] != from.Namespace {
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

// String says what the undo does.
func (a *undoArgs) String() string {
	on := ""
	if a.Node != "" {
		on = " on the node " + a.Node
	}
	if len(a.Undo) == 0 {
		return fmt.Sprintf("deletes the agents of the run %s in the namespace %s%s", a.Run, a.Namespace, on)
	}
	var inner []string
	for _, u := range a.Undo {
		inner = append(inner, chaos.Operations(nil).Text(u))
	}
	return fmt.Sprintf("makes a pod of the image %s in the namespace %s%s, which executes: %s", a.Image, a.Namespace, on,
		strings.Join(inner, "; "))
}

// Keys finds the keys of a run that its agents name, for the undos that another agent is to execute. It is asked before
// any undo is executed, because undos delete agents.
func Keys(ctx context.Context, c *kube.Cluster, undo []chaos.Undo) (map[string]ed25519.PublicKey, error) {
	out := map[string]ed25519.PublicKey{}
	for _, u := range undo {
		var args undoArgs
		if u.Op != opAnother || json.Unmarshal(u.Args, &args) != nil || out[args.Namespace] != nil {
			continue
		}
		pods, err := kube.Pods(c, args.Namespace).List(ctx, args.selector())
		if err != nil {
			return out, err
		}
		for i := range pods {
			if key := args.keyOf(&pods[i].Spec); key != nil && ed25519.Verify(key, args.signed(), args.Signature) {
				out[args.Namespace] = key
			}
		}
	}
	return out, nil
}

// keyOf returns the key of the run that the pod of an agent names; nil if the pod has not all the rights of an agent.
func (s *Settings) keyOf(spec *kube.PodSpec) ed25519.PublicKey {
	if len(spec.Containers) != 1 || !spec.HostPID || spec.Containers[0].SecurityContext == nil {
		return nil
	}
	has := spec.Containers[0].SecurityContext.Capabilities
	for _, of := range s.Rights.Caps {
		if has == nil || !slices.Contains(has.Add, kube.Capability(of)) {
			return nil
		}
	}
	words := spec.Containers[0].Args
	at := slices.Index(words, keyFlag)
	if at < 0 || at+1 == len(words) {
		return nil
	}
	key, err := rpc.ParseKey(words[at+1])
	if err != nil {
		return nil
	}
	return key
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
