package cluster

import "brunt/chaos/kube"

// OwnLabels returns the labels of the objects that a run makes in a cluster. An empty part leaves out [PartLabel].
func OwnLabels(run, part string) map[string]string {
	labels := map[string]string{"app.kubernetes.io/name": "brunt", RunLabel: run}
	if part != "" {
		labels[PartLabel] = part
	}
	return labels
}

// OwnPod returns a pod of brunt's own: one container, with the given name, runs brunt's image with arguments. Its node
// fetches the image with the pull secrets. The pod has no account of the cluster and no variables of services, and its
// last output says why it failed. Callers add rights and volumes.
func OwnPod(container, image string, pullSecrets []string, args ...string) kube.PodSpec {
	no := false
	return kube.PodSpec{
		ImagePullSecrets: PullSecrets(pullSecrets),
		RestartPolicy:    kube.RestartPolicyNever, AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
		Containers: []kube.Container{{
			Name: container, Image: image, ImagePullPolicy: kube.PullIfNotPresent, Args: args,
			TerminationMessagePolicy: kube.TerminationMessageFallbackToLogsOnError,
		}},
	}
}

// PullSecrets returns the references to the Secrets, in the namespace of a pod, with which its node fetches its image.
func PullSecrets(names []string) (out []kube.LocalObjectReference) {
	for _, name := range names {
		out = append(out, kube.LocalObjectReference{Name: name})
	}
	return out
}
