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

// Kubernetes says which pods of a cluster faults hit: those of workloads in one namespace, which run already, or which
// the run makes of a built-in stack.
type Kubernetes struct {
	syntax.Place
	// of the kubeconfig; in-cluster is the service account of the pod that brunt runs in
	Context string `yaml:"context,required"`
	// of the workloads; for a built-in stack it is optional, and zero is one that the run makes and deletes
	Namespace string `yaml:"namespace"`
	// labels of the workloads, all of them; an empty value is any; zero is all workloads
	Selector map[string]string `yaml:"selector"`
	// the services by the names that faults use; zero is every deployment and stateful set, by its own name
	Services map[string]KubernetesService `yaml:"services"`
	// what takes faults back when brunt and its machine are gone: pod is a watchdog in the namespace, for the time of a
	// run with faults that the API has to take back; none leaves them there until `brunt revert`; zero is pod
	Watchdog string `yaml:"watchdog,oneof=pod|none"`
	// what tells how much CPU and memory the pods use: metrics is the API metrics.k8s.io, which metrics-server serves, by
	// a mean over some 15 s; kubelet is what each node itself tells every 10 s or so, for which brunt needs the right to
	// get nodes/proxy, which lets its holder execute programs in all pods as well; none asks nothing; zero is metrics
	// where the cluster has that, else kubelet where brunt has the right already
	Usage string `yaml:"usage,oneof=metrics|kubelet|none"`
	// what makes the faults that the API can't make, such as those on packets: node is a pod on each node with pods of the
	// target, for the time of a run with such faults, which is root there; none is nothing; zero is node
	Agent string `yaml:"agent,oneof=node|none"`
	// where they run; it exists, and its pods may have such rights; zero is brunt-agents, or one that the run makes and
	// deletes where it makes that of the workloads
	AgentNamespace string `yaml:"agent_namespace"`
	// of brunt, for the watchdog, the agents and the built-in stack; zero is BRUNT_IMAGE, else the one that `brunt image`
	// writes
	Image string `yaml:"image"`

	Brings      bool `yaml:"-"` // the run makes the workloads
	Makes       bool `yaml:"-"` // and their namespace
	MakesAgents bool `yaml:"-"` // and that of the agents
}

// NoWatchdog is the value of Target.Watchdog for a cluster in which none runs.
const NoWatchdog = "none"

// Values of Target.Usage.
const (
	MetricsUsage = "metrics"
	KubeletUsage = "kubelet"
	NoUsage      = "none"
)

// NoAgent is the value of Target.Agent for a cluster on whose nodes none runs.
const NoAgent = "none"

// Agents is the namespace of the agents.
func (t *Kubernetes) Agents() string { return cmp.Or(t.AgentNamespace, "brunt-agents") }

// KubernetesService is a service on Kubernetes: exactly one of deployment, statefulset, daemonset and pods.
type KubernetesService struct {
	syntax.Place
	Deployment  string            `yaml:"deployment"`  // its name
	StatefulSet string            `yaml:"statefulset"` // its name; a unit has the ordinal of its pod
	DaemonSet   string            `yaml:"daemonset"`   // its name
	Pods        map[string]string `yaml:"pods"`        // labels of the pods, all of them
	// whose processes faults hit; zero is the only container of a pod, else the one that
	// kubectl.kubernetes.io/default-container names
	Container string `yaml:"container"`
}

// The kinds of workloads, as paths of the API have them.
const (
	Deployments  = "deployments"
	StatefulSets = "statefulsets"
	DaemonSets   = "daemonsets"
)

// Workload is the workload of the service: its kind, and its name; empty for pods that labels select.
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

// prefix begins the name of a namespace of a cluster in guard.allow.chaos.
const prefix = "kubernetes/"

// ClusterName is how guard.allow.chaos names a namespace of a cluster.
func ClusterName(context, namespace string) string { return prefix + context + "/" + namespace }

// parseClusterName reports whether an entry of guard.allow.chaos is a namespace of a cluster, and whether it is a right
// one. A context may have slashes.
func parseClusterName(entry string) (is, ok bool) {
	of, is := strings.CutPrefix(entry, prefix)
	i := strings.LastIndexByte(of, '/')
	return is, i > 0 && i < len(of)-1 && !strings.ContainsAny(of, "* ")
}

// Check notes mistakes in the settings, as far as they are known without the cluster. Taken are names that no service
// may have.
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
