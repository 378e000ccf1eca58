package cluster

import (
	"crypto/ed25519"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// A Journal is the journal of a run in a cluster. Whoever may write a ConfigMap of its namespace can write it, and the
// person or watchdog that replays it may do more than that. So its undos touch only what proves to be of the run by
// something that takes other rights to write:
//
//	a changed object  its mark, with the same run and the same values; of a kind and at a path that faults change
//	a created object  its label
//	an agent          its label; what another agent is to do is signed by the key of the run
//
// All of them are in the namespace of the journal, but for nodes and agents.
type Journal struct {
	Namespace, Run string
	// Keys are the public keys of the run, by the namespaces of agents: to make the pod of an agent, which names the key,
	// takes the rights with which another agent executes undos
	Keys map[string]ed25519.PublicKey
	// Key is the key of the run, as brunt itself told it; nil: it is not known
	Key ed25519.PublicKey
}

// Signed reports whether the run signed a text for agents in a namespace.
func (j *Journal) Signed(namespace string, text, signature []byte) bool {
	for _, key := range []ed25519.PublicKey{j.Key, j.Keys[namespace]} {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, text, signature) {
			return true
		}
	}
	return false
}

// Unproven returns the error that nothing proves an undo of the journal to be of its run.
func (j *Journal) Unproven(format string, args ...any) error {
	return fmt.Errorf("%w: %w", chaos.ErrUnproven, fmt.Errorf(format, args...))
}

// ofRun returns an error if an undo is of another run.
func (j *Journal) ofRun(run string) error {
	if run == j.Run {
		return nil
	}
	return fmt.Errorf("it is of the run %q, and the journal is of %s", run, j.Run)
}

// A changedValue is a value of objects that a fault changes.
type changedValue struct {
	of         kube.Ref // without a namespace and a name
	namespaced bool
	path       *regexp.Regexp
	item       bool // the change is an additional item of the list at the path
}

// changed lists what faults change.
var changed = []changedValue{
	{kube.Ref{API: "v1", Resource: "pods"}, true, regexp.MustCompile(`^/spec/containers/[0-9]+/image$`), false},
	{kube.Ref{API: api, Resource: "deployments"}, true, regexp.MustCompile(`^/spec/replicas$`), false},
	{kube.Ref{API: api, Resource: "statefulsets"}, true, regexp.MustCompile(`^/spec/replicas$`), false},
	{kube.Ref{API: "v1", Resource: "nodes"}, false, regexp.MustCompile(`^/spec/unschedulable$`), false},
	{kube.Ref{API: "v1", Resource: "nodes"}, false, regexp.MustCompile(`^/spec/taints$`), true},
}

// changedKinds lists the kinds of objects that faults change, in a namespace.
func changedKinds(namespace string) (out []kube.Ref) {
	for _, row := range changed {
		of := row.of
		if row.namespaced {
			of.Namespace = namespace
		}
		if !slices.Contains(out, of) {
			out = append(out, of)
		}
	}
	return out
}

// changes returns an error if no fault on a namespace makes the changes of a mark to an object.
func changes(object kube.Ref, namespace string, m kube.Mark) error {
	if len(m.Edits) == 0 {
		return fmt.Errorf("there is no change of %s", object)
	}
	for _, e := range m.Edits {
		if !slices.ContainsFunc(changed, func(row changedValue) bool {
			of := row.of
			if of.Name = object.Name; row.namespaced {
				of.Namespace = namespace
			}
			return of == object && row.path.MatchString(e.Path) && row.item == e.Item
		}) {
			return fmt.Errorf("no fault on the namespace %s changes %s of %s in %q", namespace, e.Path, object, object.Namespace)
		}
	}
	return nil
}

// nameable are the parts of a reference to an object that a cluster serves.
var nameable = regexp.MustCompile(`^([a-z0-9.-]+/)?v[0-9a-z]+ [a-z0-9]+$`)

// created returns an error if no fault on a namespace creates such an object.
func created(object kube.Ref, namespace string) error {
	if object.Namespace != namespace || !nameable.MatchString(object.API+" "+object.Resource) ||
		strings.ContainsAny(object.Name, "/%?#") || strings.Trim(object.Name, ".") == "" {
		return fmt.Errorf("no fault on the namespace %s creates %s of %s in %q", namespace, object, object.API,
			object.Namespace)
	}
	return nil
}
