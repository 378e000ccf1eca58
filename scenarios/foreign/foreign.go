// Package foreign recognises files of other chaos tools that brunt does not convert. Such a file has few lines, and the
// topic your-fault of `brunt explain` has each of its faults as a line of a scenario.
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
	formats []string         // names by which people ask `brunt convert` for it
	has     []*regexp.Regexp // each matches in such a file, and not all of them in a scenario
}

var tools = sync.OnceValue(func() []tool {
	return []tool{
		{
			source: "a manifest of Litmus", formats: []string{"litmus", "litmuschaos"},
			has: []*regexp.Regexp{regexp.MustCompile(`(?m)^[\s{]*["']?apiVersion["']?:\s*["']?litmuschaos\.io/`)},
		},
		{
			source: "an experiment of Chaos Toolkit", formats: []string{"chaostoolkit", "chaos-toolkit"},
			has: []*regexp.Regexp{
				regexp.MustCompile(`(?:^|[\s{,])["']?method["']?\s*:\s*(?:\[|\n\s*-)`),
				regexp.MustCompile(`(?:^|[\s{,])["']?(?:provider|steady-state-hypothesis)["']?\s*:`),
			},
		},
		{
			source: "a script with commands of pumba", formats: []string{"pumba"},
			has: []*regexp.Regexp{regexp.MustCompile(
				`(?m)^[^#\n]*\bpumba(?::\S+)?["']?\s(?:.*\s)?(?:kill|stop|restart|pause|rm|exec|stress|netem|iptables)\b`)},
		},
	}
})

// OwnKeys returns keys of a scenario that no file of another tool has at its top. A scenario may hold text of such a
// file: a command of pumba, or an object of Litmus that it applies.
func OwnKeys() []string { return []string{"target", "load", "chaos", "slo", "extends"} }

// own matches a line with such a key, of a scenario that can't be read as YAML.
var own = regexp.MustCompile(`(?m)^\{?["']?(?:` + strings.Join(OwnKeys(), "|") + `)["']?\s*:`)

// answer names the page that has the faults of a tool.
const answer = "%s is not converted: `brunt explain your-fault` has each of its faults as a line of a scenario"

// Answer returns what to do with a file of another tool, in one sentence, or an empty text if it is none or a scenario.
func Answer(text []byte) string {
	if own.Match(text) {
		return ""
	}
	for _, t := range tools() {
		if !slices.ContainsFunc(t.has, func(r *regexp.Regexp) bool { return !r.Match(text) }) {
			return fmt.Sprintf(answer, t.source)
		}
	}
	return ""
}

// AnswerTo returns what to do with a file in a format that `brunt convert` does not know, or an empty text if no tool
// here has it.
func AnswerTo(format string) string {
	for _, t := range tools() {
		if slices.Contains(t.formats, format) {
			return fmt.Sprintf(answer, t.source)
		}
	}
	return ""
}
