//go:build linux || darwin

package machine

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// settled is how old the last change of a file must be for its state to tell a later change apart: clocks of file
// systems have steps of up to two seconds.
const settled = 2 * time.Second

// stateOf returns what changes with each change of a file: its device and inode, its size, and the times of its last
// changes, of which no program can set the second one. It is lasting if a change from now on would show.
func stateOf(file string) (state string, lasting bool) {
	var st unix.Stat_t
	if unix.Stat(file, &st) != nil {
		return "", false
	}
	changed := time.Unix(st.Ctim.Unix())
	modified := time.Unix(st.Mtim.Unix())
	state = fmt.Sprintf("%d/%d/%d/%d/%d", st.Dev, st.Ino, st.Size, modified.UnixNano(), changed.UnixNano())
	return state, time.Since(changed) > settled
}

// ownFile reports whether a file is a regular one of this user, and no other user can write to it.
func ownFile(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && int(st.Uid) == os.Geteuid() &&
		st.Mode&0o022 == 0
}
