package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
)

// TestChange_NotReady has controllers that do not follow: before the revert the fault is still in, and afterwards it is
// off and the workload is not ready. Without an answer of the cluster nothing is known.
func TestChange_NotReady(t *testing.T) {
	c, at := newCluster(t)
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	web := kube.Ref{API: "apps/v1", Resource: scenarios.Deployments, Namespace: "default", Name: "web"}
	o, err := kube.Like(c, web).Get(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	late := errors.New("web has 0 pods of 0, and 2 are wanted")
	change := &cluster.Change{
		Target: found, Run: "r", What: "scale web", Hits: []string{"web[0]", "web[1]"}, Object: web,
		UID:   o.Text("metadata", "uid"),
		Edits: []kube.Edit{{Path: "/spec/replicas", Prior: cluster.JSON(2), Ours: cluster.JSON(0)}},
		Over:  func(context.Context) (string, error) { return "", late },
	}
	held, err := change.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := held.Gone(ctx)
		return err
	}
	if err := gone(); err == nil || errors.As(err, new(chaos.NotReadyError)) {
		t.Errorf("in: %v", err)
	}
	if out, err := held.Revert(t.Context()); out != chaos.Reverted || err != nil {
		t.Errorf("reverted: %s, %v", out, err)
	}
	const want = "web[0], web[1] did not become ready in 1s: web has 0 pods of 0, and 2 are wanted"
	if err := gone(); !errors.As(err, new(chaos.NotReadyError)) || err.Error() != want {
		t.Errorf("off: %v, want %s", err, want)
	}
	c.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := held.Gone(canceled); err == nil || errors.As(err, new(chaos.NotReadyError)) {
		t.Errorf("without an answer: %v", err)
	}
}
