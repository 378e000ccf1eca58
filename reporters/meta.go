package reporters

import (
	"strings"

	"brunt/scenarios/result"
)

// metaOf is what the run is to its organisation, as people read it.
func metaOf(r *result.Result) []pair {
	var out []pair
	for _, key := range r.Meta.Keys() {
		name := clean(strings.ReplaceAll(key, "_", " "))
		if name == "" {
			continue
		}
		out = append(out, pair{name, clean(r.Meta[key])})
	}
	return out
}
