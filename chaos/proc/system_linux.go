package proc

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// self is brunt itself.
var self = os.Getpid()

func isKernel(pid int) bool { return has(pid, kernelThread) }

// firstUser is the lowest user id that is not a system user's.
const firstUser = 1000

// isSystemUser reports whether a process runs as root or another system user.
func isSystemUser(pid int) bool {
	uid, _, _ := strings.Cut(statusOf(pid)["Uid"], "\t") // the real one, which comes first
	id, err := strconv.Atoi(uid)
	return err == nil && id < firstUser
}

// namesOf returns the names of a process's program: the one that it shows, which it can change, and the name of its
// file.
func namesOf(pid int) []string {
	out := []string{programOf(pid)}
	if file, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		out = append(out, path.Base(strings.TrimSuffix(file, " (deleted)")))
	}
	return out
}

// commandOf returns the command of brunt that a process runs, or "" if its program is not brunt.
func commandOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := strings.Split(string(text), "\x00")
	if err != nil || len(args) < 2 {
		return ""
	}
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	own, oerr := os.Stat("/proc/self/exe")
	if err == nil && oerr == nil && os.SameFile(theirs, own) || slices.Contains(namesOf(pid), "brunt") {
		return args[1]
	}
	return ""
}

// groupsOf lists the paths of a process's control groups, of version 1 and 2.
func groupsOf(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil
	}
	return groupPaths(string(text))
}

// groupPaths parses /proc/PID/cgroup: a line is number:controllers:path (cgroups(7)).
func groupPaths(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 {
			out = append(out, f[2])
		}
	}
	return out
}

// Namespace identifies a namespace of a process, such as net or pid, or returns "" if it can't be read.
func Namespace(pid int, kind string) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	return name
}

// OwnNamespace identifies a namespace of brunt itself.
func OwnNamespace(kind string) string { return Namespace(self, kind) }
