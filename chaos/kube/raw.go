package kube

import (
	"net/url"
	"strings"
)

// Raw is an object of any kind, as decoded from JSON.
type Raw map[string]any

// A Ref names an object, as data.
type Ref struct {
	API       string `json:"api"`                 // group and version of its kind, such as apps/v1; v1 is the core group
	Resource  string `json:"resource"`            // its kind as in paths, such as deployments
	Namespace string `json:"namespace,omitempty"` // empty: an object in no namespace
	Name      string `json:"name"`
}

// String returns the name of the object as kubectl writes it, such as deployments/web.
func (r Ref) String() string { return r.Resource + "/" + r.Name }

// Group returns the group of the object's kind; empty is the core group.
func (r Ref) Group() string {
	group, _, found := strings.Cut(r.API, "/")
	if !found {
		return ""
	}
	return group
}

// Like returns the objects of the kind, and in the namespace, of a reference.
func Like(c *Cluster, r Ref) Objects[Raw] {
	group := "/apis/" + r.API
	if r.Group() == "" {
		group = "/api/" + r.API
	}
	return Objects[Raw]{c, within(r.Namespace, group, url.PathEscape(r.Resource))}
}

// Text returns the text at a path of keys; empty means that there is none.
func (o Raw) Text(path ...string) string {
	v, _ := o.value(path)
	text, _ := v.(string)
	return text
}

// Number returns the number at a path of keys; 0 means that there is none.
func (o Raw) Number(path ...string) int {
	v, _ := o.value(path)
	n, _ := v.(float64)
	return int(n)
}

// Labels returns the labels of the object.
func (o Raw) Labels() map[string]string {
	all, _ := o.value([]string{"metadata", "labels"})
	labels, _ := all.(map[string]any)
	out := map[string]string{}
	for key, v := range labels {
		out[key], _ = v.(string)
	}
	return out
}

// Has reports whether there is a value at a path of keys.
func (o Raw) Has(path ...string) bool {
	_, has := o.value(path)
	return has
}

// value returns the value at a path of keys and indexes; ok is false if there is none.
func (o Raw) value(path []string) (v any, ok bool) {
	v = map[string]any(o)
	for _, key := range path {
		if v, ok = child(v, key); !ok {
			return nil, false
		}
	}
	return v, true
}

// child returns the value of a key of a map, or at an index of a list.
func child(of any, key string) (any, bool) {
	switch of := of.(type) {
	case map[string]any:
		v, ok := of[key]
		return v, ok && v != nil
	case []any:
		i, ok := index(key)
		if ok && i < len(of) {
			return of[i], true
		}
	}
	return nil, false
}
