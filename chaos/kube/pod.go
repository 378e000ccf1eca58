package kube

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// hopeless are the reasons for which a container waits in vain.
var hopeless = []string{"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}

// Hopeless reports whether a container that waits for a reason waits in vain.
func Hopeless(reason string) bool { return slices.Contains(hopeless, reason) }

// Restricted is the security of a pod that passes the restricted level of pod security, as a user.
func Restricted(user int64) *corev1.PodSecurityContext {
	yes := true
	return &corev1.PodSecurityContext{
		RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// RestrictedContainer is the security of a container that passes the same level, and writes nothing to its root.
func RestrictedContainer() *corev1.SecurityContext {
	no, yes := false, true
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}
