package syntax_test

import (
	"strings"
	"testing"

	"brunt/scenarios/syntax"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ name, args, want, wrong string }{
		{"nothing", "", "{}", ""},
		{"kinds of values", "a=5|b=on|c=10s|d=true|e=", "{a: 5, b: on, c: 10s, d: true, e: }", ""},
		{"an = in a value", "a=b=c", "{a: b=c}", ""},
		{"paths", "a.b=1|a.c.d=2|e=3", "{a: {b: 1, c: {d: 2}}, e: 3}", ""},
		{"lists and maps", "a=[1, x]|b={c: 2}", "{a: [1, x], b: {c: 2}}", ""},
		{"no value", "a", "", `a: "a" is not a key=value; such as for=10s`},
		{"no key", "=a", "", `=a: "=a" is not a key=value`},
		{"twice", "a=1|a=2", "", `a=2: "a" is given twice, first by a=1`},
		{"a map and a value", "a.b=1|a=2", "", `a=2: "a" is given twice`},
		{"a value and a map", "a=1|a.b=2", "", `a.b=2: "a" is given twice`},
		{"a placeholder", "a=x${env.HOME}", "", "a=x${env.HOME}: a value on the command line takes no placeholder"},
		{"no YAML", "a=[1", "", "the [ that opens here is never closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			if c.args != "" {
				args = strings.Split(c.args, "|")
			}
			m := &syntax.Mistakes{}
			n := syntax.Arguments(args, m)
			err := m.Err()
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v; want %s", err, c.wrong)
				}
			case err != nil:
				t.Error(err)
			case n.Flow() != c.want:
				t.Errorf("%s; want %s", n.Flow(), c.want)
			}
		})
	}
	m := &syntax.Mistakes{}
	among, rest := syntax.Arguments([]string{"a=1", "b=2"}, m).Split([]string{"b", "c"})
	if among.Flow() != "{b: 2}" || rest.Flow() != "{a: 1}" {
		t.Errorf("%s and %s", among.Flow(), rest.Flow())
	}
}

// FuzzArguments checks that an argument has only one interpretation.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{"a=1", "a.b=x|a.c=y", "a=[1,2]|a=3", "=|.=|a..b=1", "a={b: *c}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		args := strings.Split(s, "|")
		m, again := &syntax.Mistakes{}, &syntax.Mistakes{}
		n, o := syntax.Arguments(args, m), syntax.Arguments(args, again)
		if m.Len() != again.Len() || n.Flow() != o.Flow() || n.Kind != syntax.Map {
			t.Errorf("%s, then %s", n.Flow(), o.Flow())
		}
	})
}
