package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/kube"
	"brunt/chaos/proc"
	"brunt/scenarios/disk"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A Discovery lists the remnants of dead runs on this machine, found without a journal:
//
//	marks    the environment of each process that a run started, labels in the engine, names of control groups
//	copies   of journal entries, kept by the kernel; they are as good as the journal
//	values   that faults set, and that others may set too: a container that is paused, a lower limit
//
// Left holds the remnants that a mark or a copy proves to be of this user's own brunt, Unproven the others. A mark that
// another user can set proves nothing.
type Discovery struct {
	Left     []Leftover
	Unproven []Leftover // remnants that may be brunt's
	Alive    []string   // runs that go on, or whose watchdog works; their remnants are left alone
}

// A Leftover is one remnant of a dead run: a process, objects in an engine, a journal in a state directory that brunt
// does not read by default, or the effect of a fault.
type Leftover struct {
	Run     string             // empty: not known
	Journal string             // path of the journal
	Process proc.Process       // of the run, or its watchdog
	Engine  containers.Address // engine whose objects carry the label of the run
	PID     int                // the process that a fault is on; zero is none
	What    string             // description
	Why     string             // why it is brunt's, or may be
	Command string             // removes it by hand; empty: none does

	entry *Pending   // of a kernel copy
	undo  chaos.Undo // of a remnant; an empty Op means that no undo removes it
}

// Reverts reports whether [Discovery.TakeBack] can take it back.
func (l *Leftover) Reverts() bool {
	return l.Journal != "" || l.Process.PID != 0 || l.Engine.Host != "" || l.entry != nil || l.undo.Op != ""
}

// markedProcess is a process that carries a mark of brunt.
type markedProcess struct {
	proc.Process
	run     string // the mark of its run, or empty
	unit    string
	owner   string // another user that it belongs to, in whole or in part; empty: it is of this user alone
	watches string // the journal whose watchdog it is, or empty
	stopped bool
	getenv  func(string) string
}

// watchdogMark is the environment entry of a watchdog that names its journal.
const watchdogMark = "BRUNT_GUARD="

// Discover looks for remnants of dead runs: of the named runs, or of all. If runs are named, remnants whose mark names
// no run are Unproven. It changes nothing. An error beside a Discovery names the places that could not be searched.
func Discover(ctx context.Context, ops chaos.Operations, runs ...string) (*Discovery, error) {
	return DiscoverIn(ctx, ops, nil, runs...)
}

// DiscoverIn is Discover that also searches namespaces of clusters.
func DiscoverIn(
	ctx context.Context, ops chaos.Operations, clusters []kube.Address, runs ...string,
) (*Discovery, error) {
	all, owners, err := markedProcesses()
	if err != nil {
		return nil, err
	}
	d := &discoverer{
		Discovery: &Discovery{}, ops: ops, owners: owners, only: runs, engine: localEngine(), clusters: clusters,
	}
	if d.engine != nil {
		defer d.engine.Close()
	}
	var marked []int
	for _, p := range all {
		if p.run == "" && p.watches == "" {
			continue
		}
		marked = append(marked, p.PID)
		if !d.asked(p.run) || proc.Protect(p.PID) != nil || d.lives(p.run) { // brunt may run below such a process
			continue
		}
		state := "runs"
		if p.stopped {
			state = "is stopped"
		}
		what := fmt.Sprintf("process %d (%s), %s, %s", p.PID, p.Name, p.unit, state)
		if p.watches != "" {
			what = fmt.Sprintf("process %d (%s), the watchdog, %s", p.PID, p.Name, state)
		}
		if l := (Leftover{Run: p.run, Process: p.Process, What: what}); p.owner == "" {
			d.Left = append(d.Left, l)
		} else {
			l.Why = fmt.Sprintf("it has the mark of the run, and is of %s, who can give any process that mark", p.owner)
			d.Unproven = append(d.Unproven, l)
		}
		for _, path := range p.journals() {
			d.journal(path)
		}
	}
	for _, dir := range Dirs(os.Getenv) {
		states, _ := List(dir) // `brunt revert` reports its errors
		for _, s := range states {
			d.journal(s.Path)
		}
	}
	d.copies()
	d.objects()
	err = d.remnants(ctx, marked)
	rank := func(l *Leftover) int {
		switch {
		case l.Journal != "": // the journal knows best how to revert
			return 0
		case l.entry != nil:
			return 1
		case l.undo.Op != "":
			return 2
		}
		return 3
	}
	slices.SortStableFunc(d.Left, func(a, b Leftover) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)),
			strings.Compare(a.Run, b.Run))
	})
	slices.Sort(d.Alive)
	return d.Discovery, err
}

// A discoverer builds a Discovery.
type discoverer struct {
	*Discovery
	ops      chaos.Operations
	owners   map[string]string // live runs, with the paths of their journals
	only     []string          // the runs that are asked for; empty: all
	engine   *docker.Engine    // the machine's own engine; nil: no engine answers
	clusters []kube.Address    // namespaces to search
	known    []chaos.Undo      // undos of live runs, and of remnants found so far
	swept    []string          // runs with objects in the engine, whose containers are to be removed
}

// asked reports whether a run is among those that are asked for.
func (d *discoverer) asked(run string) bool { return len(d.only) == 0 || slices.Contains(d.only, run) }

// lives reports whether a run goes on, and notes that.
func (d *discoverer) lives(run string) bool {
	lives := d.owners[run] != ""
	if lives && !slices.Contains(d.Alive, run) {
		d.Alive = append(d.Alive, run)
	}
	return lives
}

// know notes the undos of entries.
func (d *discoverer) know(entries ...Pending) {
	for _, e := range entries {
		d.known = append(d.known, d.ops.Innermost(e.Undo)...)
	}
}

// journal adds the journal of a dead run. It reports whether the journal exists, is proven and is whole.
func (d *discoverer) journal(path string) bool {
	s, err := readJournal(path)
	if err != nil || s.Foreign || !d.asked(s.Run) {
		return false
	}
	if s.Unproven != nil {
		d.unproven(&s)
		return false
	}
	d.know(s.Open...)
	if s.Alive || s.Left() == 0 {
		return true
	}
	if !slices.ContainsFunc(d.Left, func(l Leftover) bool { return l.Journal == path }) {
		d.Left = append(d.Left, Leftover{
			Run: s.Run, Journal: path, What: fmt.Sprintf("the journal %s, with %d entries open", path, len(s.Open)),
		})
	}
	return len(s.Problems()) == 0
}

// unproven names the journal of a dead run that others may have written. Nothing replays it.
func (d *discoverer) unproven(s *State) {
	if s.Alive || len(s.Open)+len(s.Damage) == 0 {
		return
	}
	l := Leftover{
		Run: s.Run, What: fmt.Sprintf("the journal %s, with %d entries open", s.Path, len(s.Open)),
		Why: s.Unproven.Error() + "; it is never replayed for this user", Command: s.ByOwner(),
	}
	if would := s.Would(d.ops); len(would) > 0 {
		l.Why += ". Its undos would do: " + strings.Join(firstFew(would), "; ")
	}
	if !slices.ContainsFunc(d.Unproven, func(o Leftover) bool { return o.What == l.What }) {
		d.Unproven = append(d.Unproven, l)
	}
}

// copies adds the entries of which the kernel keeps copies, unless their journal exists.
func (d *discoverer) copies() {
	for _, c := range copies() {
		r := c.Record
		if !d.asked(r.Run) || d.lives(r.Run) || d.journal(c.Journal) {
			continue
		}
		e := r.pending()
		d.know(*e)
		what := e.What
		if e.Fault != "" {
			what = e.Fault + ": " + what
		}
		d.Left = append(d.Left, Leftover{
			Run: r.Run, What: what + ", on " + e.Place.String(), Why: "the kernel keeps the entry of its journal, which is lost",
			entry: e,
		})
	}
}

// remnants searches for the effects of faults. marked are the processes that runs have started.
func (d *discoverer) remnants(ctx context.Context, marked []int) error {
	for _, path := range d.owners {
		if f, err := disk.Open(path); err == nil { // any user's: what lives is left alone
			if s, err := parseJournal(path, io.LimitReader(f, mostUnproven)); err == nil {
				d.know(s.Open...)
			}
			_ = f.Close()
		}
	}
	s := &chaos.Search{
		PIDs: hittable(marked), Clusters: d.clusters, Live: func(run string) bool { return d.owners[run] != "" },
	}
	var unlisted error
	if d.engine != nil {
		s.Engine = d.engine
		var all []containers.Container
		all, unlisted = docker.All(ctx, d.engine)
		for i := range all {
			if all[i].Protected() == nil {
				s.Containers = append(s.Containers, all[i])
			}
		}
	}
	found, err := d.ops.Find(ctx, s)
	for _, r := range found {
		same := func(u chaos.Undo) bool { return r.Undo.Op != "" && d.ops.Same(u, r.Undo) }
		switch {
		case s.Live(r.Run), slices.ContainsFunc(d.known, same), slices.Contains(d.swept, r.Run),
			slices.Contains(marked, r.PID) && r.Run == "":
			continue
		case r.Sure && r.Run != "" && !d.asked(r.Run): // a container of one run may be paused by another run
			continue
		case r.Sure && r.Undo.Op == "" && len(d.owners) > 0: // it may belong to one of the live runs
			continue
		}
		l := Leftover{Run: r.Run, PID: r.PID, What: r.What, Why: r.Why, Command: r.Command, undo: r.Undo}
		if r.Sure && l.Reverts() && (r.Run != "" || len(d.only) == 0) {
			d.Left = append(d.Left, l)
		} else {
			d.Unproven = append(d.Unproven, l)
		}
	}
	return errors.Join(unlisted, err)
}

// hittable lists the processes of this machine that a fault may hit and that no run has started.
func hittable(marked []int) []int {
	return slices.DeleteFunc(proc.All(), func(pid int) bool {
		return slices.Contains(marked, pid) || proc.ProtectAll(pid) != nil
	})
}

// journals lists the possible paths of the journal of the process's run, given the state directory in the environment
// of the process.
func (p *markedProcess) journals() []string {
	if p.watches != "" {
		return []string{p.watches}
	}
	var out []string
	for _, dir := range Dirs(p.getenv) {
		path := filepath.Join(dir, p.run+journalSuffix)
		if _, err := os.Stat(path); err == nil && filepath.Base(path) == p.run+journalSuffix {
			out = append(out, path)
		}
	}
	return out
}

// TakeBack reverts the remnants that are proven to be brunt's, and of the others those for which also returns true; a
// nil also means none of them. It returns the results. It checks each process again: it must still be the same process,
// with its mark, of a run that has not come back to life. Each undo compares the state before it changes it.
func (d *Discovery) TakeBack(ctx context.Context, ops chaos.Operations, also func(Leftover) bool) ([]Taken, error) {
	all := slices.Clone(d.Left)
	for _, l := range d.Unproven {
		if also != nil && l.Reverts() && also(l) {
			all = append(all, l)
		}
	}
	var taken []Taken
	var errs []error
	for _, l := range all {
		if l.Journal != "" {
			some, err := replay(ctx, ops, l.Journal, "discover", false)
			taken = append(taken, some...)
			errs = append(errs, err)
			continue
		}
		t := Taken{Run: l.Run, Pending: Pending{What: l.What}}
		switch {
		case l.entry != nil:
			if t.Outcome, t.Err = l.entry.Revert(ctx, ops); t.Err == nil {
				dropCopy(copyName(l.Run, l.entry.ID))
			}
		case l.undo.Op != "":
			own, cancel := ownTime(ctx, ops.Within([]chaos.Undo{l.undo}))
			t.Outcome, t.Err = ops.Revert(own, []chaos.Undo{l.undo})
			cancel()
		case l.Engine.Host != "":
			t.Outcome, t.Err = l.sweep(ctx)
		default:
			t.Outcome, t.Err = l.end(ctx)
		}
		taken = append(taken, t)
		if t.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.What, t.Err))
		}
	}
	return taken, errors.Join(errs...)
}

// end kills a process of a dead run.
func (l *Leftover) end(ctx context.Context) (chaos.Outcome, error) {
	all, owners, err := markedProcesses()
	if err != nil {
		return chaos.Failed, err
	}
	i := slices.IndexFunc(all, func(p markedProcess) bool { return p.Same(l.Process) && p.run == l.Run })
	switch {
	case i < 0:
		return chaos.Gone, nil
	case owners[l.Run] != "":
		return chaos.Failed, errors.New("its run goes on")
	}
	// subtle: the identity includes the start time, and Signal checks it once it holds the process: a
	// successor with the same pid is never hit.
	id := proc.Identity{PID: l.Process.PID, Start: l.Process.Start, Boot: l.Process.Boot}
	if err := proc.Protect(id.PID); err != nil {
		return chaos.Failed, err
	}
	if err := proc.Signal(id, "KILL"); err != nil && !errors.Is(err, proc.ErrEnded) {
		return chaos.Failed, err
	}
	if err := proc.Await(ctx, proc.EndsWithin, func() bool { return !id.Alive() }, "it does not end"); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

// objects looks for objects of dead runs in this machine's Docker engine: containers, networks and images with their
// label. It leaves alone runs of another user, whose processes it cannot see, and engines of other machines.
func (d *discoverer) objects() {
	e := d.engine
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), container.InspectFor)
	defer cancel()
	runs, err := e.Runs(ctx)
	if err != nil {
		return
	}
	for _, run := range slices.Sorted(maps.Keys(runs)) {
		mine := os.Geteuid() == 0 || runs[run] == strconv.Itoa(os.Geteuid())
		if !mine || runs[run] == "" || !d.asked(run) || d.lives(run) {
			continue
		}
		left, err := e.Labelled(ctx, containers.RunLabel, run)
		if err != nil || left.Total() == 0 {
			continue
		}
		what := fmt.Sprintf("%d containers, %d networks, %d images and %d volumes in the Docker engine", len(left.Containers),
			len(left.Networks), len(left.Images),
			len(left.Volumes))
		d.Left = append(d.Left, Leftover{Run: run, Engine: e.Address(), What: what})
		d.swept = append(d.swept, run)
	}
}

// localEngine returns the machine's own engine if it answers.
func localEngine() *docker.Engine {
	at, err := containers.FindEngine(os.Getenv)
	if err != nil || !at.Local() {
		return nil
	}
	e, err := docker.Open(at, docker.Options{})
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if e.Ping(ctx) != nil {
		_ = e.Close()
		return nil
	}
	return e
}

// sweep removes the objects of a dead run from an engine.
func (l *Leftover) sweep(ctx context.Context) (chaos.Outcome, error) {
	_, owners, err := markedProcesses()
	switch {
	case err != nil:
		return chaos.Failed, err
	case owners[l.Run] != "":
		return chaos.Failed, errors.New("its run goes on")
	}
	e, err := docker.Open(l.Engine, docker.Options{})
	if err != nil {
		return chaos.Failed, err
	}
	defer e.Close()
	return container.SweepEngine(ctx, e, containers.RunLabel, l.Run)
}
