package kube_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios/suite"
)

// echo is the port at which every pod of the suite answers what it receives, on its loopback.
const echo = 7007

// A bed is a cluster that the suite runs on.
type bed struct {
	*kube.Cluster
	namespace  string
	kubeconfig string
	guest      string // a kubeconfig of a user who may do nothing
}

// TestCluster_Server runs the suite on the server for tests.
func TestCluster_Server(t *testing.T) {
	s := kubetest.Start(t)
	s.Ports = map[int]string{echo: echoServer(t)}
	s.Deny("guest")
	suiteOf(t, s.Kubeconfig(t, ""), s.Kubeconfig(t, "guest"))
}

// TestCluster_Kube runs the suite on a real cluster, so that the server for tests promises nothing that a cluster does
// not keep.
func TestCluster_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	path := os.Getenv("BRUNT_KUBECONFIG")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	guest := t.TempDir() + "/guest"
	text = bytes.Replace(text, []byte("user: {client-certificate-data"),
		[]byte("user: {as: guest, client-certificate-data"), 1)
	if err := os.WriteFile(guest, text, 0o600); err != nil {
		t.Fatal(err)
	}
	suiteOf(t, path, guest)
}

// echoServer answers what it receives, on loopback.
func echoServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// TestCluster_Plain connects to a pod where WebSockets are not passed on.
func TestCluster_Plain(t *testing.T) {
	s := kubetest.Start(t)
	s.Ports = map[int]string{echo: echoServer(t)}
	s.Plain()
	b := &bed{
		Cluster: open(t, kube.Address{Kubeconfig: s.Kubeconfig(t, "")}), namespace: "default",
		kubeconfig: s.Kubeconfig(t, ""),
	}
	if _, err := kube.Pods(b.Cluster, "default").Create(t.Context(), &kube.Pod{ObjectMeta: kube.ObjectMeta{Name: "echo"}},
		false); err != nil {
		t.Fatal(err)
	}
	b.connections(t)
}

// TestObjects_Forgotten has the history end below a watch, as it does while the API server is away for long.
func TestObjects_Forgotten(t *testing.T) {
	s := kubetest.Start(t)
	c := open(t, kube.Address{Kubeconfig: s.Kubeconfig(t, "")})
	maps := kube.ConfigMaps(c, "default")
	expired(t, c)
	for _, name := range []string{"kept", "lost"} {
		must[*kube.ConfigMap](t)(maps.Create(t.Context(), configMap(name, "", nil), false))
	}
	var news []string
	if err := maps.Watch(t.Context(), kube.Query{}, func(e kube.Event[kube.ConfigMap]) bool {
		news = append(news, fmt.Sprint(e.Object.Name, e.Gone))
		if len(news) == 2 { // nothing of this is in a history
			s.Hide("/api/v1/namespaces/default/configmaps", "lost")
			s.Forget()
		}
		return !e.Gone
	}); err != nil {
		t.Fatal(err)
	}
	if want := "[keptfalse lostfalse losttrue]"; fmt.Sprint(news) != want {
		t.Errorf("%v, want %s", news, want)
	}
}

// expired checks what the API server says of a version that its history does not reach back to.
func expired(t *testing.T, c *kube.Cluster) {
	t.Helper()
	err := kube.ConfigMaps(c, "default").Follow(t.Context(), "1", func(kube.Event[kube.ConfigMap]) bool { return false })
	why(t, "a watch from the first version on", err, kube.Expired)
}

// TestWatch_KubeOutage kills the API server below a watch. It has forgotten its history when it is back.
func TestWatch_KubeOutage(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	path, control := os.Getenv("BRUNT_KUBECONFIG"), os.Getenv("BRUNT_KUBE")
	if control == "" {
		t.Skip("BRUNT_KUBE names no program that kills the API server: .ci/kube test does")
	}
	c := open(t, kube.Address{Kubeconfig: path})
	maps := kube.ConfigMaps(c, "default")
	made := strings.ToLower("outage-" + rand.Text()[:6])
	labels := map[string]string{"test": made}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var news []string
	_ = must[*kube.ConfigMap](t)(maps.Create(ctx, configMap(made+"-1", "", labels), false))
	if err := maps.Watch(ctx, kube.Query{Labels: "test=" + made}, func(e kube.Event[kube.ConfigMap]) bool {
		if news = append(news, fmt.Sprint(strings.TrimPrefix(e.Object.Name, made), e.Gone)); len(news) == 1 {
			if out, err := exec.CommandContext(ctx, control, "outage", "1").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			expired(t, c)
			_ = must[*kube.ConfigMap](t)(maps.Create(ctx, configMap(made+"-2", "", labels), false))
		}
		return len(news) < 2
	}); err != nil {
		t.Error(err)
	}
	if want := "[-1false -2false]"; fmt.Sprint(news) != want {
		t.Errorf("%v, want %s", news, want)
	}
	for _, name := range []string{made + "-1", made + "-2"} {
		if err := maps.Delete(ctx, name, kube.Deletion{}); err != nil {
			t.Error(err)
		}
	}
}

// TestOpen_Mistakes has kubeconfigs that lead nowhere.
func TestOpen_Mistakes(t *testing.T) {
	s := kubetest.Start(t)
	path := s.Kubeconfig(t, "")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(old, new string) string {
		to := t.TempDir() + "/config"
		if err := os.WriteFile(to, []byte(strings.ReplaceAll(string(text), old, new)), 0o600); err != nil {
			t.Fatal(err)
		}
		return to
	}
	for _, c := range []struct {
		name string
		at   kube.Address
		want string
	}{
		{"no file", kube.Address{Kubeconfig: "/nonexistent"}, "no such file"},
		{"no context", kube.Address{Kubeconfig: path, Context: "prod"}, `no context "prod"; it has: test`},
		{"a proxy", kube.Address{Kubeconfig: write("cluster: {server",
			"cluster: {proxy-url: \"http://127.0.0.1:1\", server")}, "proxy-url"},
		{"no YAML", kube.Address{Kubeconfig: write("kind: Config", "kind: [")}, "read the kubeconfig"},
		{"no server", kube.Address{Kubeconfig: write(s.URL, "https://")}, "want a URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := kubeconfig.Open(c.at, kube.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	dead := open(t, kube.Address{Kubeconfig: write(s.URL, "https://127.0.0.1:1")})
	if _, err := dead.Identity(t.Context()); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1 does not answer") ||
		kube.Answered(err) {
		t.Errorf("a dead server: %v", err)
	}
}

func suiteOf(t *testing.T, kubeconfig, guest string) {
	c := open(t, kube.Address{Kubeconfig: kubeconfig})
	b := &bed{
		Cluster: c, namespace: "brunt-suite-" + strings.ToLower(rand.Text()[:6]), kubeconfig: kubeconfig, guest: guest,
	}
	ns := &kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: b.namespace}}
	if _, err := kube.Namespaces(c).Create(t.Context(), ns, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.Namespaces(c).Delete(context.WithoutCancel(t.Context()), b.namespace, kube.Deletion{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("objects", b.objects)
	t.Run("owners", b.owners)
	t.Run("pages", b.pages)
	t.Run("dry", b.dry)
	t.Run("patch", b.patch)
	t.Run("edit", b.edit)
	t.Run("watch", b.watch)
	t.Run("rights", b.rights)
	t.Run("pods", b.pods)
	t.Run("namespaces", b.namespaces)
}

func open(t *testing.T, at kube.Address) *kube.Cluster {
	t.Helper()
	c, err := kubeconfig.Open(at, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func configMap(name, value string, labels map[string]string) *kube.ConfigMap {
	return &kube.ConfigMap{ObjectMeta: kube.ObjectMeta{Name: name, Labels: labels}, Data: map[string]string{"key": value}}
}

// why fails the test unless an error has the reason.
func why(t *testing.T, what string, err error, want kube.Reason) {
	t.Helper()
	if !kube.Is(err, want) {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (b *bed) objects(t *testing.T) {
	maps, get := kube.ConfigMaps(b.Cluster, b.namespace), must[*kube.ConfigMap](t)
	made := get(maps.Create(t.Context(), configMap("one", "a", nil), false))
	if made.UID == "" || made.ResourceVersion == "" || made.Namespace != b.namespace {
		t.Errorf("it lacks what the cluster fills in: %+v", made.ObjectMeta)
	}
	_, err := maps.Create(t.Context(), configMap("one", "b", nil), false)
	why(t, "create again", err, kube.AlreadyExists)
	_, err = maps.Get(t.Context(), "two")
	why(t, "get nothing", err, kube.NotFound)
	changed := new(*made)
	changed.Data = map[string]string{"key": "b"}
	if got := get(maps.Update(t.Context(), "one", changed)); got.Data["key"] != "b" ||
		got.ResourceVersion == made.ResourceVersion {
		t.Errorf("after the update: %+v", got)
	}
	_, err = maps.Update(t.Context(), "one", made)
	why(t, "update what has changed", err, kube.Conflict)
	why(t, "delete another", maps.Delete(t.Context(), "one", kube.Deletion{UID: "other"}), kube.Conflict)
	if err := maps.Delete(t.Context(), "one", kube.Deletion{UID: string(made.UID)}); err != nil {
		t.Error(err)
	}
	why(t, "delete again", maps.Delete(t.Context(), "one", kube.Deletion{}), kube.NotFound)
	id, err := b.Identity(t.Context())
	again, second := b.Identity(t.Context())
	if err != nil || second != nil || id == "" || id != again {
		t.Errorf("the identity is %q, %v, then %q, %v", id, err, again, second)
	}
}

// owners has an object go with the one that owns it.
func (b *bed) owners(t *testing.T) {
	maps, get := kube.ConfigMaps(b.Cluster, b.namespace), must[*kube.ConfigMap](t)
	owner := get(maps.Create(t.Context(), configMap("owner", "", nil), false))
	owned := configMap("owned", "", nil)
	owned.OwnerReferences = []kube.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID}}
	get(maps.Create(t.Context(), owned, false))
	get(maps.Create(t.Context(), configMap("free", "", nil), false))
	if err := maps.Delete(t.Context(), "owner", kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the owned one goes too", func() bool {
		_, err := maps.Get(t.Context(), "owned")
		return kube.Is(err, kube.NotFound)
	})
	get(maps.Get(t.Context(), "free"))
}

func (b *bed) pages(t *testing.T) {
	maps := kube.ConfigMaps(b.Cluster, b.namespace)
	for i := range 7 {
		must[*kube.ConfigMap](t)(maps.Create(t.Context(),
			configMap(fmt.Sprint("page", i), "", map[string]string{"page": "yes"}), false))
	}
	c := open(t, kube.Address{Kubeconfig: b.kubeconfig})
	c.Pages(3)
	list, err := kube.ConfigMaps(c, b.namespace).List(t.Context(), kube.Query{Labels: "page=yes"})
	if err != nil || len(list) != 7 || list[0].Name != "page0" || list[6].Name != "page6" {
		t.Errorf("%d in pages of 3, %v", len(list), err)
	}
	list, err = maps.List(t.Context(), kube.Query{Fields: "metadata.name=page2"})
	if err != nil || len(list) != 1 || list[0].Name != "page2" {
		t.Errorf("by name: %d, %v", len(list), err)
	}
}

func (b *bed) dry(t *testing.T) {
	maps := kube.ConfigMaps(b.Cluster, b.namespace)
	if _, err := maps.Create(t.Context(), configMap("dry", "", nil), true); err != nil {
		t.Error(err)
	}
	_, err := maps.Get(t.Context(), "dry")
	why(t, "after a dry run", err, kube.NotFound)
	_, err = maps.Create(t.Context(), configMap("", "", nil), true)
	why(t, "a dry run of what is invalid", err, kube.Invalid)
}

func (b *bed) patch(t *testing.T) {
	maps, get := kube.ConfigMaps(b.Cluster, b.namespace), must[*kube.ConfigMap](t)
	made := get(maps.Create(t.Context(), configMap("patched", "a", nil), false))
	test := kube.Change{Op: "test", Path: "/metadata/uid", Value: made.UID}
	got := get(maps.Patch(t.Context(), "patched", test, kube.Change{Op: "test", Path: "/data/key", Value: "a"},
		kube.Change{Op: "replace", Path: "/data/key", Value: "b"},
		kube.Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{"brunt.dev/undo": "a"}}))
	if got.Data["key"] != "b" || got.Annotations["brunt.dev/undo"] != "a" {
		t.Errorf("after the patch: %+v", got)
	}
	got = get(maps.Patch(t.Context(), "patched", kube.Change{Op: "remove", Path: "/metadata/annotations/brunt.dev~1undo"}))
	if got.Annotations["brunt.dev/undo"] != "" {
		t.Errorf("after the removal: %+v", got.Annotations)
	}
	_, err := maps.Patch(t.Context(), "patched", kube.Change{Op: "replace", Path: "/data/key", Value: "c"},
		kube.Change{Op: "test", Path: "/data/key", Value: "a"})
	why(t, "a test that fails", err, kube.Invalid)
	if got := get(maps.Get(t.Context(), "patched")); got.Data["key"] != "b" {
		t.Errorf("a part of a patch was done: %+v", got.Data)
	}
}

// edit checks that a change is marked, and taken back as far as nothing else changed it.
func (b *bed) edit(t *testing.T) {
	maps := kube.ConfigMaps(b.Cluster, b.namespace)
	made := must[*kube.ConfigMap](t)(maps.Create(t.Context(), configMap("edited", "a", nil), false))
	r := kube.Ref{API: "v1", Resource: "configmaps", Namespace: b.namespace, Name: "edited"}
	m := kube.Mark{Run: "r", Edits: []kube.Edit{
		{Path: "/data/key", Prior: json.RawMessage(`"a"`), Ours: json.RawMessage(`"b"`)},
		{Path: "/data/new", Ours: json.RawMessage(`"c"`)},
	}}
	uid := string(made.UID)
	now := func() (*kube.ConfigMap, kube.Raw) {
		raw := must[*kube.Raw](t)(kube.Like(b.Cluster, r).Get(t.Context(), r.Name))
		return must[*kube.ConfigMap](t)(maps.Get(t.Context(), r.Name)), *raw
	}
	if err := b.Edit(t.Context(), r, "another", m); err == nil ||
		!strings.Contains(err.Error(), "another object has its name") {
		t.Errorf("edit another: %v", err)
	}
	wrong := kube.Mark{
		Run: "r", Edits: []kube.Edit{{Path: "/data/key", Prior: json.RawMessage(`"z"`), Ours: json.RawMessage(`"b"`)}},
	}
	if err := b.Edit(t.Context(), r, uid, wrong); err == nil ||
		!strings.Contains(err.Error(), "has another value at /data/key") {
		t.Errorf("edit what is not as it was: %v", err)
	}
	if err := b.Edit(t.Context(), r, uid, m); err != nil {
		t.Fatal(err)
	}
	is, raw := now()
	if is.Data["key"] != "b" || is.Data["new"] != "c" || len(raw.Marks()) != 1 || raw.Marks()[m.Key()].Run != "r" ||
		m.Stands(raw) != nil {
		t.Errorf("edited: %v, marks %v, %v", is.Data, raw.Marks(), m.Stands(raw))
	}
	if err := b.Edit(t.Context(), r, uid, m); err == nil ||
		!strings.Contains(err.Error(), "has the mark of a run already") {
		t.Errorf("edit twice: %v", err)
	}
	is.Data["key"] = "d"
	_ = must[*kube.ConfigMap](t)(maps.Update(t.Context(), "edited", is))
	if _, raw = now(); m.Stands(raw) == nil || !strings.Contains(m.Stands(raw).Error(), `/data/key is "d", changed by `) {
		t.Errorf("changed by another: %v", m.Stands(raw))
	}
	gone, theirs, err := b.TakeBack(t.Context(), r, uid, m, true)
	if is, raw = now(); gone || err != nil || len(theirs) != 1 || is.Data["key"] != "d" || is.Data["new"] != "" ||
		len(raw.Marks()) > 0 {
		t.Errorf("taken back: %v, %v, %v; %v, marks %v", gone, theirs, err, is.Data, raw.Marks())
	}
	if gone, _, err = b.TakeBack(t.Context(), r, uid, m, true); gone || err != nil {
		t.Errorf("taken back twice: %v, %v", gone, err)
	}
	if gone, _, err = b.TakeBack(t.Context(), r, "another", m, true); !gone || err != nil {
		t.Errorf("taken back of another: %v, %v", gone, err)
	}
}

// watch checks that a watch tells what there is, what changes, and what has gone while it was interrupted.
func (b *bed) watch(t *testing.T) {
	maps, get := kube.ConfigMaps(b.Cluster, b.namespace), must[*kube.ConfigMap](t)
	labels := map[string]string{"watched": "yes"}
	made := get(maps.Create(t.Context(), configMap("w1", "a", labels), false))
	var news []string
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := maps.Watch(ctx, kube.Query{Labels: "watched=yes"}, func(e kube.Event[kube.ConfigMap]) bool {
		news = append(news, fmt.Sprint(e.Object.Name, e.Object.Data["key"], e.Gone))
		switch len(news) {
		case 1:
			_ = get(maps.Create(t.Context(), configMap("other", "", nil), false))
			_ = get(maps.Create(t.Context(), configMap("w2", "b", labels), false))
		case 2:
			changed := new(*made)
			changed.Data = map[string]string{"key": "c"}
			_ = get(maps.Update(t.Context(), "w1", changed))
		case 3:
			if err := maps.Delete(t.Context(), "w1", kube.Deletion{}); err != nil {
				t.Error(err)
			}
		}
		return len(news) < 4
	})
	want := "[w1afalse w2bfalse w1cfalse w1ctrue]"
	if err != nil || fmt.Sprint(news) != want {
		t.Errorf("%v, %v, want %s", news, err, want)
	}
	short, end := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errEnough)
	defer end()
	if err := maps.Watch(short, kube.Query{}, func(kube.Event[kube.ConfigMap]) bool { return true }); !errors.Is(err,
		errEnough) {
		t.Errorf("a watch that is ended: %v", err)
	}
}

var errEnough = errors.New("enough")

func (b *bed) rights(t *testing.T) {
	right := kube.Right{Verb: "create", Group: "batch", Resource: "jobs", Namespace: b.namespace}
	if ok, _, err := b.May(t.Context(), right); !ok || err != nil {
		t.Errorf("the administrator may not: %v, %v", ok, err)
	}
	guest := open(t, kube.Address{Kubeconfig: b.guest})
	if ok, _, err := guest.May(t.Context(), right); ok || err != nil && !kube.Is(err, kube.Forbidden) {
		t.Errorf("guest may: %v, %v", ok, err)
	}
	_, err := kube.Pods(guest, b.namespace).List(t.Context(), kube.Query{})
	why(t, "guest lists pods", err, kube.Forbidden)
	err = kube.Pods(guest, b.namespace).Watch(t.Context(), kube.Query{}, func(kube.Event[kube.Pod]) bool { return true })
	why(t, "guest watches pods", err, kube.Forbidden)
	_, err = guest.Dial(t.Context(), b.namespace, "pod", echo)
	why(t, "guest connects to a pod", err, kube.Forbidden)
}

// pods checks connections to a pod, and its eviction.
func (b *bed) pods(t *testing.T) {
	pods := kube.Pods(b.Cluster, b.namespace)
	pod := &kube.Pod{
		ObjectMeta: kube.ObjectMeta{Name: "echo", Labels: map[string]string{"app": "echo"}},
		Spec: kube.PodSpec{
			TerminationGracePeriodSeconds: new(int64),
			Containers: []kube.Container{{
				Name: "echo", Image: "docker.io/library/brunt-kube-pause:1",
				ImagePullPolicy: kube.PullNever,
			}},
		},
	}
	suite.Until(t, "the namespace takes pods", func() bool {
		_, err := pods.Create(t.Context(), pod, false)
		if err != nil && !kube.Is(err, kube.Forbidden) { // its service account is not made yet
			t.Fatal(err)
		}
		return err == nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := pods.Watch(ctx, kube.Query{Fields: "metadata.name=echo"}, func(e kube.Event[kube.Pod]) bool {
		return e.Object.Status.Phase != kube.PodRunning
	}); err != nil {
		t.Fatal(err)
	}
	t.Run("connections", b.connections)
	one := kube.FromInt(1)
	budget := &kube.PodDisruptionBudget{ObjectMeta: kube.ObjectMeta{Name: "echo"}, Spec: kube.PodDisruptionBudgetSpec{
		MinAvailable: &one, Selector: &kube.LabelSelector{MatchLabels: map[string]string{"app": "echo"}},
	}}
	if _, err := kube.Budgets(b.Cluster, b.namespace).Create(t.Context(), budget, false); err != nil {
		t.Fatal(err)
	}
	why(t, "evict what a budget needs", b.Evict(t.Context(), b.namespace, "echo", ""), kube.Refused)
	if err := kube.Budgets(b.Cluster, b.namespace).Delete(t.Context(), "echo", kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the pod can be evicted", func() bool { return b.Evict(t.Context(), b.namespace, "echo", "") == nil })
	suite.Until(t, "the pod is gone", func() bool {
		_, err := pods.Get(t.Context(), "echo")
		return kube.Is(err, kube.NotFound)
	})
}

func (b *bed) connections(t *testing.T) {
	conn, err := b.Dial(t.Context(), b.namespace, "echo", echo)
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]byte, 3<<20)
	_, _ = rand.Read(sent)
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		wrote <- errors.Join(err, conn.(interface{ CloseWrite() error }).CloseWrite())
	}()
	got, err := io.ReadAll(conn)
	if err := errors.Join(err, <-wrote); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}

	idle, err := b.Dial(t.Context(), b.namespace, "echo", echo)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, err := idle.Read(make([]byte, 1)); read <- err }()
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
	if err := <-read; err == nil {
		t.Error("a closed connection reads on")
	}

	silent, err := b.Dial(t.Context(), b.namespace, "echo", 9)
	if err == nil {
		_, err = silent.Read(make([]byte, 1))
		_ = silent.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a port that nothing listens at: %v", err)
	}
	_, err = b.Dial(t.Context(), b.namespace, "missing", echo)
	why(t, "a pod that is not there", err, kube.NotFound)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Dial(over, b.namespace, "echo", echo); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}

	closed, err := kubeconfig.Open(kube.Address{Kubeconfig: b.kubeconfig},
		kube.Options{Check: func(netip.AddrPort, string) error { return errEnough }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Pods(closed, b.namespace).List(t.Context(), kube.Query{}); !errors.Is(err, errEnough) {
		t.Errorf("a request to an address that is refused: %v", err)
	}
	if _, err := closed.Dial(t.Context(), b.namespace, "echo", echo); !errors.Is(err, errEnough) {
		t.Errorf("a connection to an address that is refused: %v", err)
	}
}
