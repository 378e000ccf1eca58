package cluster

import "brunt/chaos/kube"

// OwnLabels are those of what a run makes in a cluster as a part of brunt; [PartLabel] is left out of an empty part.
func OwnLabels(run, part string) map[string]string {
	labels := map[string]string{"app.kubernetes.io/name": "brunt", RunLabel: run}
	if part != "" {
		labels[PartLabel] = part
	}
	return labels
}

// OwnPod is a pod of brunt's own: one container, named as well, runs brunt's image with arguments. It has no account of
// the cluster, learns of no service, and its last output says why it failed. Callers add what it may and needs.
func OwnPod(container, image string, args ...string) kube.PodSpec {
	no := false
	return kube.PodSpec{
		RestartPolicy: kube.RestartPolicyNever, AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
		Containers: []kube.Container{{
			Name: container, Image: image, ImagePullPolicy: kube.PullIfNotPresent, Args: args,
			TerminationMessagePolicy: kube.TerminationMessageFallbackToLogsOnError,
		}},
	}
}
