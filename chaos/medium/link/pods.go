package link

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
)

// Between pods, agents on the nodes of the callers have the proxies, in the networks of the callers. A service of the
// cluster is a destination of its own: its address stands in the packets of a caller until they leave the caller's
// network.
//
//	web --> 10.96.0.7:80 (service store)  is  web --> 127.0.0.1:41234 (an agent's proxy) --> 10.96.0.7:80 --> a pod of store

// UnitOf returns the pod in whose network the step is: each that joins has a step of its own.
func (d *diverted) UnitOf() string { return d.pod }

// ofPod makes the step that of a pod that calls others. It changes nothing.
func (d *diverted) ofPod(ctx context.Context, env chaos.Env, f container.Target, to []container.Target) error {
	d.pod = f.Name()
	node := f.Traits().Node
	if err := node.Separate(ctx); err != nil {
		return err
	}
	from := &divertedFrom{unit: f}
	for _, u := range to {
		if u.Name() != f.Name() {
			from.callees = append(from.callees, u.Unit)
		}
	}
	if len(from.callees) == 0 {
		return nil
	}
	var err error
	if from.to, err = from.reached(ctx); err != nil {
		return err
	}
	for _, at := range from.to {
		if !slices.ContainsFunc(d.Links, func(l *chaos.Link) bool { return l.From == f.Name() && l.To == at.name }) {
			d.Links = append(d.Links, &chaos.Link{From: f.Name(), To: at.name})
		}
	}
	if env.Dry {
		return nil
	}
	from.id = f.Contained.ContainerID()
	if from.process, err = agent.Proxies(ctx, env.Agents, f.Contained); err == nil {
		err = examine(ctx, from)
	}
	if err != nil {
		return fmt.Errorf("in the network of %s: %w", f.Name(), err)
	}
	d.from = append(d.from, from)
	return nil
}

// reached returns where the pod reaches those that it calls, services first.
func (f *divertedFrom) reached(ctx context.Context) (out []divertedTo, err error) {
	all, err := f.unit.Traits().Node.Reached(ctx, f.callees)
	if err != nil {
		return nil, err
	}
	var silent []string
	for _, r := range all {
		if len(r.At) == 0 {
			silent = append(silent, r.Name)
		}
		for _, at := range r.At { // IPv4 alone is diverted
			if at.Addr().Is4() {
				out = append(out, divertedTo{name: r.Name, at: at})
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no port is known on which %s listens over IPv4: declare it as a containerPort of its pods, "+
			"or let a service lead to it",
			strings.Join(silent, ", "))
	}
	return out, nil
}

// endAgents are the undos of what the agents do.
func (d *diverted) endAgents() (out []chaos.Undo) {
	for _, f := range d.from {
		if end := f.unit.Traits().EndAgent; end != nil {
			out = append(out, end(d.run))
		}
	}
	return out
}

// examine finds what is in the way in the network of a pod, in which it leaves nothing.
func examine(ctx context.Context, f *divertedFrom) error {
	n, err := f.process.Enter(ctx, "")
	if err != nil {
		return err
	}
	defer n.Close()
	redirected, err := n.Foreign(ctx)
	if err != nil {
		return err
	}
	if len(redirected) > 0 {
		return fmt.Errorf("something else redirects its connections already, as the proxy of a mesh does (%s): make the "+
			"fault with the mesh, "+
			"or with network.*, which acts on packets", strings.Join(redirected, ", "))
	}
	return nil
}

// Units of Counts: of faults on SQL, and of those on gRPC.
const (
	statements = "statements"
	calls      = "calls"
)

// lostThere says that the agent of a caller had ended before the revert.
func (h *heldDiverted) lostThere() error {
	for _, f := range h.step.from {
		if err := agent.HolderEnded("in the network of "+f.unit.Name(), f.process.Err()); err != nil {
			return err
		}
	}
	return nil
}

// endedThere tells why the fault is over although nothing has reverted it: the agent of a caller has ended, a caller is
// another pod, or those that it calls are at addresses that are not diverted.
func (h *heldDiverted) endedThere(ctx context.Context) error {
	for _, f := range h.step.from {
		if err := agent.HolderEnded("in the network of "+f.unit.Name(), f.process.Alive(ctx)); err != nil {
			return err
		}
		if f.unit.Contained.ContainerID() != f.id {
			return fmt.Errorf("%s is another one since: it was replaced, or its network is another", f.unit.Name())
		}
		now, err := f.reached(ctx)
		if err != nil { // the cluster does not say, or none of them is there
			continue
		}
		for _, is := range now {
			if !slices.ContainsFunc(f.to, func(to divertedTo) bool { return to.at == is.at }) {
				return fmt.Errorf("%s is an address of %s since, and what %s sends there meets no fault: it was replaced", is.at,
					is.name, f.unit.Name())
			}
		}
	}
	return h.ended(ctx)
}
