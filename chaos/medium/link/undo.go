package link

import (
	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
)

// undoToxic returns the undo of a step. It is empty for proxies of this process, whose faults end with it.
func undoToxic(key string, links []*chaos.Link) []chaos.Undo {
	for _, l := range links {
		if p, ok := l.Proxy.(*child.Proxy); ok && !p.Process().Local() {
			return []chaos.Undo{agent.UndoIn(p.Process(), key, chaos.ContainerID{})}
		}
	}
	return nil
}

// add adds a toxic to a proxy, with a lease where the proxy is in a process of its own.
func add(to chaos.Proxy, l netns.Lease, t proxy.Toxic) (proxy.Toxicity, error) {
	if p, ok := to.(*child.Proxy); ok {
		return p.AddUnder(l, t)
	}
	return to.Add(t)
}
