package result_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/template"
)

// TestMasked: every text of a result is masked, in a copy; what brunt names itself stays.
func TestMasked(t *testing.T) {
	var s template.Secrets
	s.Add("hunter2-a")
	s.Add("baseline")
	notes := []string{"a", "said hunter2-a"}
	r := &result.Result{
		Name: "n hunter2-a", Notes: notes, Faults: []result.FaultRecord{{Name: "f", Note: "x hunter2-a"}},
		Phases: []result.Phase{{Name: slo.ParsePhase("baseline")}},
		Events: []result.Event{{Event: "e", Text: "hunter2-a", Data: map[string]any{"k": []any{"hunter2-a", 1.0}}}},
	}
	m := result.Masked(r, s.Mask)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hunter2") || strings.Count(string(b), "***") != 3 ||
		m.Phases[0].Name != slo.ParsePhase("baseline") {
		t.Errorf("%s", b)
	}
	if e := m.Events[0]; e.Text != "***" || e.Data["k"].([]any)[0] != "***" {
		t.Errorf("%+v", e)
	}
	if notes[1] != "said hunter2-a" || r.Events[0].Text != "hunter2-a" {
		t.Error("the result itself was changed")
	}
	if same := result.Masked(m, s.Mask); same != m {
		t.Error("a result without secrets is copied")
	}
}

// TestMasked_Names: what readers compare stays, and is the same everywhere; a text that is a secret does not.
func TestMasked_Names(t *testing.T) {
	var s template.Secrets
	for _, v := range []string{"freeze", "ab1", "get", "k-1", "k-2"} {
		s.Add(v)
	}
	r := &result.Result{
		Run: "20261122-ab1", Reason: "freeze",
		Phases: []result.Phase{{Name: slo.ParsePhase("freeze")}, {Name: slo.ParsePhase("recovery/freeze")}},
		Cells: []result.Cell{
			{Phase: slo.ParsePhase("recovery/freeze"), Load: "k-1", Step: "get", Outcome: "ok"},
			{Step: "GET /ab1"},
		},
		Faults:      []result.FaultRecord{{Name: "freeze#2", Units: []string{"k-1[0]"}, Note: "get"}},
		Environment: result.Environment{Binary: "0ab1", Scenario: []result.FileSum{{Path: "x", SHA256: "ab1f"}}},
		Objectives:  []result.ObjectiveResult{{ID: "p95-k-1", Metric: "ab1"}},
		Events:      []result.Event{{Fault: "freeze", Data: map[string]any{"k-1": 1, "k-2": 2, "x": 3}}},
		Windows:     []result.Window{{Load: "k-1", Step: "GET /ab1", Kinds: map[string]int64{"get": 1}}},
	}
	m := result.Masked(r, s.Mask)
	if m.Run != r.Run || m.Phases[0] != r.Phases[0] || m.Phases[1] != r.Phases[1] ||
		m.Cells[0].Phase != slo.ParsePhase("recovery/freeze") || m.Cells[0].Step != "get" ||
		m.Cells[0].Load != "k-1" || m.Faults[0].Name != "freeze#2" || m.Faults[0].Units[0] != "k-1[0]" ||
		m.Environment.Binary != "0ab1" ||
		m.Environment.Scenario[0].SHA256 != "ab1f" || !reflect.DeepEqual(m.Objectives[0], r.Objectives[0]) ||
		m.Events[0].Fault != "freeze" ||
		m.Windows[0].Kinds["get"] != 1 {
		t.Errorf("a name or a digest is masked: %+v", m)
	}
	if m.Reason != "***" || m.Faults[0].Note != "***" || m.Cells[1].Step != "GET /***" ||
		m.Windows[0].Step != m.Cells[1].Step {
		t.Errorf("a text is not masked: %+v", m)
	}
	if d := m.Events[0].Data; d["***"] != 1 || d["*** 2"] != 2 || d["x"] != 3 {
		t.Errorf("of keys that become equal one is lost: %v", d)
	}
}

// TestMasked_Interval: what live views, Prometheus and OTLP get of a second is masked as the result is.
func TestMasked_Interval(t *testing.T) {
	var s template.Secrets
	s.Add("hunter2")
	s.Add("run")
	iv := result.Interval{
		Phase: "run", Faults: []string{"run"},
		Steps: []result.StepInterval{{
			Load: "run", Step: "GET /hunter2",
			Causes: map[string]int64{"said hunter2": 1, "timeout": 2},
		}},
		Objectives: []result.RunningVerdict{{Text: `p95 < 1s of "GET /hunter2"`, Phase: slo.ParsePhase("run")}},
	}
	m := result.Masked(iv, s.Mask)
	if m.Phase != "run" || m.Faults[0] != "run" || m.Steps[0].Load != "run" || m.Steps[0].Step != "GET /***" ||
		m.Steps[0].Causes["said ***"] != 1 ||
		m.Steps[0].Causes["timeout"] != 2 || m.Objectives[0].Text != `p95 < 1s of "GET /***"` ||
		m.Objectives[0].Phase != slo.ParsePhase("run") {
		t.Errorf("%+v", m)
	}
	n := result.Masked(result.Names{Scenario: "s hunter2", Steps: map[string][]string{"run": {"GET /hunter2", "run"}}},
		s.Mask)
	if n.Scenario != "s ***" || n.Steps["run"][0] != "GET /***" || n.Steps["run"][1] != "run" {
		t.Errorf("%+v", n)
	}
}
