package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"brunt/scenarios"
)

// A Remark is what somebody says of a run while it goes on.
type Remark struct {
	Author string    `json:"author"` // as they call themselves
	At     time.Time `json:"at"`     // by the wall clock
	Text   string    `json:"text"`
}

// LongestRemark bounds the text of a remark, in bytes.
const LongestRemark = 4 << 10

// Remarks are left in a folder of the run's own in the state directory, a file each:
//
//	STATE/remarks/RUN/alive        touched while the run goes on
//	                  about.json   what the run is
//	                  N.json       a remark; it is gone once the run has it
const (
	remarksFolder = "remarks"
	aliveFile     = "alive"
	aboutFile     = "about.json"
	remarkSuffix  = ".json"
	endedSuffix   = ".ended" // of the folder of a run that takes no more

	emptied  = 200 * time.Millisecond // how often it is looked into
	touched  = 5                      // so often between two touches
	silent   = 10 * time.Second       // a run that touched nothing for so long is dead, or suspended
	stale    = time.Minute            // what a dead one left is taken away then; a suspended one makes its own anew
	answered = 5 * time.Second        // how long a remark may wait for its run
)

// A Running is a run that goes on.
type Running struct {
	Run  string `json:"run"`
	Name string `json:"name"` // of its scenario
	dir  string
}

// Errors of leaving a remark.
var (
	ErrNoRun    = errors.New("no run goes on: a note belongs to a run that does")
	ErrDeaf     = errors.New("the run did not take the note; it has ended meanwhile, or was stopped")
	ErrTooLong  = fmt.Errorf("a note has at most %d bytes", LongestRemark)
	ErrNoRemark = errors.New("a note wants a text")
)

// RunningIn lists the runs that go on, by their folders in the state directories. What
// dead ones have left is taken away.
func RunningIn(states []string) ([]Running, error) {
	var out []Running
	var errs []error
	for _, state := range states {
		dirs, err := os.ReadDir(filepath.Join(state, remarksFolder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, d := range dirs {
			dir := filepath.Join(state, remarksFolder, d.Name())
			last, err := lastSign(dir, d)
			switch {
			case err == nil && time.Since(last) > stale:
				_ = os.RemoveAll(dir)
				continue
			case err != nil, time.Since(last) > silent, strings.HasSuffix(dir, endedSuffix):
				continue
			}
			r := Running{Run: d.Name(), dir: dir}
			if text, err := os.ReadFile(filepath.Join(dir, aboutFile)); err == nil {
				_ = json.Unmarshal(text, &r)
			}
			out = append(out, r)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, errors.Join(errs...)
}

// lastSign is when the run of a folder last touched it.
func lastSign(dir string, d fs.DirEntry) (time.Time, error) {
	info, err := os.Stat(filepath.Join(dir, aliveFile))
	if errors.Is(err, fs.ErrNotExist) {
		info, err = d.Info()
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// Leave gives the run a remark and waits until it has it.
func (r Running) Leave(m Remark) error {
	switch {
	case strings.TrimSpace(m.Text) == "":
		return ErrNoRemark
	case len(m.Text) > LongestRemark:
		return ErrTooLong
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(r.dir, "new-*")
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDeaf
	}
	if err != nil {
		return fmt.Errorf("leaving the note: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("leaving the note: %w", err)
	}
	path := f.Name() + remarkSuffix // whole from the first moment that the run can see it
	if err := os.Rename(f.Name(), path); errors.Is(err, fs.ErrNotExist) {
		return ErrDeaf
	} else if err != nil {
		return fmt.Errorf("leaving the note: %w", err)
	}
	for until := time.Now().Add(answered); time.Now().Before(until); time.Sleep(emptied / 10) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil // taken: a run that ends takes what was left before its folder goes
		}
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil // at the last moment
	}
	return ErrDeaf
}

// mailbox is where a run is told remarks.
type mailbox struct {
	dir  string
	stop chan struct{} // closed by close
	done chan struct{}
}

// openMailbox begins to take remarks. They are given to take, by one goroutine.
func openMailbox(state string, about Running, take func(Remark)) (*mailbox, error) {
	m := &mailbox{dir: filepath.Join(state, remarksFolder, about.Run), stop: make(chan struct{}), done: make(chan struct{})}
	_, _ = RunningIn([]string{state}) // takes away what dead runs left
	if err := m.make(about); err != nil {
		return nil, err
	}
	go func() {
		defer close(m.done)
		tick := time.NewTicker(emptied)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-m.stop:
				return
			case now := <-tick.C:
				m.empty(take)
				if n%touched != 0 {
					continue
				}
				if err := os.Chtimes(filepath.Join(m.dir, aliveFile), now, now); errors.Is(err, fs.ErrNotExist) {
					_ = m.make(about) // it was suspended, and taken for dead
				}
			}
		}
	}()
	return m, nil
}

// make makes the folder that remarks are left in.
func (m *mailbox) make(about Running) error {
	var err error
	for range 3 { // a run that ends takes the folder above with it, if it is empty
		if err = os.MkdirAll(m.dir, 0o700); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(about)
	if err == nil {
		err = os.WriteFile(filepath.Join(m.dir, aboutFile), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.dir, aliveFile), nil, 0o600)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(m.dir))
	}
	return nil
}

// empty takes what was left.
func (m *mailbox) empty(take func(Remark)) {
	entries, _ := os.ReadDir(m.dir)
	var all []Remark
	for _, e := range entries {
		path := filepath.Join(m.dir, e.Name())
		if e.Name() == aboutFile || !strings.HasSuffix(e.Name(), remarkSuffix) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > 2*LongestRemark+1024 {
			_ = os.Remove(path)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil || os.Remove(path) != nil { // else it would be taken again
			continue
		}
		var r Remark
		if json.Unmarshal(text, &r) == nil && r.Text != "" && len(r.Text) <= LongestRemark && utf8.ValidString(r.Text) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b Remark) int { return a.At.Compare(b.At) })
	for _, r := range all {
		take(r)
	}
}

// close takes what is left still, and the folder away.
func (m *mailbox) close(take func(Remark)) {
	close(m.stop)
	<-m.done
	_ = os.Remove(filepath.Join(m.dir, aliveFile))
	if os.Rename(m.dir, m.dir+endedSuffix) == nil { // nobody leaves more
		m.dir += endedSuffix
	}
	m.empty(take)
	_ = os.RemoveAll(m.dir)
	_ = os.Remove(filepath.Dir(m.dir)) // which stays while others have theirs in it
}

// remarks are taken until the run is over. Stop gives them, as notes of the result.
func (r *runner) remarks() (stop func() []string) {
	if r.o.State == "" {
		return func() []string { return nil }
	}
	var said []string
	var times []time.Time
	take := func(m Remark) {
		at := time.Now()
		if since := at.Sub(m.At); since > 0 && since < silent { // else its clock is another
			at = at.Add(-since)
		}
		mask := r.Scenario.Secrets.Mask
		author := mask(m.Author)
		said, times = append(said, author+": "+mask(m.Text)), append(times, at)
		r.eventAt(at, scenarios.Event{Event: "run.note", Text: m.Text, Data: map[string]any{"author": author}})
	}
	box, err := openMailbox(r.o.State, Running{Run: r.o.ID, Name: r.Scenario.Name}, take)
	if err != nil {
		r.log.Info("notes can't be taken", "error", err)
		return func() []string { return nil }
	}
	return func() []string {
		box.close(take)
		for i := range said { // the load may have begun since
			said[i] = fmt.Sprintf("noted at %s by %s", scenarios.FormatSeconds(float64(times[i].Sub(r.t0).Round(100*time.Millisecond).Seconds())), said[i])
		}
		return said
	}
}
