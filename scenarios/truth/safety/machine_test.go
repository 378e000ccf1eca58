//go:build linux

package safety

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A machine is what a worker's programs break: two processes, two containers where there is an engine, two folders
// and a server of switches.
type machine struct {
	mark   string // in the environment of brunt and of all that it starts
	root   string // a folder that holds all files of the machine
	dir    string // a filesystem in memory, of which faults take the space
	disk   string // a folder on a disk
	procs  [2]*process
	boxes  [2]*box // nil without an engine
	yard   *yard   // nil without an engine
	engine *engine // what brunt takes for the engine; nil without one
	hooks  *httptest.Server

	mu sync.Mutex
	on map[string]bool // the switches, by path
}

func newMachine(y *yard) (m *machine, err error) {
	m = &machine{mark: strings.ToLower(rand.Text())[:10], yard: y, on: map[string]bool{}}
	made := m
	if m.root, err = os.MkdirTemp("", "safety"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	m.dir, m.disk = filepath.Join(m.root, "dir"), filepath.Join(m.root, "disk")
	for _, dir := range []string{m.dir, m.disk, m.tmp()} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := unix.Mount("safety", m.dir, "tmpfs", 0, "size=32m"); err != nil {
		return nil, fmt.Errorf("mount a filesystem in memory: %w", err)
	}
	m.hooks = httptest.NewServer(http.HandlerFunc(m.hook))
	for i := range m.procs {
		m.procs[i] = &process{name: fmt.Sprintf("test-of-brunt-safety-%s-%d", m.mark, i)}
		if err := m.procs[i].start(); err != nil {
			return nil, err
		}
	}
	if y == nil {
		return m, nil
	}
	if m.engine, err = newEngine(filepath.Join(m.root, "engine"), y.socket); err != nil {
		return nil, err
	}
	for i := range m.boxes {
		if m.boxes[i], err = y.newBox(fmt.Sprintf("brunt-safety-%s-%d", m.mark, i)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// close removes the machine, and ends what is left of a brunt.
func (m *machine) close() {
	for _, pid := range m.marked() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for i := range m.procs {
		if m.procs[i] != nil {
			m.procs[i].remove()
		}
		if m.boxes[i] != nil {
			m.yard.remove(m.boxes[i])
		}
	}
	if m.engine != nil {
		m.engine.close()
	}
	if m.hooks != nil {
		m.hooks.Close()
	}
	_ = unix.Unmount(m.dir, unix.MNT_DETACH)
	_ = os.RemoveAll(m.root)
}

func (m *machine) tmp() string   { return filepath.Join(m.root, "tmp") }
func (m *machine) state() string { return filepath.Join(m.root, "state") }

// names replaces what stands for parts of the machine in settings.
func (m *machine) names() *strings.Replacer {
	pairs := []string{"HOOKS", m.hooks.URL, "DIR", m.dir, "DISK", m.disk}
	for i := range m.procs {
		pairs = append(pairs, fmt.Sprint("PID", i), strconv.Itoa(m.procs[i].pid))
		if m.boxes[i] != nil {
			pairs = append(pairs, fmt.Sprint("BOX", i), m.boxes[i].name)
		}
	}
	return strings.NewReplacer(pairs...)
}

// hook is a switch for each path, which PUT turns on and DELETE off. POST turns it on for a second.
func (m *machine) hook(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case r.Method == http.MethodPut:
		m.on[r.URL.Path] = true
	case r.Method == http.MethodPost:
		m.on[r.URL.Path] = true
		time.AfterFunc(time.Second, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.on, r.URL.Path)
		})
	case r.Method == http.MethodDelete:
		delete(m.on, r.URL.Path)
	case !m.on[r.URL.Path]:
		http.Error(w, "off", http.StatusNotFound)
	}
}

// marked returns the processes that carry the machine's mark: brunt, its watchdog, and all that they started.
func (m *machine) marked() (pids []int) {
	all, _ := os.ReadDir("/proc")
	for _, p := range all {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		env, err := os.ReadFile("/proc/" + p.Name() + "/environ")
		if err == nil && strings.Contains(string(env), markVariable+"="+m.mark) {
			pids = append(pids, pid)
		}
	}
	return pids
}

const markVariable = "SAFETY_MARK"

// A process is one that brunt did not start, in control groups of its own.
type process struct {
	name   string // of its control groups
	cmd    *exec.Cmd
	pid    int
	addr   string
	groups []string
}

// start starts the process, in the control groups that it had before if it had some.
func (p *process) start() error {
	if len(p.groups) == 0 {
		if err := p.group(); err != nil {
			return err
		}
	}
	p.cmd = exec.Command(os.Args[0], "unit", "attached")
	p.cmd.Env = append(os.Environ(), "BRUNT_ADDR=127.0.0.1:0")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if _, err := p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.pid = p.cmd.Process.Pid
	for _, g := range p.groups {
		if err := os.WriteFile(filepath.Join(g, "cgroup.procs"), []byte(strconv.Itoa(p.pid)), 0); err != nil {
			return err
		}
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p.addr = strings.TrimSpace(line)
	return err
}

// group makes the control groups of the process, beside that of the test.
func (p *process) group() error {
	for c, path := range groupsOf(os.Getpid()) {
		if c != "" && c != "cpu" && c != "memory" && c != "blkio" {
			continue
		}
		_, separate := os.Stat("/sys/fs/cgroup/cpu")
		if c == "" && separate == nil {
			continue // the second version has no controllers beside the first
		}
		g := filepath.Join(path, p.name)
		if err := os.Mkdir(g, 0o755); err != nil {
			return err
		}
		p.groups = append(p.groups, g)
	}
	return nil
}

// end kills the process and waits for it.
func (p *process) end() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

func (p *process) remove() {
	p.end()
	for _, g := range p.groups {
		within(5*time.Second, func() bool {
			err := syscall.Rmdir(g)
			return err == nil || errors.Is(err, syscall.ENOENT)
		})
	}
}

// groupsOf returns the folders of the control groups of a process, by controller; "" is the second version.
func groupsOf(pid int) map[string]string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 {
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			dir := filepath.Join("/sys/fs/cgroup", c, f[2])
			if _, err := os.Stat(dir); err == nil {
				out[c] = dir
			}
		}
	}
	return out
}
