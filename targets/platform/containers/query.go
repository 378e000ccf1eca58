package containers

import (
	"maps"
	"slices"
	"strings"
)

// A Query selects containers that match all its fields. The zero Query matches none.
type Query struct {
	Container string            // a name, or an id or its beginning of at least 12 characters
	Labels    map[string]string // labels that the containers have; an empty value matches any
	Project   string            // Compose project
	Service   string            // service of the project
	Network   string            // network of the containers, by name or id
}

// IsZero reports whether the query is empty.
func (q Query) IsZero() bool {
	return q.Container == "" && len(q.Labels) == 0 && q.Project == "" && q.Service == "" && q.Network == ""
}

// String describes the query for people.
func (q Query) String() string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	add("container", q.Container)
	add("project", q.Project)
	add("service", q.Service)
	for _, name := range slices.Sorted(maps.Keys(q.Labels)) {
		add("label", strings.TrimSuffix(name+"="+q.Labels[name], "="))
	}
	add("network", q.Network)
	return strings.Join(parts, ", ")
}

// Matches reports whether the query selects a container.
func (q Query) Matches(c *Container) bool {
	const least = 12 // as many characters of an id as docker ps shows
	if q.Container != "" && c.Name != q.Container && (len(q.Container) < least || !strings.HasPrefix(c.ID, q.Container)) {
		return false
	}
	for name, value := range q.AllLabels() {
		has, ok := c.Labels[name]
		if !ok || value != "" && has != value {
			return false
		}
	}
	in := q.Network == "" || slices.ContainsFunc(c.Networks,
		func(n Network) bool { return n.Name == q.Network || n.ID == q.Network })
	return in && !q.IsZero()
}

// AllLabels returns all labels that the query requires.
func (q Query) AllLabels() map[string]string {
	out := maps.Clone(q.Labels)
	if out == nil {
		out = map[string]string{}
	}
	if q.Project != "" {
		out[ComposeProject] = q.Project
	}
	if q.Service != "" {
		out[ComposeService] = q.Service
	}
	return out
}
