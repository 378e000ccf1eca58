package catalog_test

import (
	"maps"
	"slices"
	"testing"

	"brunt/chaos/catalog"
)

// foundOtherwise are the undo operations without a search of their own, with what finds what they revert.
var foundOtherwise = map[string]string{
	"process.end":        "the mark in the environment of the process",
	"process.sweep":      "the mark in the environment of each process",
	"stress.end":         "the mark in the environment of each process; the kernel ends them with brunt",
	"container.continue": "the search of process.continue, which finds each process that is stopped",
	"docker.sweep":       "the label of each object",
	"docker.unhelp":      "the label of each object",
	"docker.outside":     "the label of each object",
	"brunt.end":          "the process of brunt holds its journal open",
	"proxy.clear":        "proxies end with their process, which has a mark",
	"docker.hand":        "it makes an agent execute other operations",
	"kube.delete":        "the label of the object; of which kind it is, the journal alone knows",
	"kube.agents":        "an agent ends its faults after 10 s without its run, and its pod with them",
	"kube.agent":         "an agent ends its faults after 10 s without its run, and its pod with them",
	"kube.byagent":       "what an agent changed in a pod and cannot hold itself, the journal alone knows",
	"exec":               "no search knows what a command has done",
	"exec.end":           "the kernel ends the command with brunt; what it has started is not known",
	"webhook":            "no search knows what a call has done",
	"call":               "no search knows what steps have done",
}

// TestOperations_Found checks that what each undo operation reverts can be found without a journal, or that it is known
// why not.
func TestOperations_Found(t *testing.T) {
	ops := catalog.AllOperations()
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		if why := foundOtherwise[name]; (ops[name].Find == nil) != (why != "") {
			t.Errorf("%s: a search %v, and otherwise by %q: give it a Find, or say in foundOtherwise what finds it", name,
				ops[name].Find != nil, why)
		}
	}
	for name := range foundOtherwise {
		if _, ok := ops[name]; !ok {
			t.Errorf("there is no operation %s", name)
		}
	}
}
