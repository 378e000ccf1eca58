package drills_test

import (
	"strings"
	"testing"

	"brunt/scenarios/drills"
	"brunt/scenarios/plan/plantest"

	"github.com/rogpeppe/go-internal/txtar"
)

// lacking is what the design of drills writes that the language does not have, with what it has instead. The list may
// only shrink.
var lacking = map[string]string{
	"drill/primary-failover": "a group of faults is an entry of `chaos`, roles and `ledger` say what is needed, and a " +
		"proof has one system",
	"part/consistency": "a ledger shows what is lost, doubled and diverging; what readers saw meanwhile is not " +
		"checked",
}

// TestDesign: each scenario of the design of drills is valid.
func TestDesign(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/design.txtar")
	if err != nil || len(archive.Files) != 12 {
		t.Fatalf("%d files, %v", len(archive.Files), err)
	}
	met := 0
	for _, f := range archive.Files {
		t.Run(f.Name, func(t *testing.T) {
			var err error
			switch text := string(f.Data); {
			case strings.HasPrefix(f.Name, "drill/"):
				_, err = drills.Parse(f.Name, f.Data, nil)
			case strings.HasPrefix(f.Name, "part/"):
				_, err = plantest.CompileText("version: 1\ntarget: {url: \"http://127.0.0.1:9/\"}\n" +
					"load: {a: {executor: constant-vus, vus: 1, duration: 1s, flow: [{get: /}]}}\n" + text)
			default:
				_, err = plantest.CompileText(text)
			}
			switch why := lacking[f.Name]; {
			case why == "" && err != nil:
				t.Error(plantest.Explained(err))
			case why != "" && err == nil:
				t.Errorf("it is valid now: take it off the list (%s)", why)
			case why != "":
				met++
			}
		})
	}
	if met != len(lacking) {
		t.Errorf("%d of the %d that lack something", met, len(lacking))
	}
}
