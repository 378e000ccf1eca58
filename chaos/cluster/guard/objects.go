package guard

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
)

// Annotations of a Lease.
const (
	stopMark  = "brunt.dev/stop"     // set by a person who wants the faults to end; also on a namespace
	guardMark = "brunt.dev/watchdog" // state of the watchdog
)

const (
	container = "watchdog"
	keptFor   = 5 * time.Minute // time for which an ended Job is kept
	user      = 65532           // user id of the program
)

// Settings describe the objects that a run makes in the cluster.
type Settings struct {
	Run    string
	Place  cluster.Place
	Host   string            // machine of brunt
	Image  string            // image of brunt
	Undoes []kube.Right      // rights with which the watchdog reverts faults
	Lasts  time.Duration     // longest time of the run, after which the watchdog reverts everything
	Spare  map[string]string // labels of the nodes that faults hit; the watchdog avoids these nodes if it can
	// Secrets of the namespace, with which nodes fetch the image
	PullSecrets []string
	Key         ed25519.PublicKey // of the run, which signs what agents execute; nil: it has no agents
	Patience,
	Linger time.Duration // of the watchdog, for tests; zero is the usual value
}

// nameOf returns the name of all objects of a run.
func nameOf(run string) string { return "brunt-watchdog-" + run }

func (s *Settings) labels() map[string]string { return cluster.OwnLabels(s.Run, cluster.WatchdogPart) }

// run returns the description of the run for the journal.
func (s *Settings) run() run {
	return run{
		Run: s.Run, Host: s.Host, Cluster: s.Place.UID, Began: time.Now().UTC(), Nodes: onNodes(s.Undoes),
		Besides: besides(s.Place.Namespace, s.Undoes),
	}
}

// configMap returns the journal of the run, without entries.
func (s *Settings) configMap() *kube.ConfigMap {
	return &kube.ConfigMap{
		ObjectMeta: kube.ObjectMeta{Name: nameOf(s.Run), Labels: s.labels()},
		Data:       map[string]string{runKey: string(cluster.JSON(s.run()))},
	}
}

// A making is an object to be made.
type making struct {
	ref    kube.Ref
	object kube.Raw
}

// objects returns the objects that the run makes besides its journal, which owns those in the namespace. The Job is the
// last.
func (s *Settings) objects(book *kube.ConfigMap) []making {
	name, ns := nameOf(s.Run), s.Place.Namespace
	labels := map[string]any{}
	for key, value := range s.labels() {
		labels[key] = value
	}
	meta := func() map[string]any {
		return map[string]any{"name": name, "labels": labels, "ownerReferences": []any{
			map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": book.Name, "uid": string(book.UID)},
		}}
	}
	lease := meta()
	lease["annotations"] = map[string]any{guardMark: "{}"}
	bind := func(kind string) (ref map[string]any, subjects []any) {
		return map[string]any{"apiGroup": rbac, "kind": kind, "name": name},
			[]any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": ns}}
	}
	all := granted(ns, name, s.Undoes)
	own := slices.DeleteFunc(slices.Clone(all), func(r kube.Right) bool { return r.Namespace != ns })
	role, subjects := bind("Role")
	out := []making{
		{kube.Ref{API: leases + "/v1", Resource: "leases", Namespace: ns}, kube.Raw{"metadata": lease, "spec": map[string]any{
			"holderIdentity": s.Host + "/" + s.Run, "leaseDurationSeconds": int(s.patience() / time.Second),
			"renewTime": renewal(time.Now()),
		}}},
		{kube.Ref{API: "v1", Resource: "serviceaccounts", Namespace: ns}, kube.Raw{"metadata": meta()}},
		{kube.Ref{API: rbac + "/v1", Resource: "roles", Namespace: ns}, kube.Raw{"metadata": meta(), "rules": rules(own)}},
		{
			kube.Ref{API: rbac + "/v1", Resource: "rolebindings", Namespace: ns},
			kube.Raw{"metadata": meta(), "roleRef": role, "subjects": subjects},
		},
	}
	return append(out, making{kube.Ref{API: "batch/v1", Resource: "jobs", Namespace: ns}, s.job(meta())})
}

// roleIn returns the role that grants rights in another namespace. The role owns its binding.
func (s *Settings) roleIn(namespace string) making {
	name := nameOf(s.Run)
	there := slices.DeleteFunc(granted(s.Place.Namespace, name, s.Undoes),
		func(r kube.Right) bool { return r.Namespace != namespace })
	return making{
		kube.Ref{API: rbac + "/v1", Resource: "roles", Namespace: namespace},
		kube.Raw{"metadata": map[string]any{"name": name, "labels": s.labels()}, "rules": rules(there)},
	}
}

func (s *Settings) bindingIn(namespace, uid string) making {
	return s.bound(kube.Ref{API: rbac + "/v1", Resource: "rolebindings", Namespace: namespace}, "Role", uid)
}

// bound returns the binding of the watchdog to a role, which owns the binding.
func (s *Settings) bound(to kube.Ref, kind, uid string) making {
	name := nameOf(s.Run)
	return making{to, kube.Raw{
		"metadata": map[string]any{"name": name, "labels": s.labels(), "ownerReferences": []any{
			map[string]any{"apiVersion": rbac + "/v1", "kind": kind, "name": name, "uid": uid},
		}},
		"roleRef":  map[string]any{"apiGroup": rbac, "kind": kind, "name": name},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": s.Place.Namespace}},
	}}
}

// clusterRole returns the role that grants rights to nodes. The role owns its binding.
func (s *Settings) clusterRole() making {
	name := nameOf(s.Run)
	own := slices.DeleteFunc(granted(s.Place.Namespace, name, s.Undoes),
		func(r kube.Right) bool { return r.Namespace != "" })
	return making{
		kube.Ref{API: rbac + "/v1", Resource: "clusterroles"},
		kube.Raw{"metadata": map[string]any{"name": name, "labels": s.labels()}, "rules": rules(own)},
	}
}

func (s *Settings) clusterBinding(uid string) making {
	return s.bound(kube.Ref{API: rbac + "/v1", Resource: "clusterrolebindings"}, "ClusterRole", uid)
}

// rules returns the rules of a role with some rights.
func rules(rights []kube.Right) (out []any) {
	for _, r := range rights {
		rule := map[string]any{"apiGroups": []any{r.Group}, "resources": []any{r.Resource}, "verbs": []any{r.Verb}}
		if r.Name != "" {
			rule["resourceNames"] = []any{r.Name}
		}
		out = append(out, rule)
	}
	return out
}

// renewal formats a time for a Lease.
func renewal(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }

func (s *Settings) patience() time.Duration { return orUsual(s.Patience, patience) }

func orUsual(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}

// late is the time that a Job may go on after its watchdog has begun to revert everything.
const late = time.Hour

// job returns the Job of the watchdog.
func (s *Settings) job(meta map[string]any) kube.Raw {
	many, one, ttl := int32(1000), int32(1), int32(keptFor/time.Second)
	deadline := int64((s.Lasts + late) / time.Second)
	spec := kube.JobSpec{
		Completions: &one, Parallelism: &one, BackoffLimit: &many, TTLSecondsAfterFinished: &ttl,
		ActiveDeadlineSeconds: &deadline,
		Template: kube.PodTemplateSpec{
			ObjectMeta: kube.ObjectMeta{
				Labels:      maps.Clone(s.labels()),
				Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
			},
			Spec: s.pod(),
		},
	}
	return kube.Raw{"metadata": meta, "spec": spec}
}

// pod returns the pod of the watchdog. It satisfies the restricted level of pod security, and tolerates every taint.
func (s *Settings) pod() kube.PodSpec {
	spec := cluster.OwnPod(container, s.Image, s.PullSecrets,
		"cluster-watchdog", "--namespace", s.Place.Namespace, "--run", s.Run, "--patience", s.patience().String(),
		"--linger", orUsual(s.Linger, linger).String(), "--most", s.Lasts.String())
	if s.Key != nil {
		spec.Containers[0].Args = append(spec.Containers[0].Args, "--key", hex.EncodeToString(s.Key))
	}
	spec.ServiceAccountName, spec.AutomountServiceAccountToken = nameOf(s.Run), nil // it acts on the cluster
	spec.RestartPolicy, spec.SecurityContext = kube.RestartPolicyOnFailure, kube.Restricted(user)
	spec.Tolerations = []kube.Toleration{{Operator: kube.TolerationOpExists}}
	spec.Containers[0].SecurityContext = kube.RestrictedContainer()
	spec.Containers[0].Resources = kube.ResourceRequirements{
		Requests: kube.ResourceList{kube.ResourceCPU: kube.Quantity("10m"), kube.ResourceMemory: kube.Quantity("64Mi")},
		Limits:   kube.ResourceList{kube.ResourceMemory: kube.Quantity("128Mi")},
	}
	var off []kube.NodeSelectorRequirement
	for key, value := range s.Spare {
		r := kube.NodeSelectorRequirement{Key: key, Operator: kube.NodeSelectorOpNotIn, Values: []string{value}}
		if value == "" {
			r.Operator, r.Values = kube.NodeSelectorOpDoesNotExist, nil
		}
		off = append(off, r)
	}
	if len(off) > 0 {
		spec.Affinity = cluster.JSON(kube.Affinity{NodeAffinity: &kube.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []kube.PreferredSchedulingTerm{{
				Weight: 100, Preference: kube.NodeSelectorTerm{MatchExpressions: off},
			}},
		}})
	}
	return spec
}

// Admitted asks the cluster whether it would accept the Job of a watchdog, and its pod. It changes nothing. known is
// false if the cluster does not say whether it would accept the pod.
func Admitted(ctx context.Context, c *kube.Cluster, s Settings) (known bool, err error) {
	job := s.job(map[string]any{"name": nameOf(s.Run), "labels": s.labels()})
	of := kube.Ref{API: "batch/v1", Resource: "jobs", Namespace: s.Place.Namespace}
	if _, err = kube.Like(c, of).Create(ctx, &job, true); err != nil {
		return false, err
	}
	return c.AdmitsPod(ctx, s.Place.Namespace, s.labels(), s.pod())
}

// make makes the objects of the watchdog, and returns its journal. After an error the journal says which objects were
// made.
func (s *Settings) make(ctx context.Context, c *kube.Cluster) (*kube.ConfigMap, error) {
	create := func(m making) (*kube.Raw, error) {
		o, err := kube.Like(c, m.ref).Create(ctx, &m.object, false)
		if err != nil {
			return nil, fmt.Errorf("create its %s: %w", m.ref.Resource, err)
		}
		return o, nil
	}
	book, err := kube.ConfigMaps(c, s.Place.Namespace).Create(ctx, s.configMap(), false)
	if err != nil {
		return nil, fmt.Errorf("create its journal: %w", err)
	}
	if onNodes(s.Undoes) {
		role, err := create(s.clusterRole())
		if err == nil {
			_, err = create(s.clusterBinding(role.Text("metadata", "uid")))
		}
		if err != nil {
			return book, err
		}
	}
	for _, ns := range besides(s.Place.Namespace, s.Undoes) {
		role, err := create(s.roleIn(ns))
		if err == nil {
			_, err = create(s.bindingIn(ns, role.Text("metadata", "uid")))
		}
		if err != nil {
			return book, fmt.Errorf("in the namespace %s: %w", ns, err)
		}
	}
	for _, m := range s.objects(book) {
		if _, err := create(m); err != nil {
			return book, err
		}
	}
	return book, nil
}

// remove removes all objects of a run. The journal must have no open entries.
func remove(ctx context.Context, c *kube.Cluster, b *book) error {
	name := nameOf(b.Run) // no other role is ever deleted
	if b.Nodes {
		if err := removeRole(ctx, c, kube.Ref{API: rbac + "/v1", Resource: "clusterroles", Name: name}, b.Run); err != nil {
			return err
		}
	}
	for _, ns := range b.Besides {
		role := kube.Ref{API: rbac + "/v1", Resource: "roles", Namespace: ns, Name: name}
		if err := removeRole(ctx, c, role, b.Run); err != nil {
			return err
		}
	}
	err := kube.ConfigMaps(c, b.object.Namespace).Delete(ctx, b.object.Name, kube.Deletion{UID: string(b.object.UID)})
	if kube.Is(err, kube.NotFound) || kube.Is(err, kube.Conflict) {
		return nil
	}
	return err
}

// removeRole deletes a role of the run. A watchdog may not read it; it may delete only the one that it was granted.
func removeRole(ctx context.Context, c *kube.Cluster, role kube.Ref, run string) error {
	o, err := kube.Like(c, role).Get(ctx, role.Name)
	if err == nil && o.Labels()[cluster.RunLabel] != run {
		return nil
	}
	if err == nil || kube.Is(err, kube.Forbidden) {
		err = kube.Like(c, role).Delete(ctx, role.Name, kube.Deletion{})
	}
	if kube.Is(err, kube.NotFound) || kube.Is(err, kube.Forbidden) {
		return nil
	}
	return err
}

// errNoJournal says that a run no longer has a journal in the cluster.
var errNoJournal = errors.New("its journal in the cluster is gone")
