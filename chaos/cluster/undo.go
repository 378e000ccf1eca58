package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// Names of the undo operations in a cluster. They stand in journals: they must never change.
const (
	opEdit   = "kube.edit"   // restores values that a fault changed
	opDelete = "kube.delete" // deletes an object that a fault created
)

// undoArgs are the target of an undo: an object of a cluster.
type undoArgs struct {
	Place
	Object kube.Ref `json:"object"`
	Run    string   `json:"run"`
}

// An undoIdentity identifies the settings of an object that an undo restores.
type undoIdentity struct {
	Cluster string `json:"cluster"`
	Object  string `json:"object"` // UID of the object
	Setting string `json:"setting"`
}

// undoOf returns the undo of changes of an object.
func undoOf(at Place, object kube.Ref, uid string, m kube.Mark) chaos.Undo {
	return chaos.Undo{
		Op: opEdit, Args: JSON(undoArgs{at, object, m.Run}), Identity: JSON(undoIdentity{at.UID, uid, m.Key()}),
		Prior: JSON(m.Edits),
	}
}

// An Opener opens the cluster of an undo. The returned function closes it.
type Opener func(ctx context.Context, at Place) (*kube.Cluster, func(), error)

// Opened opens the cluster that a context of this machine's kubeconfig leads to.
func Opened(ctx context.Context, at Place) (*kube.Cluster, func(), error) {
	c, err := at.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
}

// OpenedAt returns an Opener for a client that the process already has: its kubeconfig may name the cluster
// differently, or it has none.
func OpenedAt(c *kube.Cluster, uid string) Opener {
	return func(_ context.Context, at Place) (*kube.Cluster, func(), error) {
		if at.UID != uid {
			return nil, nil, fmt.Errorf("it is of another cluster, %s, whose kube-system has the UID %s", at, at.UID)
		}
		return c, func() {}, nil
	}
}

// OperationsFrom returns the operations of the faults on a cluster that the API injects, for the undos of a journal in
// the cluster.
func OperationsFrom(open Opener, from *Journal) [][]chaos.Operation {
	return [][]chaos.Operation{editOperations(open, from), deleteOperations(open, from)}
}

// EditOperations revert the faults that change values of objects.
func EditOperations() []chaos.Operation { return editOperations(Opened, nil) }

func editOperations(open Opener, from *Journal) []chaos.Operation {
	do := func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) { return undoEdit(ctx, open, from, u) }
	return []chaos.Operation{{Name: opEdit, Do: do, Exclusive: true, ByCluster: true, Find: findMarks, Text: editText}}
}

// readEdit decodes the undo of changes of an object.
func readEdit(u chaos.Undo) (args undoArgs, uid string, m kube.Mark, err error) {
	var id undoIdentity
	err = errors.Join(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &id), json.Unmarshal(u.Prior, &m.Edits))
	if err != nil || id.Object == "" || args.Object.Name == "" {
		err = fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
	}
	m.Run = args.Run
	return args, id.Object, m, err
}

// editText says what the undo of changes of an object does.
func editText(u chaos.Undo) string {
	args, _, m, err := readEdit(u)
	if err != nil {
		return u.Op
	}
	return fmt.Sprintf("%s of %s %s", m, where(args.Object), args.Object)
}

// where names the namespace of an object, or the cluster.
func where(object kube.Ref) string {
	if object.Namespace == "" {
		return "the cluster's"
	}
	return object.Namespace + "'s"
}

// undoEdit executes the undo of changes of an object.
func undoEdit(ctx context.Context, open Opener, from *Journal, u chaos.Undo) (chaos.Outcome, error) {
	args, uid, m, err := readEdit(u)
	if err != nil {
		return chaos.Failed, err
	}
	if from != nil {
		if err := changes(args.Object, from.Namespace, m); err != nil || args.Run != from.Run {
			return chaos.Failed, from.Unproven("%s: %w", editText(u), errors.Join(err, from.ofRun(args.Run)))
		}
	}
	c, done, err := open(ctx, args.Place)
	if err != nil {
		return chaos.Failed, err
	}
	defer done()
	out, _, err := takeBack(ctx, c, args.Object, uid, m, from != nil)
	if errors.Is(err, kube.ErrUnmarked) {
		return chaos.Failed, from.Unproven("%w, so its undo is not executed: %s", err, editText(u))
	}
	return out, err
}

// takeBack restores the prior values of an object. It leaves values that something else has changed since, and names
// who changed them. With marked the object must carry the mark.
func takeBack(
	ctx context.Context, c *kube.Cluster, object kube.Ref, uid string, m kube.Mark, marked bool,
) (out chaos.Outcome, theirs []string, err error) {
	gone, theirs, err := c.TakeBack(ctx, object, uid, m, marked)
	switch {
	case err != nil:
		return chaos.Failed, nil, err
	case gone, len(theirs) == len(m.Edits):
		return chaos.Gone, theirs, nil
	}
	return chaos.Reverted, theirs, nil
}

// DeleteUndo returns the undo of the creation of an object with the label of a run.
func DeleteUndo(at Place, object kube.Ref, run string) chaos.Undo {
	return chaos.Undo{
		Op: opDelete, Args: JSON(undoArgs{at, object, run}),
		Identity: JSON(undoIdentity{at.UID, object.Namespace + "/" + object.String(), run}),
	}
}

// DeleteOperations revert the faults that create objects.
func DeleteOperations() []chaos.Operation { return deleteOperations(Opened, nil) }

func deleteOperations(open Opener, from *Journal) []chaos.Operation {
	return []chaos.Operation{{
		Name: opDelete, ByCluster: true, Text: deleteText,
		Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			var args undoArgs
			if err := json.Unmarshal(u.Args, &args); err != nil || args.Object.Name == "" || args.Run == "" {
				return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
			}
			if from != nil {
				if err := created(args.Object, from.Namespace); err != nil || args.Run != from.Run {
					return chaos.Failed, from.Unproven("%s: %w", deleteText(u), errors.Join(err, from.ofRun(args.Run)))
				}
			}
			c, done, err := open(ctx, args.Place)
			if err != nil {
				return chaos.Failed, err
			}
			defer done()
			return DeleteOwn(ctx, c, args.Object, args.Run)
		},
	}}
}

// deleteText says what the undo of a creation does.
func deleteText(u chaos.Undo) string {
	var args undoArgs
	if json.Unmarshal(u.Args, &args) != nil {
		return u.Op
	}
	return fmt.Sprintf("deletes %s %s, if it has the label of the run %s", where(args.Object), args.Object, args.Run)
}

// DeleteOwn deletes an object, if it has the label of the run.
func DeleteOwn(ctx context.Context, c *kube.Cluster, object kube.Ref, run string) (chaos.Outcome, error) {
	o, err := kube.Like(c, object).Get(ctx, object.Name)
	switch {
	case kube.Is(err, kube.NotFound), err == nil && o.Labels()[RunLabel] != run:
		return chaos.Gone, nil
	case err != nil:
		return chaos.Failed, err
	}
	err = kube.Like(c, object).Delete(ctx, object.Name, kube.Deletion{UID: o.Text("metadata", "uid")})
	switch {
	case kube.Is(err, kube.NotFound), kube.Is(err, kube.Conflict):
		return chaos.Gone, nil
	case err != nil:
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

// findMarks searches for objects with the mark of a run.
func findMarks(ctx context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	var errs []error
	for _, at := range s.Clusters {
		if at.Namespace == "" { // here it looks for objects that runs made, not for changes by faults
			continue
		}
		some, err := marksAt(ctx, at)
		out, errs = append(out, some...), append(errs, err)
	}
	return out, chaos.JoinErrors(errs...)
}

// marksAt finds the marks in a namespace, and on nodes if they may be read.
func marksAt(ctx context.Context, at kube.Address) ([]chaos.Remnant, error) {
	c, place, err := Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var out []chaos.Remnant
	var errs []error
	for _, of := range changedKinds(at.Namespace) {
		all, err := kube.Like(c, of).List(ctx, kube.Query{})
		if kube.Is(err, kube.Forbidden) {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
			continue
		} else if err != nil {
			return out, err
		}
		for _, o := range all {
			for key, m := range o.Marks() {
				of.Name = o.Text("metadata", "name")
				found := chaos.Remnant{
					Run: m.Run, Sure: true, What: fmt.Sprintf("%s of %s is as a fault has set it; its undo %s", of, place, m),
					Why: "it carries its earlier value: " + key +
						"; it may belong to a run that is still active on another machine",
					Undo: undoOf(place, of, o.Text("metadata", "uid"), m),
				}
				if err := changes(of, at.Namespace, m); err != nil {
					found.Sure, found.Undo = false, chaos.Undo{}
					found.What = fmt.Sprintf("%s of %s has a mark that no fault makes; its undo %s", of, place, m)
					found.Why = err.Error()
				}
				out = append(out, found)
			}
		}
	}
	return out, chaos.JoinErrors(errs...)
}
