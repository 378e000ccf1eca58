package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/targets/platform/docker"
)

// A Discovery is what dead runs have left on this machine, found by brunt's marks and without a
// journal. A mark is an entry in the environment of each process that a run started; no other process
// has one by chance. A process without a mark is never touched: only the journal knows a process that
// brunt did not start and a fault stopped.
type Discovery struct {
	Left    []Leftover
	Alive   []string       // runs that go on, or whose watchdog works; their processes are left alone
	Stopped []proc.Process // stopped processes without a mark
}

// A Leftover is one remnant of a dead run: a process, objects in an engine, or a journal in a state
// directory that brunt does not read by default.
type Leftover struct {
	Run     string
	Journal string         // empty for a process
	Process proc.Process   // of the run, or its watchdog
	Engine  docker.Address // where objects carry the label of the run; zero for a process or a journal
	What    string         // description
}

// markedProcess is a process with a mark of brunt's.
type markedProcess struct {
	proc.Process
	run     string // the mark of its run, or empty
	unit    string
	watches string // the journal whose watchdog it is, or empty
	stopped bool
	getenv  func(string) string
}

// watchdogMark is the environment entry of a watchdog that names its journal.
const watchdogMark = "BRUNT_GUARD="

// Discover looks for what dead runs have left: the named runs, or all. It changes nothing.
func Discover(runs ...string) (*Discovery, error) {
	all, owners, err := markedProcesses()
	if err != nil {
		return nil, err
	}
	d := &Discovery{}
	journals := map[string]bool{}
	for _, p := range all {
		switch {
		case p.run == "" && p.watches == "":
			if p.stopped {
				d.Stopped = append(d.Stopped, p.Process)
			}
			continue
		case len(runs) > 0 && !slices.Contains(runs, p.run), proc.Protect(p.PID) != nil: // brunt runs below it
			continue
		case owners[p.run]:
			if !slices.Contains(d.Alive, p.run) {
				d.Alive = append(d.Alive, p.run)
			}
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
		d.Left = append(d.Left, Leftover{Run: p.run, Process: p.Process, What: what})
		for _, path := range p.journals() {
			if s, err := readJournal(path); err == nil && !s.Alive && !s.Foreign && !journals[path] {
				journals[path] = true
				d.Left = append(d.Left, Leftover{Run: p.run, Journal: path, What: fmt.Sprintf("the journal %s, with %d entries open", path, len(s.Open))})
			}
		}
	}
	d.engine(owners, runs)
	// Journals come first: they know best how to revert.
	slices.SortStableFunc(d.Left, func(a, b Leftover) int {
		switch {
		case (a.Journal == "") == (b.Journal == ""):
			return strings.Compare(a.Run, b.Run)
		case a.Journal != "":
			return -1
		}
		return 1
	})
	slices.Sort(d.Alive)
	return d, nil
}

// journals lists where the journal of a process's run may be, given the state directory in the
// environment of the process.
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

// TakeBack reverts what was found and returns the results. It checks each process again: it must still
// be the same process, with its mark, of a run that has not come back to life.
func (d *Discovery) TakeBack(ctx context.Context, ops chaos.Operations) ([]Taken, error) {
	var taken []Taken
	var errs []error
	for _, l := range d.Left {
		if l.Journal != "" {
			some, err := replay(ctx, ops, l.Journal, "discover", false)
			taken = append(taken, some...)
			errs = append(errs, err)
			continue
		}
		t := Taken{Run: l.Run, Pending: Pending{What: l.What}}
		if l.Engine.Host != "" {
			t.Outcome, t.Err = l.sweep(ctx)
		} else {
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
	case owners[l.Run]:
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

// engine looks for what dead runs have left in this machine's Docker engine: containers, networks and
// images with their label. It leaves alone runs of another user, whose processes it cannot see, and
// engines of other machines.
func (d *Discovery) engine(owners map[string]bool, only []string) {
	e := localEngine()
	if e == nil {
		return
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(context.Background(), container.InspectFor)
	defer cancel()
	runs, err := e.Runs(ctx)
	if err != nil {
		return
	}
	for _, run := range slices.Sorted(maps.Keys(runs)) {
		mine := os.Geteuid() == 0 || runs[run] == strconv.Itoa(os.Geteuid())
		switch {
		case !mine, runs[run] == "", len(only) > 0 && !slices.Contains(only, run):
			continue
		case owners[run]:
			if !slices.Contains(d.Alive, run) {
				d.Alive = append(d.Alive, run)
			}
			continue
		}
		left, err := e.Labelled(ctx, docker.RunLabel, run)
		if err != nil || left.Total() == 0 {
			continue
		}
		what := fmt.Sprintf("%d containers, %d networks, %d images and %d volumes in the Docker engine", len(left.Containers), len(left.Networks), len(left.Images),
			len(left.Volumes))
		d.Left = append(d.Left, Leftover{Run: run, Engine: e.Address(), What: what})
	}
}

// localEngine returns the machine's own engine if it answers.
func localEngine() *docker.Engine {
	at, err := docker.Find(os.Getenv)
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

// sweep removes what a dead run has left in an engine.
func (l *Leftover) sweep(ctx context.Context) (chaos.Outcome, error) {
	_, owners, err := markedProcesses()
	switch {
	case err != nil:
		return chaos.Failed, err
	case owners[l.Run]:
		return chaos.Failed, errors.New("its run goes on")
	}
	e, err := docker.Open(l.Engine, docker.Options{})
	if err != nil {
		return chaos.Failed, err
	}
	defer e.Close()
	return container.SweepEngine(ctx, e, docker.RunLabel, l.Run)
}
