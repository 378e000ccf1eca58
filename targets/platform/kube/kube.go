package kube

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios/template"
	"brunt/targets/platform"
)

// serviceLabel is the label of pods that names their service.
const serviceLabel = "app.kubernetes.io/component"

// container is the name of the container of every pod.
const container = "app"

// Options are the settings of a run for a stack.
type Options struct {
	Image       string                      // image of every pod
	PullSecrets []kube.LocalObjectReference // with which nodes fetch it
	Labels      map[string]string           // labels of all objects, which identify those of a run
	Pod         *kube.PodSecurityContext
	Container   *kube.SecurityContext
}

// Objects are the manifests of a stack.
type Objects struct {
	Services []kube.Service
	Sets     []kube.StatefulSet
}

// EntryName returns the name of the Service with an address of its own, which the load uses.
func EntryName(s platform.Spec) string { return s.Entry + "-entry" }

// PodName returns the name of the pod of a replica.
func PodName(service string, index int) string { return service + "-" + strconv.Itoa(index) }

// Manifests returns the manifests of a stack.
func Manifests(s platform.Spec, o Options) (Objects, error) {
	var out Objects
	for i := range s.Services {
		svc := &s.Services[i]
		set, err := o.set(&s, svc)
		if err != nil {
			return out, fmt.Errorf("%s: %w", svc.Name, err)
		}
		out.Services, out.Sets = append(out.Services, o.service(svc, svc.Name, kube.ClusterIPNone)), append(out.Sets, set)
		if svc.Name == s.Entry {
			out.Services = append(out.Services, o.service(svc, EntryName(s), ""))
		}
	}
	return out, nil
}

// of returns the labels of the objects of a service.
func (o *Options) of(service string) map[string]string {
	out := maps.Clone(o.Labels)
	out[serviceLabel] = service
	return out
}

func (o *Options) service(s *platform.Service, name, address string) kube.Service {
	return kube.Service{
		ObjectMeta: kube.ObjectMeta{Name: name, Labels: o.of(s.Name)},
		Spec: kube.ServiceSpec{
			Selector: o.of(s.Name), ClusterIP: address, PublishNotReadyAddresses: true,
			Ports: []kube.ServicePort{{Port: int32(s.Port)}},
		},
	}
}

func (o *Options) set(of *platform.Spec, s *platform.Service) (kube.StatefulSet, error) {
	pod, err := o.pod(of, s)
	replicas := int32(s.Replicas)
	return kube.StatefulSet{
		ObjectMeta: kube.ObjectMeta{Name: s.Name, Labels: o.of(s.Name)},
		Spec: kube.StatefulSetSpec{
			Replicas: &replicas, ServiceName: s.Name, PodManagementPolicy: kube.ParallelPodManagement,
			Selector: &kube.LabelSelector{MatchLabels: o.of(s.Name)},
			Template: kube.PodTemplateSpec{ObjectMeta: kube.ObjectMeta{Labels: o.of(s.Name)}, Spec: pod},
		},
	}, err
}

// The resources that a pod requests, which fit into a small cluster, and scratch, the only folder that it can write
// to.
const (
	askCPU    = "25m"
	askMemory = "32Mi"
	scratch   = "/tmp"
)

func (o *Options) pod(of *platform.Spec, s *platform.Service) (kube.PodSpec, error) {
	no, grace := false, int64((s.Grace+time.Second-1)/time.Second)
	c := kube.Container{
		Name: container, Image: o.Image, ImagePullPolicy: kube.PullIfNotPresent, SecurityContext: o.Container,
		Ports: []kube.ContainerPort{{ContainerPort: int32(s.Port)}},
		ReadinessProbe: &kube.Probe{
			ProbeHandler: check(s), PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: 3,
		},
		VolumeMounts:             []kube.VolumeMount{{Name: "scratch", MountPath: scratch}},
		TerminationMessagePolicy: kube.TerminationMessageFallbackToLogsOnError,
		Resources: kube.ResourceRequirements{Requests: kube.ResourceList{
			kube.ResourceCPU: kube.Quantity(askCPU), kube.ResourceMemory: kube.Quantity(askMemory),
		}},
	}
	if s.Liveness {
		c.LivenessProbe = &kube.Probe{ProbeHandler: check(s), PeriodSeconds: 2, TimeoutSeconds: 2, FailureThreshold: 5}
	}
	it := &template.Iter{Env: &template.Env{Units: map[string]string{}}}
	var err error
	if c.Args, err = s.Command.Arguments(it); err != nil {
		return kube.PodSpec{}, err
	}
	links := func(to string) (out []string) {
		other := of.Service(to)
		for i := range other.Replicas {
			out = append(out, fmt.Sprintf("%s.%s:%d", PodName(to, i), to, other.Port))
		}
		return out
	}
	env, err := s.Environment(map[string]string{"BRUNT_ADDR": fmt.Sprintf("0.0.0.0:%d", s.Port)}, 0, links, it)
	if err != nil {
		return kube.PodSpec{}, err
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		c.Env = append(c.Env, kube.EnvVar{Name: name, Value: value})
	}
	if !slices.ContainsFunc(c.Env, func(v kube.EnvVar) bool { return v.Name == "BRUNT_UNIT" }) {
		c.Env = append(c.Env, kube.EnvVar{
			Name: "BRUNT_UNIT", ValueFrom: &kube.EnvVarSource{FieldRef: &kube.ObjectFieldSelector{FieldPath: "metadata.name"}},
		})
	}
	return kube.PodSpec{
		Containers: []kube.Container{c}, ImagePullSecrets: o.PullSecrets, SecurityContext: o.Pod,
		TerminationGracePeriodSeconds: &grace,
		AutomountServiceAccountToken:  &no, EnableServiceLinks: &no,
		Volumes: []kube.Volume{{Name: "scratch", VolumeSource: kube.VolumeSource{EmptyDir: &kube.EmptyDirVolumeSource{}}}},
	}, nil
}

// check converts the readiness check of a service into a probe, which the node of the pod runs.
func check(s *platform.Service) kube.ProbeHandler {
	if s.Ready.Get == "" {
		return kube.ProbeHandler{TCPSocket: &kube.TCPSocketAction{Port: kube.FromInt(s.Port)}}
	}
	return kube.ProbeHandler{HTTPGet: &kube.HTTPGetAction{Path: s.Ready.Get, Port: kube.FromInt(s.Port)}}
}
