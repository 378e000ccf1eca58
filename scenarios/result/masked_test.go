package result_test

import (
	"encoding/json"
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/template"
)

// TestMasked: every text of a result is masked, in a copy; what brunt names itself stays.
func TestMasked(t *testing.T) {
	var s template.Secrets
	s.Add("hunter2-a")
	s.Add("baseline")
	units := []string{"unit hunter2-a"}
	r := &result.Result{
		Name: "n hunter2-a", Notes: []string{"a", "said hunter2-a"}, Faults: []result.FaultRecord{{Name: "f", Units: units, Note: "x hunter2-a"}},
		Phases: []result.Phase{{Name: "baseline"}},
		Events: []result.Event{{Event: "e", Text: "hunter2-a", Data: map[string]any{"k": []any{"hunter2-a", 1.0}}}},
	}
	m := result.Masked(r, s.Mask)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hunter2") || strings.Count(string(b), "***") != 4 || m.Phases[0].Name != "baseline" {
		t.Errorf("%s", b)
	}
	if e := m.Events[0]; e.Text != "***" || e.Data["k"].([]any)[0] != "***" {
		t.Errorf("%+v", e)
	}
	if units[0] != "unit hunter2-a" || r.Notes[1] != "said hunter2-a" || r.Events[0].Text != "hunter2-a" {
		t.Error("the result itself was changed")
	}
	if same := result.Masked(m, s.Mask); same != m {
		t.Error("a result without secrets is copied")
	}
}
