package rootfs_test

import (
	"reflect"
	"slices"
	"testing"

	"brunt/chaos/rootfs"
)

func TestParseMounts(t *testing.T) {
	const mountinfo = `1 0 0:1 / / rw,relatime shared:1 - overlay overlay rw,upperdir=/var/lib/a\040b,workdir=/w
2 1 0:2 / /proc rw - proc proc rw
what is this
3 1 0:4 /sub\011dir /a\040b\012d\134040 ro,nosuid master:1 shared:2 - tmpfs  rw
4 1 0:5 / /cut
5 1 0:6 / /share rw - cifs //host/share rw,unc=//host/My Docs
`
	want := []rootfs.Mount{
		{
			ID: "1", Device: "0:1", Root: "/", At: "/", Options: []string{"rw", "relatime"}, Kind: "overlay",
			Source: "overlay", Super: []string{"rw", "upperdir=/var/lib/a b", "workdir=/w"},
		},
		{
			ID: "2", Device: "0:2", Root: "/", At: "/proc", Options: []string{"rw"}, Kind: "proc", Source: "proc",
			Super: []string{"rw"},
		},
		{
			ID: "3", Device: "0:4", Root: "/sub\tdir", At: "/a b\nd\\040", Options: []string{"ro", "nosuid"}, Kind: "tmpfs",
			Super: []string{"rw"},
		},
		{
			ID: "5", Device: "0:6", Root: "/", At: "/share", Options: []string{"rw"}, Kind: "cifs", Source: "//host/share",
			Super: []string{"rw", "unc=//host/My Docs"},
		},
	}
	if got := rootfs.ParseMounts(mountinfo); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestMount_System(t *testing.T) {
	var system []string
	for _, at := range []string{"/", "/proc", "/proc/a", "/dev/shm", "/sys/fs/cgroup", "/processed", "/devices", "/system"} {
		if (rootfs.Mount{At: at}).System() {
			system = append(system, at)
		}
	}
	if want := []string{"/proc", "/proc/a", "/dev/shm", "/sys/fs/cgroup"}; !slices.Equal(system, want) {
		t.Errorf("%q, want %q", system, want)
	}
}
