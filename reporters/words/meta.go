package words

import (
	"strings"

	"brunt/scenarios/result"
)

// Meta returns the keys of `meta` and their values as readable text.
func Meta(r *result.Result) []Pair {
	var out []Pair
	for _, key := range r.Meta.Keys() {
		name := Clean(strings.ReplaceAll(key, "_", " "))
		if name == "" {
			continue
		}
		out = append(out, Pair{name, Clean(r.Meta[key])})
	}
	return out
}

// A Pair is a value with its name, both as text.
type Pair struct{ Name, Value string }
