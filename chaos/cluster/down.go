package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/chaos/kube"
)

// settles is the time beyond their grace within which containers must be down.
const settles = 10 * time.Second

// Down returns the change that ends a container of a pod and keeps it down; an empty name means all of its containers.
// The node ends them with the grace of the pod. The caller sets the description.
//
// The API offers nothing else that keeps a pod down and can be taken back: a deletion or an eviction makes another pod,
// a deadline of the pod ends it for good, and commands in a container can't end its first process. With a name that its
// runtime can parse, the node would ask a registry, and wait as long as that is silent: on the test cluster it took 10
// s until the container was seen to be down.
func (p *Pod) Down(pod *kube.Pod, run, container string) *Change {
	c := &Change{
		Target: p.t, Run: run, Hits: []string{p.Name()}, UID: string(pod.UID), Takes: settles + Grace(*pod),
		Object: kube.Ref{API: "v1", Resource: "pods", Namespace: pod.Namespace, Name: pod.Name},
	}
	for i := range pod.Spec.Containers {
		if s := &pod.Spec.Containers[i]; container == "" || s.Name == container {
			c.Edits = append(c.Edits, kube.Edit{
				Path: fmt.Sprintf("/spec/containers/%d/image", i), Prior: JSON(s.Image), Ours: JSON("BRUNT/" + run),
			})
		}
	}
	now := func(ctx context.Context) (*kube.Pod, error) {
		return kube.Pods(p.t.Cluster, pod.Namespace).Get(ctx, pod.Name)
	}
	c.Effect = func(ctx context.Context) (string, error) {
		is, err := now(ctx)
		if err != nil {
			return "", err
		}
		return p.isDown(is, container)
	}
	c.Over = func(ctx context.Context) (string, error) {
		is, err := now(ctx)
		if err != nil {
			return "", err
		}
		return p.isBack(is)
	}
	return c
}

// badName is the reason that the kubelet gives when the image of a waiting container can't be parsed.
const badName = "InvalidImageName"

// isBack proves that the node of a pod starts its containers again. It does not wait until they are ready: that is the
// pod's recovery, which the run measures. A node delays each further start of a container that ends again and again, by
// up to five minutes.
func (p *Pod) isBack(is *kube.Pod) (string, error) {
	waits := ""
	for _, s := range is.Status.ContainerStatuses {
		w := s.State.Waiting
		switch {
		case w == nil:
		case w.Reason == badName:
			return "", fmt.Errorf("%s: the container %s of the pod %s waits still: %s", p.Name(), s.Name, is.Name, w.Message)
		default:
			waits = fmt.Sprintf(": the container %s waits (%s %s)", s.Name, w.Reason, w.Message)
		}
	}
	if IsReady(is) {
		return fmt.Sprintf("the pod %s is ready again", is.Name), nil
	}
	return fmt.Sprintf("the pod %s has its images again, and is not ready yet%s", is.Name, waits), nil
}

// isDown proves that a container of a pod is down, or all of them, and that the pod is not ready.
func (p *Pod) isDown(is *kube.Pod, container string) (string, error) {
	of := slices.Clone(is.Status.ContainerStatuses)
	if container != "" {
		of = slices.DeleteFunc(of, func(s kube.ContainerStatus) bool { return s.Name != container })
	}
	for _, s := range of {
		if s.State.Waiting == nil {
			return "", fmt.Errorf("%s: the container %s of the pod %s does not wait: its grace may not be over", p.Name(),
				s.Name, is.Name)
		}
	}
	if IsReady(is) || len(of) == 0 {
		return "", fmt.Errorf("%s: the pod %s is ready still", p.Name(), is.Name)
	}
	what := "the containers of the pod " + is.Name + " wait"
	if container != "" {
		what = fmt.Sprintf("the container %s of the pod %s waits", container, is.Name)
	}
	return fmt.Sprintf("%s (%s), and it is not ready", what, of[0].State.Waiting.Reason), nil
}
