package journal

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A kernelCopy is an open entry of a journal that the kernel keeps, so that the entry outlives the journal. It is an
// extended attribute of the root of the control groups. It is lost when the machine restarts, as most faults are. It
// takes Linux and root.
type kernelCopy struct {
	Journal string `json:"journal"` // path of the journal
	Record  record `json:"record"`  // its intent, with all undos
}

// copyPrefix begins the names of the attributes: trusted.brunt.RUN.ENTRY.
const copyPrefix = "trusted.brunt."

func copyName(run string, id int) string { return copyPrefix + run + "." + strconv.Itoa(id) }

// copy updates the kernel's copy of an entry. It ignores errors: the journal is what counts.
func (j *Journal) copy(id int) {
	if !j.Copies {
		return
	}
	e := j.open[id]
	if e == nil {
		dropCopy(copyName(j.own.Run, id))
		return
	}
	path, err := filepath.Abs(j.path)
	if err != nil {
		return
	}
	b, err := json.Marshal(kernelCopy{path, record{
		V: currentVersion, Time: e.Time, Op: opIntent, ID: id, Run: j.own.Run, Host: j.host, Fault: e.Fault, What: e.What,
		Undo:  e.Undo,
		Until: e.Until, Deadline: e.Deadline, Owner: &e.Owner, Place: &e.Place,
	}})
	if err == nil {
		setCopy(copyName(j.own.Run, id), b)
	}
}

// dropCopies removes the copies of all entries of a run.
func dropCopies(run string) {
	for _, name := range copyNames() {
		if id, ok := strings.CutPrefix(name, copyPrefix+run+"."); ok && !strings.Contains(id, ".") {
			dropCopy(name)
		}
	}
}

// copies lists the kernel's copies, the last entry of each run first.
func copies() []kernelCopy {
	var out []kernelCopy
	for _, name := range copyNames() {
		var c kernelCopy
		if json.Unmarshal(readCopy(name), &c) == nil && name == copyName(c.Record.Run, c.Record.ID) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b kernelCopy) int {
		return cmp.Or(strings.Compare(a.Record.Run, b.Record.Run), cmp.Compare(b.Record.ID, a.Record.ID))
	})
	return out
}
