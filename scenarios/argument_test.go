package scenarios

import (
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ name, args, want, wrong string }{
		{"nothing", "", "{}", ""},
		{"kinds of values", "a=5|b=on|c=10s|d=true|e=", "{a: 5, b: on, c: 10s, d: true, e: }", ""},
		{"an = in a value", "a=b=c", "{a: b=c}", ""},
		{"paths", "a.b=1|a.c.d=2|e=3", "{a: {b: 1, c: {d: 2}}, e: 3}", ""},
		{"lists and maps", "a=[1, x]|b={c: 2}", "{a: [1, x], b: {c: 2}}", ""},
		{"no value", "a", "", `a: "a" is no key=value; such as for=10s`},
		{"no key", "=a", "", `=a: "=a" is no key=value`},
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
			m := &Mistakes{}
			n := Arguments(args, m)
			err := m.Err()
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v; want %s", err, c.wrong)
				}
			case err != nil:
				t.Error(err)
			case n.flow() != c.want:
				t.Errorf("%s; want %s", n.flow(), c.want)
			}
		})
	}
	m := &Mistakes{}
	among, rest := Arguments([]string{"a=1", "b=2"}, m).Split([]string{"b", "c"})
	if among.flow() != "{b: 2}" || rest.flow() != "{a: 1}" {
		t.Errorf("%s and %s", among.flow(), rest.flow())
	}
}

// FuzzArguments holds that nothing that is given on a command line is read in two ways.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{"a=1", "a.b=x|a.c=y", "a=[1,2]|a=3", "=|.=|a..b=1", "a={b: *c}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		args := strings.Split(s, "|")
		m, again := &Mistakes{}, &Mistakes{}
		n, o := Arguments(args, m), Arguments(args, again)
		if m.Len() != again.Len() || n.flow() != o.flow() || n.Kind != Map {
			t.Errorf("%s, then %s", n.flow(), o.flow())
		}
	})
}

// TestSettings holds that every value is listed as it was resolved, secrets masked, and
// that the digest is of what they are.
func TestSettings(t *testing.T) {
	parse := func(text, secret string) *Scenario {
		t.Helper()
		sc, err := Parse("s.yaml", Options{
			Env:  func(string) (string, bool) { return secret, true },
			Read: func(string) ([]byte, error) { return []byte(text), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	const text = `version: 1
params: {path: /a}
target: {url: "http://127.0.0.1:8080"}
load: {reads: {executor: constant-vus, vus: 3, flow: [{get: "${path}", headers: {X: "Bearer ${env.TOKEN}"}}, {think: 1s}]}}
slo: []
`
	sc := parse(text, "hemligt")
	var lines []string
	for _, s := range sc.Settings() {
		lines = append(lines, s.Path+"="+s.Value)
	}
	want := "version=1 target.url=http://127.0.0.1:8080 load.reads.executor=constant-vus load.reads.vus=3 load.reads.flow[0].get=/a load.reads.flow[0].headers.X=Bearer *** load.reads.flow[1].think=1s slo=[]"
	if got := strings.Join(lines, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if sc.Sum() != parse(text+"# more\n", "hemligt").Sum() {
		t.Error("a comment changes the digest")
	}
	if sc.Sum() == parse(text, "hemligare").Sum() || sc.Sum() == parse(strings.Replace(text, "/a", "/b", 1), "hemligt").Sum() {
		t.Error("the digest is the same for another value")
	}
}
