package notes

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

	"brunt/scenarios/disk"
)

// A Note is a text that a person adds to a run in progress, or a mark of a fault, or both.
type Note struct {
	Author string    `json:"author"` // name that the author gave
	At     time.Time `json:"at"`     // wall-clock time
	Text   string    `json:"text"`
	Mark   string    `json:"mark,omitempty"`  // continue, seen, understood or acted; empty without a mark
	Fault  string    `json:"fault,omitempty"` // fault that the mark is about
}

// longestNote is the maximum length of the text of a note, in bytes.
const longestNote = 4 << 10

// longestFile is the maximum size of the file of a note or of a run, in bytes. It is larger, because JSON escapes
// take more bytes.
const longestFile = 2*longestNote + 1024

// Notes are files in a folder of the run in the state directory:
//
//	STATE/notes/RUN/alive        touched while the run goes on
//	                  about.json   a description of the run
//	                  N.json       a note; the run removes it once it has read it, and if it does not take the
//	                               note, it leaves the reason in N.json.refused
const (
	Folder      = "notes"
	aliveFile   = "alive"
	aboutFile   = "about.json"
	noteSuffix  = ".json"
	takenSuffix = ".taken"   // of a note that the run reads
	refused     = ".refused" // of the reason why the run did not take a note
	endedSuffix = ".ended"   // suffix of the folder of a run that accepts no more notes

	pollEvery     = 200 * time.Millisecond // how often the run looks for notes
	pollsPerTouch = 5                      // polls between two touches
	DeadAfter     = 10 * time.Second       // without a touch for so long, a run counts as dead or suspended
	removeAfter   = time.Minute            // when the folder of a dead run is removed; a suspended run creates it again
	takenWithin   = 5 * time.Second        // how long a note may wait for its run
)

// A Running is a run in progress.
type Running struct {
	Run  string `json:"run"`
	Name string `json:"name"` // name of the scenario
	dir  string
}

// Errors when leaving a note.
var (
	ErrNoRun    = errors.New("no run goes on: a note belongs to a run that does")
	errNotTaken = errors.New("the run did not take the note; it has ended meanwhile, or was stopped")
	ErrTooLong  = fmt.Errorf("a note has at most %d bytes", longestNote)
	ErrEmpty    = errors.New("a note wants a text")
)

// RunningIn lists the runs in progress, from their folders in the state directories. It removes the folders of dead
// runs.
func RunningIn(states []string) ([]Running, error) {
	var out []Running
	var errs []error
	for _, state := range states {
		dirs, err := os.ReadDir(filepath.Join(state, Folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, d := range dirs {
			dir := filepath.Join(state, Folder, d.Name())
			last, err := lastTouch(dir, d)
			switch {
			case err == nil && time.Since(last) > removeAfter:
				_ = os.RemoveAll(dir)
				continue
			case err != nil, time.Since(last) > DeadAfter, strings.HasSuffix(dir, endedSuffix):
				continue
			}
			r := Running{Run: d.Name(), dir: dir}
			if text, err := disk.Read(filepath.Join(dir, aboutFile), longestFile); err == nil {
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

// lastTouch returns the time at which the run of a folder last touched it.
func lastTouch(dir string, d fs.DirEntry) (time.Time, error) {
	info, err := os.Stat(filepath.Join(dir, aliveFile))
	if errors.Is(err, fs.ErrNotExist) {
		info, err = d.Info()
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// Leave gives a note to the run, and waits until the run has read it.
func (r Running) Leave(m Note) error {
	switch {
	case strings.TrimSpace(m.Text) == "" && m.Mark == "":
		return ErrEmpty
	case len(m.Text) > longestNote:
		return ErrTooLong
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(r.dir, "new-*")
	if errors.Is(err, fs.ErrNotExist) {
		return errNotTaken
	}
	if err != nil {
		return fmt.Errorf("leaving the note: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("leaving the note: %w", err)
	}
	path := f.Name() + noteSuffix // renamed into place, so that the run never sees a part of it
	if err := os.Rename(f.Name(), path); errors.Is(err, fs.ErrNotExist) {
		return errNotTaken
	} else if err != nil {
		return fmt.Errorf("leaving the note: %w", err)
	}
	for until := time.Now().Add(takenWithin); time.Now().Before(until); time.Sleep(pollEvery / 10) {
		if gone(path) && gone(path+takenSuffix) {
			return refusal(path) // read: a run that ends reads its notes before it removes its folder
		}
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil // read at the last moment
	}
	return errNotTaken
}

// gone reports whether a file does not exist.
func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// A RefusedError is why a run did not take a mark.
type RefusedError struct{ Why string }

func (e RefusedError) Error() string { return e.Why }

// refusal returns why the run did not take a note; nil if it did.
func refusal(path string) error {
	why, err := disk.Read(path+refused, longestFile)
	if err != nil {
		return nil
	}
	_ = os.Remove(path + refused)
	return RefusedError{string(why)}
}

// inbox is the folder in which a run receives notes.
type inbox struct {
	dir  string
	stop chan struct{} // closed by close
	done chan struct{}
}

// Open starts to receive notes. One goroutine passes them to take, whose error the author receives.
func Open(state string, about Running, take func(Note) error) (*inbox, error) {
	m := &inbox{dir: filepath.Join(state, Folder, about.Run), stop: make(chan struct{}), done: make(chan struct{})}
	_, _ = RunningIn([]string{state}) // removes the folders of dead runs
	if err := m.createFolder(about); err != nil {
		return nil, err
	}
	go func() {
		defer close(m.done)
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-m.stop:
				return
			case now := <-tick.C:
				m.take(take)
				if n%pollsPerTouch != 0 {
					continue
				}
				if err := os.Chtimes(filepath.Join(m.dir, aliveFile), now, now); errors.Is(err, fs.ErrNotExist) {
					_ = m.createFolder(about) // another process took this run for dead while it was suspended, and removed its folder
				}
			}
		}
	}()
	return m, nil
}

// createFolder makes the folder for notes.
func (m *inbox) createFolder(about Running) error {
	var err error
	for range 3 { // a run that ends removes the parent folder if it is empty
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

// take reads the notes in the folder and passes them on.
func (m *inbox) take(take func(Note) error) {
	entries, _ := os.ReadDir(m.dir)
	type read struct {
		Note
		path string
	}
	var all []read
	for _, e := range entries {
		path := filepath.Join(m.dir, e.Name())
		if e.Name() == aboutFile || !strings.HasSuffix(e.Name(), noteSuffix) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > longestFile {
			_ = os.Remove(path)
			continue
		}
		text, err := disk.Read(path, longestFile)
		if err != nil || os.Rename(path, path+takenSuffix) != nil { // if it can't be moved, it would be read again
			continue
		}
		r := read{path: path}
		if json.Unmarshal(text, &r.Note) == nil && (r.Text != "" || r.Mark != "") && len(r.Text) <= longestNote &&
			utf8.ValidString(r.Text) {
			all = append(all, r)
			continue
		}
		_ = os.Remove(path + takenSuffix)
	}
	slices.SortStableFunc(all, func(a, b read) int { return a.At.Compare(b.At) })
	for _, r := range all {
		if why := take(r.Note); why != nil {
			_ = os.WriteFile(r.path+refused, []byte(why.Error()), 0o600)
		}
		_ = os.Remove(r.path + takenSuffix)
	}
}

// Close reads the remaining notes and removes the folder.
func (m *inbox) Close(take func(Note) error) {
	close(m.stop)
	<-m.done
	_ = os.Remove(filepath.Join(m.dir, aliveFile))
	if os.Rename(m.dir, m.dir+endedSuffix) == nil { // from now on no more notes can be left
		m.dir += endedSuffix
	}
	m.take(take)
	_ = os.RemoveAll(m.dir)
	_ = os.Remove(filepath.Dir(m.dir)) // fails while other runs have folders in it
}
