package words

import (
	"strings"

	"brunt/scenarios/result"
)

// Meta is what the run is to its organisation, as people read it.

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

type Pair struct{ Name, Value string }
