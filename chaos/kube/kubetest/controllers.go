package kubetest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settle does at once the work that the controllers of a cluster do in seconds: it removes objects without owners,
// makes, places, runs and replaces pods of workloads, gives nodes the taints that follow from their settings, and gives
// services the addresses of ready pods. Each pass makes the changes that are still needed.
func (s *store) settle() {
	for range 50 {
		before := s.version
		s.garbage()
		s.cordons()
		s.workloads()
		s.evictions()
		s.kubelets()
		s.endpoints()
		s.quotas()
		if s.version == before {
			return
		}
	}
}

// all lists the objects of a resource in all namespaces, with the paths of their lists.
func (s *store) all(resource string) (out []listed) {
	for _, list := range slices.Sorted(maps.Keys(s.objects)) {
		if last(list) != resource {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.objects[list])) {
			out = append(out, listed{list, name, s.objects[list][name]})
		}
	}
	return out
}

type listed struct {
	list, name string
	object
}

// change stores a copy of an object, if do has changed it.
func (s *store) change(l listed, do func(o object)) {
	was, _ := json.Marshal(l.object)
	o := copyOf(l.object)
	do(o)
	if is, _ := json.Marshal(o); string(is) != string(was) {
		s.objects[l.list][l.name] = o
		s.note("MODIFIED", l.list, o)
	}
}

// garbage removes the objects whose owners no longer exist.
func (s *store) garbage() {
	there := map[any]bool{}
	for _, list := range s.objects {
		for _, o := range list {
			there[lookup(o, "metadata", "uid")] = true
		}
	}
	for _, list := range slices.Sorted(maps.Keys(s.objects)) {
		for _, name := range slices.Sorted(maps.Keys(s.objects[list])) {
			owners := listAt(s.objects[list][name], "metadata", "ownerReferences")
			if len(owners) > 0 && !slices.ContainsFunc(owners, func(o any) bool { return there[lookup(o.(object), "uid")] }) {
				_ = s.remove(list, name, "")
			}
		}
	}
}

const cordonTaint = "node.kubernetes.io/unschedulable"

// cordons gives unschedulable nodes the taint for that.
func (s *store) cordons() {
	for _, n := range s.all("nodes") {
		s.change(n, func(o object) {
			spec, _ := o["spec"].(object)
			if spec == nil {
				return
			}
			rest := slices.DeleteFunc(listAt(spec, "taints"),
				func(t any) bool { return lookup(t.(object), "key") == cordonTaint })
			if spec["unschedulable"] == true {
				rest = append(rest, object{"key": cordonTaint, "effect": "NoSchedule"})
			}
			if spec["taints"] = rest; len(rest) == 0 {
				delete(spec, "taints")
			}
			if spec["unschedulable"] == false {
				delete(spec, "unschedulable")
			}
		})
	}
}

func listAt(o object, path ...string) []any {
	list, _ := lookup(o, path...).([]any)
	return slices.Clone(list)
}

// ownerOf maps the resource of a workload to the kind of the owner of its pods.
var ownerOf = map[string]string{"deployments": "ReplicaSet", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}

// workloads makes the pods that workloads lack, and removes those that they have too many or of an earlier template.
func (s *store) workloads() {
	for _, resource := range slices.Sorted(maps.Keys(ownerOf)) {
		for _, w := range s.all(resource) {
			s.workload(resource, w)
		}
	}
}

func (s *store) workload(resource string, w listed) {
	text, _ := json.Marshal(lookup(w.object, "spec", "template"))
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:4])
	pods := strings.Replace(strings.TrimSuffix(w.list, "/"+resource), "/apis/apps/v1", "/api/v1", 1) + "/pods"
	uid := lookup(w.object, "metadata", "uid")
	var own []string
	for _, name := range slices.Sorted(maps.Keys(s.objects[pods])) {
		pod := s.objects[pods][name]
		owners := listAt(pod, "metadata", "ownerReferences")
		if len(owners) == 0 || lookup(owners[0].(object), "uid") != uid {
			continue
		}
		if lookup(pod, "metadata", "labels", "pod-template-hash") != hash {
			_ = s.remove(pods, name, "")
			continue
		}
		own = append(own, name)
	}
	want := 1
	if n, given := lookup(w.object, "spec", "replicas").(float64); given {
		want = int(n)
	}
	if resource == "daemonsets" {
		want = max(1, len(s.all("nodes")))
	}
	for len(own) > want {
		_ = s.remove(pods, own[len(own)-1], "")
		own = own[:len(own)-1]
	}
	for i := 0; len(own) < want; i++ {
		name := fmt.Sprintf("%s-%s-%s", w.name, hash, strings.ToLower(rand.Text()[:5]))
		if resource == "statefulsets" {
			name = fmt.Sprintf("%s-%d", w.name, i)
		}
		if s.objects[pods][name] != nil {
			continue
		}
		s.pod(pods, name, hash, resource, w)
		own = append(own, name)
	}
	s.change(w, func(o object) {
		n := float64(len(own))
		o["status"] = object{
			"replicas": n, "readyReplicas": n, "updatedReplicas": n, "availableReplicas": n, "observedGeneration": 1.,
		}
	})
}

// pod makes a pod of a workload.
func (s *store) pod(list, name, hash, resource string, w listed) {
	pod := copyOf(object{
		"metadata": lookup(w.object, "spec", "template", "metadata"), "spec": lookup(w.object, "spec", "template", "spec"),
	})
	m := meta(pod)
	labels, _ := m["labels"].(map[string]any)
	if labels == nil {
		labels = object{}
	}
	labels["pod-template-hash"] = hash
	m["labels"], m["name"] = labels, name
	owner := w.name
	if resource == "deployments" {
		owner += "-" + hash
	}
	m["ownerReferences"] = []any{object{
		"apiVersion": "apps/v1", "kind": ownerOf[resource], "name": owner, "uid": lookup(w.object, "metadata", "uid"),
		"controller": true,
	}}
	_, _ = s.add(list, pod, false)
}

// tolerates reports whether a pod tolerates a taint.
func tolerates(pod, taint object) bool {
	return slices.ContainsFunc(listAt(pod, "spec", "tolerations"), func(t any) bool {
		key, effect := lookup(t.(object), "key"), lookup(t.(object), "effect")
		return (key == nil || key == taint["key"]) && (effect == nil || effect == taint["effect"])
	})
}

// evictions removes pods from nodes with NoExecute taints that the pods do not tolerate.
func (s *store) evictions() {
	for _, p := range s.all("pods") {
		node := lookup(p.object, "spec", "nodeName")
		for _, n := range s.all("nodes") {
			for _, t := range listAt(n.object, "spec", "taints") {
				if n.name == node && lookup(t.(object), "effect") == "NoExecute" && !tolerates(p.object, t.(object)) {
					_ = s.remove(p.list, p.name, "")
				}
			}
		}
	}
}

// place returns the node with the fewest pods that accepts a pod; empty: none does.
func (s *store) place(pod object) string {
	best, least := "", 0
	for _, n := range s.all("nodes") {
		refuses := slices.ContainsFunc(listAt(n.object, "spec", "taints"), func(t any) bool {
			return lookup(t.(object), "effect") != "PreferNoSchedule" && !tolerates(pod, t.(object))
		})
		used := 0
		for _, p := range s.all("pods") {
			if lookup(p.object, "spec", "nodeName") == n.name {
				used++
			}
		}
		if !refuses && (best == "" || used < least) {
			best, least = n.name, used
		}
	}
	return best
}

// kubelets places the pods of workloads and runs them. A container whose image has no valid name waits.
func (s *store) kubelets() {
	for i, p := range s.all("pods") {
		if len(listAt(p.object, "metadata", "ownerReferences")) == 0 {
			continue
		}
		s.change(p, func(o object) {
			spec, _ := o["spec"].(object)
			if spec == nil {
				return
			}
			if spec["nodeName"] == nil {
				node := s.place(o)
				if node == "" && len(s.all("nodes")) > 0 {
					o["status"] = object{"phase": "Pending"}
					return
				}
				spec["nodeName"] = cmp.Or(node, "node")
			}
			o["status"] = running(o, i)
		})
	}
}

// running returns the status of a pod on a node.
func running(pod object, i int) object {
	was := listAt(pod, "status", "containerStatuses")
	ready, statuses := "True", []any{}
	for j, c := range listAt(pod, "spec", "containers") {
		name, image := lookup(c.(object), "name"), lookup(c.(object), "image")
		restarts, state := 0., object{"running": object{}}
		if j < len(was) {
			restarts, _ = lookup(was[j].(object), "restartCount").(float64)
			if lookup(was[j].(object), "image") != image {
				restarts++
			}
		}
		if text, _ := image.(string); text != strings.ToLower(text) {
			ready, state = "False", object{
				"waiting": object{"reason": "InvalidImageName", "message": "couldn't parse image name " + text},
			}
		}
		statuses = append(statuses, object{
			"name": name, "image": image, "restartCount": restarts, "ready": ready == "True", "state": state,
		})
	}
	ip, _ := lookup(pod, "status", "podIP").(string)
	return object{
		"phase": "Running", "podIP": cmp.Or(ip, fmt.Sprintf("198.51.100.%d", i+1)), "containerStatuses": statuses,
		"conditions": []any{object{"type": "Ready", "status": ready}},
	}
}

// endpoints keeps a slice for each service, with the addresses of the pods that it selects.
func (s *store) endpoints() {
	for _, v := range s.all("services") {
		namespace := strings.TrimPrefix(strings.TrimSuffix(v.list, "/services"), "/api/v1")
		var ends []any
		want, _ := lookup(v.object, "spec", "selector").(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(s.objects["/api/v1"+namespace+"/pods"])) {
			pod := s.objects["/api/v1"+namespace+"/pods"][name]
			labels, _ := lookup(pod, "metadata", "labels").(map[string]any)
			fits := len(want) > 0
			for key, value := range want {
				fits = fits && labels[key] == value
			}
			conditions := listAt(pod, "status", "conditions")
			if fits && len(conditions) > 0 {
				ends = append(ends, object{
					"addresses":  []any{lookup(pod, "status", "podIP")},
					"targetRef":  object{"kind": "Pod", "name": name, "uid": lookup(pod, "metadata", "uid")},
					"conditions": object{"ready": lookup(conditions[0].(object), "status") == "True"},
				})
			}
		}
		list := "/apis/discovery.k8s.io/v1" + namespace + "/endpointslices"
		if s.objects[list][v.name] == nil {
			_, _ = s.add(list, object{
				"metadata": object{"name": v.name, "labels": object{"kubernetes.io/service-name": v.name}},
			}, false)
		}
		s.change(listed{list, v.name, s.objects[list][v.name]}, func(o object) { o["endpoints"] = ends })
	}
}

// quotas gives each quota its status.
func (s *store) quotas() {
	for _, q := range s.all("resourcequotas") {
		s.change(q, func(o object) { o["status"] = object{"hard": lookup(o, "spec", "hard")} })
	}
}
