package kubernetes

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Restart is the fault workload.restart, which does what `kubectl rollout restart` does. The phase lasts until all pods
// have been replaced and are ready.
type Restart struct {
	syntax.Place
	Service string `yaml:"service,required"` // a deployment, a stateful set or a daemon set
}

var _ chaos.Fault = (*Restart)(nil)

// restarted are the kinds of workloads that can be restarted.
var restarted = []string{scenarios.Deployments, scenarios.StatefulSets, scenarios.DaemonSets}

func (r *Restart) Traits(sc chaos.Scope) chaos.Traits {
	return chaos.Traits{OneShot: true, Units: 1, Reaches: sc.UnitsOf(r.Service), Rights: patches(sc, r.Service, restarted)}
}

func (r *Restart) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkService(r.Service, at, sc, restarted, m)
}

func (r *Restart) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t, ref, o, err := found(ctx, env, r.Service)
	if err != nil {
		return nil, err
	}
	pods, err := t.PodsOf(ctx, r.Service)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%w: %s has no pod", chaos.ErrNoUnit, r.Service)
	}
	s := &restart{t: t, service: r.Service, ref: ref, object: *o, hits: unitsOf(env, r.Service), was: map[string]bool{}}
	for i := range pods {
		s.was[string(pods[i].UID)] = true
	}
	return []chaos.Step{s}, env.Bound(len(pods))
}

// restart is the step that restarts one workload, and the held fault.
type restart struct {
	t       *cluster.Target
	service string
	ref     kube.Ref
	object  kube.Raw
	hits    []string
	was     map[string]bool // the UIDs of its pods before
	at      time.Time
}

func (s *restart) String() string {
	return fmt.Sprintf("restart %s (%s, UID %s), %s", s.ref, s.service, s.object.Text("metadata", "uid"),
		syntax.Amount(len(s.was), "pod"))
}

func (s *restart) Units() []string        { return s.hits }
func (*restart) Via() string              { return "api" }
func (*restart) Undo() []chaos.Undo       { return nil }
func (*restart) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: scales} }

func (s *restart) Inject(ctx context.Context) (chaos.Held, error) {
	const at = "/spec/template/metadata/annotations"
	changes := []kube.Change{{Op: "test", Path: "/metadata/uid", Value: s.object.Text("metadata", "uid")}}
	now := time.Now().UTC().Format(time.RFC3339)
	if s.object.Has("spec", "template", "metadata", "annotations") {
		changes = append(changes, kube.Change{Op: "add", Path: at + "/kubectl.kubernetes.io~1restartedAt", Value: now})
	} else {
		changes = append(changes, kube.Change{
			Op: "add", Path: at, Value: map[string]string{"kubectl.kubernetes.io/restartedAt": now},
		})
	}
	s.at = time.Now()
	_, err := kube.Like(s.t.Cluster, s.ref).Patch(context.WithoutCancel(ctx), s.ref.Name, changes...)
	return s, err
}

// pods counts the pods from before the restart, and the new ones that are ready.
func (s *restart) pods(ctx context.Context) (old, fresh, ready int, err error) {
	pods, err := s.t.PodsOf(ctx, s.service)
	for i := range pods {
		switch {
		case s.was[string(pods[i].UID)]:
			old++
		case cluster.IsReady(&pods[i]):
			ready++
			fallthrough
		default:
			fresh++
		}
	}
	return old, fresh, ready, err
}

// Verify implements [chaos.Held]: at least one pod has been replaced.
func (s *restart) Verify(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		old, fresh, _, err := s.pods(ctx)
		if err == nil && fresh == 0 && old > 0 {
			err = fmt.Errorf("%s: no pod is another one yet", s.service)
		}
		return fmt.Sprintf("%s of %s came for %d", syntax.Amount(fresh, "pod"), s.service, len(s.was)), err
	})
}

func (*restart) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }

// Gone implements [chaos.Held]: all pods have been replaced and are ready.
func (s *restart) Gone(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		old, _, ready, err := s.pods(ctx)
		if err == nil && (old > 0 || ready < len(s.was)) {
			err = fmt.Errorf("%s: %s of before, and %d others ready of %d", s.service, syntax.Amount(old, "pod"), ready,
				len(s.was))
		}
		took := quantity.FormatSeconds(time.Since(s.at).Seconds())
		return fmt.Sprintf("%s of %s, none of them of before, ready after %s", syntax.Amount(ready, "pod"), s.service, took),
			err
	})
}

func (*Restart) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "workload.restart", New: func() chaos.Fault { return new(Restart) },
		Example: "{service: web}",
		Effect:  chaos.Restarts,
		Nature:  scenarios.Nature{Verb: "restarted", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnCluster,
		Doc:     "Restarts a workload as a rollout does: its controller replaces its pods.",
	}
}
