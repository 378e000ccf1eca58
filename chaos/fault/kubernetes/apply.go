package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Apply is the fault kube.apply. An object that no controller reads does nothing, so `until` names values of the object
// which show that the fault is injected. The object gets the label brunt.dev/run, and is deleted when the fault ends.
type Apply struct {
	syntax.Place
	Manifest Manifest `yaml:"manifest,required"` // an object that does not exist yet, in the target's namespace
	// values at JSON paths of the object which show that the fault is injected, as in `check`
	Until Until `yaml:"until,required"`
}

var _ chaos.Fault = (*Apply)(nil)

func (a *Apply) Traits(sc chaos.Scope) chaos.Traits {
	t := chaos.Traits{Units: 1, Starts: true}
	group, err := schema.ParseGroupVersion(a.Manifest.text("apiVersion"))
	if kind := a.Manifest.text("kind"); err == nil && kind != "" {
		plural, _ := meta.UnsafeGuessKindToResource(group.WithKind(kind)) // a guess; the run asks the cluster
		for _, verb := range []string{"create", "get", "delete"} {
			t.Rights = append(t.Rights, cluster.Right(sc, verb, group.Group, plural.Resource))
		}
	}
	return t
}

func (a *Apply) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if cluster.OnCluster(at, sc, m) {
		a.Manifest.check(sc.Cluster.Namespace, m)
	}
}

func (a *Apply) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := cluster.TargetOf(env.Units)
	if t == nil {
		return nil, cluster.ErrNoPod
	}
	api, kind, name := a.Manifest.text("apiVersion"), a.Manifest.text("kind"), a.Manifest.text("metadata", "name")
	is, err := t.KindOf(ctx, api, kind)
	if err != nil {
		return nil, err
	}
	if !is.Namespaced {
		return nil, fmt.Errorf("objects of the kind %s are of the whole cluster, and faults hit the namespace %s", kind,
			t.Place.Namespace)
	}
	s := &apply{t: t, run: env.Run, ref: kube.Ref{
		API: api, Resource: is.Resource, Namespace: t.Place.Namespace,
		Name: name,
	}, until: a.Until}
	if _, err := kube.Like(t.Cluster, s.ref).Get(ctx, name); err == nil {
		return nil, fmt.Errorf("%s is there already, and not by this run", s.ref)
	} else if !kube.Is(err, kube.NotFound) {
		return nil, err
	}
	s.object = maps.Clone(a.Manifest.object)
	metadata := maps.Clone(s.object["metadata"].(map[string]any))
	labels, _ := metadata["labels"].(map[string]any)
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]any{}
	}
	labels[cluster.RunLabel] = env.Run
	metadata["labels"], s.object["metadata"] = labels, metadata
	return []chaos.Step{s}, nil
}

// apply is the step that creates one object, and the held fault.
type apply struct {
	t      *cluster.Target
	run    string
	ref    kube.Ref
	object kube.Raw
	until  Until
}

func (s *apply) String() string {
	var all []string
	for i := range s.until {
		all = append(all, s.until[i].Name+": "+s.until[i].Matcher.String())
	}
	return fmt.Sprintf("create %s in the namespace %s, until %s", s.ref, s.ref.Namespace, strings.Join(all, " and "))
}

func (s *apply) Units() []string { return []string{s.ref.String()} }
func (*apply) Via() string       { return "api" }

func (s *apply) Undo() []chaos.Undo { return []chaos.Undo{cluster.DeleteUndo(s.t.Place, s.ref, s.run)} }

// acts is the time within which a controller must act on an object.
const acts = 30 * time.Second

func (s *apply) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: acts, Ended: s.ended} }

func (s *apply) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := kube.Like(s.t.Cluster, s.ref).Create(context.WithoutCancel(ctx), &s.object, false)
	if err != nil && !kube.Away(err) {
		return nil, err
	}
	return s, err
}

// Verify implements [chaos.Held]: the object has the values of `until`.
func (s *apply) Verify(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		o, err := kube.Like(s.t.Cluster, s.ref).Get(ctx, s.ref.Name)
		if err != nil {
			return "", err
		}
		var found []string
		for i := range s.until {
			u := &s.until[i]
			at := check.AtPath(map[string]any(*o), u.Path)
			said := "nothing"
			if v, has := u.Judged(at); has {
				said = check.ValueText(v)
			}
			if !u.Holds(at, nil) {
				return "", fmt.Errorf("%s says %s at %s, where `until` wants %s: does a controller read it?", s.ref, said, u.Name,
					u.Matcher.String())
			}
			found = append(found, fmt.Sprintf("%s at %s", said, u.Name))
		}
		return fmt.Sprintf("%s says %s", s.ref, strings.Join(found, ", ")), nil
	})
}

// ended returns an error if something else has deleted the object.
func (s *apply) ended(ctx context.Context) error {
	o, err := kube.Like(s.t.Cluster, s.ref).Get(ctx, s.ref.Name)
	if kube.Is(err, kube.NotFound) || err == nil && o.Labels()[cluster.RunLabel] != s.run {
		return fmt.Errorf("%s is no more, and not by this run", s.ref)
	}
	return nil // a failed reading proves nothing; the revert reads it again
}

func (s *apply) Revert(ctx context.Context) (chaos.Outcome, error) {
	return cluster.DeleteOwn(ctx, s.t.Cluster, s.ref, s.run)
}

// Gone implements [chaos.Held]: the object no longer exists.
func (s *apply) Gone(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		o, err := kube.Like(s.t.Cluster, s.ref).Get(ctx, s.ref.Name)
		switch {
		case kube.Is(err, kube.NotFound), err == nil && o.Labels()[cluster.RunLabel] != s.run:
			return fmt.Sprintf("%s is no more", s.ref), nil
		case err != nil:
			return "", errors.Join(chaos.ErrNoAnswer, err)
		}
		return "", fmt.Errorf("%s is there still", s.ref)
	})
}

func (*Apply) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "kube.apply", New: func() chaos.Fault { return new(Apply) }, Undo: cluster.DeleteOperations(),
		Example: `{manifest: {apiVersion: v1, kind: ResourceQuota, metadata: {name: full}, spec: {hard: {pods: "0"}}}, until: {"$.status.hard.pods": exists}}`,
		Effect:  chaos.Starved,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Own}, Check: "until"},
		On:      chaos.OnCluster,
		Doc: "Creates an object of the author's own in the target's namespace, such as one of another chaos tool, and " +
			"deletes it.",
	}
}
