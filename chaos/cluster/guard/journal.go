package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/journal"
	"brunt/chaos/kube"
)

// Keys of the ConfigMap's data: an entry under its number, and after its end the watchdog's result.
const (
	openKey  = "open-"
	takenKey = "taken-"
	runKey   = "run"
)

// run describes the run in its ConfigMap.
type run struct {
	Run     string    `json:"run"`
	Host    string    `json:"host"`
	Cluster string    `json:"cluster"` // the UID of kube-system
	Began   time.Time `json:"began"`
	Nodes   bool      `json:"nodes,omitempty"` // it has rights to nodes, through objects of the cluster
	// Besides lists other namespaces in which it has rights, through roles there.
	Besides []string `json:"besides,omitempty"`
}

// Taken is the watchdog's result for an entry.
type Taken struct {
	Time    time.Time     `json:"t"`
	What    string        `json:"what"`
	Outcome chaos.Outcome `json:"outcome"`
	Why     string        `json:"why"`
}

// A line holds the fields of a journal line that this package reads.
type line struct {
	Op   string       `json:"op"`
	ID   int          `json:"id"`
	Undo []chaos.Undo `json:"undo"`
}

// stored returns a line for the ConfigMap, with only the undos that a watchdog in the cluster can execute. ok is false
// for a line without any.
func stored(ops chaos.Operations, text []byte) (of line, out string, ok bool, err error) {
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return line{}, "", false, err
	}
	if err := json.Unmarshal(text, &of); err != nil {
		return line{}, "", false, err
	}
	of.Undo = slices.DeleteFunc(of.Undo, func(u chaos.Undo) bool { return !ops[u.Op].ByCluster })
	all["undo"] = of.Undo
	b, err := json.Marshal(all)
	return of, string(b) + "\n", len(of.Undo) > 0, err
}

// book is the content of a run's journal in a cluster.
type book struct {
	object *kube.ConfigMap
	run
	open  []journal.Pending // in the order in which they were written
	taken map[int]Taken
	from  cluster.Journal // proves undos; its keys are not from the object
}

func key(kind string, id int) string { return kind + strconv.Itoa(id) }

// read reads the journal that a ConfigMap holds. An error names the unreadable parts, and comes with the readable rest.
func read(object *kube.ConfigMap) (*book, error) {
	b := &book{object: object, taken: map[int]Taken{}, from: cluster.Journal{Namespace: object.Namespace}}
	if err := json.Unmarshal([]byte(object.Data[runKey]), &b.run); err != nil {
		return b, fmt.Errorf("the config map %s does not describe its run: %w", object.Name, err)
	}
	if b.Run == "" || object.Name != nameOf(b.Run) || object.Labels[cluster.RunLabel] != b.Run {
		return b, fmt.Errorf("the config map %s is no journal of brunt's: %w", object.Name, chaos.ErrUnproven)
	}
	b.from.Run = b.Run
	var lines strings.Builder
	for _, k := range slices.Sorted(maps.Keys(object.Data)) {
		switch text := object.Data[k]; {
		case strings.HasPrefix(k, openKey):
			lines.WriteString(text)
		case strings.HasPrefix(k, takenKey):
			var t Taken
			id, err := strconv.Atoi(strings.TrimPrefix(k, takenKey))
			if err == nil && json.Unmarshal([]byte(text), &t) == nil {
				b.taken[id] = t
			}
		}
	}
	s, err := journal.Parse(strings.NewReader(lines.String()))
	b.open = s.Open // sorted by their numbers
	if s.Damaged > 0 || s.Torn {
		err = cmp.Or(err, fmt.Errorf("the config map %s has an entry that can't be read", object.Name))
	}
	return b, err
}

// operationsFrom returns the operations for the undos of a journal in a cluster, with a client of the cluster.
func operationsFrom(c *kube.Cluster, uid string, from cluster.Journal) chaos.Operations {
	open := cluster.OpenedAt(c, uid)
	return chaos.OperationsOf(append(cluster.OperationsFrom(open, &from), agents.OperationsFrom(open, &from))...)
}

// operations returns the operations for the undos of the journal.
func (b *book) operations(c *kube.Cluster) chaos.Operations {
	return operationsFrom(c, b.Cluster, b.from)
}

// Text says what the undos of an entry do, from their data alone.
func Text(e *journal.Pending) (out []string) {
	ops := operationsFrom(nil, "", cluster.Journal{})
	for _, u := range e.Undo {
		out = append(out, ops.Text(u))
	}
	return out
}

// added returns the patch that writes an entry.
func added(id int, text string) []kube.Change {
	return []kube.Change{{Op: "add", Path: "/data/" + key(openKey, id), Value: text}}
}

// revert reverts an entry, and notes that in the ConfigMap.
func (b *book) revert(ctx context.Context, c *kube.Cluster, e *journal.Pending, why string) (chaos.Outcome, error) {
	ops := b.operations(c)
	own, cancel := context.WithTimeout(ctx, ops.Within(e.Undo))
	defer cancel()
	out, err := e.Revert(own, ops)
	if err != nil {
		return out, err
	}
	note := cluster.JSON(Taken{Time: time.Now().UTC(), What: e.What, Outcome: out, Why: why})
	at := key(openKey, e.ID)
	_, err = kube.ConfigMaps(c, b.object.Namespace).Patch(own, b.object.Name,
		kube.Change{Op: "test", Path: "/metadata/uid", Value: b.object.UID}, kube.Change{Op: "remove", Path: "/data/" + at},
		kube.Change{Op: "add", Path: "/data/" + key(takenKey, e.ID), Value: string(note)})
	if kube.Is(err, kube.Invalid) || kube.Is(err, kube.NotFound) || kube.Is(err, kube.Conflict) && b.closed(own, c, e.ID) {
		err = nil // the run, or a watchdog, has closed it meanwhile
	}
	return out, err
}
