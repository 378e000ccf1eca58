package kube

import (
	"slices"
)

// hopeless are the reasons for which a container waits in vain.
var hopeless = []string{
	"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
}

// Hopeless reports whether a container that waits for a reason waits in vain.
func Hopeless(reason string) bool { return slices.Contains(hopeless, reason) }

// noImage are the reasons, concerning its image, for which a container waits (kubelet, pkg/kubelet/images/types.go).
var noImage = []string{
	"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable",
	"SignatureValidationFailed",
}

// WantsImage reports whether a container that waits for a reason lacks its image.
func WantsImage(reason string) bool { return slices.Contains(noImage, reason) }

// Restricted returns the security context of a pod that satisfies the restricted level of pod security, and runs as a
// user.
func Restricted(user int64) *PodSecurityContext {
	yes := true
	return &PodSecurityContext{
		RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user,
		SeccompProfile: &SeccompProfile{Type: SeccompProfileTypeRuntimeDefault},
	}
}

// RestrictedContainer returns the security context of a container that satisfies the same level, and does not write to
// its root.
func RestrictedContainer() *SecurityContext {
	no, yes := false, true
	return &SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &Capabilities{Drop: []Capability{"ALL"}},
	}
}
