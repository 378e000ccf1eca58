package policies_test

import (
	"io/fs"
	"strings"
	"testing"

	"brunt/scenarios/policies"
)

var policyKinds = []string{"process.crash", "process.freeze", "network.stall", "exec"}

func parsePolicy(text string) (*policies.Policy, error) {
	return policies.Parse("p.yaml", policyKinds, func(path string) ([]byte, error) {
		if path == "p.yaml" {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
}

func TestPolicy_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no version", "max_units: 1", `p.yaml:1:1: "version" is missing`},
		{"another version", "version: 2", "p.yaml:1:10: this brunt reads version 1"},
		{"a misspelt key", "version: 1\nmax_unit: 1", `p.yaml:2:1: unknown key "max_unit"; did you mean "max_units"?`},
		{"a key of scenarios", "version: 1\nguard: {max_units: 1}", `p.yaml:2:1: unknown key "guard"`},
		{"none", "version: 1\nmax_units: 0", "`max_units` must be at least 1"},
		{
			"an unknown kind", "version: 1\nfaults: [process.crush]",
			`p.yaml:2:10: "process.crush" stands for no kind of fault; did you mean "process.crash"?`,
		},
		{"a pattern of nothing", "version: 1\nforbid: [proc.*]", `p.yaml:2:10: "proc.*" stands for no kind`},
		{"half a pattern", "version: 1\nforbid: [process.c*]", `"process.c*" stands for no kind`},
		{"an unknown target", "version: 1\ntargets: [urls]", `p.yaml:2:11: there is no target "urls"; did you mean "url"?`},
		{
			"an unknown requirement", "version: 1\nrequire: [stedy]",
			`p.yaml:2:11: a policy can't require "stedy"; did you mean "steady"?`,
		},
		{
			"a cadence that is no time", "version: 1\ncadence: {shop: monthly}",
			`p.yaml:2:17: "monthly" is no cadence; want days or a duration, such as 90d or 12h`,
		},
		{"a cadence without a unit", "version: 1\ncadence: {shop: 90}", `"90" is no cadence; want days`},
		{"a cadence of nothing", "version: 1\ncadence: {shop: 0d}", "a cadence is more than zero"},
		{"a cadence of ages", "version: 1\ncadence: {shop: 4000d}", "at most 3660 days, not 4000d"},
		{"a cadence of no name", "version: 1\ncadence: {\"\": 90d}", "a cadence names a scenario or a drill; such as cadence"},
		{"a cadence without names", "version: 1\ncadence: 90d", "p.yaml:2:10: want a map"},
		{"a placeholder", "version: 1\nmax_units: \"${env.N}\"", `p.yaml:2:12: "${env.N}": a policy takes no placeholders`},
		{"no map", "[1]", "a policy is a map of keys, not a list"},
		{"no YAML", "a: [", "p.yaml:1:4: the [ that opens here is never closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, err := parsePolicy(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v; want %s", p, err, c.want)
			}
		})
	}
}

func TestPolicy_Kinds(t *testing.T) {
	for _, c := range []struct {
		text string
		free string // allowed ones of policyKinds
		at   string // rule that forbids the others
	}{
		{"faults: []", "", "2:1"},
		{"name: x", "process.crash process.freeze network.stall exec", ""},
		{"faults: ['*']", "process.crash process.freeze network.stall exec", ""},
		{"faults: process.*", "process.crash process.freeze", "2:1"},
		{"faults: [exec, network.*]", "network.stall exec", "2:1"},
		{"forbid: [process.crash, exec]", "process.freeze network.stall", ""},
		{"forbid: ['*']", "", "2:10"},
		{"{faults: [process.*], forbid: [process.crash]}", "process.freeze", ""},
	} {
		text := "version: 1\n" + c.text
		if strings.HasPrefix(c.text, "{") {
			text = "{version: 1, " + c.text[1:]
		}
		p, err := parsePolicy(text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var free []string
		for _, kind := range policyKinds {
			at, yes := p.Forbids(kind)
			if !yes {
				free = append(free, kind)
			} else if c.at != "" && at.String() != "p.yaml:"+c.at {
				t.Errorf("%s: %s is forbidden at %s, want %s", c.text, kind, at, c.at)
			}
		}
		if got := strings.Join(free, " "); got != c.free {
			t.Errorf("%s lets %q pass, want %q", c.text, got, c.free)
		}
	}
}

// FuzzPolicy checks that a policy is either parsed completely, or refused with a place.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{
		"version: 1", "version: 1\nfaults: [process.*]\nmax_each: 1s", "version: 1\nallow: {load: [10.0.0.0/8]}",
		"version: 1\nprotect: {pids: [x]}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text)
		if (p == nil) == (err == nil) && err != nil && !strings.Contains(err.Error(), "p.yaml") {
			t.Errorf("%v has no place", err)
		}
		if err == nil && (p.Digest == "" || len(p.Summary()) == 0) {
			t.Errorf("%+v", p)
		}
	})
}
