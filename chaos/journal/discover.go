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

// A Discovery is what dead runs have left on this machine, found by brunt's marks and
// Without a journal of theirs. A mark is an entry in the environment of each process that
// a run started, which no later process has by chance. What has none is never touched: a
// process that brunt did not start and a fault stopped carries no mark, and only the
// journal knows it.
type Discovery struct {
	Left    []Leftover
	Alive   []string       // runs that go on, or whose guard is at work; their processes are left alone
	Stopped []proc.Process // stopped by somebody, without a mark
}

// A Leftover is one thing of a dead run: a process, or a journal in a state directory
// that nobody looks into.
type Leftover struct {
	Run     string
	Journal string         // empty is a process
	Process proc.Process   // of the run, or its guard
	Engine  docker.Address // where what it has made carries its label; the zero one is that it is a process or a journal
	What    string         // for people
}

// Seen is a process as a look around finds it.
type seen struct {
	proc.Process
	run     string // the mark of its run, or empty
	unit    string
	guards  string // the journal that it is the guard of, or empty
	stopped bool
	getenv  func(string) string
}

// watchdogMark is the entry in the environment of a guard that names its journal.
const watchdogMark = "BRUNT_GUARD="

// Discover looks for what dead runs have left: those that are named, or all. It touches
// nothing.
func Discover(runs ...string) (*Discovery, error) {
	all, holders, err := look()
	if err != nil {
		return nil, err
	}
	d := &Discovery{}
	journals := map[string]bool{}
	for _, p := range all {
		switch {
		case p.run == "" && p.guards == "":
			if p.stopped {
				d.Stopped = append(d.Stopped, p.Process)
			}
			continue
		case len(runs) > 0 && !slices.Contains(runs, p.run), proc.Protect(p.PID) != nil: // brunt runs below it
			continue
		case holders[p.run]:
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
		if p.guards != "" {
			what = fmt.Sprintf("process %d (%s), the guard, %s", p.PID, p.Name, state)
		}
		d.Left = append(d.Left, Leftover{Run: p.run, Process: p.Process, What: what})
		for _, path := range p.journals() {
			if s, err := readJournal(path); err == nil && !s.Alive && !s.Foreign && !journals[path] {
				journals[path] = true
				d.Left = append(d.Left, Leftover{Run: p.run, Journal: path, What: fmt.Sprintf("the journal %s, with %d entries open", path, len(s.Open))})
			}
		}
	}
	d.engine(holders, runs)
	// A journal knows best how to take things back: it comes first.
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

// journals lists where the journal of a process's run may lie, by what its own
// environment says of the state directory.
func (p *seen) journals() []string {
	if p.guards != "" {
		return []string{p.guards}
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

// TakeBack takes back what was found, and gives what became of it. Each process is
// looked at once more: that it still is the one that was found, with its mark, of a run
// that has not come to life.
func (d *Discovery) TakeBack(ctx context.Context, ops chaos.Operations) ([]Taken, error) {
	var taken []Taken
	var errs []error
	for _, l := range d.Left {
		if l.Journal != "" {
			some, err := Replay(ctx, ops, l.Journal, "discover", false)
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

// end ends a process of a dead run.
func (l *Leftover) end(ctx context.Context) (chaos.Outcome, error) {
	all, holders, err := look()
	if err != nil {
		return chaos.Failed, err
	}
	i := slices.IndexFunc(all, func(p seen) bool { return p.Same(l.Process) && p.run == l.Run })
	switch {
	case i < 0:
		return chaos.Gone, nil
	case holders[l.Run]:
		return chaos.Failed, errors.New("its run goes on")
	}
	// subtle: what was found is named by when it began, and signal looks at that once it
	// holds the process: a successor of the number is never hit.
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

// engine looks for what dead runs have left in this machine's Docker engine: containers,
// networks and images with their label. Runs of another user can't be seen to live, and
// are left alone; so is an engine that is not this machine's.
func (d *Discovery) engine(holders map[string]bool, only []string) {
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
		case holders[run]:
			if !slices.Contains(d.Alive, run) {
				d.Alive = append(d.Alive, run)
			}
			continue
		}
		left, err := e.Labelled(ctx, docker.RunLabel, run)
		if err != nil || left.Total() == 0 {
			continue
		}
		what := fmt.Sprintf("%d containers, %d networks, %d images and %d volumes in the Docker engine", len(left.Containers), len(left.Networks), len(left.Images), len(left.Volumes))
		d.Left = append(d.Left, Leftover{Run: run, Engine: e.Address(), What: what})
	}
}

// localEngine is the machine's own engine, where one answers.
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
	_, holders, err := look()
	switch {
	case err != nil:
		return chaos.Failed, err
	case holders[l.Run]:
		return chaos.Failed, errors.New("its run goes on")
	}
	e, err := docker.Open(l.Engine, docker.Options{})
	if err != nil {
		return chaos.Failed, err
	}
	defer e.Close()
	return container.SweepEngine(ctx, e, docker.RunLabel, l.Run)
}
