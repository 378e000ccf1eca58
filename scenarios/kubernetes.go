// Faults hit pods that run already: those of workloads in a namespace that the scenario names.
//
//	target: {url: …, kubernetes: {context: staging, namespace: shop, services: {web: {deployment: web}}}}
//	                                       |                                    |
//	           guard.allow.chaos: [kubernetes/staging/shop]          pod.delete: {service: web}

package scenarios

import (
	"cmp"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Kubernetes says which pods of a cluster faults hit: the pods of workloads in one namespace. The workloads run
// already, or the run makes them from a built-in stack.
type Kubernetes struct {
	syntax.Place
	// the context of the kubeconfig to use; in-cluster is the service account of the pod that brunt runs in
	Context string `yaml:"context,required"`
	// the namespace of the workloads; optional for a built-in stack, where zero is one that the run makes and deletes
	Namespace string `yaml:"namespace"`
	// only workloads that have all of these labels; a label with an empty value matches any value; zero is all
	// workloads
	Selector map[string]string `yaml:"selector"`
	// the services, by the names that faults use; zero is every deployment and stateful set, under its own name
	Services map[string]KubernetesService `yaml:"services"`
	// what takes faults back if brunt or its machine is lost: pod is a watchdog in the namespace, which runs while a
	// run has faults that the Kubernetes API has to take back; none leaves the faults in until `brunt revert`; zero
	// is pod
	Watchdog string `yaml:"watchdog,oneof=pod|none"`
	// the source of the CPU and memory that pods use: metrics is the API metrics.k8s.io of metrics-server, a mean
	// over about 15 s; kubelet asks each node, which updates its figures about every 10 s, and needs the right to get
	// nodes/proxy, which also lets its holder execute programs in all pods; none measures nothing; zero is metrics
	// where the cluster serves it, else kubelet where brunt already has the right
	Usage string `yaml:"usage,oneof=metrics|kubelet|none"`
	// what makes the faults that the Kubernetes API can't make, such as packet loss: node is a pod that is root on
	// each node with pods of the target, and runs while a run has such faults; none is no agent, so such faults are
	// not possible; zero is node
	Agent string `yaml:"agent,oneof=node|none"`
	// the namespace of the agents' pods; it must exist and allow privileged pods; zero is brunt-agents, or one that
	// the run makes and deletes where it also makes the namespace of the workloads
	AgentNamespace string `yaml:"agent_namespace"`
	// the image of brunt for the watchdog, the agents and the built-in stack; zero is $BRUNT_IMAGE, else the image
	// that `brunt image` writes
	Image string `yaml:"image"`
	// Secrets with which nodes fetch the image, in the namespace of each pod: the target's, and the agents'
	PullSecrets []string `yaml:"pull_secrets"`

	Asks        bool `yaml:"-"` // brunt asks the pods, by `watch` or for their leader
	Brings      bool `yaml:"-"` // the run makes the workloads
	Makes       bool `yaml:"-"` // the run makes the namespace of the workloads as well
	MakesAgents bool `yaml:"-"` // the run makes the namespace of the agents as well
}

// NoWatchdog is the value of [Kubernetes.Watchdog] for no watchdog.
const NoWatchdog = "none"

// Values of [Kubernetes.Usage].
const (
	MetricsUsage = "metrics"
	KubeletUsage = "kubelet"
	NoUsage      = "none"
)

// NoAgent is the value of [Kubernetes.Agent] for no agents.
const NoAgent = "none"

// Agents returns the namespace of the agents, with its default.
func (t *Kubernetes) Agents() string { return cmp.Or(t.AgentNamespace, "brunt-agents") }

// KubernetesService is a service on Kubernetes. It names exactly one of deployment, statefulset, daemonset and pods.
type KubernetesService struct {
	syntax.Place
	Deployment  string            `yaml:"deployment"`  // its name
	StatefulSet string            `yaml:"statefulset"` // its name; a unit has the ordinal of its pod
	DaemonSet   string            `yaml:"daemonset"`   // its name
	Pods        map[string]string `yaml:"pods"`        // labels that select the pods: a pod must have all of them
	// the container whose processes faults hit; zero is the only container of a pod, else the one that the annotation
	// kubectl.kubernetes.io/default-container names
	Container string `yaml:"container"`
	// the port at which each pod is asked, by `watch` and for its leader; zero is the first TCP port that the container
	// declares. brunt reaches it through the API server
	Port int `yaml:"port,min=1,max=65535"`
}

// The kinds of workloads, as in paths of the Kubernetes API.
const (
	Deployments  = "deployments"
	StatefulSets = "statefulsets"
	DaemonSets   = "daemonsets"
)

// Workload returns the kind and name of the service's workload. Both are empty for pods that labels select.
func (s *KubernetesService) Workload() (kind, name string) {
	switch {
	case s.Deployment != "":
		return Deployments, s.Deployment
	case s.StatefulSet != "":
		return StatefulSets, s.StatefulSet
	case s.DaemonSet != "":
		return DaemonSets, s.DaemonSet
	}
	return "", ""
}

// prefix begins each entry of guard.allow.chaos that names a namespace of a cluster.
const prefix = "kubernetes/"

// ClusterName returns the entry of guard.allow.chaos for a namespace of a cluster.
func ClusterName(context, namespace string) string { return prefix + context + "/" + namespace }

// parseClusterName reports whether an entry of guard.allow.chaos names a namespace of a cluster, and whether it is
// well-formed. A context may contain slashes.
func parseClusterName(entry string) (is, ok bool) {
	of, is := strings.CutPrefix(entry, prefix)
	i := strings.LastIndexByte(of, '/')
	return is, i > 0 && i < len(of)-1 && !strings.ContainsAny(of, "* ")
}

// Check notes mistakes in the settings that can be found without the cluster. taken lists names that no service may
// have.
func (t *Kubernetes) Check(m *syntax.Mistakes, taken ...string) {
	if len(t.Services) > 0 && len(t.Selector) > 0 {
		m.Add(t.Of("selector"), "`selector` selects the workloads where none is named, and `services` names them")
	}
	for name, s := range t.Services {
		if !syntax.IsName(name) || slices.Contains(taken, name) {
			m.Add(s.At, "%q can't name a service: a-z, 0-9 and -, beginning with a letter, and not load or target",
				syntax.Clip(name, 40))
			continue
		}
		given := 0
		for _, has := range []bool{s.Deployment != "", s.StatefulSet != "", s.DaemonSet != "", len(s.Pods) > 0} {
			if has {
				given++
			}
		}
		if given != 1 {
			m.AddHint(s.At, "such as {deployment: "+name+"} or {pods: {app: "+name+"}}",
				"the service %q wants exactly one of deployment, statefulset, daemonset and pods", name)
		}
	}
}
