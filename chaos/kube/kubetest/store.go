package kubetest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An object is an object of the API, as decoded from JSON.
type object = map[string]any

// An event is a change of an object.
type event struct {
	kind, list string
	version    int
	object     object
}

// A store holds objects by the path of their list and their name.
type store struct {
	objects map[string]map[string]object
	events  []event
	oldest  int // versions before it are forgotten
	version int
	news    chan struct{} // closed at the next event

	addresses int // number of addresses given to services
}

func newStore() store {
	// begins as if there had been earlier versions
	return store{objects: map[string]map[string]object{}, news: make(chan struct{}), version: 100, oldest: 100}
}

// copyOf returns a deep copy.
func copyOf(o object) (out object) {
	text, _ := json.Marshal(o)
	_ = json.Unmarshal(text, &out)
	return out
}

// lookup returns the value at a path of keys; nil means that there is none.
func lookup(o object, path ...string) any {
	var v any = o
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func meta(o object) object {
	m, ok := o["metadata"].(map[string]any)
	if !ok {
		m = object{}
		o["metadata"] = m
	}
	return m
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// note keeps an event.
func (s *store) note(kind, list string, o object) {
	s.version++
	meta(o)["resourceVersion"] = strconv.Itoa(s.version)
	s.events = append(s.events, event{kind, list, s.version, copyOf(o)})
	close(s.news)
	s.news = make(chan struct{})
}

// forget ends the history.
func (s *store) forget() {
	s.version++
	s.events, s.oldest = nil, s.version
	close(s.news)
	s.news = make(chan struct{})
}

func (s *store) get(list, name string) (object, error) {
	o := s.objects[list][name]
	if o == nil {
		return nil, notFound(last(list), name)
	}
	return copyOf(o), nil
}

// add stores a new object; with dry it only returns the object that it would store.
func (s *store) add(list string, o object, dry bool) (object, error) {
	o = copyOf(o)
	m := meta(o)
	name, _ := m["name"].(string)
	if begin, _ := m["generateName"].(string); name == "" && begin != "" {
		name = begin + strings.ToLower(rand.Text()[:5])
		m["name"] = name
	}
	switch {
	case name == "":
		return nil, &refusal{http.StatusUnprocessableEntity, "Invalid", "name or generateName is required", ""}
	case s.objects[list][name] != nil:
		return nil, &refusal{http.StatusConflict, "AlreadyExists", fmt.Sprintf("%s %q already exists", last(list), name), ""}
	}
	m["uid"], m["creationTimestamp"] = rand.Text(), time.Now().UTC().Format(time.RFC3339)
	if parts := strings.Split(list, "/"); len(parts) > 2 && parts[len(parts)-3] == "namespaces" {
		m["namespace"] = parts[len(parts)-2]
	}
	if last(list) == "pods" {
		o["status"] = object{"phase": "Running"}
	}
	if spec, _ := o["spec"].(object); last(list) == "services" && spec != nil && spec["clusterIP"] == nil {
		s.addresses++
		spec["clusterIP"] = fmt.Sprintf("192.0.2.%d", s.addresses)
	}
	if dry {
		return o, nil
	}
	if s.objects[list] == nil {
		s.objects[list] = map[string]object{}
	}
	s.objects[list][name] = o
	s.note("ADDED", list, o)
	return copyOf(o), nil
}

// replace stores an object in place of the one with its version.
func (s *store) replace(list, name string, o object) (object, error) {
	old := s.objects[list][name]
	if old == nil {
		return nil, notFound(last(list), name)
	}
	o = copyOf(o)
	if given := meta(o)["resourceVersion"]; given != nil && given != "" && given != meta(old)["resourceVersion"] {
		return nil, &refusal{http.StatusConflict, "Conflict", "the object has been modified", ""}
	}
	meta(o)["uid"] = meta(old)["uid"]
	s.objects[list][name] = o
	s.note("MODIFIED", list, o)
	return copyOf(o), nil
}

func (s *store) patch(list, name string, changes []change) (object, error) {
	old := s.objects[list][name]
	if old == nil {
		return nil, notFound(last(list), name)
	}
	o := copyOf(old)
	for _, c := range changes {
		if err := c.apply(o); err != nil {
			return nil, &refusal{
				http.StatusUnprocessableEntity, "Invalid", "the server rejected our request due to an error in our request", "",
			}
		}
	}
	return s.replace(list, name, o)
}

// remove deletes an object; with a UID only the object that has it.
func (s *store) remove(list, name, uid string) error {
	o := s.objects[list][name]
	switch {
	case o == nil:
		return notFound(last(list), name)
	case uid != "" && uid != meta(o)["uid"]:
		return &refusal{http.StatusConflict, "Conflict", "the UID in the precondition does not match the UID in record", ""}
	}
	delete(s.objects[list], name)
	s.note("DELETED", list, o)
	if last(list) == "namespaces" {
		for _, within := range slices.Sorted(maps.Keys(s.objects)) {
			for _, of := range slices.Sorted(maps.Keys(s.objects[within])) {
				if strings.Contains(within, "/namespaces/"+name+"/") {
					_ = s.remove(within, of, "")
				}
			}
		}
	}
	return nil
}

// evictable refuses to evict a pod if a disruption budget needs it.
func (s *store) evictable(list, name string) error {
	pod := s.objects[list][name]
	if pod == nil {
		return notFound(last(list), name)
	}
	namespace := strings.TrimPrefix(strings.TrimSuffix(list, "/pods"), "/api/v1")
	for _, budget := range s.objects["/apis/policy/v1"+namespace+"/poddisruptionbudgets"] {
		var want []string
		labels, _ := lookup(budget, "spec", "selector", "matchLabels").(map[string]any)
		for key, value := range labels {
			want = append(want, fmt.Sprintf("%s=%s", key, value))
		}
		q := url.Values{"labelSelector": {strings.Join(want, ",")}}
		if !selected(pod, q) {
			continue
		}
		there := 0.
		for _, o := range s.objects[list] {
			if selected(o, q) {
				there++
			}
		}
		if least, _ := lookup(budget, "spec", "minAvailable").(float64); there-1 < least {
			return &refusal{
				http.StatusTooManyRequests, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
				fmt.Sprintf("The disruption budget %s needs %v healthy pods and has %v currently", meta(budget)["name"],
					least, there),
			}
		}
	}
	return nil
}

// list returns a page of the objects that a query selects.
func (s *store) list(list string, q url.Values) (object, error) {
	of := s.objects[list]
	if !strings.Contains(list, "/namespaces/") && of == nil { // a list of all namespaces
		of = map[string]object{}
		for _, l := range s.all(last(list)) {
			of[l.list+"/"+l.name] = l.object
		}
	}
	names := slices.Sorted(maps.Keys(of))
	if from := q.Get("continue"); from != "" {
		i, _ := slices.BinarySearch(names, from)
		names = names[i:]
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	items, next := []any{}, ""
	for _, name := range names {
		if o := of[name]; selected(o, q) {
			if limit > 0 && len(items) == limit {
				next = name
				break
			}
			items = append(items, copyOf(o))
		}
	}
	return object{"metadata": object{"resourceVersion": strconv.Itoa(s.version), "continue": next}, "items": items}, nil
}

// since lists the events after a version; expired says that some of them are forgotten.
func (s *store) since(list string, after int, q url.Values) (out []event, expired bool) {
	if after < s.oldest {
		return nil, true
	}
	for _, e := range s.events {
		if e.version > after && e.list == list && selected(e.object, q) {
			out = append(out, e)
		}
	}
	return out, false
}

// selected reports whether the selectors of a query select an object.
func selected(o object, q url.Values) bool {
	for want := range strings.SplitSeq(q.Get("labelSelector"), ",") {
		key, value, equal := strings.Cut(want, "=")
		labels, _ := lookup(o, "metadata", "labels").(map[string]any)
		if got, has := labels[key]; want != "" && (!has || equal && got != value) {
			return false
		}
	}
	for want := range strings.SplitSeq(q.Get("fieldSelector"), ",") {
		path, value, _ := strings.Cut(want, "=")
		if got, _ := lookup(o, strings.Split(path, ".")...).(string); want != "" && got != value {
			return false
		}
	}
	return true
}
