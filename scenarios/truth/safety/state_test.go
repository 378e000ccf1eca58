//go:build linux

package safety

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// A view is the state of a machine: what was read, by where.
type view map[string]string

// view reads the state of the machine.
func (m *machine) view() view {
	v := view{}
	for i, p := range m.procs {
		name := fmt.Sprintf("process %d: ", i)
		v.process(name, p.pid)
		v[name+"life"] = life(p.pid)
		v[name+"answers"] = v.answers(name, "http://"+p.addr)
		for _, g := range p.groups {
			v.group(name, g)
		}
	}
	for i, b := range m.boxes {
		if b != nil {
			v.box(fmt.Sprintf("container %d: ", i), m.yard, b)
		}
	}
	v.folder("folder: ", m.dir)
	v["folder on disk"] = names(m.disk)
	v["folder of temporary files"] = names(m.tmp())
	m.mu.Lock()
	v["switches"] = fmt.Sprint(len(m.on))
	m.mu.Unlock()
	return v
}

// difference lists what differs from before, but for keys that begin with one of some texts.
func (v view) difference(before view, without []string) (out []string) {
	for key := range before {
		if _, is := v[key]; !is {
			v[key] = "nothing"
		}
	}
	for key, now := range v {
		was, is := before[key]
		if !is {
			was = "nothing"
		}
		if was == now || slices.ContainsFunc(without, func(w string) bool { return strings.HasPrefix(key, w) }) {
			continue
		}
		out = append(out, key+"\n"+lines(was, now))
	}
	slices.Sort(out)
	return out
}

// lines lists the lines that one of two texts has and the other has not.
func lines(was, now string) string {
	a, b := strings.Split(was, "\n"), strings.Split(now, "\n")
	var out strings.Builder
	for _, l := range a {
		if !slices.Contains(b, l) {
			fmt.Fprintf(&out, "    was %s\n", strings.TrimSpace(l))
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			fmt.Fprintf(&out, "    is  %s\n", strings.TrimSpace(l))
		}
	}
	if out.Len() == 0 {
		return fmt.Sprintf("    was %q\n    is  %q\n", was, now)
	}
	return out.String()
}

// life is the pid of a process and when it was started, in ticks since boot.
func life(pid int) string {
	f := stat(pid)
	if len(f) < 20 {
		return "none"
	}
	return strconv.Itoa(pid) + " since " + f[19]
}

// stat returns the fields of /proc/PID/stat from the state on.
func stat(pid int) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.Fields(rest)
}

// process reads what a fault may change of a process.
func (v view) process(name string, pid int) {
	if f := stat(pid); len(f) > 16 {
		state := f[0]
		if strings.Contains("RSDI", state) {
			state = "runs"
		}
		v[name+"state"] = state
		v[name+"nice"] = f[16]
	}
	for _, file := range []string{"limits", "oom_score_adj", "cgroup", "timens_offsets"} {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		v[name+file] = string(b)
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if key, value, _ := strings.Cut(line, ":"); slices.Contains([]string{"TracerPid", "Cpus_allowed", "NoNewPrivs"},
			key) {
			v[name+key] = strings.TrimSpace(value)
		}
	}
	v[name+"vDSO"] = vdso(pid)
	var children []string
	for _, c := range childrenOf(pid) {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c))
		children = append(children, strings.TrimSpace(string(comm)))
	}
	v[name+"children"] = strings.Join(children, " ")
}

// mounts lists the mounts of a process, without the numbers of its life.
func mounts(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	var out []string
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 5 {
			out = append(out, f[4]+" "+f[5])
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// vdso is a sum of the code by which a process reads the clock.
func vdso(pid int) string {
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			continue
		}
		var from, to uint64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			return err.Error()
		}
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		if err != nil {
			return err.Error()
		}
		defer f.Close()
		b := make([]byte, to-from)
		if _, err := f.ReadAt(b, int64(from)); err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%x", sha256.Sum256(b))
	}
	return "none"
}

// childrenOf returns the children of a process.
func childrenOf(pid int) (out []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		b, _ := os.ReadFile(file)
		for f := range strings.FieldsSeq(string(b)) {
			if c, err := strconv.Atoi(f); err == nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// limits are the files of a control group that hold what its processes may use.
var limits = []string{
	"cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares", "cpu.max", "cpu.weight", "memory.limit_in_bytes",
	"memory.soft_limit_in_bytes",
	"memory.memsw.limit_in_bytes", "memory.max", "memory.high", "memory.swap.max", "blkio.throttle.read_bps_device",
	"blkio.throttle.write_bps_device",
	"blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device", "io.max", "freezer.state", "cgroup.freeze",
	"cpuset.cpus", "pids.max",
}

// group reads a control group: its limits, the names of its processes, and the groups in it.
func (v view) group(name, dir string) {
	controller := strings.TrimPrefix(dir, "/sys/fs/cgroup/")
	controller, _, _ = strings.Cut(controller, "/")
	key := name + "control group of " + controller
	var out strings.Builder
	for _, file := range limits {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			fmt.Fprintf(&out, "%s: %s\n", file, strings.TrimSpace(string(b)))
		}
	}
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		v[key] = err.Error()
		return
	}
	var comms []string
	for pid := range strings.FieldsSeq(string(procs)) {
		if comm, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil {
			comms = append(comms, strings.TrimSpace(string(comm)))
		}
	}
	slices.Sort(comms)
	fmt.Fprintf(&out, "processes: %s\n", strings.Join(comms, " "))
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		if e.IsDir() {
			fmt.Fprintf(&out, "group in it: %s\n", e.Name())
		}
	}
	v[key] = out.String()
}

// answers asks a server: it answers, and its clock is right within a minute.
func (v view) answers(name, url string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/clock", nil)
	if err != nil {
		return err.Error()
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "no answer"
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	ns, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	v[name+"clock"] = time.Since(time.Unix(0, ns)).Round(10 * time.Minute).String()
	return "answers"
}

// folder reads the files of a folder, and the free space of its filesystem.
func (v view) folder(name, dir string) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err == nil {
		v[name+"free"] = fmt.Sprintf("%d of %d blocks, %d of %d files", s.Bfree, s.Blocks, s.Ffree, s.Files)
	}
	v[name+"files"] = names(dir)
}

func names(dir string) string {
	all, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, e := range all {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

// box reads a container: by the engine, its first process, its control groups, its networks and its files.
func (v view) box(name string, y *yard, b *box) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	is, err := y.api.ContainerInspect(ctx, b.id, client.ContainerInspectOptions{})
	if err != nil {
		v[name+"engine"] = err.Error()
		return
	}
	var all map[string]any
	_ = json.Unmarshal(is.Raw, &all)
	unlive(all)
	text, _ := json.MarshalIndent(all, "", " ")
	v[name+"engine"] = string(text)
	pid := is.Container.State.Pid
	v[name+"life"] = life(pid)
	if pid == 0 {
		return
	}
	v.process(name, pid)
	v[name+"mounts"] = mounts(pid)
	for _, dir := range groupsOf(pid) {
		v.group(name, dir)
	}
	v[name+"answers"] = v.answers(name, "http://"+b.addr+":8080")
	root := fmt.Sprintf("/proc/%d/root", pid)
	v.folder(name+"scratch ", root+"/scratch")
	for _, file := range []string{"hosts", "resolv.conf", "hostname"} {
		text, _ := os.ReadFile(filepath.Join(root, "etc", file))
		v[name+file] = string(text)
	}
	v[name+"network"] = networkOf(pid)
	v[name+"packet programs"] = packetPrograms(pid)
	v[name+"listeners"] = listeners(pid)
	for key, value := range v { // a container that was removed and made again has another id
		if strings.HasPrefix(key, name) {
			v[key] = strings.NewReplacer(b.id, "ID", b.id[:12], "ID").Replace(value)
		}
	}
}

// unlive removes what changes with each start of a container.
func unlive(m map[string]any) {
	for key, value := range m {
		switch key {
		case "StartedAt", "FinishedAt", "Pid", "EndpointID", "SandboxID", "SandboxKey", "ExecIDs", "RestartCount", "ExitCode",
			"Health":
			delete(m, key)
			continue
		// These change with a container that is removed and made again.
		case "Id", "Created", "HostnamePath", "HostsPath", "LogPath", "ResolvConfPath", "Hostname", "GraphDriver":
			delete(m, key)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			unlive(inner)
		}
	}
}

const networkCommands = `for c in "nft -s list ruleset" "iptables-legacy-save" "tc qdisc show" "tc filter show" "tc class show" "ip -d link show" \
  "ip address show" "ip route show table all" "ip -6 route show table all" "ip rule" "ip -6 rule"; do echo "# $c"; $c 2>&1; done`

// volatile matches what changes with each start of a container, or by itself.
var volatile = regexp.MustCompile(`(?m)^\d+: |@if\d+|link-netnsid \d+| expires \d+sec|valid_lft \d+sec|preferred_lft \d+sec|` +
	`^:.*\[\d+:\d+\]$|# (Generated|Completed) .*$|link/ether \S+|fe80::\S+`)

// ethernet matches the name of a link, which the engine counts up with each connection.
var ethernet = regexp.MustCompile(`\beth\d+\b`)

// networkOf is what the usual tools show of the network of a process.
func networkOf(pid int) string {
	cmd := exec.Command("nsenter", "-t", strconv.Itoa(pid), "-n", "sh", "-c", networkCommands)
	cmd.Dir = "/" // the test's own folder may be removed, as by a rebase
	b, err := cmd.CombinedOutput()
	if err != nil && len(b) == 0 {
		return err.Error()
	}
	text := ethernet.ReplaceAllString(volatile.ReplaceAllString(string(b), ""), "eth")
	return engineNames.ReplaceAllStringFunc(text, func(line string) string { return port.ReplaceAllString(line, "PORT") })
}

// engineNames matches the rules of the engine's own name server, whose ports change with each start.
var engineNames, port = regexp.MustCompile(`(?m)^.*127\.0\.0\.11.*$`), regexp.MustCompile(`\b\d{4,5}\b`)

// packetPrograms counts the programs on the packets of a process's links.
func packetPrograms(pid int) string {
	out := make(chan string)
	go func() {
		runtime.LockOSThread() // the thread is in another network from now on, and ends with the goroutine
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			out <- err.Error()
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			out <- err.Error()
			return
		}
		n := 0
		all, err := net.Interfaces()
		if err != nil {
			out <- err.Error()
			return
		}
		for _, i := range all {
			for _, at := range []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress} {
				if r, err := link.QueryPrograms(link.QueryOptions{Target: i.Index, Attach: at}); err == nil {
					n += len(r.Programs)
				}
			}
		}
		out <- strconv.Itoa(n)
	}()
	return <-out
}

// listeners lists the ports that something listens on in the network of a process.
func listeners(pid int) string {
	var out []string
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6", "raw"} {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			const listens, bound = "0A", "07"
			if len(f) > 3 && (f[3] == listens || f[3] == bound) {
				_, port, _ := strings.Cut(f[1], ":")
				// The engine's own name server listens on random ports of its address.
				if !strings.HasPrefix(f[1], "0B00007F") {
					out = append(out, table+" "+port)
				}
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
