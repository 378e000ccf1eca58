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
		{"Litmus in JSON", `{"kind": "ChaosEngine", "apiVersion": "litmuschaos.io/v1"}`, "a manifest of Litmus is not"},
		{"Litmus in lines of JSON", "{\n  \"apiVersion\": \"litmuschaos.io/v1\"\n}\n", "a manifest of Litmus is not"},
		{"Chaos Toolkit", `{"title": "a","method":[{"type":"action","provider":{"type":"http"}}]}`, "an experiment of Chaos Toolkit"},
		{"Chaos Toolkit in YAML", "title: a\nmethod:\n- type: action\n  provider: {type: process}\n", "an experiment of Chaos Toolkit"},
		{"no action yet", `{"steady-state-hypothesis": {}, "method": []}`, "an experiment of Chaos Toolkit"},
		{"pumba", "#!/bin/sh\nset -e\npumba netem -d 5s delay web\n", "a script with commands of pumba"},
		{"pumba in Docker", "docker run -v a:a gaiaadm/pumba:1 --random kill web", "a script with commands of pumba"},
		{"pumba in a comment", "# pumba kill web\necho\n", ""},
		{"another program", "pumbaa kill web\napt-get install pumba\n", ""},
		{"Chaos Mesh", "kind: PodChaos\napiVersion: chaos-mesh.org/v1alpha1\n", "this is a manifest of Chaos Mesh: `brunt convert chaos-mesh"},
		{"HAR", `{"log": {"version": "1.2", "entries": []}}`, "this is a browser's recording (HAR): `brunt convert har FILE"},
		{"a log of another program", `{"log": {"level": "info"}}`, ""},
		{"JMeter", "<?xml version=\"1.0\"?>\n<jmeterTestPlan version=\"1.2\">", "this is a JMeter plan: `brunt convert jmeter"},
		{"k6", "import http from 'k6/http';\nexport default function () {}\n", "this is a script of k6: `brunt convert k6"},
		{"another script", "import http from 'node:http';\n", ""},
		{
			"Postman", `{"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}`,
			"this is a collection of Postman: `brunt convert postman",
		},
		{"OpenAPI", "openapi: 3.0.1\npaths: {}\n", "this is an OpenAPI 3 document: `brunt convert openapi"},
		{"OpenAPI in JSON", `{"info": {}, "openapi": "3.1.0"}`, "this is an OpenAPI 3 document: `brunt convert openapi"},
		{"Swagger", `{"swagger": "2.0"}`, "a Swagger 2 document is not converted: swagger2openapi makes"},
		{"Locust", "import time\nfrom locust import HttpUser\n", "a Locust file is not converted: `brunt record URL`"},
		{
			"Artillery", "config:\n  target: http://a\nscenarios:\n  - flow:\n    - get: {url: /}\n",
			"a script of Artillery is not converted: its phases",
		},
		{"Gatling", "package a;\nimport static io.gatling.javaapi.core.CoreDsl.*;\n", "a Gatling simulation is not converted"},
		{"Insomnia", `{"_type": "export", "__export_format": 4}`, "an export of Insomnia is not converted: Insomnia exports"},
		{"Insomnia 5", "type: collection.insomnia.rest/5.0\nname: a\n", "an export of Insomnia is not converted"},
		{"HTTP requests", "### all\nGET https://a.example/x HTTP/1.1\n", "a file of HTTP requests (.http) is not converted"},
		{"HTTP requests of a variable", "@h = a\nPOST {{h}}/x\n", "a file of HTTP requests (.http) is not converted"},
		{"a request", `{"method": "GET", "url": "http://127.0.0.1:1/"}`, ""},
		{"a scenario that applies one", "target: {}\nchaos:\n  a:\n    kube.apply:\n      apiVersion: litmuschaos.io/v1\n", ""},
		{"a scenario with a command", "load: {\nchaos: {a: {exec: {inject: pumba kill web}}}\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := foreign.Answer([]byte(c.text), "")
			if (have == "") != (c.want == "") || !strings.HasPrefix(have, c.want) ||
				strings.Contains(have, "is not") && !strings.Contains(have, "`brunt ") {
				t.Errorf("%q, want %q", have, c.want)
			}
		})
	}
}

// TestAnswer_OwnFormat: a converter's own words stay for a file in its format, and another format is named.
func TestAnswer_OwnFormat(t *testing.T) {
	har := []byte(`{"log": {"entries": 1}}`)
	if a := foreign.Answer(har, "har"); a != "" {
		t.Error(a)
	}
	if a := foreign.Answer(har, "jmeter"); !strings.Contains(a, "`brunt convert har FILE") {
		t.Error(a)
	}
}

func TestAnswerTo(t *testing.T) {
	for _, format := range []string{"litmus", "chaostoolkit", "chaos-toolkit", "pumba", "locust", "artillery", "gatling", "insomnia", "swagger"} {
		if foreign.AnswerTo(format) == "" {
			t.Errorf("no answer to %s", format)
		}
	}
	if a := foreign.AnswerTo("har"); a != "" {
		t.Error(a)
	}
}
