package reporterstest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

//go:embed natures.json
var natures []byte

var natureOf = sync.OnceValue(func() (of map[string]scenarios.Nature) {
	if err := json.Unmarshal(natures, &of); err != nil {
		panic(fmt.Sprintf("natures.json: %v", err)) // a test of the catalog writes it
	}
	return of
})

// NatureOf returns the nature of a kind of fault, as the catalog of faults has it; zero for a group.
func NatureOf(kind string) scenarios.Nature { return natureOf()[kind] }

// Natured gives the faults and conditions of a result the natures of their kinds, as a run does.
func Natured(r *result.Result) *result.Result {
	for i := range r.Faults {
		f := &r.Faults[i]
		f.Nature = NatureOf(f.Kind)
		for j := range f.Steps {
			f.Steps[j].Nature = NatureOf(f.Steps[j].Kind)
		}
	}
	for i := range r.Conditions {
		r.Conditions[i].Nature = NatureOf(r.Conditions[i].Kind)
	}
	return r
}
