package evidence

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// The keys of the run's id, and of the digest of its place, in the data of the run's first event.
const runData, placeData = "run", "place"

// An Unfinished describes a run without a result, from the files in its folder. The run was killed or still goes on.
type Unfinished struct {
	Dir    string            `json:"dir"`
	Run    string            `json:"run,omitempty"` // its id; empty: an older brunt wrote none
	Place  string            `json:"-"`             // digest of the machine and folder of its journal; see run.Place
	Name   string            `json:"name"`          // of the scenario
	Began  time.Time         `json:"began"`
	Last   result.Event      `json:"last"` // the last event that was written
	Loaded bool              `json:"loaded"`
	Faults []UnfinishedFault `json:"faults"`
	Events []result.Event    `json:"-"`              // all that can be read
	Torn   bool              `json:"torn,omitempty"` // the last line of events.jsonl is incomplete
}

// An UnfinishedFault is a fault of an unfinished run.
type UnfinishedFault struct {
	Name     string     `json:"name"`
	What     string     `json:"what"`
	Injected result.Num `json:"injected"` // an offset from t0
	Over     result.Num `json:"over"`     // offset from t0 at which the run reverted it; null: it did not
}

// mostUnfinished bounds the number of lines read from an unfinished run.
const mostUnfinished = 200_000

// ReadUnfinished reads a run without a result from its folder. The error is [fs.ErrNotExist] if the folder holds no
// run, or a run with a result.
func ReadUnfinished(dir string) (*Unfinished, error) {
	if exists(filepath.Join(dir, resultFile)) {
		return nil, fs.ErrNotExist
	}
	f, err := disk.Open(eventsPath(dir))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	u, lines := &Unfinished{Dir: dir}, bufio.NewReaderSize(f, 1<<16)
	for range mostUnfinished {
		line, whole, err := nextLine(lines)
		if err != nil {
			return nil, err
		}
		var e result.Event
		if !whole || json.Unmarshal(line, &e) != nil {
			u.Torn = whole || len(line) > 0
			break
		}
		u.add(&e)
	}
	if u.Began.IsZero() {
		return nil, fs.ErrNotExist
	}
	return u, nil
}

// nextLine returns the next line of a file, without its end. whole is false at the end of the file, and for a last line
// that was not written in full.
func nextLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = disk.Line(r, longestLine)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	line, whole = bytes.CutSuffix(line, []byte("\n"))
	return line, whole, err
}

// How says in a clause how the run ended.
func (u *Unfinished) How() string {
	if u.Last.Event == "run.end" {
		return "ended without a report: " + words.Clip(words.Clean(u.Last.Text), 400)
	}
	return "was killed before its end, and has no report"
}

func (u *Unfinished) add(e *result.Event) {
	u.Last, u.Events = *e, append(u.Events, *e)
	at := slices.IndexFunc(u.Faults, func(f UnfinishedFault) bool { return f.Name == e.Fault })
	switch e.Event {
	case "run.start":
		u.Name, u.Began = e.Text, e.At
		u.Run, _ = e.Data[runData].(string)
		u.Place, _ = e.Data[placeData].(string)
	case "load.start":
		u.Loaded = true
	case "fault.injected":
		u.Faults = append(u.Faults, UnfinishedFault{e.Fault, e.Text, e.BegunT(), result.NaN})
	case "fault.reverted":
		if at >= 0 && e.Outcome() != "failed" {
			u.Faults[at].Over = e.T
		}
	}
}

// Says describes the run's known history in lines of text.
func (u *Unfinished) Says() []string {
	out := []string{fmt.Sprintf("It began at %s UTC, with %s.", u.Began.UTC().Format(time.DateTime), logged(u.Dir))}
	when := "before the load began"
	if u.Loaded {
		when = words.Offset(u.Last.T) + " into the load"
	}
	last := result.EventKinds()[u.Last.Event]
	if of := words.Clean(cmp.Or(u.Last.Fault, u.Last.Unit)); of != "" {
		last = of + ": " + last
	}
	out = append(out, fmt.Sprintf("Its last event was at %s UTC, %s (%s).", u.Last.At.UTC().Format(time.TimeOnly), when,
		last))
	for i := range u.Faults {
		f := &u.Faults[i]
		said := words.Clean(f.Name) + " was injected at " + words.Offset(f.Injected) + " (" +
			words.Clip(words.Clean(f.What), 120) + "), "
		if f.Over.Known() {
			said += "and taken back at " + words.Offset(f.Over) + "."
		} else {
			said += "and that run did not take it back: its watchdog does, or the next run; `brunt status` shows what is " +
				"still in."
		}
		out = append(out, said)
	}
	out = append(out, sentMessages(u.Dir)...)
	return append(out, "What was measured is lost: a run keeps it in a file without a name until its end.")
}

// logged describes the number of units' logs in the folder of a run.
func logged(dir string) string {
	found, _ := filepath.Glob(filepath.Join(dir, "logs", "*"))
	if len(found) == 0 {
		return "no log of a unit"
	}
	return syntax.Amount(len(found), "log") + " of its units in " + filepath.Join(dir, "logs")
}
