package packets

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/proc"
)

// namedNamespaces is where `ip netns` keeps the namespaces that have names.
const namedNamespaces = "/run/netns/*"

// find finds queueing disciplines in every network that a process is in, and in those that have a name.
func find(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	var errs []error
	var seen []string // networks
	in := func(path, name, command string, pid int) {
		n, err := netns.Open(path)
		if err != nil {
			return // the process has ended, or is of another user
		}
		defer n.Close()
		id, err := n.ID()
		if err != nil || slices.Contains(seen, id) {
			return
		}
		seen = append(seen, id)
		traces, err := n.Traces()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		for _, t := range traces {
			out = append(out, remnant(t, name, command, pid))
		}
	}
	for _, pid := range append([]int{os.Getpid()}, s.PIDs...) {
		name, command := fmt.Sprintf("the network of process %d (%s)", pid, proc.ProcessOf(pid).Name),
			fmt.Sprintf("nsenter -t %d -n ", pid)
		if proc.Namespace(pid, "net") == proc.OwnNamespace("net") {
			name, command = "this machine's network", ""
		} else if c := s.Container(pid); c != nil {
			name = "the network of container " + c.Name
		}
		in(fmt.Sprintf("/proc/%d/ns/net", pid), name, command, pid)
	}
	named, _ := filepath.Glob(namedNamespaces)
	for _, path := range named {
		name := filepath.Base(path)
		in(path, "the network "+name, "ip netns exec "+name+" ", 0)
	}
	return out, chaos.JoinErrors(errs...)
}

// remnant describes a trace in a network, by a process that is in it.
func remnant(t netns.Trace, where, command string, pid int) chaos.Remnant {
	if t.Table != "" {
		return chaos.Remnant{
			PID: pid, Sure: true, What: fmt.Sprintf("nftables table %s in %s", t.Table, where),
			Why: "brunt alone names a table so; the kernel removes it with the process that made it, and lets no other one " +
				"do so",
		}
	}
	link := t.Undo.Links[0].Name
	r := chaos.Remnant{
		PID: pid, What: fmt.Sprintf("queueing discipline %s %x: on %s in %s", t.Undo.Kind, t.Undo.Handle, link, where),
		Why:     "faults on packets take handles from 4000: to 7fff:, which others rarely do, and leave no mark",
		Command: command + "tc qdisc del dev " + link + " root",
	}
	if id, err := proc.Identify(pid); err == nil {
		r.Undo = chaos.Undo{
			Op: opUnqueue, Args: container.RawOf(unqueueArgs{Undo: t.Undo}),
			Identity: container.RawOf(networkIdentity{Identity: id}),
		}
	}
	return r
}

// disciplineOf identifies the discipline that an undo removes: its namespace and handle.
func disciplineOf(u chaos.Undo) string {
	var args unqueueArgs
	if json.Unmarshal(u.Args, &args) != nil {
		return ""
	}
	return fmt.Sprintf("%s %x", args.Undo.Namespace, args.Undo.Handle)
}
