//go:build unix

package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"brunt/targets/platform/containers"
)

// mostLinks bounds the symbolic links on the way to a directory.
const mostLinks = 40

// ownDir returns the path of a directory without links, or an error if others can change what it contains.
//
// It looks at each folder and link from the root on: a folder that others can write would let them put another one of
// this user's in place of the next, such as one that was unpacked from an archive of theirs. In a folder with the
// sticky bit they can't. In a container this check is left out, because its volumes are often writable by all, and all
// programs in it are of one party.
func ownDir(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if containers.Self() == "" {
		at, err = trustedPath(at)
	} else {
		at, err = filepath.EvalSymlinks(at)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(at)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", &NotOwnError{Path: at, Why: "is not a folder"}
	}
	return at, checkOwner(at, info)
}

// trustedPath resolves the links of a path to a directory, and checks all that lies above the directory.
func trustedPath(dir string) (string, error) {
	const root = "/"
	top, err := os.Lstat(root)
	if err != nil {
		return "", err
	}
	// In a user namespace the files of the system's root belong to a user without a number.
	trusted := []int{0, os.Geteuid(), ownerOf(top)}
	at, info, links := root, top, 0
	for rest := names(dir); len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if owner := ownerOf(info); !slices.Contains(trusted, owner) {
			return "", belongsTo(at, owner)
		}
		if writable(info) && info.Mode()&os.ModeSticky == 0 {
			return "", writableByOthers(at, info.Mode())
		}
		next := filepath.Join(at, name)
		is, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if is.Mode()&os.ModeSymlink == 0 {
			at, info = next, is
			continue
		}
		if owner := ownerOf(is); !slices.Contains(trusted, owner) {
			return "", belongsTo(next, owner)
		}
		if links++; links > mostLinks {
			return "", fmt.Errorf("%s: more than %d links", dir, mostLinks)
		}
		to, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(at, to)
		}
		at, info, rest = root, top, append(names(to), rest...)
	}
	return at, nil
}

// names returns the names in an absolute path.
func names(path string) []string {
	return strings.FieldsFunc(filepath.Clean(path), func(r rune) bool { return r == '/' })
}

func ownerOf(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// writable reports whether users other than the owner can write. A group with the number of the owner is the owner's
// alone, by the convention of user private groups.
func writable(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	perm := info.Mode().Perm()
	return !ok || perm&0o002 != 0 || perm&0o020 != 0 && st.Gid != st.Uid
}

// checkOwner returns an error if a file or folder is not of this user, or if others can write it.
func checkOwner(path string, info os.FileInfo) error {
	if owner := ownerOf(info); owner != os.Geteuid() {
		return belongsTo(path, owner)
	}
	if writable(info) {
		return writableByOthers(path, info.Mode())
	}
	return nil
}
