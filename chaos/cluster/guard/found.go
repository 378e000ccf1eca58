package guard

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/journal"
	"brunt/chaos/kube"
)

// opWatchdog reverts the open entries of a run's journal in a cluster, and removes the watchdog. The name stands in
// journals: it must never change.
const opWatchdog = "kube.watchdog"

type undoArgs struct {
	cluster.Place
	Run string            `json:"run"`
	Key ed25519.PublicKey `json:"key,omitempty"` // of the run
}

// Undo returns the undo that reverts the open entries of the run's journal in the cluster, and removes the watchdog. It
// is written to brunt's own journal before the watchdog is made.
func (s *Settings) Undo() chaos.Undo {
	id := map[string]string{"cluster": s.Place.UID, "run": s.Run}
	return chaos.Undo{Op: opWatchdog, Args: cluster.JSON(undoArgs{s.Place, s.Run, s.Key}), Identity: cluster.JSON(id)}
}

// Operations end the watchdogs of runs in clusters.
func Operations() []chaos.Operation {
	return []chaos.Operation{{
		Name: opWatchdog, Helps: true, Find: find,
		Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			var args undoArgs
			if err := json.Unmarshal(u.Args, &args); err != nil || args.Run == "" || args.Namespace == "" {
				return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
			}
			c, err := args.Open(ctx)
			if err != nil {
				return chaos.Failed, err
			}
			defer c.Close()
			object, err := kube.ConfigMaps(c, args.Namespace).Get(ctx, nameOf(args.Run))
			if kube.Is(err, kube.NotFound) {
				return chaos.Gone, nil
			} else if err != nil {
				return chaos.Failed, err
			}
			b, err := read(object)
			if err != nil {
				return chaos.Failed, err
			}
			b.from.Key = args.Key
			if _, err := b.finish(ctx, c); err != nil {
				return chaos.Failed, err
			}
			return chaos.Reverted, nil
		},
	}}
}

// finish reverts the open entries, the last first, and removes everything once no entry is open.
func (b *book) finish(ctx context.Context, c *kube.Cluster) (taken []journal.Taken, err error) {
	var errs []error
	var undo []chaos.Undo
	for i := range b.open {
		undo = append(undo, b.open[i].Undo...)
	}
	if b.from.Keys, err = agents.Keys(ctx, c, undo); err != nil && b.from.Key == nil {
		errs = append(errs, fmt.Errorf("the key of the run: %w", err))
	}
	for i := range slices.Backward(b.open) {
		t := journal.Taken{Run: b.Run, Pending: b.open[i]}
		t.Outcome, t.Err = b.revert(ctx, c, &b.open[i], "brunt took it back by the journal in the cluster")
		if t.Err != nil && b.closed(ctx, c, b.open[i].ID) {
			t.Outcome, t.Err = chaos.Gone, nil
		}
		if t.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.open[i].What, t.Err))
		}
		taken = append(taken, t)
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return taken, err
	}
	return taken, remove(ctx, c, b)
}

// closed reports whether an entry is no longer open. Two processes may replay the same journal, such as a person's and
// a watchdog, and the first leaves nothing for the other.
func (b *book) closed(ctx context.Context, c *kube.Cluster, id int) bool {
	object, err := kube.ConfigMaps(c, b.object.Namespace).Get(ctx, b.object.Name)
	if kube.Is(err, kube.NotFound) || err == nil && object.UID != b.object.UID {
		return true
	}
	return err == nil && object.Data[key(openKey, id)] == ""
}

// A Found is a run with a watchdog in a cluster.
type Found struct {
	Run   string    `json:"run"`
	Host  string    `json:"host"` // machine on which brunt ran
	Began time.Time `json:"began"`
	Alive bool      `json:"alive"`           // its brunt renews the Lease
	In    []In      `json:"in,omitempty"`    // injected faults
	Taken []Taken   `json:"taken,omitempty"` // entries that the watchdog has reverted
	Error string    `json:"error,omitempty"` // the part of its journal that can't be read

	book *book
}

// In is an open entry.
type In struct {
	Fault string    `json:"fault"`
	What  string    `json:"what"`
	Undo  []string  `json:"undo,omitempty"` // what its undos do, from their data alone
	Since time.Time `json:"since"`
}

// listening is the time for which List watches a Lease for a renewal.
const listening = 5 * every / 2

// List finds the runs with a watchdog in a namespace. It takes some seconds, to find out which of them still go on.
func List(ctx context.Context, c *kube.Cluster, at cluster.Place) ([]Found, error) {
	all, err := kube.ConfigMaps(c, at.Namespace).List(ctx,
		kube.Query{Labels: cluster.PartLabel + "=" + cluster.WatchdogPart})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	leases := kube.Like(c, kube.Ref{API: leases + "/v1", Resource: "leases", Namespace: at.Namespace})
	renewed := func() (map[string]string, error) {
		out := map[string]string{}
		for i := range all {
			lease, err := leases.Get(ctx, all[i].Name)
			if err != nil && !kube.Is(err, kube.NotFound) {
				return nil, err
			}
			if err == nil {
				out[all[i].Name] = lease.Text("spec", "renewTime")
			}
		}
		return out, nil
	}
	was, err := renewed()
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(listening):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	is, err := renewed()
	if err != nil {
		return nil, err
	}
	var out []Found
	for i := range all {
		b, err := read(&all[i])
		f := Found{
			Run: b.Run, Host: b.Host, Began: b.Began,
			Alive: is[all[i].Name] != "" && is[all[i].Name] != was[all[i].Name], book: b,
		}
		for j := range b.open {
			f.In = append(f.In, In{b.open[j].Fault, b.open[j].What, Text(&b.open[j]), b.open[j].Time})
		}
		if err != nil {
			f.Error = err.Error()
		}
		for _, id := range slices.Sorted(maps.Keys(b.taken)) {
			f.Taken = append(f.Taken, b.taken[id])
		}
		out = append(out, f)
	}
	return out, nil
}

// TakeBack reverts what an ended run has left in the cluster, and removes its watchdog.
func (f *Found) TakeBack(ctx context.Context, c *kube.Cluster) ([]journal.Taken, error) {
	switch {
	case f.Alive:
		return nil, fmt.Errorf("the run %s goes on, on %s", f.Run, f.Host)
	case f.Error != "":
		return nil, errors.New(f.Error)
	}
	object, err := kube.ConfigMaps(c, f.book.object.Namespace).Get(ctx, f.book.object.Name)
	if kube.Is(err, kube.NotFound) { // removed since it was found
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	b, err := read(object)
	if err != nil {
		return nil, err
	}
	return b.finish(ctx, c)
}

// find searches for the journals of ended runs.
func find(ctx context.Context, s *chaos.Search) (out []chaos.Remnant, err error) {
	for _, at := range s.Clusters {
		some, ferr := findAt(ctx, s, at)
		out, err = append(out, some...), errors.Join(err, ferr)
	}
	return out, err
}

func findAt(ctx context.Context, s *chaos.Search, at kube.Address) (out []chaos.Remnant, err error) {
	c, place, err := cluster.Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if at.Namespace == "" {
		return findMade(ctx, c, place, s.Live)
	}
	all, err := List(ctx, c, place)
	for i := range all {
		f := &all[i]
		if f.Alive {
			continue
		}
		of := Settings{Run: f.Run, Place: place}
		r := chaos.Remnant{
			Run: f.Run, Sure: true, What: fmt.Sprintf("the watchdog in %s, with %d entries open", place, len(f.In)),
			Why: "it has the label of the run, which was begun on " + f.Host +
				"; its undos are executed only on what carries the mark of the run", Undo: of.Undo(),
		}
		for _, in := range f.In {
			r.What += "; " + strings.Join(in.Undo, "; ")
		}
		if f.Error != "" {
			r.Sure, r.Why, r.Undo = false, f.Error, chaos.Undo{}
		}
		out = append(out, r)
	}
	return out, err
}

// findMade finds the namespaces that runs have made for a stack of pods. It omits a namespace in which a watchdog
// works, or whose run is alive on this machine. Nothing shows that a run without a watchdog has ended, so its namespace
// is not surely a remnant.
func findMade(
	ctx context.Context, c *kube.Cluster, place cluster.Place, live func(run string) bool,
) (out []chaos.Remnant, err error) {
	all, err := kube.Namespaces(c).List(ctx, kube.Query{Labels: cluster.RunLabel})
	if err != nil {
		return nil, fmt.Errorf("%s: list its namespaces: %w", place, err)
	}
	for i := range all {
		ns := &all[i]
		run := ns.Labels[cluster.RunLabel]
		if ns.DeletionTimestamp != nil || len(ns.OwnerReferences) > 0 || live(run) { // an owner takes it along
			continue
		}
		in := place
		in.Namespace = ns.Name
		runs, lerr := List(ctx, c, in)
		if err = errors.Join(err, lerr); lerr != nil || slices.ContainsFunc(runs, func(f Found) bool { return f.Alive }) {
			continue
		}
		r := chaos.Remnant{
			Run: run, What: "the namespace " + in.String(),
			Sure: slices.ContainsFunc(runs, func(f Found) bool { return f.Run == run && f.Error == "" }),
			Why:  "it has the label of the run, whose watchdog there has ended",
			Undo: cluster.DeleteUndo(in, kube.Ref{API: "v1", Resource: "namespaces", Name: ns.Name}, run),
		}
		if !r.Sure {
			r.Why = "it has the label of the run; it may belong to a run that is still active on another machine"
		}
		out = append(out, r)
	}
	return out, err
}
