package protect

import (
	"slices"
	"testing"

	"brunt/chaos/rootfs"
)

func TestWritableOf(t *testing.T) {
	const mounts = `1 0 0:1 / / rw,relatime - overlay overlay rw
2 1 0:2 / /proc rw - proc proc rw
3 1 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup rw
4 1 0:4 / /dev/shm rw - tmpfs shm rw
5 1 0:5 / /processed rw - ext4 /dev/a rw
6 1 0:5 / /system rw - ext4 /dev/a rw
7 1 0:5 / /devices rw - ext4 /dev/a rw
8 1 0:5 / /read ro,relatime - ext4 /dev/a rw
9 1 0:5 / /a\040b\011c\012d\134040 rw - ext4 /dev/a rw
`
	want := []string{"/", "/processed", "/system", "/devices", "/a b\tc\nd\\040"}
	if got := writableOf(rootfs.ParseMounts(mounts)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
