package journal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/targets/platform/procgroup"
)

// A Journal records what a run is about to break, before the run does it. It is a file of lines. Each line is written
// and synced before brunt does what it says, so that any process that finds the file of a dead run can revert
// everything.
type Journal struct {
	// At is called at each point at which brunt could die, for tests.
	At func(point string)
	// Tell receives every line once it is written, and returns when the receiver has the line; nil sends nothing. An
	// injection waits for Tell to succeed; the end of an entry does not.
	Tell func(line []byte) error
	// Mask hides secrets in errors and descriptions; nil hides nothing.
	Mask func(string) string
	// Copies makes the kernel keep a copy of each open entry, for [Discover] if the journal is lost (Linux, root).
	Copies bool

	ops  chaos.Operations
	mu   sync.Mutex
	f    *os.File
	path string
	own  Owner
	host string
	last int
	n    int              // lines written so far
	open map[int]*Pending // entries that are not reverted yet
	back tail             // reads the file, with the lines of the watchdog
	bad  error            // why the file could not be repaired after a failed write; nil: it needs no repair
}

const (
	journalSuffix = ".journal"
	unnamed       = ".new" // suffix of a journal before its rename
	logSuffix     = ".log" // added to a journal's name for the log of its watchdog
)

// PathOf returns the path of the journal of a run in dir.
func PathOf(dir, run string) string { return filepath.Join(dir, run+journalSuffix) }

// beforeRename returns the path of a journal until it gets its final name.
func beforeRename(journal string) string {
	return filepath.Join(filepath.Dir(journal), "."+strings.TrimSuffix(filepath.Base(journal), journalSuffix)+unnamed)
}

// Open makes the journal of a run in dir and locks it for the life of the run. Without room to write
// it returns an error, and nothing is injected.
func Open(ops chaos.Operations, dir, run string) (*Journal, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	path := PathOf(dir, run)
	// The file gets its final name only once it is locked: a run that looks for leftovers of dead runs must not take it
	// for one.
	f, err := openShared(beforeRename(path), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, fmt.Errorf("the journal: %w; set BRUNT_STATE to a directory that can be written", err)
	}
	j := &Journal{ops: ops, f: f, path: path, open: map[int]*Pending{}}
	if err := j.begin(run); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("the journal: %w", err), j.Close())
	}
	return j, nil
}

func (j *Journal) begin(run string) error {
	if err := procgroup.TryLock(j.f); err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	id, err := proc.Identify(os.Getpid())
	if err != nil {
		return err
	}
	j.own = Owner{Identity: id, Run: run}
	j.host, _ = os.Hostname()
	if err := j.write(record{Op: opBegin, Run: run, PID: id.Raw(), Host: j.host}); err != nil {
		return err
	}
	if _, err := os.Lstat(j.path); err == nil {
		return fmt.Errorf("the journal: %s exists already", j.path)
	}
	return os.Rename(j.f.Name(), j.path)
}

// Path returns the path of the journal's file.
func (j *Journal) Path() string { return j.path }

// Point calls At, for a point at which brunt could die.
func (j *Journal) Point(name string) {
	if j.At != nil {
		j.At(name)
	}
}

// write appends a line and syncs it. The caller holds mu, or has the only reference to j.
func (j *Journal) write(r record) error {
	if j.bad != nil {
		return j.bad
	}
	if r.V = currentVersion; r.Time.IsZero() {
		r.Time = time.Now().UTC()
	}
	if j.Mask != nil {
		r.Error, r.What = j.Mask(r.Error), j.Mask(r.What)
	}
	if j.path != "" { // empty when it replays the journal of another run
		r.N = j.n + 1
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// Seek to the end each time: the watchdog may have written meanwhile.
	end, err := j.f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if _, err = j.f.Write(append(b, '\n')); err == nil {
		err = j.f.Sync()
	}
	if err == nil {
		j.n = r.N
		if j.Tell != nil && (r.Op == opIntent || r.Op == opAdd) {
			return j.Tell(b)
		}
		if j.Tell != nil {
			_ = j.Tell(b)
		}
		return nil
	}
	// subtle: on a full disk a part of the line is written. The next line must not follow it: it could not be read
	// then, and the fault that it records would never be reverted.
	err = fmt.Errorf("writing the journal: %w", err)
	if terr := j.f.Truncate(end); terr != nil {
		j.bad = errors.Join(err, terr)
	}
	return err
}

// Intent writes down how to revert a fault that is about to be injected, and returns the number of the entry. After an
// error nothing may be injected.
func (j *Journal) Intent(in chaos.Intent) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := chaos.JoinErrors(j.shared(in.Undo), j.twice(in.Undo)); err != nil {
		return 0, err
	}
	j.last++
	j.Point("before intent")
	r := record{
		Op: opIntent, ID: j.last, Fault: in.Fault, What: in.What, Undo: in.Undo,
		Until: in.Until.UTC(), Deadline: in.Deadline.UTC(), Owner: &j.own,
		Place: &Place{Machine: j.host, Engine: engineOf(j.ops, in.Undo), Cluster: clusterOf(in.Undo)},
	}
	if err := j.write(r); err != nil {
		return 0, err
	}
	j.Point("after intent")
	j.open[j.last] = r.pending()
	j.copy(j.last)
	return j.last, nil
}

// Extend adds undos to entry id, such as for a process that was started under it.
func (j *Journal) Extend(id int, undo ...chaos.Undo) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.open[id]
	if e == nil {
		return fmt.Errorf("the journal: entry %d is closed", id)
	}
	j.Point("before add")
	if err := j.write(record{Op: opAdd, ID: id, Undo: undo}); err != nil {
		return err
	}
	j.Point("after add")
	e.Undo = append(e.Undo, undo...)
	j.copy(id)
	return nil
}

// Done closes entry id with its outcome.
func (j *Journal) Done(id int, o chaos.Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.open[id] == nil {
		return nil
	}
	j.Point("before done")
	if err := j.write(record{Op: opDone, ID: id, Outcome: o, By: byRun}); err != nil {
		return err
	}
	j.Point("after done")
	delete(j.open, id)
	j.copy(id)
	return nil
}

// Failed writes down why entry id could not be reverted. The entry stays open.
func (j *Journal) Failed(id int, why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(record{Op: opNote, ID: id, Outcome: chaos.Failed, By: byRun, Error: why.Error()})
}

// Off writes down that entry id is reverted, and why it stays open all the same.
func (j *Journal) Off(id int, why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(record{Op: opNote, ID: id, Outcome: chaos.Reverted, By: byRun, Error: why.Error()})
}

// Open returns the number of entries that are not reverted yet.
func (j *Journal) Open() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.open)
}

// OfTarget reports whether an open entry belongs to the target and not to a fault, such as a condition under which the
// target always runs.
func (j *Journal) OfTarget(id int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.open[id]
	return e != nil && e.Fault == ""
}

// TakenBack lists the open entries that the watchdog has reverted, or has begun to revert, because brunt stood still.
// It omits entries of agents: each fault that an agent held has an entry of its own, and brunt starts other agents.
// busy says that the watchdog is not done; it reverts the oldest entry last.
func (j *Journal) TakenBack() (taken []Pending, busy bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s, err := j.back.read(j.path)
	if err != nil {
		return nil, false, err
	}
	for _, e := range s.Open {
		if !e.TakenBack.IsZero() {
			taken = append(taken, e)
		}
	}
	busy = len(taken) > 0 && (!s.Open[0].tried || slices.ContainsFunc(taken, func(e Pending) bool { return e.begun }))
	return slices.DeleteFunc(taken, func(e Pending) bool { return j.ops.OfBrunt(e.Undo) }), busy, nil
}

// RevertedBeside notes that the watchdog in a container of its own reverted, at an instant, the open entries that it
// can. It has only the engine, and cannot write to the journal.
func (j *Journal) RevertedBeside(at time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(j.open)) {
		if slices.ContainsFunc(j.open[id].Undo, func(u chaos.Undo) bool { return j.ops[u.Op].ByEngine }) {
			errs = append(errs, j.write(record{Op: opNote, Time: at.UTC(), ID: id, Outcome: chaos.Reverted, By: byWatchdog}))
		}
	}
	return errors.Join(errs...)
}

// Close ends the journal. It removes the file when no entry is open; otherwise the file stays for
// `brunt revert` and the next run.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return nil
	}
	f := j.f
	j.f = nil
	if len(j.open) > 0 {
		return errors.Join(procgroup.UnlockFile(f), f.Close())
	}
	return errors.Join(remove(j.path), f.Close())
}

// remove removes a journal without open entries, its watchdog's log, and the kernel's copies of its entries.
func remove(path string) error {
	_ = os.Remove(path + logSuffix) // rarely exists
	dropCopies(strings.TrimSuffix(filepath.Base(path), journalSuffix))
	return errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
}

// shared refuses an undo that another live run already holds.
func (j *Journal) shared(undo []chaos.Undo) error {
	others, err := j.others()
	if err != nil {
		return err
	}
	undo = j.ops.Innermost(undo)
	for _, o := range others {
		if !o.Alive {
			continue
		}
		for _, e := range o.Open {
			for _, theirs := range j.ops.Innermost(e.Undo) {
				if j.ops[theirs.Op].PerRun { // each of two runs in one process releases its own
					continue
				}
				if slices.ContainsFunc(undo, theirs.Same) {
					return fmt.Errorf("another run, %s, holds it already", o.Run)
				}
			}
		}
	}
	return nil
}

// others reads the journals of other runs in the directory. It omits this run's own journal, which would be read at
// each injection, and grows with each.
func (j *Journal) others() ([]State, error) { return list(filepath.Dir(j.path), filepath.Base(j.path)) }

// OtherRun returns another live run that has something in the network of a container, or "".
func (j *Journal) OtherRun(container string) string {
	others, _ := j.others() // an unreadable journal counts as empty
	for _, o := range others {
		if !o.Alive {
			continue
		}
		for _, e := range o.Open {
			if slices.ContainsFunc(e.Undo, func(u chaos.Undo) bool { return j.ops.InNetwork(u) == container }) {
				return o.Run
			}
		}
	}
	return ""
}

// twice refuses a setting that another fault of this run has changed.
func (j *Journal) twice(undo []chaos.Undo) error {
	undo = j.ops.Innermost(undo)
	for _, e := range j.open {
		for _, theirs := range j.ops.Innermost(e.Undo) {
			if j.ops[theirs.Op].Exclusive && slices.ContainsFunc(undo, theirs.Same) {
				return fmt.Errorf("%s is still in (%s), and changes the same setting: both could not be taken back exactly; let "+
					"one end "+
					"before the other begins", cmp.Or(e.Fault, "a part of the target"),
					e.What)
			}
		}
	}
	return nil
}

// State is the content of a journal.
type State struct {
	Path    string
	Run     string
	Host    string
	Began   time.Time
	Alive   bool // its run goes on
	Foreign bool // written on another machine, which alone can revert it
	// Unproven says why others may have written it, so that it is never replayed; nil: only this user's brunt can have
	Unproven error
	Open     []Pending
	Torn     bool     // the last line is incomplete: brunt died while writing it, before the injection
	Damaged  int      // unreadable lines besides a torn one: their faults may still be injected
	Damage   []string // describes the damage, and the faults that may be left because of it; empty: the journal is whole

	owner Owner  // owner of the entries of version 1
	whole int64  // bytes up to the end of the last complete line
	torn  string // describes the incomplete last line
}

// watched reports whether the journal is locked although its brunt has ended: its watchdog is reverting the faults. For
// a run in a container it returns false: that has another host name, and processes that this one does not see.
func (s *State) watched() bool {
	host, err := os.Hostname()
	return s.Alive && !s.Foreign && err == nil && s.Host == host && s.owner.PID != 0 && !s.owner.Alive()
}

// Left returns the number of entries that a dead run left and this user can revert on this machine, plus the number of
// damaged places in the journal.
func (s *State) Left() int {
	if s.Alive || s.Foreign || s.Unproven != nil {
		return 0
	}
	left := len(s.Open) + len(s.Damage)
	if s.Torn {
		left++
	}
	return left
}

// Problems describes the damage to the journal of a dead run, and the faults that may be left because of it.
func (s *State) Problems() []string {
	if s.Torn && !s.Alive {
		return append(slices.Clone(s.Damage), s.torn)
	}
	return s.Damage
}

// A Pending is an entry that is not reverted yet.
type Pending struct {
	ID    int
	Time  time.Time
	Fault string
	What  string
	Undo  []chaos.Undo
	Error string    // of the last attempt, or why the entry stays open although it is reverted
	Off   time.Time // when the run reverted it, if it stays open; zero: it is not reverted

	// when a watchdog reverted the entry, or began to, because its run stood still; zero: no watchdog did
	TakenBack time.Time
	begun     bool // a watchdog is reverting it
	only      bool // the watchdog that is reverting it has not reverted it before
	tried     bool // a watchdog has tried to revert it

	Version  int       // of the record
	Until    time.Time // when the run means to revert it; zero: unknown
	Deadline time.Time // when the run has reverted it at the latest; zero: none, or an entry of version 1
	Owner    Owner     // the run that made it
	Place    Place     // where its effect is
}

// ErrUnreadable says that this user may not read a state directory.
var ErrUnreadable = errors.New("it can't be read")

// List reads all journals in dir. A missing directory has none. An unreadable journal is an error, and the others are
// still read; in a directory of others it is an unproven journal. A directory that this user may not read is
// [ErrUnreadable].
func List(dir string) ([]State, error) { return list(dir, "") }

// list reads all journals in dir except the one with the file name but.
func list(dir, but string) ([]State, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the state directory: %w: %w", ErrUnreadable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the state directory: %w", err)
	}
	unproven := CheckDir(dir)
	var out []State
	var errs []error
	for _, n := range names {
		if strings.HasPrefix(n.Name(), ".") || !strings.HasSuffix(n.Name(), journalSuffix) || n.Name() == but {
			continue
		}
		path := filepath.Join(dir, n.Name())
		s, err := readJournal(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // its run has just ended
		case err != nil && unproven != nil:
			run := strings.TrimSuffix(n.Name(), journalSuffix)
			out = append(out, State{Path: path, Run: run, Unproven: fmt.Errorf("%w; %w", unproven, err)})
		case err != nil:
			errs = append(errs, err)
		default:
			out = append(out, s)
		}
	}
	return out, errors.Join(errs...)
}

// mostUnproven bounds the bytes that are read of a journal that others may have written.
const mostUnproven = 16 << 20

// readJournal reads one journal, and checks whether its run is alive and whether it is of this user's own brunt.
func readJournal(path string) (State, error) {
	f, err := openShared(path, os.O_RDONLY)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	unproven := ownFile(f, path)
	var lines io.Reader = f
	if unproven != nil {
		lines = io.LimitReader(f, mostUnproven)
	}
	s, err := parseJournal(path, lines)
	if err != nil {
		return s, err
	}
	s.Unproven = unproven
	s.Alive, err = procgroup.LockHeld(f)
	return s, err
}

// follow applies a record to the state. It returns false for a record that this version does not know.
//
// The first version wrote the owner and the machine only once, at the begin of the journal. Newer versions do not
// change the meaning of an entry's number, fault and description, nor of done.
func (s *State) follow(r record, entries map[int]*Pending) bool {
	e := entries[r.ID]
	switch r.Op {
	case opBegin:
		s.Run, s.Host, s.Began, s.Foreign = r.Run, r.Host, r.Time, elsewhere(r)
		s.owner = Owner{Run: r.Run}
		_ = json.Unmarshal(r.PID, &s.owner.Identity) // absent in a damaged journal
	case opIntent:
		e = r.pending()
		if r.Owner == nil {
			e.Owner = s.owner
		}
		if r.Place == nil {
			e.Place = Place{Machine: s.Host}
		}
		entries[r.ID] = e
	case opNote:
		if e != nil {
			e.note(r)
		}
	case opAdd:
		if e != nil {
			e.Undo = append(e.Undo, r.Undo...)
			e.Version = max(e.Version, r.version())
		}
	case opDone:
		delete(entries, r.ID)
	default:
		return false
	}
	return true
}

// elsewhere reports whether a journal that begins with r was written on another machine, such as in a
// home directory on a network share. A rebooted machine keeps its name; a recreated container keeps
// its kernel's boot id.
func elsewhere(r record) bool {
	var brunt proc.Identity
	host, err := os.Hostname()
	if err != nil || r.Host == "" || json.Unmarshal(r.PID, &brunt) != nil {
		return false
	}
	return r.Host != host && brunt.Boot != proc.BootID()
}

// note applies a note to the entry.
func (e *Pending) note(r record) {
	if r.Begins {
		if e.begun = true; e.TakenBack.IsZero() {
			e.TakenBack, e.only = r.Time, true
		}
		return
	}
	e.Error = r.Error
	if e.Off = (time.Time{}); r.By == byRun && r.Outcome == chaos.Reverted {
		e.Off = r.Time
	}
	if r.By != byWatchdog {
		return
	}
	e.tried = true
	switch {
	case r.Error == "":
		e.TakenBack = r.Time
	case e.only:
		e.TakenBack = time.Time{}
	}
	e.begun, e.only = false, false
}
