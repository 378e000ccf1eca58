package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// Agents are the agents of a run on the nodes of a cluster. Package agents implements it.
type Agents interface {
	// Network lends an agent in the network of a pod, and Processes an agent that sees the processes of a node. Each
	// reverts what it did when the returned connection is closed.
	Network(ctx context.Context, pod *kube.Pod) (io.ReadWriteCloser, error)
	Processes(ctx context.Context, node string) (io.ReadWriteCloser, error)
	// Proxies lends proxies in the network of a pod. When the returned connection is closed, nothing of them is left.
	Proxies(ctx context.Context, pod *kube.Pod) (io.ReadWriteCloser, error)
	// End returns the undo of everything that the agent on the node of a pod did.
	End(pod *kube.Pod) chaos.Undo
	// ByAnother returns the undo that makes another agent on the node of a pod execute undos. Revert executes such
	// undos.
	ByAnother(pod *kube.Pod, undo []chaos.Undo) chaos.Undo
	Revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error)
}

// errNoAgents says that a fault needs an agent, and none may run.
var errNoAgents = errors.New("no agent runs on its node")

func (p *Pod) startAgent(ctx context.Context, _ string) (io.ReadWriteCloser, error) {
	pod, err := p.withAgent(ctx)
	if err != nil {
		return nil, err
	}
	return p.t.Agents.Network(ctx, pod)
}

// withAgent returns the pod in the slot, if an agent may enter its network.
func (p *Pod) withAgent(ctx context.Context) (*kube.Pod, error) {
	pod, err := p.Now(ctx)
	if err == nil {
		err = ownNetwork(pod)
	}
	if err == nil && p.t.Agents == nil {
		err = errNoAgents
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(), err)
	}
	return pod, nil
}

// last returns the pod that was in the slot at the last question to the cluster. It is empty if there was none.
func (p *Pod) last() *kube.Pod {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	pod, _ := p.inSlot()
	return &pod
}

// ContainerID implements [chaos.Contained]. It identifies the pod's sandbox, which has the pod's network and outlives
// its containers. A new sandbox has another address.
func (p *Pod) ContainerID() chaos.ContainerID {
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	pod, err := p.Now(ctx)
	if err != nil && !errors.Is(err, chaos.ErrNoUnit) { // the cluster does not answer
		pod, err = p.last(), nil
	}
	if err != nil || pod.UID == "" {
		return chaos.ContainerID{}
	}
	return NetworkOf(pod)
}

// NetworkOf identifies the network of a pod.
func NetworkOf(pod *kube.Pod) chaos.ContainerID {
	return chaos.ContainerID{ID: string(pod.UID) + "/" + pod.Status.PodIP}
}

func (p *Pod) Addresses() (out []netip.Addr) {
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	pod, err := p.Now(ctx)
	if err != nil {
		pod = p.last()
	}
	for _, ip := range pod.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// Listens implements [chaos.Contained]: the ports that the pod declares.
func (p *Pod) Listens() (out []uint16) {
	pod := p.last()
	for i := range pod.Spec.Containers {
		for _, port := range pod.Spec.Containers[i].Ports {
			if port.Protocol == "" || port.Protocol == kube.ProtocolTCP {
				out = append(out, uint16(port.ContainerPort))
			}
		}
	}
	return out
}

// Annotations of pods.
const (
	defaultContainer = "kubectl.kubernetes.io/default-container"
	mirrorPod        = "kubernetes.io/config.mirror"
)

// unmade returns why no agent can inject faults on a pod; nil means that one can.
func unmade(pod *kube.Pod) error {
	class := ""
	if pod.Spec.RuntimeClassName != nil {
		class = *pod.Spec.RuntimeClassName
	}
	switch {
	case pod.Annotations[mirrorPod] != "":
		return fmt.Errorf("the pod %s is one of its node's own", pod.Name)
	case pod.Spec.OS != nil && pod.Spec.OS.Name == kube.Windows:
		return fmt.Errorf("the pod %s is on Windows", pod.Name)
	case strings.Contains(class, "gvisor"), strings.Contains(class, "runsc"), strings.Contains(class, "kata"):
		return fmt.Errorf("the pod %s has a kernel of its own (runtime class %s), into which no agent on its node reaches",
			pod.Name, class)
	}
	return nil
}

// ownNetwork checks that a pod has a network of its own.
func ownNetwork(pod *kube.Pod) error {
	if pod.Spec.HostNetwork {
		return fmt.Errorf("the pod %s uses the network of its node (hostNetwork), where everything "+
			"else would be hit as well", pod.Name)
	}
	return unmade(pod)
}

// onNode is a pod's node as seen by [chaos.Node].
type onNode struct{ *Pod }

var _ chaos.Node = onNode{}

func (n onNode) Separate(ctx context.Context) error {
	pod, err := n.Now(ctx)
	if err == nil {
		err = ownNetwork(pod)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	return nil
}

func (n onNode) Life(ctx context.Context) (chaos.Life, error) {
	pod, err := n.Now(ctx)
	if err == nil {
		err = unmade(pod)
	}
	if err != nil {
		return chaos.Life{}, err
	}
	name, err := containerOf(pod, n.of.within)
	if err != nil {
		return chaos.Life{}, fmt.Errorf("%s: %w", n.Name(), err)
	}
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s kube.ContainerStatus) bool { return s.Name == name })
	if i < 0 || pod.Status.ContainerStatuses[i].State.Running == nil {
		return chaos.Life{}, fmt.Errorf("%w: the container %s of the pod %s does not run", chaos.ErrNoUnit, name, pod.Name)
	}
	s := pod.Status.ContainerStatuses[i]
	return chaos.Life{ID: idOf(s.ContainerID), Began: s.State.Running.StartedAt.Time}, nil
}

// idOf returns the id of a container without the prefix for its runtime.
func idOf(text string) string {
	_, id, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	return id
}

// Container returns the name of the container, in a pod of the unit, whose processes faults hit.
func (p *Pod) Container(pod *kube.Pod) (string, error) { return containerOf(pod, p.of.within) }

// containerOf returns the name of the container of a pod whose processes faults hit.
func containerOf(pod *kube.Pod, wanted string) (string, error) {
	var names []string
	for i := range pod.Spec.Containers {
		names = append(names, pod.Spec.Containers[i].Name)
	}
	name := cmp.Or(wanted, pod.Annotations[defaultContainer])
	switch {
	case name == "" && len(names) == 1:
		return names[0], nil
	case name == "":
		return "", fmt.Errorf("the pod %s has the containers %s: name one by target.kubernetes.services.NAME.container",
			pod.Name, strings.Join(names, ", "))
	case !slices.Contains(names, name):
		return "", noSuch("container", name, names, " in the pod "+pod.Name+", which has "+strings.Join(names, ", "))
	}
	return name, nil
}

func (n onNode) Agent(ctx context.Context) (string, error) {
	pod, err := n.Now(ctx)
	if err != nil {
		return "", err
	}
	return "node " + pod.Spec.NodeName, nil
}

func (n onNode) LendAgent(ctx context.Context) (io.ReadWriteCloser, error) {
	pod, err := n.Now(ctx)
	switch {
	case err != nil:
		return nil, err
	case n.t.Agents == nil:
		return nil, fmt.Errorf("%s: %w", n.Name(), errNoAgents)
	}
	return n.t.Agents.Processes(ctx, pod.Spec.NodeName)
}

func (n onNode) LendProxies(ctx context.Context) (io.ReadWriteCloser, error) {
	pod, err := n.withAgent(ctx)
	if err != nil {
		return nil, err
	}
	return n.t.Agents.Proxies(ctx, pod)
}

func (n onNode) ByAgent(undo []chaos.Undo) chaos.Undo { return n.t.Agents.ByAnother(n.last(), undo) }

func (n onNode) Revert(ctx context.Context, undo []chaos.Undo) (chaos.Outcome, error) {
	return n.t.Agents.Revert(ctx, undo)
}

func (n onNode) Near(ctx context.Context) (out []netip.Addr, err error) {
	pod, err := n.Now(ctx)
	if err != nil {
		return nil, err
	}
	for _, ip := range pod.Status.HostIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil {
			out = append(out, a)
		}
	}
	return out, nil
}
