// Requests without a name are named by their method and path. Ids in a path become :id, so that requests for different
// items count as one step.
//
//	GET /posts/17?page=2 --Of--> GET /posts/:id
//	names of a log --Set.Count--> the most frequent ones; the others share a name by method
//
// To recognize another form of id, add it to isID and its cases to the test.

package scenarios

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Limits on generated names of requests: each name becomes a step, with its own figures for every second of the run.
const (
	mostNames   = 50     // names that become a step of their own
	mostCounted = 20_000 // names that are counted to find the most frequent ones
	mostName    = 80     // characters
)

// RequestName derives a name for a request without one: METHOD path without the query, with :id
// for every part of the path that identifies an object: a number, a UUID, a hash.
func RequestName(method, url string) string {
	path, _, _ := strings.Cut(url, "#")
	path, _, _ = strings.Cut(path, "?")
	if _, after, absolute := strings.Cut(path, "://"); absolute {
		if i := strings.IndexByte(after, '/'); i >= 0 {
			path = after[i:]
		} else {
			path = "/"
		}
	}
	var b strings.Builder
	b.WriteString(method + " ")
	for i, part := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if isID(part) {
			part = ":id"
		}
		b.WriteString(strings.ReplaceAll(part, `"`, "%22"))
	}
	return syntax.Clip(b.String(), mostName)
}

// isID reports whether a part of a path looks like the id of an object.
func isID(s string) bool {
	digits, hex, others := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-':
			hex++
		default:
			others++
		}
	}
	switch {
	case digits == 0:
		return false
	case hex+others == 0: // a number
		return true
	case others == 0 && len(s) >= 8: // a UUID, a hash
		return true
	}
	return len(s) > 20 && digits >= 4 // a token
}

// RequestNames assigns names to many requests, with few enough names that each can be a step. Frequent requests keep
// their names; the rest are named METHOD other. The zero value is ready.
type RequestNames struct {
	counts map[string]int64
	kept   map[string]bool // nil while Name still counts
}

// Count counts a request with a name.
func (r *RequestNames) Count(name string) {
	if r.counts == nil {
		r.counts = map[string]int64{}
	}
	if _, known := r.counts[name]; !known && len(r.counts) >= mostCounted {
		name = otherName(name)
	}
	r.counts[name]++
}

func otherName(name string) string {
	method, _, _ := strings.Cut(name, " ")
	return method + " other"
}

// List returns the names to use, the most frequent first, then in alphabetical order.
func (r *RequestNames) List() []string {
	byCount := func(a, b string) int {
		return cmp.Or(cmp.Compare(r.counts[b], r.counts[a]), cmp.Compare(a, b))
	}
	names := slices.SortedFunc(maps.Keys(r.counts), byCount)
	if len(names) > mostNames {
		for _, name := range names[mostNames:] {
			n := r.counts[name]
			delete(r.counts, name)
			r.counts[otherName(name)] += n
		}
		names = slices.SortedFunc(maps.Keys(r.counts), byCount)
	}
	r.kept = map[string]bool{}
	for _, name := range names {
		r.kept[name] = true
	}
	return names
}

// Times returns how often a name of [RequestNames.List] was counted.
func (r *RequestNames) Times(name string) int64 { return r.counts[name] }

// Of returns the name under which [RequestNames.List] has a request: its own, or METHOD other.
func (r *RequestNames) Of(name string) string {
	if r.kept == nil {
		r.List()
	}
	if r.kept[name] {
		return name
	}
	return otherName(name)
}
