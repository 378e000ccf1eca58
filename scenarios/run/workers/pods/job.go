package pods

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/oci"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// port is the port on its own loopback at which a pod listens.
const port = 7099

// Names in the objects that a run makes.
const (
	labelIndex = "batch.kubernetes.io/job-completion-index"
	container  = "worker"
)

// Settings of a Job.
const (
	keptFor   = 5 * time.Minute  // time until the cluster deletes an ended Job that brunt did not delete
	spare     = 15 * time.Minute // time limit of the Job beyond the length of the run
	user      = 65532            // user id of the program
	ofMemory  = .9               // share of its memory from which on the program collects garbage more often
	nameMost  = 52               // maximum characters of the name; the names of pods are longer
	milliCPUs = 1000
)

// Settings are the settings of the workers of one run.
type Settings struct {
	scenarios.Workers
	Run   string        // id of the run
	Image string        // image of the pods
	Lasts time.Duration // maximum length of the run
}

// name returns the name of the Job.
func (s *Settings) name() string {
	name := "brunt-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(s.Run))
	return strings.Trim(name[:min(len(name), nameMost)], "-")
}

// first returns how long a pod waits for the first contact to its run.
func (s *Settings) first() time.Duration { return s.Join.D() + s.Patience.D() }

// job returns the Job with n pods, each of which knows the public key.
func (s *Settings) job(n int, public string) *kube.Job {
	labels := cluster.OwnLabels(s.Run, "")
	count, none, ttl, indexed := int32(n), int32(0), int32(keptFor/time.Second), kube.IndexedCompletion
	replace := kube.ReplaceFailed
	deadline := int64((s.Lasts + s.Join.D() + spare) / time.Second)
	return &kube.Job{
		ObjectMeta: kube.ObjectMeta{Name: s.name(), Labels: labels},
		Spec: kube.JobSpec{
			Completions: &count, Parallelism: &count, CompletionMode: &indexed, BackoffLimitPerIndex: &none,
			MaxFailedIndexes:     &count,
			PodReplacementPolicy: &replace, TTLSecondsAfterFinished: &ttl, ActiveDeadlineSeconds: &deadline,
			PodFailurePolicy: &kube.PodFailurePolicy{Rules: []kube.PodFailurePolicyRule{{
				Action: kube.PodFailurePolicyActionFailIndex,
				OnPodConditions: []kube.PodFailurePolicyOnPodConditionsPattern{{
					Type:   kube.DisruptionTarget,
					Status: kube.ConditionTrue,
				}},
			}}},
			Template: kube.PodTemplateSpec{
				ObjectMeta: kube.ObjectMeta{
					Labels:      maps.Clone(labels),
					Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
				},
				Spec: s.pod(labels, public),
			},
		},
	}
}

// pod returns the pod of one worker. It meets the restricted level of pod security.
func (s *Settings) pod(labels map[string]string, public string) kube.PodSpec {
	group := int64(user)
	spec := cluster.OwnPod(container, s.Image, s.PullSecrets,
		"worker", "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--run", s.Run, "--key", public,
		"--patience", quantity.FormatDuration(s.Patience.D()), "--first", quantity.FormatDuration(s.first()))
	spec.NodeSelector, spec.SecurityContext = s.Nodes, kube.Restricted(user)
	spec.Affinity = json.RawMessage(s.Affinity)
	spec.SecurityContext.FSGroup = &group // the program writes to its volume
	spec.Volumes = []kube.Volume{{
		Name:         "tmp",
		VolumeSource: kube.VolumeSource{EmptyDir: &kube.EmptyDirVolumeSource{}},
	}}
	c := &spec.Containers[0]
	c.Env = []kube.EnvVar{
		{Name: "GOMAXPROCS", Value: strconv.Itoa(int(math.Ceil(float64(s.CPU))))},
		{Name: "GOMEMLIMIT", Value: strconv.FormatInt(int64(float64(s.Memory)*ofMemory), 10)},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		c.Env = append(c.Env, variable(name, s.Env[name]))
	}
	c.Resources, c.SecurityContext = s.resources(), kube.RestrictedContainer()
	c.VolumeMounts = []kube.VolumeMount{{Name: "tmp", MountPath: oci.Folder}}
	if key := map[string]string{
		"host": "kubernetes.io/hostname", "zone": "topology.kubernetes.io/zone",
	}[s.Spread]; key != "" {
		spec.TopologySpreadConstraints = []kube.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: kube.ScheduleAnyway,
			LabelSelector: &kube.LabelSelector{MatchLabels: labels},
		}}
	}
	for _, text := range s.Tolerate {
		t, err := scenarios.ParseToleration(text)
		if err != nil { // not possible, because the scenario was checked
			continue
		}
		op := kube.TolerationOpEqual
		if t.Value == "" {
			op = kube.TolerationOpExists
		}
		spec.Tolerations = append(spec.Tolerations,
			kube.Toleration{Key: t.Key, Value: t.Value, Operator: op, Effect: kube.TaintEffect(t.Effect)})
	}
	return spec
}

// variable returns a variable of the environment of a pod.
func variable(name string, v scenarios.WorkerVariable) kube.EnvVar {
	if v.Secret == "" {
		return kube.EnvVar{Name: name, Value: v.Text}
	}
	return kube.EnvVar{Name: name, ValueFrom: &kube.EnvVarSource{SecretKeyRef: &kube.SecretKeySelector{
		LocalObjectReference: kube.LocalObjectReference{Name: v.Secret}, Key: v.Key,
	}}}
}

// resources returns the requests and limits of a pod.
func (s *Settings) resources() kube.ResourceRequirements {
	cpus := func(n quantity.Processors) kube.Quantity { return kube.Milli(int64(math.Ceil(float64(n) * milliCPUs))) }
	memory := kube.Bytes(int64(s.Memory))
	r := kube.ResourceRequirements{
		Requests: kube.ResourceList{kube.ResourceCPU: cpus(s.CPU), kube.ResourceMemory: memory},
		Limits:   kube.ResourceList{kube.ResourceMemory: memory},
	}
	if s.CPULimit > 0 {
		r.Limits[kube.ResourceCPU] = cpus(s.CPULimit)
	}
	return r
}
