package journal

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"brunt/chaos/proc"
	"brunt/scenarios/disk"
)

// markedProcesses lists all processes that this user may inspect. It also returns the live runs as owners, with the
// paths of their journals: each run holds its journal open until it ends, wherever the journal is and even if its file
// is removed. A dead run whose watchdog is not stopped counts as live: the watchdog is reverting.
func markedProcesses() (all []markedProcess, owners map[string]string, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, nil, err
	}
	owners = map[string]string{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		maps.Copy(owners, held(pid))
		if p, ok := markedProcessAt(pid); ok {
			all = append(all, p)
			if p.watches != "" && !p.stopped && owners[p.run] == "" {
				owners[p.run] = p.watches
			}
		}
	}
	return all, owners, nil
}

// markedProcessAt inspects one process. It fails for a process of another user.
func markedProcessAt(pid int) (markedProcess, bool) {
	// the start time comes first, for Same below
	p := markedProcess{Process: proc.ProcessOf(pid), stopped: proc.IsStopped(pid)}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || p.Start == 0 || proc.IsZombie(pid) {
		return p, false
	}
	env := map[string]string{}
	for entry := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	p.owner = ownerOfProcess(pid)
	p.getenv = func(name string) string { return env[name] }
	if path := env[strings.TrimSuffix(watchdogMark, "=")]; path != "" && lastArgument(pid) == path {
		p.watches = path
		p.run = strings.TrimSuffix(filepath.Base(path), journalSuffix)
	} else {
		p.run, p.unit = env[strings.TrimSuffix(proc.RunMark, "=")], env["BRUNT_UNIT"]
	}
	return p, proc.ProcessOf(pid).Same(p.Process)
}

// ownerOfProcess returns another user that a process belongs to, in whole or in part: a program with the set-user-ID
// bit has the environment that its caller gave it. The owner of its folder in /proc does not say that, because a
// process can change it.
func ownerOfProcess(pid int) string {
	b, err := disk.Read(fmt.Sprintf("/proc/%d/status", pid), 1<<20)
	if err != nil {
		return "an unknown user"
	}
	for line := range strings.Lines(string(b)) {
		ids, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		for id := range strings.FieldsSeq(ids) {
			if uid, err := strconv.Atoi(id); err != nil || uid != os.Geteuid() {
				return userName(uid)
			}
		}
		return ""
	}
	return "an unknown user"
}

// lastArgument returns the last word of a process's command line.
func lastArgument(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	words := bytes.Split(bytes.TrimSuffix(b, []byte{0}), []byte{0})
	return string(words[len(words)-1])
}

// held lists the runs whose journals a process holds open to write, each with a path to the journal that works even if
// its file is removed. A process that only reads a journal, as `brunt status` does, is not its run.
func held(pid int) map[string]string {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, fd := range fds {
		path := filepath.Join(dir, fd.Name())
		to, err := os.Readlink(path)
		if err != nil {
			continue
		}
		const writes = 0o200
		if how, err := os.Lstat(path); err != nil || how.Mode()&writes == 0 { // the mode of the link is that of the opening
			continue
		}
		name := filepath.Base(strings.TrimSuffix(to, " (deleted)"))
		if run, ok := strings.CutSuffix(name, journalSuffix); ok {
			out[run] = path
		} else if run, ok := strings.CutSuffix(name, unnamed); ok { // a journal before its rename
			out[strings.TrimPrefix(run, ".")] = path
		}
	}
	return out
}
