package plan

import (
	"maps"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// SplitArguments parses key=value settings of a fault, and splits the settings of its time from the settings of its
// kind. The key from counts as the end of a link.
func SplitArguments(args []string, m *syntax.Mistakes) (timing, settings *syntax.Node) {
	times := slices.DeleteFunc(syntax.Keys(scenarios.Fault{}), func(key string) bool { return key == "from" })
	return syntax.Arguments(args, m).Split(times)
}

// OnLink reports whether a fault of a kind, with these settings, acts on a link that brunt opens.
func OnLink(kind string, settings *syntax.Node) bool {
	mk := catalog.Kinds()[kind]
	return mk != nil && mk().Traits(chaos.Scope{}).Touches != nil && !ofContainers(settings)
}

// ofContainers reports whether the settings of a fault select containers, whose packets do not pass
// through brunt's links.
func ofContainers(settings *syntax.Node) bool {
	for _, key := range []string{"container", "labels", "project", "in_network"} {
		if settings.Get(key) != nil {
			return true
		}
	}
	for _, key := range []string{"from", "to"} {
		if n := settings.Get(key); n != nil && strings.HasPrefix(n.Value, "container/") {
			return true
		}
	}
	return false
}

// ArgumentKinds lists the kinds of fault.
func ArgumentKinds() []string { return slices.Sorted(maps.Keys(catalog.Kinds())) }
