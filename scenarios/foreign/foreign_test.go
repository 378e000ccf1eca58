package foreign_test

import (
	"strings"
	"testing"

	"brunt/scenarios/foreign"
)

func TestAnswer(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"Litmus", "apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\n", "a manifest of Litmus is not"},
		{"the second document of Litmus", "kind: A\n---\napiVersion: 'litmuschaos.io/v1'\n", "a manifest of Litmus is not"},
		{"Litmus in JSON", `{"kind": "ChaosEngine", "apiVersion": "litmuschaos.io/v1"}`, ""},
		{"Litmus in lines of JSON", "{\n  \"apiVersion\": \"litmuschaos.io/v1\"\n}\n", "a manifest of Litmus is not"},
		{"Chaos Toolkit", `{"title": "a","method":[{"type":"action","provider":{"type":"http"}}]}`, "an experiment of Chaos Toolkit"},
		{"Chaos Toolkit in YAML", "title: a\nmethod:\n- type: action\n  provider: {type: process}\n", "an experiment of Chaos Toolkit"},
		{"no action yet", `{"steady-state-hypothesis": {}, "method": []}`, "an experiment of Chaos Toolkit"},
		{"pumba", "#!/bin/sh\nset -e\npumba netem -d 5s delay web\n", "a script with commands of pumba"},
		{"pumba in Docker", "docker run -v a:a gaiaadm/pumba:1 --random kill web", "a script with commands of pumba"},
		{"pumba in a comment", "# pumba kill web\necho\n", ""},
		{"another program", "pumbaa kill web\napt-get install pumba\n", ""},
		{"Chaos Mesh", "apiVersion: chaos-mesh.org/v1alpha1\nkind: PodChaos\n", ""},
		{"a request", `{"method": "GET", "url": "http://127.0.0.1:1/"}`, ""},
		{"a scenario that applies one", "target: {}\nchaos:\n  a:\n    kube.apply:\n      apiVersion: litmuschaos.io/v1\n", ""},
		{"a scenario with a command", "load: {\nchaos: {a: {exec: {inject: pumba kill web}}}\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := foreign.Answer([]byte(c.text))
			if (have == "") != (c.want == "") || !strings.HasPrefix(have, c.want) ||
				have != "" && !strings.Contains(have, "`brunt explain your-fault`") {
				t.Errorf("%q, want %q", have, c.want)
			}
		})
	}
}

func TestAnswerTo(t *testing.T) {
	for _, format := range []string{"litmus", "chaostoolkit", "chaos-toolkit", "pumba"} {
		if foreign.AnswerTo(format) == "" {
			t.Errorf("no answer to %s", format)
		}
	}
	if a := foreign.AnswerTo("har"); a != "" {
		t.Error(a)
	}
}
