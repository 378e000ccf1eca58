package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errNoUndo says that an entry does not say how it is reverted.
var errNoUndo = errors.New("the journal does not say how it is taken back")

// asideSuffix is added to the name of a damaged journal after everything readable in it is reverted.
const asideSuffix = ".damaged"

const (
	mostLine   = 16 << 20 // bytes of a line; brunt's own lines have some KiB
	mostShown  = 160      // bytes of a damaged line that are quoted
	mostDamage = 20       // descriptions of damage of one journal
)

// readLine reads a line with its end, and returns its length. Of a line longer than mostLine it returns only the begin,
// which cannot be parsed as a record.
func readLine(in *bufio.Reader) (line []byte, size int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		size += int64(len(part))
		if room := mostLine - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, size, err
		}
	}
}

// damage describes the parts of a journal that are lost or unreadable.
//
// Each record of the run carries its number among the lines, from version 2 on, so that a gap shows a line that is
// lost. Records that watchdogs and reverts append have none. Lines lost at the end leave no gap.
type damage struct {
	lines []string     // quoted begins of unreadable lines
	first bool         // a line has been seen
	began bool         // the first line was the begin of the journal
	n     int          // number of the last numbered line
	lost  int          // lines missing between numbered ones
	ids   map[int]bool // entries of which the intent or the end was seen
	last  int          // highest number of an entry
	torn  []byte       // the incomplete last line
}

func (d *damage) unreadable(line []byte) {
	d.first = true
	if len(d.lines) < mostDamage {
		d.lines = append(d.lines, quoted(line))
	}
}

// note updates d with a record.
func (d *damage) note(r *record) {
	if !d.first {
		d.first, d.began = true, r.Op == opBegin
	}
	if r.N > 0 {
		d.lost += max(0, r.N-d.n-1)
		d.n = r.N
	}
	if r.ID > 0 {
		d.ids[r.ID] = d.ids[r.ID] || r.Op == opIntent || r.Op == opDone
		d.last = max(d.last, r.ID)
	}
}

// found describes the damage to a journal, and the faults that may be left because of it.
func (d *damage) found(s *State) []string {
	var out []string
	where := "on " + Place{Machine: s.Host}.String()
	for i := range s.Open {
		if e := &s.Open[i]; e.bare() {
			out = append(out, fmt.Sprintf("entry %d has no undo: %s may be left on %s", e.ID, e.name(), e.Place))
		}
	}
	if s.Damaged > 0 {
		out = append(out, fmt.Sprintf("%d of its lines can't be read, and the changes in them may be left %s: %s", s.Damaged,
			where, strings.Join(d.lines, ", ")))
		return out
	}
	switch missing := d.missing(); {
	case !d.first:
		out = append(out, "it is empty: the changes of its run are unknown, and may be left "+where)
	case !d.began:
		out = append(out, "its beginning is lost: other lines may be lost too, and the changes in them may be left "+where)
	case len(missing) > 0:
		out = append(out, fmt.Sprintf("the lines of %s are lost, and the changes in them may be left %s",
			strings.Join(missing, ", "), where))
	case d.lost > 0:
		out = append(out, fmt.Sprintf("%d of its lines are lost, and the changes in them may be left %s", d.lost, where))
	}
	return out
}

// missing lists the entries of which neither the intent nor the end was seen.
func (d *damage) missing() []string {
	var out []string
	for id := 1; id <= d.last && len(out) < mostDamage; id++ {
		if !d.ids[id] {
			out = append(out, fmt.Sprintf("entry %d", id))
		}
	}
	return out
}

// cut describes an incomplete last line.
func (d *damage) cut() string {
	return "its last line is incomplete: " + quoted(d.torn) +
		"; brunt makes a change only after its line is written, so this change was not made, " +
		"unless the journal was cut later"
}

// quoted shows the begin of a line, with control characters escaped for a terminal.
func quoted(line []byte) string {
	text := strings.TrimRight(string(line[:min(len(line), mostShown)]), "\n")
	if len(line) > mostShown {
		return fmt.Sprintf("%q and more", text)
	}
	return fmt.Sprintf("%q", text)
}

// bare reports whether an entry has no undo. No run writes such an entry.
func (e *Pending) bare() bool { return len(e.Undo) == 0 && e.Version <= currentVersion }

// name describes an entry.
func (e *Pending) name() string {
	switch {
	case e.What != "" && e.Fault != "":
		return e.Fault + " (" + e.What + ")"
	case e.What+e.Fault != "":
		return e.What + e.Fault
	}
	return "an unnamed change"
}

// setAside renames a damaged journal, so that it is kept but does not prevent runs.
func setAside(path string) (string, error) {
	to := path + asideSuffix
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); err != nil {
			break
		}
		to = fmt.Sprintf("%s%s-%d", path, asideSuffix, n)
	}
	_ = os.Remove(path + logSuffix) // rarely exists
	if err := errors.Join(os.Rename(path, to), syncDir(filepath.Dir(path))); err != nil {
		return "", fmt.Errorf("keeping the damaged journal: %w", err)
	}
	return to, nil
}

// SetAside lists the damaged journals in dir that `brunt revert` has put aside.
func SetAside(dir string) []string {
	names, err := filepath.Glob(filepath.Join(dir, "*"+journalSuffix+asideSuffix+"*"))
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}
