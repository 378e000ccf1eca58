package cluster

import (
	"context"
	"fmt"
	"net"

	"brunt/chaos/kube"
	"brunt/scenarios"
)

// AskRights lists the rights that brunt needs to ask the pods of a target, such as for their leader.
func AskRights(of *scenarios.Kubernetes) []kube.Right {
	return []kube.Right{
		// a WebSocket needs get, and from Kubernetes 1.35 on create
		{Verb: "get", Resource: "pods/portforward", Namespace: of.Namespace},
		{Verb: "create", Resource: "pods/portforward", Namespace: of.Namespace},
	}
}

// Addr returns the address on this machine at which the pod is asked. Each connection leads through the API server to
// the pod that is in the slot then. It is empty if no port of the pod is known.
func (p *Pod) Addr() string {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if d := p.t.doors[p.Name()]; d != nil {
		return d.Addr()
	}
	if _, err := p.port(); err != nil {
		return ""
	}
	d, err := OpenDoor(p.dial)
	if err != nil {
		return ""
	}
	if p.t.doors == nil {
		p.t.doors = map[string]*Door{}
	}
	p.t.doors[p.Name()] = d
	return d.Addr()
}

// dial connects to the port at which the pod in the slot is asked.
func (p *Pod) dial(ctx context.Context) (net.Conn, error) {
	pod, err := p.Now(ctx)
	if err != nil {
		return nil, err
	}
	port, err := p.Port()
	if err != nil {
		return nil, err
	}
	return p.t.Dial(ctx, pod.Namespace, pod.Name, port)
}

// Port returns the port at which the pod is asked: the one that its service names, else the first TCP port that the
// container declares whose processes faults hit. The error says that there is neither.
func (p *Pod) Port() (int, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	return p.port()
}

// port is Port. mu is held.
func (p *Pod) port() (int, error) {
	if p.of.port != 0 {
		return p.of.port, nil
	}
	pod, _ := p.inSlot()
	within, _ := containerOf(&pod, p.of.within) // with an error, any of several containers can be meant
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if within != "" && c.Name != within {
			continue
		}
		for _, port := range c.Ports {
			if overTCP(&port.Protocol) {
				return int(port.ContainerPort), nil
			}
		}
	}
	return 0, fmt.Errorf("%s: no port is known at which its pods are asked: declare it as a containerPort, or name it by "+
		"target.kubernetes.services.%s.port", p.Name(), p.of.name)
}
