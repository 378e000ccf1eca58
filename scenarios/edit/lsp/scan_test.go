package lsp

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
)

// TestScan compares the keys and values that scan finds in a text, by their paths.
func TestScan(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"block", "a:\n  b: 1\n  c:\n    d: x # note\ne: 2\n", "a=; a.b=1; a.c=; a.c.d=x; e=2"},
		{"flow", "a: {b: 1, c: {d: 'x, y', e: [1, 2]}}", "a=; a.b=1; a.c=; a.c.d=x, y; a.c.e=; a.c.e[]=1; a.c.e[]=2"},
		{"list of maps", "a:\n  - b: 1\n    c: 2\n  - b: 3\nd: 4", "a=; a.b=1; a.c=2; a.b=3; d=4"},
		{"list without an indent", "a:\n- b: 1\n- {c: 2}\nd: 4", "a=; a.b=1; a.c=2; d=4"},
		{"objectives", "slo:\n  - p95 < 2ms in x\n  - errors < 1%", "slo=; slo[]=p95 < 2ms in x; slo[]=errors < 1%"},
		{"text over lines", "a: |\n  b: 1\n  c\nd: >\n    e: f\ng: 2", "a=; d=; g=2"},
		{"flow over lines", "a: {b: 1,\n  c: 2}\nd: [\n  x,\n  y\n]\ne: 3", "a=; a.b=1; a.c=2; d=; d[]=x; d[]=y; e=3"},
		{"half a key", "a:\n  b: 1\n  c", "a=; a.b=1; a[]=c"},
		{"half a flow", "a: {b: 1, c", "a=; a.b=1; a[]=c"},
		{"colons in values", "a: http://h:80/\nb: {c: http://h:80/x}", "a=http://h:80/; b=; b.c=http://h:80/x"},
		{"placeholders", "a: {b: ${x}, c: \"${y, z}\"}", "a=; a.b=${x}; a.c=${y, z}"},
		{"comments", "# a: 1\nb: 1 # c: 2\n\n  # d\ne: 2", "b=1; e=2"},
		{"dashes in dashes", "a:\n  - - b: 1\n    - c\n", "a=; a.b=1; a[]=c"},
		{"a flow without its end", "a:\n  - {b: 1, \n  - {c: [2,\nd: 3", "a=; a.b=1; a.c=; a.c[]=2; d=3"},
		{"too many ends", "a: {b: 1}}}\nc: 2", "a=; a.b=1; c=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, one := range scan(c.text) {
				at := strings.Join(one.path, ".")
				if one.key == "" {
					at += "[]"
				} else {
					at = strings.TrimPrefix(at+"."+one.key, ".")
				}
				got = append(got, at+"="+one.value)
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
}

// FuzzScan checks that no text stops scan, and that each token is within its line.
// TestScan_Deep: of a text that nests deeper than a scenario may, the paths do not grow with its length.
func TestScan_Deep(t *testing.T) {
	for _, open := range []string{"a: {", "{a: [", "- ", "a: [b, "} {
		size := 0
		for _, one := range scan(strings.Repeat(open, 1<<16)) {
			size += len(one.path)
		}
		if size > 2*syntax.MaxDepth*syntax.MaxDepth {
			t.Errorf("%q: the paths have %d keys", open, size)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"a: {b: [1, {c: 2}]}", "- a\n- b: c", "a: |\n x", "\"a\": 'b'", "a:\n- b:\n  - c: 1", "{",
		"}", "[[[", ": :", "a: {b: c: d}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, one := range scan(text) {
			n := len([]rune(strings.TrimSuffix(strings.Split(text, "\n")[one.line], "\r")))
			for _, s := range []span{one.keyAt, one.at} {
				if s.from < 0 || s.to < s.from || s.to > max(n, s.from) {
					t.Fatalf("%q: token %+v is beyond its line", text, one)
				}
			}
		}
		d := &document{text: text}
		for line := range strings.Count(text, "\n") + 1 {
			d.at(line, d.column(position{line, 3}))
		}
		d.edit(&textRange{position{0, 1}, position{1, 2}}, "x")
	})
}

// TestDocument_Edit replaces parts of a text as an editor says it, in units of UTF-16.
func TestDocument_Edit(t *testing.T) {
	d := &document{text: "a: \"x😀y\"\nb: 1\n"}
	d.edit(&textRange{position{0, 7}, position{0, 8}}, "é") // the y: the emoji takes two units
	d.edit(&textRange{position{1, 3}, position{1, 4}}, "2\nc: 3")
	if want := "a: \"x😀é\"\nb: 2\nc: 3\n"; d.text != want {
		t.Errorf("got %q, want %q", d.text, want)
	}
	d.edit(nil, "whole")
	if d.text != "whole" {
		t.Errorf("got %q", d.text)
	}
	if got, want := fmt.Sprint((&document{text: "x😀y"}).at(0, 2)), "{0 3}"; got != want {
		t.Errorf("the y is at %s, want %s", got, want)
	}
}

// TestIsScenario tells scenarios from other YAML files.
func TestIsScenario(t *testing.T) {
	for text, want := range map[string]bool{
		"version: 1\ntarget: {url: x}\n":                                     true,
		"# yaml-language-server: $schema=../brunt.schema.json\n":             true,
		"# yaml-language-server: $schema=brunt.policy.schema.json\nguard: 1": false,
		"extends: a.yaml\nslo: []\n":                                         true,
		"version: 3\nservices:\n  target: x\n":                               false,
		"apiVersion: v1\nkind: Pod\n":                                        false,
	} {
		if got := isScenario(text, map[string]bool{
			"version": true, "target": true, "extends": true, "slo": true,
		}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
