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

// noImage are the reasons for which a container waits that concern its image (kubelet, pkg/kubelet/images/types.go).
var noImage = []string{
	"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable",
	"SignatureValidationFailed",
}

// WantsImage reports whether a container that waits for a reason lacks its image.
func WantsImage(reason string) bool { return slices.Contains(noImage, reason) }

// Restricted is the security of a pod that passes the restricted level of pod security, as a user.
func Restricted(user int64) *PodSecurityContext {
	yes := true
	return &PodSecurityContext{
		RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user,
		SeccompProfile: &SeccompProfile{Type: SeccompProfileTypeRuntimeDefault},
	}
}

// RestrictedContainer is the security of a container that passes the same level, and writes nothing to its root.
func RestrictedContainer() *SecurityContext {
	no, yes := false, true
	return &SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &Capabilities{Drop: []Capability{"ALL"}},
	}
}
