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

// An identity says which process is meant: a number alone may be another's later.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // when it began, in the system's own unit
	Boot  string `json:"boot"`  // of the machine
}

// Identify gives the identity of a live process.
func Identify(pid int) (Identity, error) {
	start, err := StartOf(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return Identity{PID: pid, Start: start, Boot: BootID()}, nil
}

// Alive tells whether the process still is the one that was meant.
func (i Identity) Alive() bool {
	if i.Boot != BootID() {
		return false
	}
	start, err := StartOf(i.PID)
	return err == nil && start == i.Start && !IsZombie(i.PID)
}

func (i Identity) Raw() json.RawMessage {
	b, _ := json.Marshal(i)
	return b
}

// ErrProtected tells that a process is none that brunt may hit.
var ErrProtected = errors.New("brunt does not touch it")

// engines are the programs of container engines, whose end would be that of all
// containers.
var engines = []string{"dockerd", "containerd", "podman", "conmon"}

// Protect refuses pid 1, brunt itself, its ancestors, the guard and the container engine.
func Protect(pid int) error {
	switch {
	case pid <= 1:
		return fmt.Errorf("process %d: %w: it is the machine's first", pid, ErrProtected)
	case pid == os.Getpid():
		return fmt.Errorf("process %d: %w: it is brunt itself", pid, ErrProtected)
	case slices.Contains(Watchdogs.list(), pid):
		return fmt.Errorf("process %d: %w: it is brunt's guard", pid, ErrProtected)
	}
	if name := programOf(pid); slices.ContainsFunc(engines, func(e string) bool { return name == e || strings.HasPrefix(name, e+"-") }) {
		return fmt.Errorf("process %d: %w: it is %s, of the container engine", pid, ErrProtected, name)
	}
	for p, n := os.Getppid(), 0; p > 1 && n < 64; n++ {
		if p == pid {
			return fmt.Errorf("process %d: %w: brunt runs below it", pid, ErrProtected)
		}
		next, err := parentOf(p)
		if err != nil {
			break
		}
		p = next
	}
	return nil
}

// Await waits until done tells so, for at most as long as ctx and most allow.
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

// A Process is a process of this machine as a plan names it.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start,omitempty"` // when it began, in the system's own unit; zero is that there is none
	Boot  string `json:"boot,omitempty"`  // of the machine
	Name  string `json:"name,omitempty"`  // of its program, where that is known
}

// Look looks at the process that has a number now.
func Look(pid int) Process {
	id, err := Identify(pid)
	if err != nil {
		return Process{PID: pid}
	}
	return Process{PID: pid, Start: id.Start, Boot: id.Boot, Name: programOf(pid)}
}

// Same tells whether both are the same process, and not a successor of its number.
func (p Process) Same(q Process) bool {
	return p.Start != 0 && p.PID == q.PID && p.Start == q.Start && p.Boot == q.Boot
}
