package agents

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
)

// port is the port on which the pod of an agent listens, on its own loopback.
const port = 7098

// stateAt is the directory in the pod with the journal of the agent.
const stateAt = "/var/lib/brunt"

const (
	program  = "agent"          // brunt's command, and the name of the container
	graceFor = 20 * time.Second // to revert everything at the end of a pod
	late     = time.Hour        // time that a pod may go on beyond the longest time of its run
	groups   = "/sys/fs/cgroup" // control groups of the node
)

// Settings are the settings of the agents of a run.
type Settings struct {
	Run       string        `json:"run"`
	Place     cluster.Place `json:"place"`     // namespace of the pods that faults hit
	Namespace string        `json:"namespace"` // namespace of the agents
	Image     string        `json:"image"`     // image of brunt
	// Secrets of Namespace, with which nodes fetch the image
	PullSecrets []string      `json:"pull_secrets,omitempty"`
	Rights      chaos.Rights  `json:"rights"`
	Lasts       time.Duration `json:"lasts"` // longest time that the run takes
	// Key of the run, with which it signs what another agent is to execute; nil: [New] makes one
	Key ed25519.PrivateKey `json:"-"`
}

// undoesLabel is the label of a pod that only reverts what the agent of another pod did.
const undoesLabel = "brunt.dev/undoes"

// targetLabel is the label of agents that names the namespace that their run hits.
const targetLabel = "brunt.dev/target"

// keyFlag is the flag of an agent's program that names the public key of its run.
const keyFlag = "--key"

// selector selects the pods of the run's agents.
func (s *Settings) selector() kube.Query {
	return kube.Query{Labels: cluster.RunLabel + "=" + s.Run + "," + cluster.PartLabel + "=" + cluster.AgentPart}
}

// pod returns a pod on a node that runs brunt with arguments: an agent, or a program that reverts what an agent did. It
// bypasses the scheduler, so no lack of room keeps it off, and it tolerates every taint.
func (s *Settings) pod(node string, agent bool, args ...string) *kube.Pod {
	no, root, grace, most := false, int64(0), int64(graceFor/time.Second), int64((s.Lasts+late)/time.Second)
	spec := cluster.OwnPod(program, s.Image, s.PullSecrets, args...)
	spec.NodeName, spec.HostPID = node, true
	spec.TerminationGracePeriodSeconds, spec.ActiveDeadlineSeconds = &grace, &most
	spec.Tolerations = []kube.Toleration{{Operator: kube.TolerationOpExists}}
	c := &spec.Containers[0]
	c.SecurityContext = &kube.SecurityContext{
		RunAsUser: &root, RunAsGroup: &root, RunAsNonRoot: &no, Privileged: &no,
		Capabilities:    &kube.Capabilities{Drop: []kube.Capability{"ALL"}},
		SeccompProfile:  &kube.SeccompProfile{Type: kube.SeccompProfileTypeUnconfined},
		AppArmorProfile: &kube.AppArmorProfile{Type: kube.AppArmorProfileTypeUnconfined},
		SELinuxOptions:  &kube.SELinuxOptions{Type: "spc_t"},
	}
	for _, of := range s.Rights.Caps {
		c.SecurityContext.Capabilities.Add = append(c.SecurityContext.Capabilities.Add, kube.Capability(of))
	}
	if s.Rights.Cgroups {
		spec.Volumes = []kube.Volume{
			{Name: "cgroup", VolumeSource: kube.VolumeSource{HostPath: &kube.HostPathVolumeSource{Path: groups}}},
		}
		c.VolumeMounts = []kube.VolumeMount{{Name: "cgroup", MountPath: groups}}
	}
	if agent {
		spec.RestartPolicy = kube.RestartPolicyOnFailure // the restarted container reverts what a killed one has left
		spec.Volumes = append(spec.Volumes, kube.Volume{
			Name: "state", VolumeSource: kube.VolumeSource{EmptyDir: &kube.EmptyDirVolumeSource{}},
		})
		c.VolumeMounts = append(c.VolumeMounts, kube.VolumeMount{Name: "state", MountPath: stateAt})
		c.Args = append(c.Args, "--state", stateAt+"/journal")
	}
	labels := cluster.OwnLabels(s.Run, cluster.AgentPart)
	labels[targetLabel] = s.Place.Namespace
	return &kube.Pod{
		ObjectMeta: kube.ObjectMeta{
			Name: "brunt-agent-" + s.Run + "-" + strings.ToLower(rand.Text()[:8]), Labels: labels,
		},
		Spec: spec,
	}
}

// Admitted asks the cluster whether it would accept an agent on a node. It changes nothing.
func Admitted(ctx context.Context, c *kube.Cluster, s Settings, node string) error {
	_, err := kube.Pods(c, s.Namespace).Create(ctx, s.pod(node, true, program), true)
	return s.refused(err)
}

// refused adds to the refusal of a pod the setting that lets the cluster accept it.
func (s *Settings) refused(err error) error {
	switch {
	case kube.Is(err, kube.NotFound):
		err = fmt.Errorf("%w; `kubectl create namespace %s` makes it, and target.kubernetes.agent_namespace names another",
			err, s.Namespace)
	case err != nil && strings.Contains(err.Error(), "violates PodSecurity"):
		err = fmt.Errorf("%w; `kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged` lets such pods in",
			err, s.Namespace)
	}
	return err
}

// state describes the pod of an agent: whether it runs, or has ended; otherwise why it waits, and whether in vain.
func (s *Settings) state(p *kube.Pod) (running, ended bool, why string, vain bool) {
	why, vain = cluster.WaitsFor(p, "the pod "+p.Name, s.Image)
	running, ended = p.Status.Phase == kube.PodRunning && p.DeletionTimestamp == nil,
		hasEnded(p) || p.DeletionTimestamp != nil
	if p.Spec.RestartPolicy != kube.RestartPolicyOnFailure {
		return running, ended, why, vain
	}
	for _, c := range p.Status.ContainerStatuses { // a container that is started again belongs to a running pod
		for _, of := range []*kube.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
			if of != nil {
				running, ended, why = false, true, fmt.Sprintf("the pod %s ended with %d: %s", p.Name, of.ExitCode, of.Message)
			}
		}
		running = running && c.State.Running != nil
	}
	return running, ended, why, vain
}

func hasEnded(p *kube.Pod) bool {
	return p.Status.Phase == kube.PodFailed || p.Status.Phase == kube.PodSucceeded
}
