package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios/suite"
)

// Times of the watchdogs of the tests.
const (
	quick = 4 * time.Second // patience
	stays = 9 * time.Second // from the last sign of brunt on, until they remove themselves
)

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "12"); err != nil { // the tests wait most of their time
		panic(err)
	}
	os.Exit(m.Run())
}

const runID = "20260101-000000-abcdefgh"

// A bed is a cluster with a deployment of two pods, and a run that has a watchdog there.
type bed struct {
	*kube.Cluster
	server *kubetest.Server
	config string
	place  cluster.Place
	web    kube.Ref
	uid    string
	guard  func() error // ends the watchdog in the cluster, as its node does
	s      guard.Settings

	mu      sync.Mutex
	taken   []int
	stopped []error
	log     bytes.Buffer
}

func open(t *testing.T, config string) (*kube.Cluster, cluster.Place) {
	t.Helper()
	c, at, err := cluster.Connect(t.Context(), kube.Address{Kubeconfig: config, Context: "test", Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, at
}

func newBed(t *testing.T) *bed {
	t.Parallel()
	b := &bed{
		server: kubetest.Start(t), web: kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: "default", Name: "web"},
	}
	b.config = b.server.Kubeconfig(t, "")
	b.Cluster, b.place = open(t, b.config)
	labels := map[string]any{"app": "web"}
	made, err := kube.Like(b.Cluster, b.web).Create(t.Context(),
		&kube.Raw{"metadata": map[string]any{"name": "web"}, "spec": map[string]any{
			"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "a"}}},
			},
		}}, false)
	if err != nil {
		t.Fatal(err)
	}
	b.uid = made.Text("metadata", "uid")
	undoes := guard.Undoes([]kube.Right{
		{Verb: "patch", Group: "apps", Resource: "deployments", Namespace: "default"},
		{Verb: "patch", Resource: "nodes"},
		{Verb: "list", Resource: "pods"},
		{Verb: "delete", Resource: "pods", Namespace: "kube-system"},
	})
	b.s = guard.Settings{
		Run: runID, Place: b.place, Host: "here", Image: "brunt:1", Undoes: undoes, Lasts: time.Hour,
		Patience: quick, Linger: stays,
	}
	return b
}

// keep runs the watchdog in the cluster, as the pod of the Job would, until it ends or is killed.
func (b *bed) keep(t *testing.T) {
	ctx, kill := context.WithCancel(context.Background())
	done, ended := make(chan struct{}), error(nil)
	b.guard = func() error { kill(); <-done; return ended }
	t.Cleanup(func() { kill(); <-done })
	c, _ := open(t, b.config)
	go func() {
		defer close(done)
		_, _ = cluster.Until(ctx, func() (string, error) {
			_,
				err := kube.Jobs(c, "default").Get(ctx, "brunt-watchdog-"+runID)
			return "", err
		})
		ended = guard.Guard{
			Run: runID, Namespace: "default", Patience: b.s.Patience, Linger: b.s.Linger, Most: b.s.Lasts, Log: (*logged)(b),
		}.Serve(ctx, c)
	}()
}

type logged bed

func (b *logged) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bed) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// start starts the watchdog of the run, which speaks to the cluster by a client.
func (b *bed) start(t *testing.T, by *kube.Cluster) *guard.Watchdog {
	t.Helper()
	b.keep(t)
	w, err := guard.Start(t.Context(), by, b.s, b.host())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Die() })
	return w
}

func (b *bed) host() guard.Host {
	return guard.Host{
		Ops:     guard.OperationsFrom(b.Cluster, b.place.UID, cluster.Journal{Namespace: "default", Run: runID}),
		Taken:   func(id int, _ time.Duration) { b.mu.Lock(); b.taken = append(b.taken, id); b.mu.Unlock() },
		Stopped: func(why error) { b.mu.Lock(); b.stopped = append(b.stopped, why); b.mu.Unlock() },
	}
}

// inject scales the deployment to nothing, as a fault does, with an entry of that number.
func (b *bed) inject(t *testing.T, w *guard.Watchdog, id int, lasts time.Duration) {
	t.Helper()
	now := time.Now().UTC()
	m := kube.Mark{Run: runID, Edits: []kube.Edit{{Path: "/spec/replicas", Prior: cluster.JSON(2), Ours: cluster.JSON(0)}}}
	undo := chaos.Undo{
		Op: "kube.edit", Args: cluster.JSON(map[string]any{
			"context": "test", "namespace": "default", "cluster": b.place.UID, "object": b.web, "run": runID,
		}),
		Identity: cluster.JSON(map[string]string{"cluster": b.place.UID, "object": b.uid, "setting": m.Key()}),
		Prior:    cluster.JSON(m.Edits),
	}
	if err := w.Tell(cluster.JSON(map[string]any{
		"v": 2, "t": now, "op": "intent", "id": id, "fault": "none", "what": "scale web",
		"undo": []chaos.Undo{undo, {Op: "exec"}}, "deadline": now.Add(lasts),
	})); err != nil {
		t.Fatal(err)
	}
	if err := b.Edit(t.Context(), b.web, b.uid, m); err != nil {
		t.Fatal(err)
	}
}

func (b *bed) in() bool {
	o, err := kube.Like(b.Cluster, b.web).Get(context.Background(), "web")
	return err == nil && (o.Number("spec", "replicas") != 2 || len(o.Marks()) > 0)
}

// checks is how often the watchdog has checked the lease.
func (b *bed) checks() (n int) {
	lease := kube.Ref{
		API: "coordination.k8s.io/v1", Resource: "leases", Namespace: "default", Name: "brunt-watchdog-" + runID,
	}
	o, err := kube.Like(b.Cluster, lease).Get(context.Background(), lease.Name)
	if err == nil {
		_, _ = fmt.Sscanf(o.Text("metadata", "annotations", "brunt.dev/watchdog"), `{"n":%d`, &n)
	}
	return n
}

// parts are the objects of the watchdog.
func (b *bed) parts() (out []string) {
	for _, of := range []kube.Ref{
		{API: "v1", Resource: "configmaps", Namespace: "default"},
		{API: "coordination.k8s.io/v1", Resource: "leases", Namespace: "default"},
		{API: "v1", Resource: "serviceaccounts", Namespace: "default"},
		{API: "batch/v1", Resource: "jobs", Namespace: "default"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "roles", Namespace: "default"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "rolebindings", Namespace: "default"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "roles", Namespace: "kube-system"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "rolebindings", Namespace: "kube-system"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "clusterroles"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "clusterrolebindings"},
	} {
		all, err := kube.Like(b.Cluster, of).List(context.Background(), kube.Query{})
		if err != nil {
			out = append(out, err.Error())
		}
		for _, o := range all {
			out = append(out, of.Resource+"/"+o.Text("metadata", "name"))
		}
	}
	return out
}

func (b *bed) back() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.taken)
}

func (b *bed) stops() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.stopped)
}

// gone waits until nothing of the run is in the cluster.
func (b *bed) gone(t *testing.T) {
	t.Helper()
	suite.Until(t, "nothing of the run is left", func() bool { return !b.in() && len(b.parts()) == 0 })
}

// TestWatchdog_Ends has a fault that brunt takes back by itself.
func TestWatchdog_Ends(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	if n := len(b.parts()); n != 10 {
		t.Errorf("%d objects: %q", n, b.parts())
	}
	b.inject(t, w, 2, time.Minute)
	found, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(found) != 1 || !found[0].Alive || len(found[0].In) != 1 || found[0].In[0].What != "scale web" {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := found[0].TakeBack(t.Context(), b.Cluster); err == nil ||
		!strings.Contains(err.Error(), "goes on, on here") {
		t.Errorf("a run that goes on was taken back: %v", err)
	}
	if err := w.Tell([]byte(`{"op":"done","id":2}`)); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the entry is closed", func() bool {
		maps, err := kube.ConfigMaps(b.Cluster, "default").List(t.Context(), kube.Query{})
		return err == nil && len(maps) == 1 && len(maps[0].Data) == 1
	})
	if left, err := w.Stop(); left || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
	if parts := b.parts(); len(parts) > 0 {
		t.Errorf("left: %q", parts)
	}
	if !b.in() || len(b.back()) > 0 || len(b.stops()) > 0 {
		t.Errorf("the watchdog acted: %v, %v", b.back(), b.stops())
	}
}

// TestWatchdog_BruntDies has it take everything back, and go when brunt stays away.
func TestWatchdog_BruntDies(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Minute)
	w.Die()
	at := time.Now()
	suite.Until(t, "the fault is taken back", func() bool { return !b.in() })
	if took := time.Since(at); took < quick-2*time.Second {
		t.Errorf("it was taken back after %s, before the patience of %s was over", took, quick)
	}
	suite.Until(t, "that is noted", func() bool {
		maps, err := kube.ConfigMaps(b.Cluster, "default").List(t.Context(), kube.Query{})
		return err == nil && len(maps) == 1 && maps[0].Data["taken-2"] != ""
	})
	found, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(found) != 1 || found[0].Alive || len(found[0].In) != 0 || len(found[0].Taken) != 1 ||
		!strings.Contains(found[0].Taken[0].Why, "brunt was not heard of for") {
		t.Errorf("%+v, %v\n%s", found, err, b.said())
	}
	b.gone(t)
}

// TestWatchdog_BothDie has `brunt revert` take back what is left, by the journal in the cluster.
func TestWatchdog_BothDie(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Minute)
	_ = b.guard()
	w.Die()
	found, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(found) != 1 || found[0].Alive {
		t.Fatalf("%+v, %v", found, err)
	}
	taken, err := found[0].TakeBack(t.Context(), b.Cluster)
	if err != nil || len(taken) != 1 || taken[0].Outcome != chaos.Reverted {
		t.Errorf("%+v, %v", taken, err)
	}
	b.gone(t)
}

// TestWatchdog_Beside has two take back the same run: what the second of them found is gone since.
func TestWatchdog_Beside(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Minute)
	_ = b.guard()
	w.Die()
	first, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(first) != 1 || first[0].Alive {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(second) != 1 {
		t.Fatalf("%+v, %v", second, err)
	}
	for i, of := range []guard.Found{first[0], second[0]} {
		if taken, err := of.TakeBack(t.Context(), b.Cluster); err != nil || len(taken) != 1-i {
			t.Errorf("%d: %+v, %v", i, taken, err)
		}
	}
	b.gone(t)
}

// TestWatchdog_Undo has the entry of brunt's own journal end it all.
func TestWatchdog_Undo(t *testing.T) {
	b := newBed(t)
	b.s.Place.Kubeconfig = b.config
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Minute)
	w.Die()
	ops := chaos.OperationsOf(guard.Operations())
	for i, want := range []chaos.Outcome{chaos.Reverted, chaos.Gone} {
		if out, err := ops.Undo(t.Context(), b.s.Undo()); out != want || err != nil {
			t.Errorf("undo %d: %s, %v", i, out, err)
		}
	}
	b.gone(t)
}

// TestWatchdog_Dies has another take its place: no fault is injected until it is there.
func TestWatchdog_Dies(t *testing.T) {
	suite.Long(t)
	b := newBed(t)
	w := b.start(t, b.Cluster)
	if err := b.guard(); err == nil {
		t.Error("its pod succeeded, and the Job makes no other one")
	}
	intent := []byte(`{"op":"intent","id":2,"undo":[{"op":"kube.edit"}]}`)
	suite.Until(t, "nothing is injected without it", func() bool {
		err := w.Tell(intent)
		return err != nil && strings.Contains(err.Error(), "was not heard of for")
	})
	if err := w.Tell([]byte(`{"op":"intent","id":3,"undo":[{"op":"process.end"}]}`)); err != nil {
		t.Errorf("what is not of the cluster: %v", err)
	}
	_ = w.Tell([]byte(`{"op":"done","id":2}`)) // where one was written before
	b.keep(t)
	b.inject(t, w, 4, time.Minute)
	suite.Until(t, "the entry that was not injected is gone", func() bool {
		is, err := kube.ConfigMaps(b.Cluster, "default").Get(t.Context(), "brunt-watchdog-"+runID)
		return err == nil && is.Data["open-2"] == ""
	})
	w.Die()
	b.gone(t)
}

// TestWatchdog_Away has the API server away for longer than the patience, while brunt lives: the fault stays. The
// watchdog reaches the server again before brunt does.
func TestWatchdog_Away(t *testing.T) {
	suite.Long(t)
	b := newBed(t)
	b.s.Patience *= 2
	config, cut := cuttable(t, b.config)
	by, _ := open(t, config)
	w := b.start(t, by)
	b.inject(t, w, 2, time.Minute)
	cut(true)
	for n, i := b.checks(), 1; i <= 2; i++ { // it has seen the last renewal
		suite.Until(t, "the watchdog checks the lease", func() bool { return b.checks() >= n+i })
	}
	b.server.Away(true)
	over := time.After(b.s.Patience * 3 / 2)
	if err := w.Tell([]byte(`{"op":"intent","id":3,"undo":[{"op":"kube.edit"}]}`)); err == nil {
		t.Error("a fault would be injected")
	}
	<-over
	b.server.Away(false)
	suite.Until(t, "the watchdog has an answer",
		func() bool { return strings.Contains(b.said(), "the cluster answers again") })
	cut(false)
	acts := suite.Within(b.s.Patience, func() bool { return !b.in() })
	if acts || len(b.back())+len(b.stops()) > 0 {
		t.Errorf("the watchdog acted: %v, %v\n%s", b.back(), b.stops(), b.said())
	}
	w.Die()
	b.gone(t)
}

// TestWatchdog_Cut has brunt alone cut off from the cluster: the watchdog acts, and brunt learns of it.
func TestWatchdog_Cut(t *testing.T) {
	suite.Long(t)
	b := newBed(t)
	config, cut := cuttable(t, b.config)
	by, _ := open(t, config)
	w := b.start(t, by)
	b.inject(t, w, 2, time.Minute)
	cut(true)
	suite.Until(t, "the fault is taken back", func() bool { return !b.in() })
	cut(false)
	suite.Until(t, "brunt learns of it", func() bool { w.Check(); return slices.Equal(b.back(), []int{2}) })
	b.inject(t, w, 3, time.Minute) // it goes on
	w.Die()
	b.gone(t)
}

// TestWatchdog_Deadline has an entry that is open past its deadline, although brunt lives.
func TestWatchdog_Deadline(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Second)
	suite.Until(t, "the fault is taken back", func() bool { return !b.in() })
	suite.Until(t, "brunt learns of it", func() bool { return slices.Equal(b.back(), []int{2}) })
	if left, err := w.Stop(); left || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
	b.gone(t)
}

// TestWatchdog_Levers has a person at the cluster end the faults.
func TestWatchdog_Levers(t *testing.T) {
	const name = "brunt-watchdog-" + runID
	leases := kube.Ref{API: "coordination.k8s.io/v1", Resource: "leases", Namespace: "default"}
	for _, of := range []struct {
		name, want string
		pull       func(ctx context.Context, c *kube.Cluster) error
	}{
		{"lease annotated", "annotated with brunt.dev/stop=now", func(ctx context.Context, c *kube.Cluster) error {
			_, err := kube.Like(c, leases).Patch(ctx, name,
				kube.Change{Op: "add", Path: "/metadata/annotations/brunt.dev~1stop", Value: "now"})
			return err
		}},
		{"lease deleted", "was deleted", func(ctx context.Context, c *kube.Cluster) error {
			return kube.Like(c, leases).Delete(ctx, name, kube.Deletion{})
		}},
		{"namespace annotated", "the namespace default was annotated", func(ctx context.Context, c *kube.Cluster) error {
			_, err := kube.Namespaces(c).Patch(ctx, "default",
				kube.Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{"brunt.dev/stop": "now"}})
			return err
		}},
	} {
		for _, alive := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, brunt alive %v", of.name, alive), func(t *testing.T) {
				b := newBed(t)
				w := b.start(t, b.Cluster)
				b.inject(t, w, 2, time.Minute)
				if !alive {
					w.Die()
				}
				if err := of.pull(t.Context(), b.Cluster); err != nil {
					t.Fatal(err)
				}
				suite.Until(t, "the fault is taken back", func() bool { return !b.in() })
				if alive {
					suite.Until(t, "brunt is told", func() bool { return len(b.stops()) > 0 })
					if stops := b.stops(); len(stops) != 1 || !strings.Contains(stops[0].Error(), of.want) {
						t.Errorf("told %v, want %q", stops, of.want)
					}
					if err := w.Tell([]byte(`{"op":"intent","id":9,"undo":[{"op":"kube.edit"}]}`)); err == nil {
						t.Error("another fault would be injected")
					}
					_ = w.Tell([]byte(`{"op":"done","id":2}`)) // which brunt says in any case
					if _, err := w.Stop(); err != nil {
						t.Error(err)
					}
				}
				b.gone(t)
			})
		}
	}
}

// TestWatchdog_JobDeleted has the pod end with its Job: nothing would come in its place.
func TestWatchdog_JobDeleted(t *testing.T) {
	b := newBed(t)
	w := b.start(t, b.Cluster)
	b.inject(t, w, 2, time.Minute)
	if err := kube.Jobs(b.Cluster, "default").Delete(t.Context(), "brunt-watchdog-"+runID, kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	if err := b.guard(); err != nil {
		t.Error(err)
	}
	suite.Until(t, "the fault is taken back", func() bool { return !b.in() })
	suite.Until(t, "brunt is told", func() bool { return len(b.stops()) == 1 })
	if _, err := w.Stop(); err != nil {
		t.Error(err)
	}
	b.gone(t)
}

// TestStart_Refused has nothing left where the watchdog can't be made, or is not wanted.
func TestStart_Refused(t *testing.T) {
	b := newBed(t)
	stop := kube.Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{"brunt.dev/stop": "x"}}
	if _, err := kube.Namespaces(b.Cluster).Patch(t.Context(), "default", stop); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Start(t.Context(), b.Cluster, b.s, b.host()); err == nil ||
		!strings.Contains(err.Error(), "which holds faults off") {
		t.Errorf("got %v", err)
	}
	if _, err := kube.Namespaces(b.Cluster).Patch(t.Context(), "default",
		kube.Change{Op: "remove", Path: "/metadata/annotations"}); err != nil {
		t.Fatal(err)
	}
	taken := &kube.Raw{"metadata": map[string]any{"name": "brunt-watchdog-" + runID}}
	accounts := kube.Ref{API: "v1", Resource: "serviceaccounts", Namespace: "default"}
	if _, err := kube.Like(b.Cluster, accounts).Create(t.Context(), taken, false); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Start(t.Context(), b.Cluster, b.s, b.host()); !kube.Is(err, kube.AlreadyExists) {
		t.Errorf("got %v", err)
	}
	if parts := b.parts(); len(parts) != 1 { // that of another program
		t.Errorf("left: %q", parts)
	}
}

// cuttable is a kubeconfig that leads to the same server through a connection that can be cut.
func cuttable(t *testing.T, config string) (string, func(bool)) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var server string
	for field := range strings.FieldsSeq(string(text)) {
		if u, err := url.Parse(strings.Trim(field, `",{}`)); err == nil && u.Scheme == "https" {
			server = u.Host
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var mu sync.Mutex
	var isCut bool
	var all []net.Conn
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			refuse := isCut
			all = append(all, in)
			mu.Unlock()
			out, err := net.Dial("tcp", server)
			if err != nil || refuse {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	to := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(to, bytes.ReplaceAll(text, []byte(server), []byte(l.Addr().String())), 0o600); err != nil {
		t.Fatal(err)
	}
	return to, func(cut bool) {
		mu.Lock()
		defer mu.Unlock()
		isCut = cut
		for _, c := range all {
			_ = c.Close()
		}
		all = nil
	}
}

// TestSettings_Job keeps the program's arguments those that its command knows.
func TestSettings_Job(t *testing.T) {
	b := newBed(t)
	b.start(t, b.Cluster)
	job, err := kube.Jobs(b.Cluster, "default").Get(t.Context(), "brunt-watchdog-"+runID)
	if err != nil {
		t.Fatal(err)
	}
	pod := job.Spec.Template.Spec
	want := `["cluster-watchdog","--namespace","default","--run","` + runID +
		`","--patience","4s","--linger","9s","--most","1h0m0s"]`
	if args, _ := json.Marshal(pod.Containers[0].Args); string(args) != want || *job.Spec.TTLSecondsAfterFinished != 300 ||
		len(pod.Tolerations) != 1 {
		t.Errorf("%s, %+v", args, job.Spec)
	}
}

// TestFind_Namespaces finds the namespaces that runs have made, but for those whose run lives; what one owns goes with
// it.
func TestFind_Namespaces(t *testing.T) {
	b := newBed(t)
	var first *kube.Namespace
	for _, name := range []string{"brunt-a", "brunt-a-agents", "brunt-b", "shop"} {
		ns := &kube.Namespace{ObjectMeta: kube.ObjectMeta{
			Name:   name,
			Labels: map[string]string{cluster.RunLabel: strings.TrimPrefix(name, "brunt-")},
		}}
		switch name {
		case "brunt-a-agents":
			ns.OwnerReferences = []kube.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: first.Name, UID: first.UID}}
		case "shop":
			ns.Labels = nil
		}
		is, err := kube.Namespaces(b.Cluster).Create(t.Context(), ns, false)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = is
		}
	}
	var find func(context.Context, *chaos.Search) ([]chaos.Remnant, error)
	for _, op := range guard.Operations() {
		if op.Find != nil {
			find = op.Find
		}
	}
	found, err := find(t.Context(), &chaos.Search{
		Clusters: []kube.Address{{Kubeconfig: b.config, Context: "test"}}, Live: func(run string) bool { return run == "b" },
	})
	if err != nil || len(found) != 1 || found[0].Run != "a" || found[0].Sure ||
		!strings.Contains(found[0].What, "brunt-a") {
		t.Fatalf("found %+v, %v", found, err)
	}
	for _, op := range cluster.DeleteOperations() {
		if outcome, err := op.Do(t.Context(), found[0].Undo); err != nil || outcome != chaos.Reverted {
			t.Errorf("%v, %v", outcome, err)
		}
	}
	if _, err := kube.Namespaces(b.Cluster).Get(t.Context(), "brunt-a"); !kube.Is(err, kube.NotFound) {
		t.Errorf("the namespace is still there, %v", err)
	}
}
