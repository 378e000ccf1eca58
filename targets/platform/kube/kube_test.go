package kube_test

import (
	"slices"
	"testing"

	api "brunt/chaos/kube"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
	"brunt/targets/platform/kube"
)

// stack is the built-in system as pods, with settings.
func stack(t *testing.T, with ...string) kube.Objects {
	t.Helper()
	m := new(syntax.Mistakes)
	b, ok := syntax.Resolve(syntax.Block{Kind: "demo", With: syntax.Arguments(with, m)}, platform.Kinds(), m)
	if !ok {
		t.Fatal(m.Err())
	}
	spec := b.Spec(nil).Contained(platform.Kubernetes)
	out, err := kube.Manifests(spec, kube.Options{Image: "brunt:test", Labels: map[string]string{"run": "r"}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestManifests: pods call each other by the names of stateful sets, whether they are ready or not, and the entry alone
// has an address of its own.
func TestManifests(t *testing.T) {
	o := stack(t, "posts.replicas=3")
	var addressed []string
	for _, s := range o.Services {
		if !s.Spec.PublishNotReadyAddresses || s.Labels["run"] != "r" || s.Spec.Selector["run"] != "r" {
			t.Errorf("the service %s: %+v", s.Name, s)
		}
		if s.Spec.ClusterIP != api.ClusterIPNone {
			addressed = append(addressed, s.Name)
		}
	}
	if !slices.Equal(addressed, []string{"gateway-entry"}) {
		t.Errorf("services %q have addresses", addressed)
	}
	for i := range o.Sets {
		set := &o.Sets[i]
		c := set.Spec.Template.Spec.Containers[0]
		if c.LivenessProbe != nil || c.ReadinessProbe.HTTPGet.Path != "/healthz" || c.Image != "brunt:test" ||
			set.Spec.PodManagementPolicy != "Parallel" {
			t.Errorf("%s: %+v", set.Name, set.Spec)
		}
		if set.Name != "gateway" {
			continue
		}
		link := slices.IndexFunc(c.Env, func(v api.EnvVar) bool { return v.Name == "LINK_POSTS" })
		if want := "posts-0.posts:8080,posts-1.posts:8080,posts-2.posts:8080"; link < 0 || c.Env[link].Value != want {
			t.Errorf("the environment of the gateway is %v, want LINK_POSTS=%s", c.Env, want)
		}
	}
}

// TestManifests_Liveness: a liveness probe where it is asked for.
func TestManifests_Liveness(t *testing.T) {
	o := stack(t, "liveness=on")
	for i := range o.Sets {
		if p := o.Sets[i].Spec.Template.Spec.Containers[0].LivenessProbe; p == nil ||
			p.PeriodSeconds*p.FailureThreshold != 10 {
			t.Errorf("%s: %+v", o.Sets[i].Name, p)
		}
	}
}
