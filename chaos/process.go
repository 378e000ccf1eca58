package chaos

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

// An identity says which process is meant: a number alone may be another's later.
type identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // when it began, in the system's own unit
	Boot  string `json:"boot"`  // of the machine
}

// identify gives the identity of a live process.
func identify(pid int) (identity, error) {
	start, err := startOf(pid)
	if err != nil {
		return identity{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return identity{PID: pid, Start: start, Boot: bootID()}, nil
}

// alive tells whether the process still is the one that was meant.
func (i identity) alive() bool {
	if i.Boot != bootID() {
		return false
	}
	start, err := startOf(i.PID)
	return err == nil && start == i.Start && !isZombie(i.PID)
}

func (i identity) raw() json.RawMessage {
	b, _ := json.Marshal(i)
	return b
}

// errProtected tells that a process is none that brunt may hit.
var errProtected = errors.New("brunt does not touch it")

// engines are the programs of container engines, whose end would be that of all
// containers.
var engines = []string{"dockerd", "containerd", "podman", "conmon"}

// protect refuses pid 1, brunt itself, its ancestors, the guard and the container engine.
func protect(pid int) error {
	switch {
	case pid <= 1:
		return fmt.Errorf("process %d: %w: it is the machine's first", pid, errProtected)
	case pid == os.Getpid():
		return fmt.Errorf("process %d: %w: it is brunt itself", pid, errProtected)
	case slices.Contains(guards.list(), pid):
		return fmt.Errorf("process %d: %w: it is brunt's guard", pid, errProtected)
	}
	if name := programOf(pid); slices.ContainsFunc(engines, func(e string) bool { return name == e || strings.HasPrefix(name, e+"-") }) {
		return fmt.Errorf("process %d: %w: it is %s, of the container engine", pid, errProtected, name)
	}
	for p, n := os.Getppid(), 0; p > 1 && n < 64; n++ {
		if p == pid {
			return fmt.Errorf("process %d: %w: brunt runs below it", pid, errProtected)
		}
		next, err := parentOf(p)
		if err != nil {
			break
		}
		p = next
	}
	return nil
}

// await waits until done tells so, for at most as long as ctx and most allow.
func await(ctx context.Context, most time.Duration, done func() bool, what string) error {
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

// A Process is a process of this machine as a plan names it.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start,omitempty"` // when it began, in the system's own unit; zero is that there is none
	Boot  string `json:"boot,omitempty"`  // of the machine
	Name  string `json:"name,omitempty"`  // of its program, where that is known
}

// Look looks at the process that has a number now.
func Look(pid int) Process {
	id, err := identify(pid)
	if err != nil {
		return Process{PID: pid}
	}
	return Process{PID: pid, Start: id.Start, Boot: id.Boot, Name: programOf(pid)}
}

// Same tells whether both are the same process, and not a successor of its number.
func (p Process) Same(q Process) bool {
	return p.Start != 0 && p.PID == q.PID && p.Start == q.Start && p.Boot == q.Boot
}
