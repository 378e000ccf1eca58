package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// stepNotes returns notes on settings of a scenario's steps that are valid and are rarely meant.
func stepNotes(sc *scenarios.Scenario) []string {
	notes := literalNotes("setup", sc.Setup)
	for i := range sc.Loads {
		l := &sc.Loads[i]
		name := fmt.Sprintf("load %q", l.Name)
		notes = append(notes, literalNotes(name, l.Init)...)
		for _, m := range l.Mix {
			notes = append(notes, literalNotes(name, m.Flow)...)
			notes = append(notes, earlyUses(name, sc, slices.Concat(sc.Setup, l.Init), m.Flow)...)
		}
	}
	var once []string
	for _, note := range append(notes, literalNotes("teardown", sc.Teardown)...) {
		if !slices.Contains(once, note) {
			once = append(once, note)
		}
	}
	return once
}

// braces matches a placeholder of Postman, Insomnia and others.
var braces = regexp.MustCompile(`\{\{\s*\$?([A-Za-z_][\w.-]*)\s*\}\}`)

// literalNotes returns notes on texts of steps that look like placeholders, or like JSON that is encoded again.
func literalNotes(where string, steps []scenarios.Step) (notes []string) {
	for _, s := range steps {
		if s.With == nil {
			continue
		}
		s.With.EachValue(func(_, value string) {
			if found := braces.FindStringSubmatch(value); found != nil {
				notes = append(notes, fmt.Sprintf("%s sends %s as it is written; a placeholder is ${%s} for a param, ${var.%[3]s} "+
					"for a value that a step extracts, or ${env.%[3]s}", where, syntax.Clip(found[0], 60), found[1]))
			}
		})
		n := s.With.Get("json")
		if n == nil || n.Kind != syntax.String {
			continue
		}
		if text := strings.TrimSpace(n.Shown()); strings.IndexAny(text, "{[") == 0 && json.Valid([]byte(text)) {
			notes = append(notes, fmt.Sprintf("%s: `json` is a text that is JSON, so that the body is that text in quotes; "+
				"without its quotes, or as `body` with a Content-Type, it is sent as it is", where))
		}
	}
	return notes
}

// earlyUses returns a note for each variable that a step of a flow uses and only a later step of the flow extracts. The
// first steps are those that precede every iteration.
func earlyUses(where string, sc *scenarios.Scenario, first, flow []scenarios.Step) (notes []string) {
	extracted := func(steps []scenarios.Step, name string) bool {
		return slices.ContainsFunc(steps, func(s scenarios.Step) bool {
			return s.With != nil && slices.ContainsFunc(extracts(s.With), func(f syntax.Field) bool { return f.Key == name })
		})
	}
	for i, s := range flow {
		if s.With == nil {
			continue
		}
		for _, u := range sc.Symbols.Uses() {
			name := u.Ref.Name
			if u.Ref.Kind == syntax.RefVar && s.With.Holds(u.Pos) &&
				extracted(flow[i+1:], name) && !extracted(first, name) && !extracted(flow[:i+1], name) {
				notes = append(notes, fmt.Sprintf("%s uses ${%s} before the step that extracts it: it has no value there",
					where, u.Ref.Text))
			}
		}
	}
	return notes
}
