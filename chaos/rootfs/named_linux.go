package rootfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Number returns the number of a device of this machine, as major:minor.
func Number(path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev)), nil
}

// mostDirs bounds the directories that [Named] reads of one filesystem.
const mostDirs = 20_000

// A subtree is the part of a filesystem that a mount shows.
type subtree struct {
	device string // number of the filesystem
	root   string // path in it
}

// holds reports whether another subtree is the same or a part of it.
func (s subtree) holds(t subtree) bool {
	return s.device == t.device && (s.root == "/" || t.root == s.root || strings.HasPrefix(t.root, s.root+"/"))
}

// Named lists the files whose names begin with a prefix, by their paths in a process's view. It reads the filesystems
// in which a file needs a name for a moment, and of each a bounded number of directories. A filesystem that is mounted
// several times is read at the first mount that can be reached.
func Named(ctx context.Context, pid int, prefix string) []string {
	mounts, err := Mounts(pid)
	if err != nil {
		return nil
	}
	var out []string
	var read []subtree
	root := fmt.Sprintf("/proc/%d/root", pid)
	for _, m := range mounts {
		if m.System() {
			continue
		}
		shown := subtree{m.Device, m.Root}
		if slices.ContainsFunc(read, func(s subtree) bool { return s.holds(shown) }) {
			continue
		}
		dir, err := Open(pid, m.At)
		if err != nil {
			continue // for example a file that is mounted alone
		}
		id, err := mountID(dir)
		reached := err != nil || id == m.ID // otherwise another mount lies over it
		if reached {
			read = append(read, shown)
		}
		if reached && Names(dir) {
			for _, path := range namedBelow(ctx, filepath.Join(root, m.At), prefix) {
				out = append(out, strings.TrimPrefix(path, root))
			}
		}
		_ = dir.Close()
	}
	return out
}

// namedBelow lists the files below a directory, on its filesystem, whose names begin with a prefix.
func namedBelow(ctx context.Context, dir, prefix string) []string {
	var top unix.Stat_t
	if unix.Stat(dir, &top) != nil {
		return nil
	}
	var out []string
	dirs := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil || dirs > mostDirs:
			return fs.SkipAll
		case err != nil: // unreadable directories are left out
			return fs.SkipDir
		case !d.IsDir():
			if strings.HasPrefix(d.Name(), prefix) {
				out = append(out, path)
			}
			return nil
		}
		var st unix.Stat_t
		if dirs++; unix.Lstat(path, &st) != nil || st.Dev != top.Dev {
			return fs.SkipDir
		}
		return nil
	})
	return out
}
