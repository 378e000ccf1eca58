// Package foreign recognises files of other tools that are given to brunt in place of a scenario, and says in one
// sentence what to do with them. To add a tool, add a row to tools.
package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A tool is one whose files are recognised.
type tool struct {
	source  string           // what its file is
	convert string           // the format of `brunt convert` that reads it; empty: none does
	formats []string         // other names by which people ask `brunt convert` for it
	has     []*regexp.Regexp // each matches in such a file, and not all of them in a scenario
	instead string           // what to do if no converter reads it
}

// yourFault names the page that has the faults of a tool.
const yourFault = "`brunt explain your-fault` has each of its faults as a line of a scenario"

var tools = sync.OnceValue(func() []tool {
	in := func(patterns ...string) (out []*regexp.Regexp) {
		for _, p := range patterns {
			out = append(out, regexp.MustCompile(p))
		}
		return out
	}
	const key = `(?:^|[\s{,])["']?`
	return []tool{
		{
			source: "a manifest of Litmus", formats: []string{"litmus", "litmuschaos"}, instead: yourFault,
			has: in(key + `apiVersion["']?\s*:\s*["']?litmuschaos\.io/`),
		},
		{
			source: "an experiment of Chaos Toolkit", formats: []string{"chaostoolkit", "chaos-toolkit"}, instead: yourFault,
			has: in(key+`method["']?\s*:\s*(?:\[|\n\s*-)`, key+`(?:provider|steady-state-hypothesis)["']?\s*:`),
		},
		{
			source: "a script with commands of pumba", formats: []string{"pumba"}, instead: yourFault,
			has: in(`(?m)^[^#\n]*\bpumba(?::\S+)?["']?\s(?:.*\s)?` +
				`(?:kill|stop|restart|pause|rm|exec|stress|netem|iptables)\b`),
		},
		{
			source: "a manifest of Chaos Mesh", convert: "chaos-mesh",
			has: in(key + `apiVersion["']?\s*:\s*["']?chaos-mesh\.org/`),
		},
		{source: "a browser's recording (HAR)", convert: "har", has: in(`^\s*\{\s*"log"\s*:\s*\{`, `"entries"\s*:`)},
		{source: "a JMeter plan", convert: "jmeter", has: in(`<jmeterTestPlan\b`)},
		{source: "a script of k6", convert: "k6", has: in(`(?m)^\s*import\s.*from\s+["']k6(?:/\S*)?["']`)},
		{source: "a collection of Postman", convert: "postman", has: in(`schema\.(?:get)?postman\.com/json/collection/`)},
		{source: "an OpenAPI 3 document", convert: "openapi", has: in(`(?m)` + key + `openapi["']?\s*:\s*["']?3\.`)},
		{
			source: "a Swagger 2 document", formats: []string{"swagger"}, has: in(`(?m)` + key + `swagger["']?\s*:\s*["']?2\.`),
			instead: "swagger2openapi makes OpenAPI 3 of it, which `brunt convert openapi FILE` reads",
		},
		{
			source: "a Locust file", formats: []string{"locust"}, has: in(`(?m)^\s*(?:from\s+locust\b|import\s+locust\b)`),
			instead: "`brunt record URL` records what it sends through a proxy, as a scenario",
		},
		{
			source: "a script of Artillery", formats: []string{"artillery"},
			has:     in(`(?m)^["']?config["']?\s*:`, `(?m)^["']?scenarios["']?\s*:`, `\bflow["']?\s*:`),
			instead: "its phases are an executor, and its flow is a flow: `brunt explain load` has both",
		},
		{
			source: "a Gatling simulation", formats: []string{"gatling"},
			has:     in(`(?m)^\s*import\s+(?:static\s+)?io\.gatling\.`),
			instead: "`brunt record URL` records what it sends through a proxy, as a scenario",
		},
		{
			source: "an export of Insomnia", formats: []string{"insomnia"},
			has:     in(`"__export_format"\s*:|(?m)^type:\s*["']?collection\.insomnia\.rest/`),
			instead: "Insomnia exports a HAR file as well, which `brunt convert har FILE` reads",
		},
		{
			source: "a file of HTTP requests (.http)", formats: []string{"http", "rest"},
			has:     in(`(?m)^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+(?:https?://|\{\{)\S+(?:\s+HTTP/\S+)?\s*$`),
			instead: "each request is a step of a flow (`brunt explain step`); `brunt convert curl` reads curl commands",
		},
	}
})

// OwnKeys returns keys of a scenario that no file of another tool has at its top. A scenario may hold text of such a
// file: a command of pumba, or an object of Litmus that it applies.
func OwnKeys() []string { return []string{"target", "load", "chaos", "slo", "extends"} }

// own matches a line with such a key, of a scenario that can't be read as YAML.
var own = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\{?["']?(?:` + strings.Join(OwnKeys(), "|") + `)["']?\s*:`)
})

// says returns what to do with a file of the tool.
func (t *tool) says() string {
	if t.convert != "" {
		return fmt.Sprintf("this is %s: `brunt convert %s FILE -o scenario.yaml` makes a scenario of it", t.source,
			t.convert)
	}
	return fmt.Sprintf("%s is not converted: %s", t.source, t.instead)
}

// Answer returns what to do with a file of another tool, in one sentence, or an empty text if it is none or a scenario.
// A file in format, that of `brunt convert` that failed to read it, has no answer either.
func Answer(text []byte, format string) string {
	if own().Match(text) {
		return ""
	}
	for _, t := range tools() {
		if !slices.ContainsFunc(t.has, func(r *regexp.Regexp) bool { return !r.Match(text) }) {
			if format != "" && t.convert == format {
				return ""
			}
			return t.says()
		}
	}
	return ""
}

// AnswerTo returns what to do with a file in a format that `brunt convert` does not know, or an empty text if no tool
// here has it.
func AnswerTo(format string) string {
	for _, t := range tools() {
		if slices.Contains(t.formats, format) {
			return t.says()
		}
	}
	return ""
}
