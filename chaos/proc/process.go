package proc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// An Identity identifies a process: its pid alone may belong to another process later.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // start time, in the system's own unit
	Boot  string `json:"boot"`  // boot of the machine
}

// Identify returns the identity of a live process.
func Identify(pid int) (Identity, error) {
	start, err := StartOf(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return Identity{PID: pid, Start: start, Boot: BootID()}, nil
}

// Alive reports whether the process still runs.
func (i Identity) Alive() bool {
	if i.Boot != BootID() {
		return false
	}
	start, err := StartOf(i.PID)
	return err == nil && start == i.Start && !IsZombie(i.PID)
}

// Ended reports whether the process runs no more of its program: it is gone, or the kernel is ending it. The kernel
// frees the memory of a large process before the process is gone, and closes its sockets after that.
func (i Identity) Ended() bool { return !i.Alive() || isEnding(i.PID) }

func (i Identity) Raw() json.RawMessage {
	b, _ := json.Marshal(i)
	return b
}

// ErrProtected says that brunt may not hit a process.
var ErrProtected = errors.New("brunt does not touch it")

// engines are the programs of container engines. Killing one would end all containers.
var engines = []string{
	"dockerd", "containerd", "podman", "conmon", "crio", "runc", "crun", "kubelet", "docker-proxy", "rootlesskit",
}

// Protect refuses pid 1, brunt itself, its ancestors, its watchdogs and the container engine outside of containers. It
// does not refuse the processes of other brunts, as [ProtectBrunts] does: the processes of a dead brunt must be ended.
func Protect(pid int) error {
	switch {
	case pid <= 1:
		return fmt.Errorf("process %d: %w: it is the machine's first", pid, ErrProtected)
	case pid == os.Getpid():
		return fmt.Errorf("process %d: %w: it is brunt itself", pid, ErrProtected)
	case slices.Contains(Watchdogs.list(), pid):
		return fmt.Errorf("process %d: %w: it is a watchdog of brunt's", pid, ErrProtected)
	}
	for _, name := range namesOf(pid) {
		if ofHost(pid) && slices.ContainsFunc(engines,
			func(e string) bool { return name == e || strings.HasPrefix(name, e+"-") }) {
			return fmt.Errorf("process %d: %w: it is %s, of the container engine", pid, ErrProtected, name)
		}
	}
	if parent := os.Getppid(); pid == parent || slices.Contains(Ancestors(parent), pid) {
		return fmt.Errorf("process %d: %w: brunt runs below it", pid, ErrProtected)
	}
	return nil
}

// parts are the processes that brunt starts from its own program, by their commands.
var parts = map[string]string{
	"watchdog":        "a watchdog of brunt's",
	"remote-watchdog": "a watchdog of brunt's",
	"agent":           "an agent of brunt's",
	"proxies":         "the process of brunt's proxies",
	"stress":          "a stress process of brunt's",
}

// ProtectBrunts refuses the watchdogs, agents and other parts of any brunt.
func ProtectBrunts(pid int) error {
	if part := parts[commandOf(pid)]; part != "" {
		return fmt.Errorf("process %d: %w: it is %s", pid, ErrProtected, part)
	}
	return nil
}

// Await waits until done is true, at most until ctx ends or most has passed. Then it returns the error what.
func Await(ctx context.Context, most time.Duration, done func() bool, what string) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			if done() {
				return nil
			}
			return errors.New(what)
		}
	}
	return nil
}

// AwaitEnd reports whether processes ended. It waits until they are gone, for most or half of the time that ctx leaves;
// after that, processes that the kernel is ending suffice: how long it takes to free their memory is no fault's doing.
func AwaitEnd(ctx context.Context, most time.Duration, gone, ended func() bool) bool {
	if d, bounded := ctx.Deadline(); bounded {
		most = min(most, time.Until(d)/2)
	}
	return Await(ctx, most, gone, "") == nil || ended() || Await(ctx, EndsWithin, ended, "") == nil
}

// A Process is a process of this machine in a plan.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start,omitempty"` // start time, in the system's own unit; zero: no such process
	Boot  string `json:"boot,omitempty"`  // boot of the machine
	Name  string `json:"name,omitempty"`  // name of its program, if known
}

// ProcessOf returns the process that has a pid now.
func ProcessOf(pid int) Process {
	id, err := Identify(pid)
	if err != nil {
		return Process{PID: pid}
	}
	return Process{PID: pid, Start: id.Start, Boot: id.Boot, Name: programOf(pid)}
}

// Same reports whether both are the same process, not a successor with the same pid.
func (p Process) Same(q Process) bool {
	return p.Start != 0 && p.PID == q.PID && p.Start == q.Start && p.Boot == q.Boot
}

// Identity returns the identity of the process.
func (p Process) Identity() Identity { return Identity{PID: p.PID, Start: p.Start, Boot: p.Boot} }

// List names processes for people: pid 7 (sh), pids 8, 9 (postgres).
func List(all []Process) string {
	pids := map[string][]string{}
	var names []string
	for _, p := range all {
		if pids[p.Name] == nil {
			names = append(names, p.Name)
		}
		pids[p.Name] = append(pids[p.Name], fmt.Sprint(p.PID))
	}
	var out []string
	for _, name := range names {
		text := "pid "
		if len(pids[name]) > 1 {
			text = "pids "
		}
		text += strings.Join(pids[name], ", ")
		if name != "" {
			text += " (" + name + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
