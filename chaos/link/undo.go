package link

import (
	"context"
	"encoding/json"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
)

// opClear is the undo of a toxic on proxies that are in a process of their own.
const opClear = "proxy.clear"

// Operations take toxics off.
func Operations() []chaos.Operation {
	return []chaos.Operation{{Name: opClear, Do: doClear, HeldBy: journal.HeldByProcess}}
}

// toxicIdentity is a step in a process of proxies.
type toxicIdentity struct {
	proc.Identity
	Key string `json:"key"`
}

// undoToxic returns the undo of a step. It is empty for proxies of this process, whose faults end with it.
func undoToxic(key string, links []*chaos.Link) []chaos.Undo {
	for _, l := range links {
		if p, ok := l.Proxy.(*child.Proxy); ok {
			args, _ := json.Marshal(p.Process().Control())
			identity, _ := json.Marshal(toxicIdentity{p.Process().ID(), key})
			return []chaos.Undo{{Op: opClear, Args: args, Identity: identity}}
		}
	}
	return nil
}

// add adds a toxic to a proxy, under a key where the proxy is in a process of its own.
func add(to chaos.Proxy, key string, t proxy.Toxic) (proxy.Toxicity, error) {
	if p, ok := to.(*child.Proxy); ok {
		return p.AddUnder(key, t)
	}
	return to.Add(t)
}

// doClear takes the toxics of a step off. A process that does not do it is ended, and the links with it.
func doClear(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var of toxicIdentity
	var at child.Control
	if json.Unmarshal(u.Identity, &of) != nil || json.Unmarshal(u.Args, &at) != nil || of.Key == "" {
		return chaos.Failed, fmt.Errorf("%w: no process of proxies in %q", chaos.ErrDamaged, u.Identity)
	}
	if !of.Alive() {
		return chaos.Gone, nil
	}
	switch n, err := at.Clear(ctx, of.Key); {
	case err != nil:
		return journal.EndGroup(ctx, of.Identity)
	case n == 0:
		return chaos.Gone, nil
	}
	return chaos.Reverted, nil
}
