package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// sketch writes a tree in one line: kinds by their punctuation, numbers bare.
func sketch(n *Node) string {
	switch n.Kind {
	case Null:
		return "~"
	case List:
		var items []string
		for _, item := range n.Items {
			items = append(items, sketch(item))
		}
		return "[" + strings.Join(items, " ") + "]"
	case Map:
		var fields []string
		for _, f := range n.Fields {
			fields = append(fields, fmt.Sprintf("%q:%s", f.Key, sketch(f.Value)))
		}
		return "{" + strings.Join(fields, " ") + "}"
	case String:
		return fmt.Sprintf("%q", n.Value)
	}
	return n.Value
}

func TestReadYAML(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{
			"block", "a:\n  b: 1\n  c: [x, 2]\nd:\n- y\n- e: z\n  f: {}",
			`{"a":{"b":1 "c":["x" 2]} "d":["y" {"e":"z" "f":{}}]}`,
		},
		{
			"nothing", "a:\nb: ~\nc: null\nd: ''\ne: {f: , g}\nh:\n-\n- x",
			`{"a":~ "b":~ "c":~ "d":"" "e":{"f":~ "g":~} "h":[~ "x"]}`,
		},
		{"switches", "[true, False, on, off, yes, No, y]", `[true False "on" "off" "yes" "No" "y"]`},
		{
			"numbers", "[1, -1, +1, 1_000, 0x1F, 0o17, 0b11, 1.5, .5, 1., 1e3, 1.5E-3, -.5e+2, .inf, .nan]",
			`[1 -1 +1 1_000 0x1F 0o17 0b11 1.5 .5 1. 1e3 1.5E-3 -.5e+2 .inf .nan]`,
		},
		{
			"no numbers", `["1", '2', 1.2.3, 1:30, 0x, 1e, e1, -, 1-2, 2024-01-01, 1 000, 10.0.0.1, 5s, 1%]`,
			`["1" "2" "1.2.3" "1:30" "0x" "1e" "e1" "-" "1-2" "2024-01-01" "1 000" "10.0.0.1" "5s" "1%"]`,
		},
		{
			"quotes", `["a\"b\\c\n\x41\u00e9\U0001F600", 'it''s', "a: b # c", 'd\n']`,
			`["a\"b\\c\nAé😀" "it's" "a: b # c" "d\\n"]`,
		},
		{
			"lines", "a: |\n  x\n   y\n\nb: >\n  x\n  y\nc: |-\n  x\nd: x\n  y\ne: \"x\n  y\"",
			`{"a":"x\n y\n" "b":"x y\n" "c":"x" "d":"x y" "e":"x y"}`,
		},
		{"comments", "# x\na: b#c # d\n# e\n", `{"a":"b#c"}`},
		{"colons", "[{a: http://h:80/p, b: x:y}, h:80]", `[{"a":"http://h:80/p" "b":"x:y"} "h:80"]`},
		{
			"host and port in a list in braces", "{a: [db:5432, 10.0.0.1:80, x, a:b:c, {d: e}, f: g]}",
			`{"a":["db:5432" "10.0.0.1:80" "x" "a:b:c" {"d":"e"} {"f":"g"}]}`,
		},
		{"anchors", "a: &x {b: [1, &y z]}\nc: *x\nd: *y", `{"a":{"b":[1 "z"]} "c":{"b":[1 "z"]} "d":"z"}`},
		{
			"anchors of blocks", "a: &x\n  b: 1\nc:\n  - *x\n  - &z\n    d: 2\ne: *z",
			`{"a":{"b":1} "c":[{"b":1} {"d":2}] "e":{"d":2}}`,
		},
		{"anchored again", "[&x 1, *x, &x 2, *x]", `[1 1 2 2]`},
		{
			"merge", "a: &a {b: 1, c: 2}\nd: &d {c: 3, e: 4}\nf:\n  <<: [*a, *d]\n  b: 0\ng: {<<: *d}",
			`{"a":{"b":1 "c":2} "d":{"c":3 "e":4} "f":{"b":0 "c":2 "e":4} "g":{"c":3 "e":4}}`,
		},
		{"tag", "[!!str 42, !!str true, !!str '5', !!str ~]", `["42" "true" "5" "~"]`},
		{"keys", "1: a\ntrue: b\n\"c d\": e\n'f': g\n~: h\né: i", `{"1":"a" "true":"b" "c d":"e" "f":"g" "~":"h" "é":"i"}`},
		{"json", `{"a": [1, "b", null, true], "c": {"d": -1.5e3}}`, `{"a":[1 "b" ~ true] "c":{"d":-1.5e3}}`},
		{"line ends of Windows", "a: b\r\nc:\r\n  - d\r\n", `{"a":"b" "c":["d"]}`},
		{"byte order mark", "\ufeffa: b", `{"a":"b"}`},
		{"document marks", "%YAML 1.2\n---\na: b\n...\n", `{"a":"b"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sketch(parseNode(t, tt.text)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestPlaces checks the position of every key and value.
func TestPlaces(t *testing.T) {
	n := parseNode(t, "a: 1 # comment\r\nbb:\r\n  - x\r\n  - cc: 'y'\r\nd: {é: \"z\", e: [5, {f: }]}\r\ng: |\r\n  "+
		"t\r\nh: !!str 1\r\ni: &j k\r\nl: *j\r\n")
	var got []string
	var walk func(*Node)
	walk = func(n *Node) {
		got = append(got, fmt.Sprintf("%d:%d", n.Pos.Line, n.Pos.Col))
		for _, f := range n.Fields {
			got = append(got, fmt.Sprintf("%s=%d:%d", f.Key, f.Pos.Line, f.Pos.Col))
			walk(f.Value)
		}
		for _, item := range n.Items {
			walk(item)
		}
	}
	walk(n)
	want := "1:1 a=1:1 1:4 bb=2:1 3:3 3:5 4:5 cc=4:5 4:9 d=5:1 5:4 é=5:5 5:8 e=5:13 5:16 5:17 5:20 f=5:21 5:23 g=6:1 " +
		"6:4 h=8:1 8:4 i=9:1 9:7 l=10:1 10:4"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestHostileYAML reads malicious files of the maximum size. Input for which the parser would
// take minutes or all memory is refused before parsing.
func TestHostileYAML(t *testing.T) {
	size := MaxFile
	if testing.Short() {
		size /= 4
	}
	fill := func(head, s, tail string) string {
		return head + strings.Repeat(s, (size-len(head)-len(tail))/len(s)) + tail
	}
	var laughs strings.Builder
	laughs.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		laughs.WriteString(fmt.Sprintf("b%d: &b%d [%s]\n", i, i,
			strings.Repeat("*"+map[bool]string{true: "a", false: fmt.Sprintf("b%d", i-1)}[i == 0]+", ", 10)))
	}
	var deep, long, keys strings.Builder
	for i := range 300 {
		fmt.Fprintf(&deep, "%sa:\n", strings.Repeat(" ", i))
	}
	for i := range 150 {
		fmt.Fprintf(&long, "%s%s:\n", strings.Repeat(" ", i), strings.Repeat("k", 3000))
	}
	for i := range 5000 {
		fmt.Fprintf(&keys, "k%d:\n", i)
	}
	tests := []struct{ name, text, want string }{
		{"a long text", fill("a: ", "x", ""), ""},
		{"a long quoted text", fill("a: \"", "x\\n", "\""), ""},
		{"a long block", fill("a: |\n", "  x\n", ""), ""},
		{"comments", fill("a: b\n", "# x\n", ""), ""},
		{"too large", strings.Repeat("#", MaxFile+1), "a scenario has at most 524288"},
		{"brackets", fill("", "[", ""), "nested deeper than 64 levels"},
		{"braces", fill("", "{a: ", ""), "nested deeper than 64 levels"},
		{"brackets in a text", "a: '" + strings.Repeat("[{", 1000) + "' # " + strings.Repeat("[", 1000), ""},
		{"closing brackets", fill("", "]", ""), "more than 50000"},
		{"dashes", fill("", "- ", ""), "more than 50000|nested deeper than 64 levels"},
		{"fewer dashes", strings.Repeat("- ", 20_000), "nested deeper than 64 levels"},
		{"dashes and keys", strings.Repeat("- a: ", 10_000), "nested deeper than 64 levels"},
		{"question marks", strings.Repeat("? ", 20_000), "nested deeper than 64 levels"},
		{"anchors", strings.Repeat("&a ", 10_000), "another document|can't|deeper|key: value|YAML"},
		{"tags", strings.Repeat("!!seq - ", 10_000), "nested deeper than 64 levels"},
		{"keys in a line", strings.Repeat("a: ", 10_000), "nested deeper than 64 levels"},
		{"deep blocks", deep.String(), "nested deeper than 64 levels"},
		{"long keys", long.String(), "too much memory"},
		{"keys", keys.String(), "more than 2000 keys in one map"},
		{"values", fill("", "- 1\n", ""), "more than 50000"},
		{"documents", fill("", "---\na\n", ""), "more than one YAML document|more than 50000"},
		{
			"empty lines in a block", "a: |\n  x\n" + strings.Repeat("\n", 10_000) + "b: c",
			"more than 100 empty lines in a row",
		},
		{"tabs in quotes", fill("a: \"", "\t.", "\""), "takes too long to read"},
		{"merge signs", fill("a: x ", "<", ""), "takes too long to read"},
		{"at signs", fill("", "@", ""), "a text can't begin with this character"},
		{"a billion laughs", laughs.String(), "more than 200000 values once aliases are expanded"},
		{"aliases in a circle", "a: &a [*b]\nb: &b [*a, *b]", "has no anchor &b before it"},
		{"UTF-16", "a\x00:\x00", "the file is UTF-16"},
		{"UTF-16 with its mark", "\xff\xfea\x00", "the file is UTF-16"},
		{"no text", "a: \xff", "not UTF-8"},
		{"control character", "a: b\x1b[31m", "a control character (U+001B)"},
		{"nul", "abc\x00", "a control character (U+0000)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Mistakes
			nodes := 0
			Read("h.yaml", []byte(tt.text), &m, &nodes)
			err := m.Err()
			if tt.want == "" {
				if err != nil {
					t.Error(Clip(err.Error(), 200))
				}
				return
			}
			found := false
			for want := range strings.SplitSeq(tt.want, "|") {
				found = found || err != nil && strings.Contains(err.Error(), want)
			}
			if !found {
				t.Errorf("got %v", Clip(fmt.Sprint(err), 300))
			}
			if e, ok := err.(*MistakesError); ok {
				if shown := e.Explain(); len(shown) > 200_000 {
					t.Errorf("the message has %d bytes", len(shown))
				}
			}
		})
	}
}

// seeds returns the scenarios of the golden files, valid and invalid ones.
func seeds(f *testing.F) (texts []string) {
	f.Helper()
	archives, err := filepath.Glob("../testdata/mistakes/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasSuffix(file.Name, "/s.yaml") {
				texts = append(texts, string(file.Data))
			}
		}
	}
	full, err := os.ReadFile("../testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	return append(texts, string(full))
}

// FuzzReadYAML checks that every key and every scalar is at the position of its node.
func FuzzReadYAML(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Add("a: &b 'c'\nd: [*b, \"e\", {f: g}]\n? h\n")
	f.Fuzz(func(t *testing.T, text string) {
		var m Mistakes
		nodes := 0
		n := Read("f.yaml", []byte(text), &m, &nodes)
		if n == nil {
			if m.Len() == 0 {
				t.Fatal("nothing is read, and nothing is wrong")
			}
			return
		}
		if strings.Contains(text, "!") { // goccy counts one column too few after a tag
			return
		}
		lines := m.texts["f.yaml"].split()
		starts := func(pos Pos, texts ...string) {
			t.Helper()
			if pos.Line < 1 || pos.Line > len(lines) || pos.Col < 1 {
				t.Fatalf("%q: there is no place %s", text, pos)
			}
			rest := lines[pos.Line-1][len(firstRunes(lines[pos.Line-1], pos.Col-1)):]
			for _, s := range texts {
				if strings.HasPrefix(rest, s) {
					return
				}
			}
			t.Fatalf("%q: at %s stands %q, not one of %q", text, pos, rest, texts)
		}
		var walk func(*Node)
		walk = func(n *Node) {
			if n.Bad {
				return
			}
			for _, f := range n.Fields {
				starts(f.Pos, firstRunes(f.Key, 1), `"`, "'")
				walk(f.Value)
			}
			for _, item := range n.Items {
				walk(item)
			}
			if n.Kind != List && n.Kind != Map && n.Kind != Null {
				starts(n.Pos, firstRunes(n.Value, 1), `"`, "'", "|", ">", "*")
			}
		}
		walk(n)
	})
}
