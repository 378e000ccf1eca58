package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/scenarios/syntax"
)

// A Target holds the services of a namespace of a cluster, and their pods. It is safe for concurrent use.
type Target struct {
	*kube.Cluster
	Place   Place
	nodes   map[string]string // zones, by node
	list    []*service
	Agents  Agents   // agents of the run, on the nodes; nil: there are none
	unnamed []string // workloads whose names can't name a service

	mu    sync.Mutex          // guards pods, and the slots of services
	pods  map[string]kube.Pod // pods in a slot, by UID
	doors map[string]*Door    // to the pods that are asked, by unit; nil: closed, or none was asked for
}

// Close closes the doors to the pods, and the client of the cluster.
func (t *Target) Close() {
	t.mu.Lock()
	doors := t.doors
	t.doors = nil
	t.mu.Unlock()
	for _, d := range doors {
		_ = d.Close()
	}
	t.Cluster.Close()
}

// service returns the service with a name, or nil.
func (t *Target) service(name string) *service {
	i := slices.IndexFunc(t.list, func(s *service) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return t.list[i]
}

// Unnamed lists the workloads whose names can't name a service.
func (t *Target) Unnamed() []string { return t.unnamed }

// Services lists the services.
func (t *Target) Services() []string {
	var out []string
	for _, s := range t.list {
		out = append(out, s.name)
	}
	return out
}

// isLive reports whether a pod belongs in a slot: it has not ended, and is not ending.
func isLive(p *kube.Pod) bool {
	return p.DeletionTimestamp == nil && p.Status.Phase != kube.PodSucceeded && p.Status.Phase != kube.PodFailed
}

// IsReady reports whether a pod is ready, as its node reports.
func IsReady(p *kube.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions,
		func(c kube.PodCondition) bool { return c.Type == kube.PodReady && c.Status == kube.ConditionTrue })
}

// refresh finds the pods of all services.
func (t *Target) refresh(ctx context.Context) error {
	all, err := kube.Pods(t.Cluster, t.Place.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return fmt.Errorf("%s: list its pods: %w", t.Place, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pods = map[string]kube.Pod{}
	of := map[string]string{}
	for _, s := range t.list {
		own := s.among(all)
		if len(own) == 0 && s.workload.Name == "" {
			return fmt.Errorf("%s: %w: no pod of the namespace %s has the labels %s", s.name, chaos.ErrNoUnit, t.Place.Namespace,
				s.pods)
		}
		for i := range own {
			if other, taken := of[string(own[i].UID)]; taken {
				return fmt.Errorf("the pod %s is of the services %s and %s: a pod is of one", own[i].Name, other, s.name)
			}
			of[string(own[i].UID)] = s.name
		}
		t.place(s, own)
	}
	return nil
}

// among returns the live pods of the service from all, the oldest first.
func (s *service) among(all []kube.Pod) (own []kube.Pod) {
	for i := range all {
		if isLive(&all[i]) && s.selects.Matches(all[i].Labels) {
			own = append(own, all[i])
		}
	}
	slices.SortFunc(own, func(a, b kube.Pod) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return own
}

// place puts the live pods of a service into slots: each stays in its own, and a new one takes the lowest free slot.
// Pods of a stateful set take the slots of their ordinals. mu is held.
func (t *Target) place(s *service, own []kube.Pod) {
	now := map[string]kube.Pod{}
	for i := range own {
		now[string(own[i].UID)] = own[i]
	}
	for i, uid := range s.slots {
		if _, lives := now[uid]; !lives {
			delete(t.pods, uid)
			s.slots[i] = ""
		}
	}
	for i := range own {
		uid := string(own[i].UID)
		t.pods[uid] = own[i]
		if slices.Contains(s.slots, uid) {
			continue
		}
		slot := slices.Index(s.slots, "")
		if s.ordinal {
			_, number, _ := cutLast(own[i].Name)
			if n, err := strconv.Atoi(number); err == nil {
				slot = n
			}
		}
		if slot < 0 {
			slot = len(s.slots)
		}
		for len(s.slots) <= slot {
			s.slots = append(s.slots, "")
		}
		s.slots[slot] = uid
	}
}

// cutLast cuts a name at its last dash.
func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

// relist finds the pods of one service again.
func (t *Target) relist(ctx context.Context, s *service) ([]kube.Pod, error) {
	all, err := kube.Pods(t.Cluster, t.Place.Namespace).List(ctx, kube.Query{Labels: s.pods})
	if err != nil {
		return nil, fmt.Errorf("%s: list its pods: %w", s.name, err)
	}
	own := s.among(all)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.place(s, own)
	return own, nil
}

// PodsOf lists the present live pods of a service.
func (t *Target) PodsOf(ctx context.Context, service string) ([]kube.Pod, error) {
	s := t.service(service)
	if s == nil {
		return nil, t.NoService(service)
	}
	return t.relist(ctx, s)
}

// ServiceOf returns the service to which a pod belongs by its labels; empty: none.
func (t *Target) ServiceOf(pod *kube.Pod) string {
	for _, s := range t.list {
		if s.selects.Matches(pod.Labels) {
			return s.name
		}
	}
	return ""
}

// UnitOf returns the unit whose slot holds the pod with a UID; empty: no slot does.
func (t *Target) UnitOf(uid string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.list {
		if i := slices.Index(s.slots, uid); i >= 0 {
			return syntax.UnitName(s.name, i)
		}
	}
	return ""
}

// NoService returns the error that a service does not exist, with the services that do.
func (t *Target) NoService(name string) error {
	err := noSuch("service", name, t.Services(), "")
	if slices.Contains(t.unnamed, name) {
		err = fmt.Errorf("%w; the name of the workload %s can't name a service: give it one under target.kubernetes.services",
			err, name)
	}
	return fmt.Errorf("%w: %w", chaos.ErrNoUnit, err)
}

// Workload returns the workload of a service. A service of pods that labels select has none.
func (t *Target) Workload(service string) (kube.Ref, error) {
	s := t.service(service)
	switch {
	case s == nil:
		return kube.Ref{}, t.NoService(service)
	case s.workload.Name == "":
		return kube.Ref{}, fmt.Errorf("%s is the pods with the labels %s, and no workload", service, s.pods)
	}
	return s.workload, nil
}

// Units lists the pods as units, by their slots.
func (t *Target) Units() []chaos.Unit {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []chaos.Unit
	for _, s := range t.list {
		for i := range s.slots {
			out = append(out, &Pod{t: t, of: s, slot: i})
		}
	}
	return out
}

// Present asks the cluster for the present pods. A pod can be hit once it has an address.
func (t *Target) Present(ctx context.Context) (chaos.Present, error) {
	if err := t.refresh(ctx); err != nil {
		return chaos.Present{}, err
	}
	now := chaos.Present{Zones: t.Zones(), IDs: map[string]string{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.list {
		for i, uid := range s.slots {
			pod, has := t.pods[uid]
			if !has {
				continue
			}
			now.Units = append(now.Units, &Pod{t: t, of: s, slot: i})
			if pod.Status.PodIP != "" {
				now.IDs[syntax.UnitName(s.name, i)] = uid
			}
		}
	}
	return now, nil
}

// Zones returns the zones of the units, from the nodes of their pods.
func (t *Target) Zones() chaos.Zones {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := chaos.Zones{}
	for _, s := range t.list {
		for i, uid := range s.slots {
			if pod, has := t.pods[uid]; has && t.nodes[pod.Spec.NodeName] != "" {
				out[syntax.UnitName(s.name, i)] = t.nodes[pod.Spec.NodeName]
			}
		}
	}
	return out
}

// unitsOn lists the units whose pods are on a node, with the pods.
func (t *Target) unitsOn(node string) (units []string, pods []kube.Pod) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.list {
		for i, uid := range s.slots {
			if pod, has := t.pods[uid]; has && pod.Spec.NodeName == node {
				units, pods = append(units, syntax.UnitName(s.name, i)), append(pods, pod)
			}
		}
	}
	return units, pods
}

// NodeNames lists the nodes with pods of the target.
func (t *Target) NodeNames() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	on := map[string]bool{}
	for _, pod := range t.pods {
		if pod.Spec.NodeName != "" {
			on[pod.Spec.NodeName] = true
		}
	}
	return slices.Sorted(maps.Keys(on))
}
