// Package pods says which faults of a plan can't be made on the pods of a cluster.
package pods

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios/syntax"
)

// Unmade reports whether a fault hits pods of the target, although its kind acts on processes, containers or links.
func Unmade(sc *chaos.Scope, b syntax.Block) bool {
	d, known := catalog.Find(b.Kind)
	if sc.Cluster == nil || !known || d.On == 0 || d.On&chaos.OnCluster != 0 || b.With == nil || b.With.Get("project") != nil {
		return false
	}
	for _, key := range []string{"service", "unit", "zone", "from", "to"} {
		n := b.With.Get(key)
		if n == nil || n.Kind != syntax.String || n.Value == chaos.LoadName || n.Value == chaos.TargetName || strings.HasPrefix(n.Value, chaos.ContainerPrefix) {
			continue
		}
		service := chaos.ServiceOf(n.Value)
		if key == "zone" || strings.HasPrefix(n.Value, chaos.ZonePrefix) || sc.Has(service) && !sc.HasEndpoint(service) {
			return true
		}
	}
	return false
}

// Check notes the faults that can't be made on pods, all in one mistake.
func Check(sc *chaos.Scope, faults []*chaos.Entry, m *syntax.Mistakes) {
	var names []string
	var at syntax.Pos
	for _, e := range faults {
		for _, part := range e.Parts() {
			if !Unmade(sc, part.Block) {
				continue
			}
			if names = append(names, fmt.Sprintf("%s (%s)", part.Name, part.Kind)); len(names) == 1 {
				at = part.Block.Pos
			}
		}
	}
	if len(names) == 0 {
		return
	}
	var kinds []string
	for _, f := range catalog.Faults() {
		if d := f.Describe(); d.On&chaos.OnCluster != 0 {
			kinds = append(kinds, d.Kind)
		}
	}
	slices.Sort(kinds)
	m.AddHint(at, "there are "+strings.Join(kinds, ", ")+", and exec and webhook for what else breaks a cluster",
		"%s: on pods brunt makes the faults that the cluster's API makes, and no others", strings.Join(names, ", "))
}
