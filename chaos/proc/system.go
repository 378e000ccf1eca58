package proc

import (
	"fmt"
	"slices"
	"strings"
)

// daemons are the programs that run a machine itself. Without one of them the machine can't be reached, started or
// repaired any more.
var daemons = []string{
	"init", "systemd", "dbus-daemon", "dbus-broker", "dbus-broker-launch", "sshd", "sshd-session", "udevd", "polkitd",
	"agetty", "getty", "login",
	"launchd", "NetworkManager", "dhclient", "dhcpcd", "openrc", "runit",
	"runsvdir", "runsv", "s6-svscan", "s6-supervise", "supervise-daemon", "elogind", "auditd", "rsyslogd", "chronyd",
}

// services are the systemd units that run a machine itself. A process can change its own name, but not the group that
// systemd has put it into.
var services = []string{
	"init.scope", "ssh.service", "sshd.service", "dbus.service", "dbus-broker.service", "docker.service",
	"containerd.service", "podman.service",
	"crio.service", "kubelet.service", "NetworkManager.service", "polkit.service",
}

// ProtectSystem refuses the threads of the kernel and the processes that run the machine itself, unless brunt has
// started the process. It is for processes in no container: a container's processes do not run the machine.
func ProtectSystem(pid int) error {
	if isKernel(pid) {
		return fmt.Errorf("process %d: %w: it is a thread of the kernel", pid, ErrProtected)
	}
	if isBelow(pid, Brunts()) {
		return nil
	}
	if slices.ContainsFunc(groupsOf(pid), isPayload) {
		return nil
	}
	if name := daemonOf(pid); name != "" && startedBySystem(pid) {
		return fmt.Errorf("process %d: %w: it is %s, which this machine is run by", pid, ErrProtected, name)
	}
	for _, group := range groupsOf(pid) {
		for part := range strings.SplitSeq(group, "/") {
			if slices.Contains(services, part) || strings.HasPrefix(part, "systemd-") && strings.HasSuffix(part, ".service") {
				return fmt.Errorf("process %d: %w: it is in %s, which this machine is run by", pid, ErrProtected, part)
			}
		}
	}
	return nil
}

// ProtectAll refuses processes that no fault may hit, whatever a policy says: those that [Protect] and [ProtectBrunts]
// refuse, and outside of containers those that [ProtectSystem] refuses.
func ProtectAll(pid int) error {
	err := Protect(pid)
	if err == nil {
		err = ProtectBrunts(pid)
	}
	if err == nil && len(Containers(pid)) == 0 {
		err = ProtectSystem(pid)
	}
	return err
}

// daemonOf returns the name of the daemon that a process is; "" for any other process.
func daemonOf(pid int) string {
	for _, name := range namesOf(pid) {
		if slices.Contains(daemons, name) || strings.HasPrefix(name, "systemd-") {
			return name
		}
	}
	return ""
}

// startedBySystem reports whether the machine itself has started a process: it runs as a system user, outside of user
// sessions, and only daemons are between the first process and it. That excludes a service that is merely named login,
// and an sshd that a shell has started.
func startedBySystem(pid int) bool {
	return isSystemUser(pid) && !slices.ContainsFunc(groupsOf(pid),
		func(group string) bool { return strings.HasPrefix(group, "/user.slice/") }) &&
		!slices.ContainsFunc(Ancestors(pid), func(p int) bool { return daemonOf(p) == "" })
}

// isPayload reports whether a control group belongs to a container of systemd-nspawn or LXC, which runs a system of its
// own: /machine.slice/systemd-nspawn@NAME.service/payload, /lxc.payload.NAME.
func isPayload(group string) bool {
	parts := strings.Split(group, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "lxc.payload") ||
			part == "payload" && strings.HasPrefix(parts[max(i-1, 0)], "systemd-nspawn@") {
			return true
		}
	}
	return false
}

// Ancestors lists the parent of a process, its parent and so on, except the machine's first process.
func Ancestors(pid int) []int {
	var out []int
	for p, err := parentOf(pid); err == nil && p > 1 && len(out) < 64; p, err = parentOf(p) {
		out = append(out, p)
	}
	return out
}

// isBelow reports whether a process descends from one of a list.
func isBelow(pid int, of []int) bool {
	return slices.ContainsFunc(Ancestors(pid), func(p int) bool { return slices.Contains(of, p) })
}

// Containers lists the ids of the containers that a process is in, the outermost first: a container of a container is
// in both. It is empty for a process that is only in brunt's own containers.
func Containers(pid int) []string {
	own := idsIn(groupsOf(self))
	return slices.DeleteFunc(idsIn(groupsOf(pid)), func(id string) bool { return slices.Contains(own, id) })
}

// OfPod reports whether a process is in the pod of Kubernetes with a UID, by its control groups:
// /kubepods/burstable/podUID/ID, /kubepods.slice/kubepods-burstable-podUID.slice with _ instead of -.
func OfPod(pid int, uid string) bool {
	name := "pod" + uid
	return uid != "" && slices.ContainsFunc(groupsOf(pid), func(group string) bool {
		return strings.Contains(group, name) || strings.Contains(group, strings.ReplaceAll(name, "-", "_"))
	})
}

// ofHost reports whether a process is in no container. A conmon process counts as such: its control group contains the
// id of the container that it watches, but it is no process of that container.
func ofHost(pid int) bool {
	return len(Containers(pid)) == 0 || slices.ContainsFunc(groupsOf(pid),
		func(group string) bool { return strings.Contains(group, "-conmon-") })
}

// idsIn lists the ids of containers in the paths of control groups: /docker/ID, /docker/ID/docker/ID,
// /system.slice/docker-ID.scope, /kubepods/burstable/podUID/ID.
func idsIn(groups []string) []string {
	const length = 64
	var out []string
	for _, group := range groups {
		for part := range strings.SplitSeq(group, "/") {
			part = strings.TrimSuffix(strings.TrimSuffix(part, ".scope"), ".service")
			if i := strings.LastIndexAny(part, "-:"); i >= 0 {
				part = part[i+1:]
			}
			if len(part) == length && strings.Trim(part, "0123456789abcdef") == "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}
