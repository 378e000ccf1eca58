package plan_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestStepNotes: settings of steps that are valid and are rarely meant are noted once.
func TestStepNotes(t *testing.T) {
	for _, c := range []struct{ name, setup, flow, want string }{
		{
			"a variable before its step", "", "{get: '/${var.id}?${var.id}'}, {get: /, extract: {id: $.id}}",
			`load "a" uses ${var.id} before the step that extracts it`,
		},
		{"a variable of setup", "{get: /, extract: {id: $.id}}", "{get: '/${var.id}'}, {get: /, extract: {id: $.id}}", ""},
		{"a variable after its step", "", "{get: /, extract: {id: $.id}}, {get: '/${var.id}'}", ""},
		{
			"braces", "", "{get: /, headers: {Authorization: 'Bearer {{token}}'}}",
			`load "a" sends {{token}} as it is written; a placeholder is ${token} for a param, ${var.token} for`,
		},
		{"JSON in a text", "{post: /, json: '{\"a\": 1}'}", "{get: /}", "setup: `json` is a text that is JSON"},
		{"a text in JSON", "{post: /, json: 'a {b}'}", "{post: /, json: {a: 1}}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plantest.CompileText("version: 1\ntarget: {url: 'http://127.0.0.1:1'}\nsetup: [" + c.setup + "]\n" +
				"load: {a: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [" + c.flow + "]}}\n" +
				"slo: [errors < 1%]\n")
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			got := slices.DeleteFunc(p.Notes, func(note string) bool {
				return !strings.Contains(note, "${") && !strings.Contains(note, "`json`")
			})
			if len(got) > 1 || (len(got) == 0) != (c.want == "") || !strings.Contains(strings.Join(got, ""), c.want) {
				t.Errorf("notes %q, want %q", got, c.want)
			}
		})
	}
}
