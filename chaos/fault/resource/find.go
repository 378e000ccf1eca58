package resource

import (
	"context"
	"crypto/rand"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/targets/platform/containers"
)

// ownPrefix begins the names of the groups that brunt makes.
const ownPrefix = "brunt-"

// ownName returns the name of a group that brunt makes for a unit of a run: brunt-RUN-RANDOM. In version 2 of control
// groups, the group is beside the unit's own group and its name contains that group's: brunt-RUN-RANDOM@GROUP. The way
// back is thus known without a journal.
func ownName(home cgroup.Group, run string) string {
	name := strings.TrimSuffix(ownPrefix+run, "-") + "-" + strings.ToLower(rand.Text()[:8])
	if home.Unified && !home.Root {
		name += "@" + filepath.Base(home.Path)
	}
	return name
}

// homeOf returns the run of a group that brunt made, and the unit's own group.
func homeOf(own cgroup.Group) (run string, home cgroup.Group, err error) {
	name, beside, known := strings.Cut(strings.TrimPrefix(filepath.Base(own.Path), ownPrefix), "@")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		run = name[:i]
	}
	at := filepath.Dir(own.Path)
	if known {
		at = filepath.Join(at, beside)
	}
	home, err = cgroup.Open(at, own.Unified, false)
	return run, home, err
}

// findGroups finds the groups that brunt made for units.
func findGroups(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	all, err := cgroup.System{}.Named(ownPrefix)
	var out []chaos.Remnant
	for _, own := range all {
		run, home, herr := homeOf(own)
		if run != "" && s.Live(run) {
			continue
		}
		pids, _ := own.Processes()
		found := chaos.Remnant{
			Run: run, What: fmt.Sprintf("control group %s limits processes %v", own.Path, pids), Sure: run != "",
			Why: "brunt alone names a group so; cpu.throttle and disk.throttle make one for a unit that shares its own",
		}
		if len(pids) > 0 {
			found.PID = pids[0]
		}
		if herr == nil {
			args, _ := json.Marshal(groupMove{own.Path, own.Unified})
			id, _ := json.Marshal(groupIdentity{Group: home, Boot: proc.BootID()})
			found.Undo = chaos.Undo{Op: opGroupLeave, Args: args, Identity: id}
			found.Command = fmt.Sprintf("for p in $(cat %[1]s/cgroup.procs); do echo $p > %[2]s/cgroup.procs; done; rmdir %[1]s",
				own.Path, home.Path)
		}
		out = append(out, found)
	}
	return out, err
}

// findSettings finds the limits of containers that are lower than their engine's configuration.
func findSettings(ctx context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	var errs []error
	for i := range s.Containers {
		c := &s.Containers[i]
		if !container.IsOf(c.PID, c.ID) {
			continue
		}
		configured, err := s.Engine.LimitsOf(ctx, c.ID)
		if err != nil {
			if !container.IsGone(err) {
				errs = append(errs, err)
			}
			continue
		}
		for _, v := range lowered(c, configured) {
			args, _ := json.Marshal(v.Is)
			prior, _ := json.Marshal(v.Was)
			id, _ := json.Marshal(groupIdentity{v.group, proc.BootID(), v.Setting})
			line := v.Was
			if v.Key != "" {
				line = v.Key + "=" + line
			}
			out = append(out, chaos.Remnant{
				PID: c.PID, Run: c.Labels[containers.RunLabel],
				What: fmt.Sprintf("container %s has %s = %s, and its engine has configured %s", c.Name, v.File,
					strings.TrimSpace(v.Device+" "+v.Is), v.Was),
				Why: "cpu.throttle, memory.limit and disk.throttle write limits past the engine, and leave no mark on the group; " +
					"another program may have written it",
				Command: fmt.Sprintf("echo %q > %s", strings.TrimSpace(v.Device+" "+line), filepath.Join(v.group.Path, v.File)),
				Undo:    chaos.Undo{Op: opGroupSet, Args: args, Identity: id, Prior: prior},
			})
		}
	}
	return out, chaos.JoinErrors(errs...)
}

// loweredSetting is a limit of a group. Was is the value to restore.
type loweredSetting struct {
	limitedSetting
	group cgroup.Group
}

// lowered lists the limits of a container that are lower than in the configuration of its engine.
func lowered(c *containers.Container, configured containers.Limits) []loweredSetting {
	var out []loweredSetting
	in := func(of cgroup.Controller) (cgroup.Group, bool) {
		g, err := cgroup.System{}.Find(c.PID, of)
		return g, err == nil && !g.Root && strings.Contains(g.Path, c.ID)
	}
	add := func(g cgroup.Group, s cgroup.Setting, is, was string) {
		out = append(out, loweredSetting{limitedSetting{Setting: s, Was: was, Is: is}, g})
	}
	if g, ok := in(cgroup.CPU); ok {
		q, err := g.Quota()
		_, period, _ := strings.Cut(q.Text, " ")
		if err == nil && q.Time > 0 && (configured.CPUQuota == 0 || q.Time < float64(configured.CPUQuota)) {
			was := "-1"
			switch {
			case configured.CPUQuota > 0:
				was = strconv.FormatInt(configured.CPUQuota, 10)
			case g.Unified:
				was = "max"
			}
			add(g, g.QuotaSetting(), q.Text, strings.TrimSpace(was+" "+period))
		}
	}
	if g, ok := in(cgroup.Memory); ok {
		if n, is, err := limitOf(g); err == nil && n > 0 && (configured.Memory == 0 || n < configured.Memory) {
			was := map[bool]string{false: "-1", true: "max"}[g.Unified]
			if configured.Memory > 0 {
				was = strconv.FormatInt(configured.Memory, 10)
			}
			add(g, memorySetting(g), is, was)
		}
	}
	g, ok := in(cgroup.Disk)
	if !ok {
		return out
	}
	for _, direction := range []string{"read", "write"} {
		rates := map[string]uint64{}
		for path, rate := range configured.Disk[direction] {
			if device, err := rootfs.Number(path); err == nil {
				rates[device] = rate
			}
		}
		for _, device := range g.Devices(diskSetting(g, "", direction).File) {
			s := diskSetting(g, device, direction)
			is, err := g.Read(s)
			n, nerr := strconv.ParseUint(is, 10, 64)
			if err != nil || nerr != nil || n == 0 || rates[device] != 0 && n >= rates[device] {
				continue
			}
			was := map[bool]string{false: "0", true: "max"}[g.Unified]
			if rates[device] != 0 {
				was = strconv.FormatUint(rates[device], 10)
			}
			add(g, s, is, was)
		}
	}
	return out
}

// fewFiles is the limit of descriptors below which findFileLimits looks closer: no system starts a process with so low
// a limit.
const fewFiles = 1024

// findFileLimits finds the processes that may open fewer files than the processes that started them.
func findFileLimits(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	for _, pid := range s.PIDs {
		id, err := proc.Identify(pid)
		is, lerr := proc.FilesLimit(pid)
		if err != nil || lerr != nil || is.Soft >= fewFiles {
			continue
		}
		was := proc.FileLimit{Soft: is.Hard, Hard: is.Hard}
		if !isGo(pid) { // a Go program raises its soft limit to the hard limit
			was.Soft = givenFiles(pid, is.Hard)
		}
		if was.Soft <= is.Soft {
			continue
		}
		args, _ := json.Marshal(is)
		prior, _ := json.Marshal(was)
		out = append(out, chaos.Remnant{
			PID: pid, What: fmt.Sprintf("process %d (%s) may open only %d files, and what started it %d", pid,
				proc.ProcessOf(pid).Name, is.Soft, was.Soft),
			Why:     "fd.exhaust lowers the limit, and leaves no mark on a process; a process may lower its own",
			Command: fmt.Sprintf("prlimit --pid %d --nofile=%d:%d", pid, was.Soft, was.Hard),
			Undo:    chaos.Undo{Op: opFiles, Args: args, Identity: id.Raw(), Prior: prior},
		})
	}
	return out, nil
}

// isGo reports whether a process runs a Go program.
func isGo(pid int) bool {
	_, err := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil
}

// givenFiles returns the soft limit that a process was started with: the limit of its nearest ancestor that is not a Go
// program. A Go program has another limit than it gives its children.
func givenFiles(pid int, hard uint64) uint64 {
	for _, p := range append(proc.Ancestors(pid), 1) {
		if l, err := proc.FilesLimit(p); err == nil && !isGo(p) {
			return min(l.Soft, hard)
		}
	}
	return min(fewFiles, hard)
}

// findScores finds the processes that the kernel kills first when memory runs out, except where their parents have the
// same score.
func findScores(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	for _, pid := range s.PIDs {
		id, err := proc.Identify(pid)
		is, serr := scoreOf(pid)
		if err != nil || serr != nil || is != killFirst {
			continue
		}
		was := 0 // the default of a container's first process
		if above := proc.Ancestors(pid); len(above) > 0 && len(proc.Containers(pid)) == len(proc.Containers(above[0])) {
			was, err = scoreOf(above[0])
		}
		if err != nil || was == killFirst {
			continue
		}
		prior, _ := json.Marshal(was)
		out = append(out, chaos.Remnant{
			PID: pid, What: fmt.Sprintf("process %d (%s) is the first to be killed for want of memory", pid,
				proc.ProcessOf(pid).Name),
			Why: "stress.memory has a unit killed first, and leaves no mark on a process; a service manager may have " +
				"asked for it",
			Command: fmt.Sprintf("echo %d > %s", was, scoreFile(pid)),
			Undo:    chaos.Undo{Op: opScore, Identity: id.Raw(), Prior: prior},
		})
	}
	return out, nil
}

// findNames finds the files that still have the name they had for a moment when brunt died.
func findNames(ctx context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	var seen []string // mount namespaces
	for _, pid := range s.PIDs {
		ns := proc.Namespace(pid, "mnt")
		id, err := proc.Identify(pid)
		if err != nil || ns == "" || slices.Contains(seen, ns) {
			continue
		}
		seen = append(seen, ns)
		for _, path := range rootfs.Named(ctx, pid, namePrefix) {
			f := fileName{filepath.Dir(path), filepath.Base(path)}
			out = append(out, chaos.Remnant{
				PID: pid, What: fmt.Sprintf("file %s, as process %d sees it", path, pid),
				Sure: len(f.Name) == len(namePrefix)+nameLength,
				Why: "only brunt names files like this: disk.fill and disk.throttle create one on a filesystem without " +
					"unnamed files",
				Command: fmt.Sprintf("rm /proc/%d/root%s", pid, path), Undo: f.undo(id)[0],
			})
		}
	}
	return out, nil
}
