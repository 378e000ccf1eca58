package kube

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// markPrefix begins the names of the annotations that hold a [Mark].
const markPrefix = "brunt.dev/undo-"

// errAnother says that the object was replaced by another one with its name.
var errAnother = errors.New("another object has its name now")

// ErrUnmarked says that an object does not carry a mark, and so does not prove that a run changed it.
var ErrUnmarked = errors.New("it does not carry the mark of the run with these changes")

// An Edit is a change of one value of an object that can be reverted: it holds the prior value.
type Edit struct {
	Path  string          `json:"path"`            // of the value, as a JSON pointer (RFC 6901)
	Prior json.RawMessage `json:"prior,omitempty"` // prior value; empty: there was none
	Ours  json.RawMessage `json:"ours"`            // new value
	Item  bool            `json:"item,omitempty"`  // Ours is an additional item of the list at Path
}

// A Mark holds the changes that a run has made to an object. The object carries it in an annotation that the same patch
// writes: neither exists without the other.
type Mark struct {
	Run   string `json:"run"`
	Edits []Edit `json:"edits"`
}

// Equal reports whether two marks are of the same run and hold the same changes.
func (m Mark) Equal(o Mark) bool {
	var values [2]any
	for i, of := range []Mark{m, o} {
		text, err := json.Marshal(of)
		if err != nil || json.Unmarshal(text, &values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// String says what reverting the changes does.
func (m Mark) String() string {
	var out []string
	for _, e := range m.Edits {
		switch {
		case e.Item:
			out = append(out, fmt.Sprintf("removes %s from %s", e.Ours, e.Path))
		case len(e.Prior) == 0:
			out = append(out, fmt.Sprintf("removes %s, now %s", e.Path, e.Ours))
		default:
			out = append(out, fmt.Sprintf("sets %s from %s to %s", e.Path, e.Ours, e.Prior))
		}
	}
	return clean(strings.Join(out, ", "))
}

// Key returns the name of the annotation. It differs for each setting, so that two faults can be on one object.
func (m Mark) Key() string {
	sum := sha256.New()
	for _, e := range m.Edits {
		sum.Write([]byte(e.Path))
		if e.Item {
			sum.Write(e.Ours)
		}
	}
	return markPrefix + hex.EncodeToString(sum.Sum(nil)[:4])
}

// Marks lists the marks of an object, by the names of their annotations. It leaves out marks that can't be read.
func (o Raw) Marks() map[string]Mark {
	out := map[string]Mark{}
	all, _ := o.value([]string{"metadata", "annotations"})
	annotations, _ := all.(map[string]any)
	for key, v := range annotations {
		text, _ := v.(string)
		var m Mark
		if strings.HasPrefix(key, markPrefix) && json.Unmarshal([]byte(text), &m) == nil {
			out[key] = m
		}
	}
	return out
}

// editFor bounds the attempts of a patch whose tests fail, because something else changed the object meanwhile.
const (
	editFor   = 5 * time.Second
	editAgain = 50 * time.Millisecond
)

// Edit changes an object with a UID, and marks it. It changes nothing if the object is another one, or if its values
// differ from the prior values in the mark.
func (c *Cluster) Edit(ctx context.Context, r Ref, uid string, m Mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return c.patched(ctx, r, uid, func(o Raw) ([]Change, error) {
		key := pointer("metadata", "annotations", m.Key())
		if _, has := o.at(key); has {
			return nil, fmt.Errorf("%s has the mark of a run already, which changes the same: `brunt revert --discover` "+
				"takes it back", r)
		}
		changes := []Change{{Op: "test", Path: "/metadata/resourceVersion", Value: o.Text("metadata", "resourceVersion")}}
		for _, e := range m.Edits {
			is, has := o.at(e.Path)
			switch {
			case e.Item && has:
				changes = append(changes, Change{Op: "add", Path: e.Path + "/-", Value: e.Ours})
			case e.Item:
				changes = append(changes, Change{Op: "add", Path: e.Path, Value: []json.RawMessage{e.Ours}})
			case !same(is, has, e.Prior):
				return nil, fmt.Errorf("%s has another value at %s than when the fault was planned: %s", r, e.Path, shown(is, has))
			default:
				changes = append(changes, Change{Op: "add", Path: e.Path, Value: e.Ours})
			}
		}
		if _, has := o.at("/metadata/annotations"); !has {
			changes = append(changes, Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{}})
		}
		return append(changes, Change{Op: "add", Path: key, Value: string(text)}), nil
	})
}

// TakeBack reverts a change. It leaves values that are no longer the mark's own, and lists them in theirs with the
// manager that changed them. gone says that the object no longer exists. With marked the object must carry the mark,
// unless its values are reverted already; otherwise the error is [ErrUnmarked].
func (c *Cluster) TakeBack(
	ctx context.Context, r Ref, uid string, m Mark, marked bool,
) (gone bool, theirs []string, err error) {
	err = c.patched(ctx, r, uid, func(o Raw) ([]Change, error) {
		var changes []Change
		theirs = nil
		for _, e := range m.Edits {
			some, err := e.back(o)
			if err != nil {
				theirs = append(theirs, err.Error())
			}
			changes = append(changes, some...)
		}
		key := pointer("metadata", "annotations", m.Key())
		if other, has := o.Marks()[m.Key()]; has && other.Run != m.Run {
			return nil, errAnother // the values belong to a later run, which may have set the same ones
		}
		if is, has := o.Marks()[m.Key()]; marked && len(changes) > 0 && !(has && is.Equal(m)) {
			return nil, fmt.Errorf("%s: %w", r, ErrUnmarked)
		}
		if text, has := o.at(key); has {
			changes = append(changes, Change{Op: "test", Path: key, Value: text}, Change{Op: "remove", Path: key})
		}
		return changes, nil
	})
	if Is(err, NotFound) || errors.Is(err, errAnother) {
		return true, nil, nil
	}
	return false, theirs, err
}

// Stands checks that the changes of a mark are still there. The error names the values that are not, and their
// managers.
func (m Mark) Stands(o Raw) error {
	var errs []error
	for _, e := range m.Edits {
		if _, err := e.ours(o); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// back returns the changes that revert an edit; none if it is reverted already. The error names the manager that has
// changed the value since.
func (e Edit) back(o Raw) ([]Change, error) {
	path, err := e.ours(o)
	if err != nil {
		if is, has := o.at(e.Path); e.Item || same(is, has, e.Prior) {
			return nil, nil
		}
		return nil, err
	}
	test := Change{Op: "test", Path: path, Value: e.Ours}
	if e.Item || len(e.Prior) == 0 {
		return []Change{test, {Op: "remove", Path: path}}, nil
	}
	return []Change{test, {Op: "replace", Path: path, Value: e.Prior}}, nil
}

// ours returns the path of the value that the edit set. The error says that the value is gone, and which manager
// changed it.
func (e Edit) ours(o Raw) (path string, err error) {
	is, has := o.at(e.Path)
	if e.Item {
		list, _ := is.([]any)
		for i, item := range list {
			if same(item, true, e.Ours) {
				return e.Path + "/" + strconv.Itoa(i), nil
			}
		}
	} else if has && same(is, has, e.Ours) {
		return e.Path, nil
	}
	return "", fmt.Errorf("%s is %s, changed by %s", e.Path, shown(is, has),
		cmp.Or(o.manager(e.Path), "an unknown field manager"))
}

// patched patches an object with a UID, by the changes that of returns for its present state. It tries again if the
// object changed meanwhile.
func (c *Cluster) patched(ctx context.Context, r Ref, uid string, of func(o Raw) ([]Change, error)) error {
	for began := time.Now(); ; {
		o, err := Like(c, r).Get(ctx, r.Name)
		if err != nil {
			return err
		}
		if is := o.Text("metadata", "uid"); is != uid {
			return fmt.Errorf("%s: %w", r, errAnother)
		}
		changes, err := of(*o)
		if err != nil || len(changes) == 0 {
			return err
		}
		changes = slices.Concat([]Change{{Op: "test", Path: "/metadata/uid", Value: uid}}, changes)
		if _, err = Like(c, r).Patch(ctx, r.Name, changes...); err == nil {
			return nil
		}
		if !Is(err, Invalid) && !Is(err, Conflict) || time.Since(began) > editFor {
			return fmt.Errorf("change %s: %w", r, err)
		}
		select {
		case <-time.After(editAgain):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// at returns the value at a JSON pointer.
func (o Raw) at(path string) (v any, has bool) { return o.value(keys(path)) }

// keys returns the parts of a JSON pointer.
func keys(path string) []string {
	out := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range out {
		out[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(out[i])
	}
	return out
}

// pointer returns the JSON pointer of keys.
func pointer(keys ...string) string {
	var out strings.Builder
	for _, key := range keys {
		out.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return out.String()
}

// index parses a key as the index of a list.
func index(key string) (int, bool) {
	i, err := strconv.Atoi(key)
	return i, err == nil && i >= 0
}

// same reports whether a value equals a JSON text. An empty text means that there is no value.
func same(is any, has bool, want json.RawMessage) bool {
	if len(want) == 0 {
		return !has
	}
	var v any
	return has && json.Unmarshal(want, &v) == nil && reflect.DeepEqual(is, v)
}

// shown formats a value for people.
func shown(is any, has bool) string {
	if !has {
		return "unset"
	}
	text, _ := json.Marshal(is)
	return clean(string(text))
}

// manager returns the manager that last set the value at a JSON pointer, from the cluster's records of fields; empty:
// the records do not say.
func (o Raw) manager(path string) string {
	all, _ := o.value([]string{"metadata", "managedFields"})
	list, _ := all.([]any)
	name, last := "", ""
	for i := range list {
		entry, _ := list[i].(map[string]any)
		of := Raw(entry)
		if at := of.Text("time"); of.Text("manager") != Manager && at >= last && o.manages(entry["fieldsV1"], keys(path)) {
			name, last = of.Text("manager"), at
		}
	}
	return clean(name)
}

// manages reports whether a record of fields contains a path. Records name items of lists by their name fields.
func (o Raw) manages(fields any, path []string) bool {
	for i, key := range path {
		next, ok := child(fields, "f:"+key)
		if _, isIndex := index(key); !ok && isIndex {
			item, _ := o.value(path[:i+1])
			of, _ := item.(map[string]any)
			name, _ := json.Marshal(map[string]any{"name": of["name"]})
			next, ok = child(fields, "k:"+string(name))
		}
		if !ok {
			return false
		}
		fields = next
	}
	return true
}
