package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/targets/platform/containers"
)

// currentVersion is the version of the records that this brunt writes. It reads the records of all earlier versions and
// executes their undos:
//
//	1  no version, deadline, owner or place in a record
//	2  all four
//
// A change that an earlier brunt could misread, and revert something wrongly, needs a new version. A new undo operation
// does not.
const currentVersion = 2

// The kinds of records in a journal.
const (
	opBegin  = "begin"  // the run; the first record of every journal
	opIntent = "intent" // an entry: the fault that is about to be injected, and how to revert it
	opAdd    = "add"    // further undos of an entry
	opDone   = "done"   // the end of an entry
	opNote   = "note"   // why an entry could not be reverted, or that a hanging run's entry was, or is about to be
)

// isBegun is the Error in a note which says that a revert begins, for versions that do not know Begins. To them it is a
// failed revert, until the next note of the entry.
const isBegun = "its watchdog has begun to take it back"

// byRun is the value of By in records of a run.
const byRun = "run"

// byWatchdog is the value of By in records of a watchdog.
const byWatchdog = "guard"

// byPerson is the value of By in records of `brunt revert`.
const byPerson = "revert"

// A record is one line of a journal.
type record struct {
	V    int       `json:"v,omitempty"` // zero is version 1
	Time time.Time `json:"t"`
	Op   string    `json:"op"`
	// its number among the lines of its run; zero in records of other processes, and of earlier brunts
	N       int             `json:"n,omitempty"`
	ID      int             `json:"id,omitempty"`
	Run     string          `json:"run,omitempty"`
	PID     json.RawMessage `json:"process,omitempty"` // identity of brunt
	Host    string          `json:"host,omitempty"`
	Fault   string          `json:"fault,omitempty"`
	What    string          `json:"what,omitempty"`
	Undo    []chaos.Undo    `json:"undo,omitempty"`
	Outcome chaos.Outcome   `json:"outcome,omitempty"`
	By      string          `json:"by,omitempty"` // run, guard or revert
	Error   string          `json:"error,omitempty"`
	// in a note: a watchdog begins to revert the entry of a run that stands still
	Begins   bool      `json:"begins,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"`
	Owner    *Owner    `json:"owner,omitempty"`
	Place    *Place    `json:"place,omitempty"`
}

// An Owner is the run that made an entry, and its process.
type Owner struct {
	proc.Identity
	Run string `json:"run"`
}

// A Place says where the effect of an entry is. The machine is the one on which the brunt that made the entry ran; an
// engine or a cluster may be elsewhere.
type Place struct {
	Machine string `json:"machine,omitempty"` // host name
	Engine  string `json:"engine,omitempty"`  // address of the container engine, or empty
	Cluster string `json:"cluster,omitempty"` // of Kubernetes, or empty
}

func (p Place) String() string {
	var of []string
	if p.Cluster != "" {
		of = append(of, "cluster "+p.Cluster)
	}
	if p.Engine != "" {
		of = append(of, "engine "+p.Engine)
	}
	if p.Machine != "" {
		of = append(of, "machine "+p.Machine)
	}
	if len(of) == 0 {
		return "an unknown machine"
	}
	return strings.Join(of, ", ")
}

func (r *record) version() int { return max(r.V, 1) }

// pending returns the open entry that an intent makes.
func (r *record) pending() *Pending {
	e := &Pending{
		ID: r.ID, Time: r.Time, Fault: r.Fault, What: r.What, Undo: r.Undo, Version: r.version(), Until: r.Until,
		Deadline: r.Deadline,
	}
	if r.Owner != nil {
		e.Owner = *r.Owner
	}
	if r.Place != nil {
		e.Place = *r.Place
	}
	return e
}

// engineOf returns the address of the engine that undos call, or "".
func engineOf(ops chaos.Operations, undo []chaos.Undo) string {
	for _, u := range undo {
		var args struct {
			Engine containers.Address `json:"engine"`
		}
		if ops[u.Op].ByEngine && json.Unmarshal(u.Args, &args) == nil && args.Engine.Host != "" {
			return args.Engine.Host
		}
	}
	return ""
}

// clusterOf returns the namespace of a cluster that undos change, or "".
func clusterOf(undo []chaos.Undo) string {
	for _, u := range undo {
		var args struct {
			Context   string `json:"context"`
			Namespace string `json:"namespace"`
		}
		if json.Unmarshal(u.Args, &args) == nil && args.Context != "" && args.Namespace != "" {
			return scenarios.ClusterName(args.Context, args.Namespace)
		}
	}
	return ""
}

// left adds to the error of a failed undo the remnant and its place, if no retry by this brunt can succeed.
func (e *Pending) left(err error) error {
	if errors.Is(err, chaos.ErrUnknownOperation) || errors.Is(err, chaos.ErrNewerVersion) {
		return fmt.Errorf("%w; its effect may be left on %s; run `brunt revert` of the version that wrote the journal there",
			err, e.Place)
	}
	return err
}
