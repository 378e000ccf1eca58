package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/chaos/protect"
	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A Check is the state of one thing that brunt needs or can use on this machine.
type Check struct {
	Name  string
	State CheckState
	Found string // what the check found
	Fix   string // how to fix it; empty if there is nothing to do
}

// Lines returns the lines of a check in a table, with tabs between its columns.
func (c *Check) Lines() []string {
	found := strings.Split(c.Found, "\n")
	out := []string{fmt.Sprintf("%s\t%s\t%s", c.Name, c.State, found[0])}
	for _, line := range found[1:] {
		out = append(out, "\t\t"+line)
	}
	if c.Fix != "" {
		out = append(out, "\t\t-> "+c.Fix)
	}
	return out
}

// CheckState says whether a check is fine.
type CheckState string

// The states of a check.
const (
	Fine    CheckState = "ok"
	Limited CheckState = "limited" // brunt works, with fewer features
	Missing CheckState = "missing" // features that need it do not work
	Bad     CheckState = "bad"     // brunt can't work
)

// Machine checks what this machine can do. It changes nothing on the machine.
func Machine(ctx context.Context, stateDirs []string, getenv func(string) string) []Check {
	checks := []Check{
		{"system", Fine, strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + machine.Kernel()), ""},
		cpus(), openFiles(), ports(), loopback(), timers(), stateDir(stateDirs[0]), leftovers(stateDirs), discovery(ctx),
		rootCheck(), deathSignal(),
	}
	checks = append(checks, protected(ctx, getenv)...)
	self, _ := os.Executable()
	path, err := k6.Find(self, os.LookupEnv)
	checks = append(checks, k6Program("k6", Missing, path, err))
	checks = append(checks, features()...)
	checks = append(checks, capabilities()...)
	return append(checks, engine(ctx, getenv))
}

func cpus() Check {
	c := Check{Name: "processors", State: Fine, Found: fmt.Sprint(runtime.NumCPU())}
	if runtime.NumCPU() < 2 {
		c.State, c.Fix = Limited,
			"with one processor brunt and a target on the same machine disturb each other: load from another machine"
	}
	return c
}

func openFiles() Check {
	soft, hard := machine.RaiseFileLimit(scenarios.DefaultMaxInFlight + plan.OwnFiles)
	c := Check{Name: "open files", State: Fine, Found: fmt.Sprintf("%d now, %d at most", soft, hard)}
	if soft < scenarios.DefaultMaxInFlight+plan.OwnFiles {
		c.State, c.Fix = Limited,
			fmt.Sprintf("%d connections at most: raise the hard limit (`ulimit -Hn`, LimitNOFILE in systemd)", soft)
	}
	return c
}

// ports reports how many connections one source address can have to one target.
func ports() Check {
	low, high := machine.EphemeralPorts()
	c := Check{Name: "ports", State: Fine, Found: fmt.Sprintf("%d to %d for connections", low, high)}
	if n := high - low + 1; n < scenarios.DefaultMaxInFlight {
		c.State, c.Fix = Limited,
			fmt.Sprintf("%d connections to one target at most: widen net.ipv4.ip_local_port_range, or name more "+
				"source_addresses", n)
	}
	return c
}

func loopback() Check {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Check{"loopback", Bad, err.Error(), "brunt's own targets and links listen on 127.0.0.1"}
	}
	_ = l.Close()
	c := Check{Name: "loopback", State: Fine, Found: "127.0.0.1"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = l.Close()
		c.Found += ", ::1"
	}
	return c
}

// timers measures how late the most precise timer fires.
func timers() Check {
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	p := load.NewPacer("precise", now, 0)
	defer p.Close()
	var late []time.Duration
	for at := now() + time.Millisecond; len(late) < 200; at += time.Millisecond {
		p.Until(at)
		late = append(late, now()-at)
	}
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	c := Check{
		Name: "pacing", State: Fine,
		Found: fmt.Sprintf("late by %s in the median, %s at p99, over 200 waits of 1 ms",
			quantity.FormatSeconds(p50.Seconds()), quantity.FormatSeconds(p99.Seconds())),
	}
	if p99 > time.Millisecond {
		c.State, c.Fix = Limited,
			"something else uses the processors, or the timers are coarse: objectives under 10 ms can't be judged now"
	}
	return c
}

func stateDir(dir string) Check {
	c := Check{Name: "journal", State: Fine, Found: dir}
	if err := os.MkdirAll(dir, 0o700); err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".doctor-*"); err == nil {
			_ = f.Close()
			_ = os.Remove(filepath.Clean(f.Name()))
			if err := journal.CheckDir(dir); err != nil {
				c.State, c.Fix = Bad, fmt.Sprintf("%v, so nothing would be taken back by a journal there: set BRUNT_STATE to a "+
					"directory that only you can change", err)
			}
			return c
		}
	}
	c.State, c.Fix = Bad,
		"without a journal nothing is started or broken: set BRUNT_STATE to a directory that can be written"
	return c
}

func leftovers(dirs []string) Check {
	alive, left, others := 0, 0, 0
	for _, d := range dirs {
		states, err := journal.List(d)
		if err != nil {
			continue
		}
		for _, s := range states {
			if s.Alive {
				alive++
			}
			left += s.Left()
			if s.Unproven != nil && !s.Alive {
				others++
			}
		}
	}
	c := Check{Name: "other runs", State: Fine, Found: fmt.Sprintf("%d go on, nothing left behind", alive)}
	if left > 0 {
		c.State, c.Found, c.Fix = Limited, "left behind: "+syntax.Amount(left, "fault"), "`brunt revert` takes them back"
	}
	if others > 0 {
		c.State, c.Found = Limited, c.Found+fmt.Sprintf("; %s not proven to be this user's", syntax.Amount(others, "journal"))
		c.Fix = strings.TrimPrefix(c.Fix+"; `brunt status` names the others and who takes them back", "; ")
	}
	return c
}

// discovery reports the remains of dead runs that have a mark or a value of brunt, even without a journal.
func discovery(ctx context.Context) Check {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	d, err := journal.Discover(ctx, catalog.AllOperations())
	c := Check{Name: "discovery", State: Fine, Found: "nothing is left that has a mark of a dead run"}
	switch {
	case d == nil:
		c.State, c.Found = Missing, err.Error()
		return c
	case len(d.Left) > 0:
		c.State, c.Fix = Limited, "`brunt revert --discover` lists it, and takes it back with --yes"
		c.Found = fmt.Sprintf("%s of dead runs, such as: %s", syntax.Amount(len(d.Left), "remnant"), d.Left[0].What)
	}
	if n := len(d.Unproven); n > 0 {
		c.Found += fmt.Sprintf("; %d more may be brunt's or of others, such as: %s", n, d.Unproven[0].What)
		c.Fix = "`brunt revert --discover` lists it, and takes it back with --yes"
	}
	if err != nil {
		c.State, c.Found = Limited, c.Found+"; not everything could be looked at: "+
			strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return c
}

// protected lists what no fault may hit on this machine, and the rules that protect it.
func protected(ctx context.Context, getenv func(string) string) []Check {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var e *docker.Engine
	if at, err := containers.FindEngine(getenv); err == nil {
		if e, err = docker.Open(at, docker.Options{}); err == nil {
			defer e.Close()
		}
	}
	var out []Check
	for _, p := range protect.Local(ctx, e) {
		out = append(out, Check{"protected", Fine, p.What + ": " + p.Why, ""})
	}
	return out
}

func rootCheck() Check {
	if os.Geteuid() == 0 {
		return Check{"root", Fine, "yes", ""}
	}
	return Check{"root", Fine, "no; faults on control groups and on processes of others need it", ""}
}

// capabilities reports which faults this machine can inject, and by which mechanism.
func capabilities() []Check {
	var out []Check
	for _, w := range catalog.Faults().Capabilities() {
		c := Check{Name: w.Fault, State: Fine, Found: w.Via}
		if w.Err != nil {
			c.State, c.Found, c.Fix = Missing, w.Err.Error(), w.Fix
		}
		out = append(out, c)
	}
	return out
}

func deathSignal() Check {
	if runtime.GOOS == "linux" {
		return Check{
			"dies with brunt", Fine, "the kernel ends the target's processes (PDEATHSIG), the watchdog takes back the rest", "",
		}
	}
	return Check{"dies with brunt", Fine, "the watchdog ends the target's processes and takes back the rest", ""}
}

// engine reports the version and platform of the Docker engine, if there is one.
func engine(ctx context.Context, getenv func(string) string) Check {
	c := Check{Name: "docker", State: Missing}
	at, err := containers.FindEngine(getenv)
	if err == nil {
		var e *docker.Engine
		if e, err = docker.Open(at, docker.Options{}); err == nil {
			defer e.Close()
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			var i docker.Info
			if i, err = e.Info(ctx); err == nil {
				if name, err := docker.Product(ctx, e); err == nil && name != "Docker" {
					return Check{
						"docker", Limited, fmt.Sprintf("%s %s, API %s, cgroup v%s, at %s", name, i.Version, i.API, i.Cgroup, at.Host),
						"brunt speaks the same API with it; its tests run on Docker's engine alone, so try each fault on containers " +
							"by `brunt inject` before you rely on it",
					}
				}
				return Check{"docker", Fine, fmt.Sprintf("%s, API %s, cgroup v%s, %s, at %s", i.Version, i.API, i.Cgroup, i.Driver,
					at.Host), ""}
			}
		}
	}
	c.Found, c.Fix = err.Error(), "needed for targets and faults that are containers"
	return c
}

// Policies reports the policies in force and what they allow.
func Policies(paths []string) []Check {
	if len(paths) == 0 {
		return []Check{{"policy", Fine, "none; --policy or BRUNT_POLICY names one", ""}}
	}
	var out []Check
	for _, path := range paths {
		p, err := plan.ReadPolicies([]string{path}, nil)
		if err != nil {
			what, _, _ := strings.Cut(err.Error(), "\n")
			out = append(out, Check{"policy", Bad, what, "nothing is run under a policy that can't be read"})
			continue
		}
		out = append(out, Check{"policy", Fine, plan.PolicyName(p[0]) + ": " + strings.Join(p[0].Summary(), ", "), ""})
	}
	return out
}
