package pod

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"

	corev1 "k8s.io/api/core/v1"
)

// Fail is the fault pod.fail. The images of its containers get a name that no runtime can parse: the pod's node ends the containers, with the
// grace that the pod gives them, and can't start them until the fault ends. The pod stays, with its name, its address and its node, and is
// not ready.
type Fail struct {
	cluster.Units `yaml:",inline"`
}

var _ chaos.Fault = (*Fail)(nil)

// Traits implements [chaos.Fault].
func (f *Fail) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Units.Traits(sc)
	t.Rights = append(t.Rights, cluster.Right(sc, "patch", "", "pods"))
	return t
}

// Plan implements [chaos.Fault].
func (f *Fail) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	units, err := f.Pods(ctx, env)
	if err != nil {
		return nil, err
	}
	var out []chaos.Step
	for _, u := range units {
		pod, err := u.Now(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, failStep(env, u, pod))
	}
	return out, nil
}

// failStep is the step that fails one pod.
//
// The API offers nothing else that keeps a pod down and can be taken back: a deletion or an eviction makes another pod, a deadline of the pod
// ends it for good, and commands in a container can't end its first process. A name that a runtime can parse would be looked for in a
// registry, which takes the node as long as the registry is silent: 10 s passed on the test cluster until the container was seen to be down.
func failStep(env chaos.Env, u *cluster.Pod, pod *corev1.Pod) chaos.Step {
	c := &cluster.Change{
		Target: u.Target(), Run: env.Run, Hits: []string{u.Name()}, UID: string(pod.UID), Takes: settles + cluster.Grace(*pod),
		What:   fmt.Sprintf("fail pod %s (%s, on %s, UID %s): its images get a name that can't be started", pod.Name, u.Name(), pod.Spec.NodeName, pod.UID),
		Object: kube.Ref{API: "v1", Resource: "pods", Namespace: pod.Namespace, Name: pod.Name},
	}
	for i := range pod.Spec.Containers {
		c.Edits = append(c.Edits, kube.Edit{
			Path: fmt.Sprintf("/spec/containers/%d/image", i), Prior: cluster.JSON(pod.Spec.Containers[i].Image), Ours: cluster.JSON("BRUNT/" + env.Run),
		})
	}
	now := func(ctx context.Context) (*corev1.Pod, error) {
		return u.Target().Pods(pod.Namespace).Get(ctx, pod.Name)
	}
	c.Effect = func(ctx context.Context) (string, error) {
		is, err := now(ctx)
		if err != nil {
			return "", err
		}
		for _, s := range is.Status.ContainerStatuses {
			if s.State.Waiting == nil {
				return "", fmt.Errorf("%s: the container %s of the pod %s does not wait: its grace may not be over", u.Name(), s.Name, pod.Name)
			}
		}
		if cluster.IsReady(is) || len(is.Status.ContainerStatuses) == 0 {
			return "", fmt.Errorf("%s: the pod %s is ready still", u.Name(), pod.Name)
		}
		return fmt.Sprintf("the containers of the pod %s wait (%s), and it is not ready", pod.Name, is.Status.ContainerStatuses[0].State.Waiting.Reason), nil
	}
	c.Over = func(ctx context.Context) (string, error) {
		is, err := now(ctx)
		if err == nil && !cluster.IsReady(is) {
			err = fmt.Errorf("%s: the pod %s is not ready again", u.Name(), pod.Name)
		}
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("the pod %s is ready again", pod.Name), nil
	}
	return c
}

// Describe implements [chaos.Described].
func (*Fail) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "pod.fail", New: func() chaos.Fault { return new(Fail) }, Undo: cluster.EditOperations(),
		Example: "{service: web, pick: one}",
		Effect:  chaos.Dies,
		On:      chaos.OnCluster,
		Doc:     "Ends the containers of a pod and keeps them down until the fault ends.",
	}
}
