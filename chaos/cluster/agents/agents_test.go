package agents_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/chaos/rpc"
	"brunt/scenarios/suite"
)

// A bed is a cluster whose pods in the namespace of agents run an agent of this process, or end at once where they are
// to undo something.
type bed struct {
	*kube.Cluster
	api   *kubetest.Server
	place cluster.Place
	s     agents.Settings
	at    string // where an agent listens

	mu    sync.Mutex
	made  []kube.Pod
	ends  map[string]context.CancelFunc // of agents, by pod
	done  []string                      // what agents did
	ended kube.PodPhase                 // of pods that undo
	holds func(p *kube.Pod)             // one before its end; nil: it ends at once
}

func newBed(t *testing.T) *bed {
	srv := kubetest.Start(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	b := &bed{api: srv, at: free.Addr().String(), ends: map[string]context.CancelFunc{}, ended: kube.PodSucceeded}
	srv.Ports = map[int]string{0: "127.0.0.1", 7098: b.at}
	if b.Cluster, b.place, err = cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: srv.Kubeconfig(t, ""), Context: "test", Namespace: "default"}); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Namespaces(b.Cluster).Create(t.Context(),
		&kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: "agents"}},
		false); err != nil {
		t.Fatal(err)
	}
	b.s = agents.Settings{
		Run: "20261123-153319-abcdefgh", Place: b.place, Namespace: "agents", Image: "brunt:1", Lasts: time.Minute,
		Rights: agents.Capabilities(true, []*chaos.Rights{{Caps: []string{"KILL", "NET_RAW"}, Cgroups: true}}),
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	var kubelet sync.WaitGroup
	t.Cleanup(b.Close)
	t.Cleanup(kubelet.Wait)
	t.Cleanup(end)
	kubelet.Go(func() {
		_ = kube.Pods(b.Cluster, "agents").Watch(ctx, kube.Query{}, func(e kube.Event[kube.Pod]) bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			known := slices.ContainsFunc(b.made, func(p kube.Pod) bool { return p.UID == e.Object.UID })
			switch {
			case e.Gone && b.ends[e.Object.Name] != nil:
				b.ends[e.Object.Name]()
			case !e.Gone && !known:
				b.made = append(b.made, e.Object)
				own, cancel := context.WithCancel(ctx)
				b.ends[e.Object.Name] = cancel
				kubelet.Go(func() { b.runs(own, &e.Object) })
			}
			return true
		})
	})
	return b
}

// runs does what the program of a pod does.
func (b *bed) runs(ctx context.Context, p *kube.Pod) {
	args := p.Spec.Containers[0].Args
	if args[1] == "--undo" {
		b.mu.Lock()
		ended, holds := b.ended, b.holds
		b.mu.Unlock()
		if holds != nil {
			_, _ = kube.Pods(b.Cluster, "agents").Patch(ctx,
				p.Name, kube.Change{Op: "replace", Path: "/status/phase", Value: kube.PodRunning})
			holds(p)
		}
		_, _ = kube.Pods(b.Cluster, "agents").Patch(ctx,
			p.Name, kube.Change{Op: "replace", Path: "/status/phase", Value: ended})
		return
	}
	s := agents.Served{Listen: b.at, Run: args[4], Key: args[6]}
	_ = s.Serve(ctx, agent.Options{Operations: chaos.Operations{"note": {
		Name: "note",
		Do: func(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.done = append(b.done, string(u.Args))
			return chaos.Reverted, nil
		},
	}}})
}

// pods are those in the namespace of agents that there were, and their number now.
func (b *bed) pods(t *testing.T) (made []kube.Pod, now int) {
	t.Helper()
	all, err := kube.Pods(b.Cluster, "agents").List(t.Context(), kube.Query{})
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.made), len(all)
}

// A recorder is a journal.
type recorder struct {
	b       *bed
	t       *testing.T
	entries []chaos.Intent
	done    []chaos.Outcome
}

func (r *recorder) Intent(in chaos.Intent) (int, error) {
	if made, _ := r.b.pods(r.t); len(made) > 0 {
		return 0, errors.New("a pod is there before its undo is written")
	}
	r.entries = append(r.entries, in)
	return len(r.entries), nil
}

func (r *recorder) Done(_ int, o chaos.Outcome) error { r.done = append(r.done, o); return nil }
func (*recorder) Extend(int, ...chaos.Undo) error     { return nil }
func (*recorder) Failed(int, error) error             { return nil }
func (*recorder) Off(int, error) error                { return nil }
func (*recorder) Point(string)                        {}
func (*recorder) OtherRun(string) string              { return "" }

// TestNodes has an agent for a node, whose end another one takes the place of, and none at the end.
func TestNodes(t *testing.T) {
	b := newBed(t)
	j := &recorder{b: b, t: t}
	n, err := agents.New(b.Cluster, b.s, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Ready(t.Context(), []string{"n1"}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		pipe, err := n.Processes(t.Context(), "n1")
		if err != nil {
			t.Fatal(err)
		}
		c, err := rpc.NewClient(t.Context(), pipe)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Call(t.Context(), "undo", []chaos.Undo{{Op: "note", Args: json.RawMessage(`"did"`)}}, nil); err != nil {
			t.Error(err)
		}
		_ = c.CloseWithin(time.Second)
		made, now := b.pods(t)
		if len(made) != i+1 || now != i+1 {
			t.Errorf("%d pods were made, and %d are there", len(made), now)
		}
		if i == 0 { // the agent ends
			b.mu.Lock()
			b.ends[made[0].Name]()
			b.mu.Unlock()
			suite.Until(t, "it has ended", func() bool {
				c, err := net.Dial("tcp", b.at)
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			})
		}
	}
	made, _ := b.pods(t)
	spec := made[0].Spec
	if s := spec.Containers[0].SecurityContext; spec.NodeName != "n1" || !spec.HostPID || spec.HostNetwork ||
		*s.Privileged ||
		*spec.AutomountServiceAccountToken || !slices.Contains(s.Capabilities.Add, "SYS_PTRACE") ||
		len(spec.Tolerations) != 1 || spec.Tolerations[0].Operator != kube.TolerationOpExists {
		t.Errorf("%+v", spec)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, now := b.pods(t); now != 0 || len(j.entries) != 1 || len(j.done) != 1 || len(b.done) != 2 {
		t.Errorf("%d pods are left; journal %+v, %v; done %q", now, j.entries, j.done, b.done)
	}
}

// TestNodes_Gone checks that a conversation with an agent ends as soon as the cluster says that its pod is gone, or
// that its program has ended. The error says when the agent was last heard.
func TestNodes_Gone(t *testing.T) {
	terminated := []map[string]any{{
		"name": "agent", "state": map[string]any{"terminated": map[string]any{"exitCode": 137, "message": "killed"}},
	}}
	for _, tt := range []struct {
		name, want string
		end        func(b *bed, pod string) error
	}{
		{"it was deleted", "was deleted", func(b *bed, pod string) error {
			return kube.Pods(b.Cluster, "agents").Delete(t.Context(), pod, kube.Deletion{Now: true})
		}},
		{"its program was killed", "ended with 137: killed", func(b *bed, pod string) error {
			_, err := kube.Pods(b.Cluster, "agents").Patch(t.Context(), pod,
				kube.Change{Op: "add", Path: "/status/containerStatuses", Value: terminated})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t)
			n, err := agents.New(b.Cluster, b.s, nil)
			if err != nil {
				t.Fatal(err)
			}
			pipe, err := n.Processes(t.Context(), "n1")
			if err != nil {
				t.Fatal(err)
			}
			c, err := rpc.NewClient(t.Context(), pipe)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			made, _ := b.pods(t)
			b.mu.Lock()
			delete(b.ends, made[0].Name) // the agent says no word of its end
			b.mu.Unlock()
			if err := tt.end(b, made[0].Name); err != nil {
				t.Fatal(err)
			}
			b.api.Break()
			suite.Until(t, "the conversation has ended", func() bool { return c.Err() != nil })
			ended, ok := errors.AsType[rpc.EndedError](c.Err())
			if !ok || !strings.Contains(ended.Error(), tt.want) || ended.Seen.IsZero() {
				t.Errorf("%v, last seen at %s", c.Err(), ended.Seen)
			}
			if took := time.Since(began); took >= rpc.HeartbeatPatience {
				t.Errorf("the conversation ended after %s, which is its patience", took)
			}
			_ = c.CloseWithin(0)
			if err := n.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOperations has undos remove agents and start one, as a watchdog does.
func TestOperations(t *testing.T) {
	b := newBed(t)
	n, err := agents.New(b.Cluster, b.s, nil)
	if err != nil {
		t.Fatal(err)
	}
	ops := chaos.OperationsOf(agents.Operations(cluster.OpenedAt(b.Cluster, b.place.UID)))
	pod := &kube.Pod{ObjectMeta: kube.ObjectMeta{Name: "web", UID: "u1"}, Spec: kube.PodSpec{NodeName: "n1"}}
	inner := []chaos.Undo{{Op: "note", Identity: json.RawMessage(`{"pid":1}`)}}
	undo := n.ByAnother(pod, inner)
	for _, tt := range []struct {
		name  string
		ended kube.PodPhase
		want  string
	}{{"it is taken back", kube.PodSucceeded, ""}, {"it fails", kube.PodFailed, "the agent that was to take it back"}} {
		t.Run(tt.name, func(t *testing.T) {
			b.mu.Lock()
			b.ended = tt.ended
			b.mu.Unlock()
			out, err := ops.Undo(t.Context(), undo)
			if tt.want == "" && (err != nil || out != chaos.Reverted) ||
				tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s, %v", out, err)
			}
			if _, now := b.pods(t); now != 0 {
				t.Errorf("%d pods are left", now)
			}
		})
	}
	made, _ := b.pods(t)
	if args := made[0].Spec.Containers[0].Args; made[0].Spec.NodeName != "n1" || !strings.Contains(args[2], `"pid":1`) {
		t.Errorf("on %s: %q", made[0].Spec.NodeName, args)
	}
	if got := ops.Innermost([]chaos.Undo{undo}); len(got) != 1 || got[0].Op != "note" {
		t.Errorf("%+v", got)
	}
	if err := n.Ready(t.Context(), []string{"n1"}); err != nil {
		t.Fatal(err)
	}
	other := new(*pod)
	other.Spec.NodeName = "n2"
	for _, tt := range []struct {
		of   *kube.Pod
		want chaos.Outcome
		left int
	}{{other, chaos.Gone, 1}, {pod, chaos.Reverted, 0}, {pod, chaos.Gone, 0}} {
		out, err := ops.Undo(t.Context(), n.End(tt.of))
		if _, now := b.pods(t); err != nil || out != tt.want || now != tt.left {
			t.Errorf("the agent on %s: %s, %v; %d are left", tt.of.Spec.NodeName, out, err, now)
		}
	}
	if _, err := ops.Undo(t.Context(), chaos.Undo{Op: "kube.agent", Args: json.RawMessage(`{}`)}); !errors.Is(err,
		chaos.ErrDamaged) {
		t.Error(err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOperationsFrom executes undos of a journal that others can write: only what the run signed, and only on its own
// agents.
func TestOperationsFrom(t *testing.T) {
	b := newBed(t)
	n, err := agents.New(b.Cluster, b.s, nil)
	if err != nil {
		t.Fatal(err)
	}
	pod := &kube.Pod{ObjectMeta: kube.ObjectMeta{Name: "web", UID: "u1"}, Spec: kube.PodSpec{NodeName: "n1"}}
	undo := n.ByAnother(pod, []chaos.Undo{{Op: "note", Identity: json.RawMessage(`{"pid":1}`)}})
	changed := undo
	changed.Args = json.RawMessage(strings.Replace(string(undo.Args), "brunt:1", "evil:1", 1))
	open := cluster.OpenedAt(b.Cluster, b.place.UID)
	try := func(u chaos.Undo, from cluster.Journal) (chaos.Outcome, error) {
		return chaos.OperationsOf(agents.OperationsFrom(open, &from)).Undo(t.Context(), u)
	}
	keys := func(u chaos.Undo) map[string]ed25519.PublicKey {
		t.Helper()
		out, err := agents.Keys(t.Context(), b.Cluster, []chaos.Undo{u})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if found := keys(undo); len(found) > 0 {
		t.Errorf("without an agent there are the keys %v", found)
	}
	if err := n.Ready(t.Context(), []string{"n1"}); err != nil {
		t.Fatal(err)
	}
	found := keys(undo)
	if len(found) != 1 || len(keys(changed)) > 0 {
		t.Errorf("keys %v, and %v of the changed undo", found, keys(changed))
	}
	from := cluster.Journal{Namespace: "default", Run: b.s.Run}
	known, read, other, elsewhere := from, from, from, from
	known.Key, read.Keys = found["agents"], found
	other.Run, other.Key = "20261123-153319-otherrun", known.Key
	elsewhere.Namespace = "elsewhere"
	for _, tt := range []struct {
		name string
		undo chaos.Undo
		from cluster.Journal
		want chaos.Outcome
	}{
		{"without a key", undo, from, chaos.Failed},
		{"changed", changed, known, chaos.Failed},
		{"of another run", undo, other, chaos.Failed},
		{"with the key that brunt told", undo, known, chaos.Reverted},
		{"with the key of an agent", undo, read, chaos.Reverted},
		{"the agents of a run on another namespace", n.End(pod), elsewhere, chaos.Gone},
		{"the agents of another run", n.End(pod), other, chaos.Failed},
		{"the agents of the run", n.End(pod), from, chaos.Reverted},
	} {
		before, _ := b.pods(t)
		out, err := try(tt.undo, tt.from)
		if out != tt.want || (out == chaos.Failed) != errors.Is(err, chaos.ErrUnproven) {
			t.Errorf("%s: %s, %v", tt.name, out, err)
		}
		if after, _ := b.pods(t); out != chaos.Reverted && len(after) != len(before) {
			t.Errorf("%s: a pod was made", tt.name)
		}
	}
}

// TestOperations_Beside has two take back the same at once, as `brunt revert` and the watchdog of a run do: both
// succeed.
func TestOperations_Beside(t *testing.T) {
	pod := &kube.Pod{ObjectMeta: kube.ObjectMeta{Name: "web", UID: "u1"}, Spec: kube.PodSpec{NodeName: "n1"}}
	for _, tt := range []struct {
		name string
		made int
		do   func(t *testing.T, b *bed, ops chaos.Operations, end chaos.Undo, p *kube.Pod)
	}{
		{
			"the agents are removed meanwhile", 1,
			func(t *testing.T, b *bed, ops chaos.Operations, end chaos.Undo, p *kube.Pod) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, _ = ops.Undo(ctx, end) // it waits for the pod
				if is, err := kube.Pods(b.Cluster, "agents").Get(t.Context(), p.Name); err != nil || is.DeletionTimestamp != nil {
					t.Errorf("the pod was deleted before its end: %v", err)
				}
			},
		},
		{"its pod is deleted", 2, func(t *testing.T, b *bed, _ chaos.Operations, _ chaos.Undo, p *kube.Pod) {
			time.Sleep(500 * time.Millisecond) // simulates a pod that was seen to run
			if err := kube.Pods(b.Cluster, "agents").Delete(t.Context(), p.Name, kube.Deletion{Now: true}); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t)
			n, err := agents.New(b.Cluster, b.s, nil)
			if err != nil {
				t.Fatal(err)
			}
			ops := chaos.OperationsOf(agents.Operations(cluster.OpenedAt(b.Cluster, b.place.UID)))
			var once sync.Once
			b.holds = func(p *kube.Pod) { once.Do(func() { tt.do(t, b, ops, n.End(pod), p) }) }
			undo := n.ByAnother(pod, []chaos.Undo{{Op: "note", Identity: json.RawMessage(`{"pid":1}`)}})
			if out, err := ops.Undo(t.Context(), undo); err != nil || out != chaos.Reverted {
				t.Errorf("%s, %v", out, err)
			}
			if out, err := ops.Undo(t.Context(), n.End(pod)); err != nil || out != chaos.Gone {
				t.Errorf("%s, %v", out, err)
			}
			if made, now := b.pods(t); len(made) != tt.made || now != 0 {
				t.Errorf("%d pods were made, and %d are left", len(made), now)
			}
		})
	}
}
