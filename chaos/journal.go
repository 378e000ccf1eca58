package chaos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Journal is where a run writes what it is about to break, before it does. It is
// a file of lines, each written and synced before what it tells is done; whoever
// finds it without its run can take everything back.
type Journal struct {
	// At is called at every point at which brunt could die, for tests.
	At func(point string)

	mu   sync.Mutex
	f    *os.File
	path string
	last int
	open map[int][]Undo
}

// A record is one line of a journal.
type record struct {
	Time    time.Time       `json:"t"`
	Op      string          `json:"op"` // begin, intent, add, done, note
	ID      int             `json:"id,omitempty"`
	Run     string          `json:"run,omitempty"`
	PID     json.RawMessage `json:"process,omitempty"` // identity of brunt
	Host    string          `json:"host,omitempty"`
	Fault   string          `json:"fault,omitempty"`
	What    string          `json:"what,omitempty"`
	Undo    []Undo          `json:"undo,omitempty"`
	Outcome Outcome         `json:"outcome,omitempty"`
	By      string          `json:"by,omitempty"` // run, guard or revert
	Error   string          `json:"error,omitempty"`
}

const journalSuffix = ".journal"

// OpenJournal makes the journal of a run in dir and locks it for as long as the
// run lives. Without room to write it there is an error, and so no injection.
func OpenJournal(dir, run string) (*Journal, error) {
	if err := makeStateDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, run+journalSuffix)
	// Under its own name it appears only once it is locked: a run that looks for the
	// remains of others must not take it for one.
	f, err := os.CreateTemp(dir, "."+run+"-*")
	if err != nil {
		return nil, fmt.Errorf("the journal: %w; set BRUNT_STATE to a directory that can be written", err)
	}
	j := &Journal{f: f, path: path, open: map[int][]Undo{}}
	if err := j.begin(dir, run); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return j, syncDir(dir)
}

func (j *Journal) begin(dir, run string) error {
	if err := lock(j.f); err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	id, err := identify(os.Getpid())
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	if err := j.write(record{Op: "begin", Run: run, PID: id.raw(), Host: host}); err != nil {
		return err
	}
	if _, err := os.Lstat(j.path); err == nil {
		return fmt.Errorf("the journal: %s exists already", j.path)
	}
	return os.Rename(j.f.Name(), j.path)
}

// Path is the file of the journal.
func (j *Journal) Path() string { return j.path }

func (j *Journal) point(name string) {
	if j.At != nil {
		j.At(name)
	}
}

// write appends a line and syncs it. It is called with mu held, or before others
// know of j.
func (j *Journal) write(r record) error {
	r.Time = time.Now().UTC()
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// Intent writes down how to take back what is about to be done, and gives the
// number of the entry. With an error nothing may be done.
func (j *Journal) Intent(fault, what string, undo []Undo) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.shared(undo); err != nil {
		return 0, err
	}
	j.last++
	j.point("before intent")
	if err := j.write(record{Op: "intent", ID: j.last, Fault: fault, What: what, Undo: undo}); err != nil {
		return 0, err
	}
	j.point("after intent")
	j.open[j.last] = undo
	return j.last, nil
}

// Done writes down that entry id needs nothing any more.
func (j *Journal) Done(id int, o Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.open[id]; !ok {
		return nil
	}
	if o == Failed {
		return j.write(record{Op: "note", ID: id, Outcome: o, By: "run"})
	}
	j.point("before done")
	if err := j.write(record{Op: "done", ID: id, Outcome: o, By: "run"}); err != nil {
		return err
	}
	j.point("after done")
	delete(j.open, id)
	return nil
}

// Open is how many entries wait to be taken back.
func (j *Journal) Open() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.open)
}

// Close ends the journal. Its file is removed when nothing is open; else it stays
// for `brunt revert` and the next run.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return nil
	}
	f := j.f
	j.f = nil
	if len(j.open) > 0 {
		return f.Close()
	}
	return errors.Join(os.Remove(j.path), f.Close(), syncDir(filepath.Dir(j.path)))
}

// shared refuses what another live run has broken already.
func (j *Journal) shared(undo []Undo) error {
	others, err := Journals(filepath.Dir(j.path))
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.Path == j.path || !o.Alive {
			continue
		}
		for _, e := range o.Open {
			for _, theirs := range e.Undo {
				for _, ours := range undo {
					if len(ours.Identity) > 0 && ours.Op == theirs.Op && bytes.Equal(ours.Identity, theirs.Identity) {
						return fmt.Errorf("another run, %s, has it in its hands already", o.Run)
					}
				}
			}
		}
	}
	return nil
}

// JournalState is what a journal says.
type JournalState struct {
	Path  string
	Run   string
	Host  string
	Began time.Time
	Alive bool // its run goes on
	Open  []Pending
	Torn  bool // its last line is not whole: brunt died while it wrote it, and had done nothing yet
}

// A Pending is something that waits to be taken back.
type Pending struct {
	ID    int
	Time  time.Time
	Fault string
	What  string
	Undo  []Undo
	Error string // of the last try
}

// Journals reads all journals in dir. A directory that does not exist has none.
func Journals(dir string) ([]JournalState, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the state directory: %w", err)
	}
	var out []JournalState
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), journalSuffix) {
			continue
		}
		s, err := readJournal(filepath.Join(dir, n.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // its run has just ended
		}
		if err != nil {
			return out, err
		}
		out = append(out, s)
	}
	return out, nil
}

// readJournal reads one journal and tells whether its run goes on.
func readJournal(path string) (JournalState, error) {
	f, err := os.Open(path)
	if err != nil {
		return JournalState{}, err
	}
	defer f.Close()
	s, err := parseJournal(path, f)
	if err != nil {
		return s, err
	}
	held, err := isLocked(f)
	s.Alive = held
	return s, err
}

// maxLine bounds a line of a journal.
const maxLine = 1 << 20

// parseJournal reads the lines of a journal. A last line that is not whole counts
// for nothing: what it would have told was not done yet.
func parseJournal(path string, f *os.File) (JournalState, error) {
	s := JournalState{Path: path, Run: strings.TrimSuffix(filepath.Base(path), journalSuffix)}
	in := bufio.NewScanner(f)
	in.Buffer(nil, maxLine)
	entries := map[int]*Pending{}
	for in.Scan() {
		var r record
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			s.Torn = true
			continue
		}
		switch r.Op {
		case "begin":
			s.Run, s.Host, s.Began = r.Run, r.Host, r.Time
		case "intent":
			entries[r.ID] = &Pending{ID: r.ID, Time: r.Time, Fault: r.Fault, What: r.What, Undo: r.Undo}
		case "note":
			if e := entries[r.ID]; e != nil {
				e.Error = r.Error
			}
		case "add":
			if e := entries[r.ID]; e != nil {
				e.Undo = append(e.Undo, r.Undo...)
			}
		case "done":
			delete(entries, r.ID)
		}
	}
	for _, e := range entries {
		s.Open = append(s.Open, *e)
	}
	slices.SortFunc(s.Open, func(a, b Pending) int { return a.ID - b.ID })
	if err := in.Err(); err != nil {
		return s, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// Extend adds an undo to entry id: a process was started under it.
func (j *Journal) Extend(id int, undo ...Undo) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.point("before add")
	if err := j.write(record{Op: "add", ID: id, Undo: undo}); err != nil {
		return err
	}
	j.point("after add")
	j.open[id] = append(j.open[id], undo...)
	return nil
}
