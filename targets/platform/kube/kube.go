package kube

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/template"
	"brunt/targets/platform"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// serviceLabel is the label of pods that names their service.
const serviceLabel = "app.kubernetes.io/component"

// container is the name of the container of every pod.
const container = "app"

// Options say what a run makes of a stack.
type Options struct {
	Image     string            // that every pod runs
	Labels    map[string]string // of all objects, which tell those of a run
	Pod       *corev1.PodSecurityContext
	Container *corev1.SecurityContext
}

// Objects are the manifests of a stack.
type Objects struct {
	Services []corev1.Service
	Sets     []appsv1.StatefulSet
}

// EntryName is the name of the Service with an address of its own, to which the load goes.
func EntryName(s platform.Spec) string { return s.Entry + "-entry" }

// PodName is the name of the pod of a replica.
func PodName(service string, index int) string { return service + "-" + strconv.Itoa(index) }

// Manifests are those of a stack.
func Manifests(s platform.Spec, o Options) (Objects, error) {
	var out Objects
	for i := range s.Services {
		svc := &s.Services[i]
		set, err := o.set(&s, svc)
		if err != nil {
			return out, fmt.Errorf("%s: %w", svc.Name, err)
		}
		out.Services, out.Sets = append(out.Services, o.service(svc, svc.Name, corev1.ClusterIPNone)), append(out.Sets, set)
		if svc.Name == s.Entry {
			out.Services = append(out.Services, o.service(svc, EntryName(s), ""))
		}
	}
	return out, nil
}

// of are the labels of what is of a service.
func (o *Options) of(service string) map[string]string {
	out := maps.Clone(o.Labels)
	out[serviceLabel] = service
	return out
}

func (o *Options) service(s *platform.Service, name, address string) corev1.Service {
	return corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: o.of(s.Name)},
		Spec: corev1.ServiceSpec{
			Selector: o.of(s.Name), ClusterIP: address, PublishNotReadyAddresses: true, Ports: []corev1.ServicePort{{Port: int32(s.Port)}},
		},
	}
}

func (o *Options) set(of *platform.Spec, s *platform.Service) (appsv1.StatefulSet, error) {
	pod, err := o.pod(of, s)
	replicas := int32(s.Replicas)
	return appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name, Labels: o.of(s.Name)},
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas, ServiceName: s.Name, PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector: &metav1.LabelSelector{MatchLabels: o.of(s.Name)},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: o.of(s.Name)}, Spec: pod},
		},
	}, err
}

// What a pod asks for, so that it has a place in a small cluster, and scratch its only folder to write to.
const (
	askCPU    = "25m"
	askMemory = "32Mi"
	scratch   = "/tmp"
)

func (o *Options) pod(of *platform.Spec, s *platform.Service) (corev1.PodSpec, error) {
	no, grace := false, int64((s.Grace+time.Second-1)/time.Second)
	c := corev1.Container{
		Name: container, Image: o.Image, ImagePullPolicy: corev1.PullIfNotPresent, SecurityContext: o.Container,
		Ports:                    []corev1.ContainerPort{{ContainerPort: int32(s.Port)}},
		ReadinessProbe:           &corev1.Probe{ProbeHandler: check(s), PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: 3},
		VolumeMounts:             []corev1.VolumeMount{{Name: "scratch", MountPath: scratch}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(askCPU), corev1.ResourceMemory: resource.MustParse(askMemory),
		}},
	}
	if s.Liveness {
		c.LivenessProbe = &corev1.Probe{ProbeHandler: check(s), PeriodSeconds: 2, TimeoutSeconds: 2, FailureThreshold: 5}
	}
	it := &template.Iter{Env: &template.Env{Units: map[string]string{}}}
	var err error
	if c.Args, err = s.Command.Arguments(it); err != nil {
		return corev1.PodSpec{}, err
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
		return corev1.PodSpec{}, err
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value})
	}
	if !slices.ContainsFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == "BRUNT_UNIT" }) {
		c.Env = append(c.Env, corev1.EnvVar{
			Name: "BRUNT_UNIT", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}},
		})
	}
	return corev1.PodSpec{
		Containers: []corev1.Container{c}, SecurityContext: o.Pod, TerminationGracePeriodSeconds: &grace,
		AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
		Volumes: []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}, nil
}

// check is the readiness check of a service, as the node of its pod makes it.
func check(s *platform.Service) corev1.ProbeHandler {
	if s.Ready.Get == "" {
		return corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt(s.Port)}}
	}
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: s.Ready.Get, Port: intstr.FromInt(s.Port)}}
}
