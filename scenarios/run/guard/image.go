package guard

import (
	"cmp"

	"brunt/chaos/oci"
	"brunt/scenarios/machine"
	"brunt/targets/platform/docker"
)

// Image returns the name of brunt's image for pods: the given one, the one in BRUNT_IMAGE, or [OwnImage].
func Image(given string, getenv func(string) string) (string, error) {
	if named := cmp.Or(given, getenv("BRUNT_IMAGE")); named != "" {
		return named, nil
	}
	return OwnImage(getenv)
}

// OwnImage returns the name of the image of this program: its version, and a part of its checksum.
func OwnImage(getenv func(string) string) (string, error) {
	self, err := docker.SelfPath(getenv)
	if err != nil {
		return "", err
	}
	tag, err := oci.Tag(machine.Version(), self)
	return "brunt:" + tag, err
}
