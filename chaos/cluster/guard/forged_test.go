package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/kube"
)

// made creates an object of the cluster, and returns its UID.
func (b *bed) made(t *testing.T, of kube.Ref, o kube.Raw) string {
	t.Helper()
	meta, _ := o["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
	}
	meta["name"], o["metadata"] = of.Name, meta
	is, err := kube.Like(b.Cluster, of).Create(t.Context(), &o, false)
	if err != nil {
		t.Fatal(err)
	}
	return is.Text("metadata", "uid")
}

// book writes a journal that a watchdog would keep, as anyone may who may write config maps.
func (b *bed) book(t *testing.T, name, run string, about map[string]any, undo ...chaos.Undo) {
	t.Helper()
	about["run"], about["host"], about["cluster"] = run, "elsewhere", b.place.UID
	data := map[string]string{"run": string(cluster.JSON(about))}
	for i, u := range undo {
		line := map[string]any{
			"v": 2, "t": time.Now(), "op": "intent", "id": i + 1, "fault": "f", "what": "nothing of note",
			"undo": []chaos.Undo{u},
		}
		data["open-"+string(rune('1'+i))] = string(cluster.JSON(line)) + "\n"
	}
	if _, err := kube.ConfigMaps(b.Cluster, "default").Create(t.Context(), &kube.ConfigMap{
		ObjectMeta: kube.ObjectMeta{Name: name, Labels: cluster.OwnLabels(run, cluster.WatchdogPart)}, Data: data,
	}, false); err != nil {
		t.Fatal(err)
	}
}

// all is everything in the cluster but its config maps and leases.
func (b *bed) all(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, of := range []kube.Ref{
		{API: "v1", Resource: "nodes"},
		{API: "v1", Resource: "pods", Namespace: "default"},
		{API: "v1", Resource: "pods", Namespace: "kube-system"},
		{API: "v1", Resource: "secrets", Namespace: "default"},
		{API: "apps/v1", Resource: "deployments", Namespace: "default"},
		{API: "apps/v1", Resource: "deployments", Namespace: "kube-system"},
		{API: rbacAPI, Resource: "roles", Namespace: "kube-system"},
		{API: rbacAPI, Resource: "clusterroles"},
		{API: rbacAPI, Resource: "clusterrolebindings"},
	} {
		list, err := kube.Like(b.Cluster, of).List(context.Background(), kube.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			text, _ := json.MarshalIndent(map[string]any{
				"of": of, "name": o.Text("metadata", "name"), "annotations": len(o.Marks()), "spec": o["spec"],
				"rest": []any{o["subjects"], o["rules"], o["data"]},
			}, "", " ")
			out.Write(append(text, '\n'))
		}
	}
	return out.String()
}

const rbacAPI = "rbac.authorization.k8s.io/v1"

// editBy is the undo of changes of an object.
func (b *bed) editBy(of kube.Ref, uid, run string, edits ...kube.Edit) chaos.Undo {
	m := kube.Mark{Run: run, Edits: edits}
	return chaos.Undo{
		Op: "kube.edit", Args: cluster.JSON(map[string]any{
			"context": "test", "namespace": "default", "cluster": b.place.UID, "object": of, "run": run,
		}),
		Identity: cluster.JSON(map[string]string{"cluster": b.place.UID, "object": uid, "setting": m.Key()}),
		Prior:    cluster.JSON(edits),
	}
}

// TestFound_Forged has a journal in a namespace that brunt has not written. Who may write it may write nothing else,
// and the one that takes it back may write everything.
func TestFound_Forged(t *testing.T) {
	b := newBed(t)
	b.server.Node("node-1", nil)
	taint := kube.Edit{Path: "/spec/taints", Ours: cluster.JSON(kube.Taint{Key: "k", Effect: "NoSchedule"}), Item: true}
	scaled := kube.Edit{Path: "/spec/replicas", Prior: cluster.JSON(9), Ours: cluster.JSON(2)}
	admins := kube.Ref{API: rbacAPI, Resource: "clusterrolebindings", Name: "admins"}
	other := kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: "kube-system", Name: "dns"}
	secret := kube.Ref{API: "v1", Resource: "secrets", Namespace: "default", Name: "key"}
	labelled := kube.Ref{API: rbacAPI, Resource: "clusterroles", Name: "of-a-run"}
	role := kube.Ref{API: rbacAPI, Resource: "clusterroles", Name: "brunt-watchdog-" + runID}
	node := kube.Ref{API: "v1", Resource: "nodes", Name: "node-1"}
	is, err := kube.Like(b.Cluster, node).Get(t.Context(), node.Name)
	if err != nil {
		t.Fatal(err)
	}
	spec := func() kube.Raw { return kube.Raw{"spec": map[string]any{"replicas": 2}} }
	unmarked, another, foreign := b.web, b.web, b.web
	unmarked.Name, another.Name, foreign.Name = "unmarked", "another", "foreign"
	uids := map[string]string{}
	for _, of := range []kube.Ref{unmarked, another, foreign, other} {
		uids[of.Name] = b.made(t, of, spec())
	}
	uids[admins.Name] = b.made(t, admins, kube.Raw{"subjects": []any{map[string]any{"kind": "User", "name": "root"}}})
	b.made(t, secret, kube.Raw{"data": map[string]any{"a": "Yg=="}})
	b.made(t, labelled, kube.Raw{"metadata": map[string]any{"labels": map[string]any{cluster.RunLabel: runID}}})
	b.made(t, role, kube.Raw{})
	mark := func(of kube.Ref, uid, run string, e kube.Edit) {
		t.Helper()
		was := e
		was.Prior = cluster.JSON(2)
		if err := b.Edit(t.Context(), of, uid, kube.Mark{Run: run, Edits: []kube.Edit{was}}); err != nil {
			t.Fatal(err)
		}
	}
	mine := kube.Edit{Path: "/spec/replicas", Prior: cluster.JSON(2), Ours: cluster.JSON(0)}
	mark(foreign, uids["foreign"], "20260101-000000-otherrun", mine)
	mark(another, uids["another"], runID, mine)
	mark(other, uids["dns"], runID, mine)
	lied := mine
	lied.Prior = cluster.JSON(99)
	agent := func(op string, more map[string]any) chaos.Undo {
		args := map[string]any{
			"run": runID, "place": b.place, "namespace": "kube-system", "image": "evil:1", "node": "node-1",
			"rights": map[string]any{}, "context": "test", "cluster": b.place.UID,
		}
		maps.Copy(args, more)
		return chaos.Undo{Op: op, Args: cluster.JSON(args)}
	}
	undoes := []chaos.Undo{
		b.editBy(admins, uids["admins"], runID, kube.Edit{
			Path: "/subjects", Prior: json.RawMessage(`[{"kind":"User","name":"eve"}]`),
			Ours: json.RawMessage(`[{"kind":"User","name":"root"}]`),
		}),
		b.editBy(other, uids["dns"], runID, mine),
		b.editBy(unmarked, uids["unmarked"], runID, scaled),
		b.editBy(another, uids["another"], runID, lied),
		b.editBy(node, is.Text("metadata", "uid"), runID, taint),
		{Op: "kube.delete", Args: cluster.JSON(map[string]any{
			"context": "test", "namespace": "default", "cluster": b.place.UID, "object": labelled, "run": runID,
		})},
		agent("kube.byagent", map[string]any{"undo": []any{map[string]any{"op": "exec"}}}),
		agent("kube.agents", map[string]any{"run": "20260101-000000-otherrun"}),
	}
	if _, err := kube.Like(b.Cluster, node).Patch(t.Context(), node.Name,
		kube.Change{Op: "add", Path: "/spec/taints", Value: []json.RawMessage{taint.Ours}}); err != nil {
		t.Fatal(err)
	}
	b.book(t, role.Name, runID, map[string]any{"nodes": true, "besides": []string{"kube-system"}}, undoes...)
	before := b.all(t)
	found, err := guard.List(t.Context(), b.Cluster, b.place)
	if err != nil || len(found) != 1 || found[0].Alive || len(found[0].In) != len(undoes) {
		t.Fatalf("%+v, %v", found, err)
	}
	taken, err := found[0].TakeBack(t.Context(), b.Cluster)
	if !errors.Is(err, chaos.ErrUnproven) || len(taken) != len(undoes) {
		t.Errorf("%v, %v", taken, err)
	}
	for _, one := range taken {
		if !errors.Is(one.Err, chaos.ErrUnproven) {
			t.Errorf("entry %d: %s, %v", one.Pending.ID, one.Outcome, one.Err)
		}
	}
	if after := b.all(t); after != before {
		t.Errorf("it was %s\nand is %s", before, after)
	}
	if text := found[0].In[0].Undo; !slices.Equal(text, []string{
		`sets /subjects from [{"kind":"User","name":"root"}] to [{"kind":"User","name":"eve"}] of the cluster's ` +
			`clusterrolebindings/admins`,
	}) {
		t.Errorf("it is shown as %q", text)
	}
}

// TestFound_ForgedRoles has a journal without entries, whose end would delete roles.
func TestFound_ForgedRoles(t *testing.T) {
	for name, c := range map[string]struct{ book, run string }{
		"another name":       {"cluster-admin", runID},
		"the name of a run":  {"brunt-watchdog-" + runID, runID},
		"a run without name": {"brunt-watchdog-", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.made(t, kube.Ref{API: rbacAPI, Resource: "clusterroles", Name: c.book}, kube.Raw{})
			b.made(t, kube.Ref{API: rbacAPI, Resource: "roles", Namespace: "kube-system", Name: c.book}, kube.Raw{})
			b.book(t, c.book, c.run, map[string]any{"nodes": true, "besides": []string{"kube-system"}})
			before := b.all(t)
			found, err := guard.List(t.Context(), b.Cluster, b.place)
			if err != nil || len(found) != 1 {
				t.Fatalf("%+v, %v", found, err)
			}
			if _, err := found[0].TakeBack(t.Context(), b.Cluster); (err == nil) != (name == "the name of a run") {
				t.Errorf("%v", err)
			}
			if after := b.all(t); after != before {
				t.Errorf("it was %s\nand is %s", before, after)
			}
		})
	}
}

// TestFindMarks_Forged has an object carry a mark with a change that no fault makes, beside one that a fault made.
func TestFindMarks_Forged(t *testing.T) {
	b := newBed(t)
	fault := kube.Edit{Path: "/spec/replicas", Prior: cluster.JSON(2), Ours: cluster.JSON(0)}
	forged := kube.Edit{Path: "/spec/paused", Ours: cluster.JSON(true)}
	for _, e := range []kube.Edit{fault, forged} {
		if err := b.Edit(t.Context(), b.web, b.uid, kube.Mark{Run: runID, Edits: []kube.Edit{e}}); err != nil {
			t.Fatal(err)
		}
	}
	at := kube.Address{Kubeconfig: b.config, Context: "test", Namespace: "default"}
	search := &chaos.Search{Clusters: []kube.Address{at}}
	found, err := chaos.OperationsOf(cluster.EditOperations()).Find(t.Context(), search)
	if err != nil || len(found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, r := range found {
		proven := strings.Contains(r.What, "sets /spec/replicas from 0 to 2")
		if r.Sure != proven || (r.Undo.Op != "") != proven || !proven && !strings.Contains(r.What, "removes /spec/paused") {
			t.Errorf("%+v", r)
		}
	}
	if bytes.Contains(found[0].Undo.Prior, []byte("paused")) {
		t.Error("the forged mark has an undo")
	}
}
