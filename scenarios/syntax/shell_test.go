package syntax_test

import (
	"testing"

	"brunt/scenarios/syntax"
)

func TestShellWords(t *testing.T) {
	for _, tt := range []struct {
		name  string
		words []string
		want  string
	}{
		{
			"plain words",
			[]string{"brunt", "run", "--set=rate=5", "http://a:1/b,c@d%20+e"},
			"brunt run --set=rate=5 http://a:1/b,c@d%20+e",
		},
		{"an empty word", []string{"a", ""}, "a ''"},
		{"blanks and quotes", []string{"a b", "it's", `"x"`}, `'a b' 'it'\''s' '"x"'`},
		{"patterns and braces", []string{"x", "[a]", "{b,c}", "*", "a?"}, "x '[a]' '{b,c}' '*' 'a?'"},
		{"history", []string{"x", "wow!", "it's!"}, `x 'wow!' 'it'\''s!'`},
		{"variables and operators", []string{"$HOME", "a|b", "a;b", "~", "#x", `\`}, `'$HOME' 'a|b' 'a;b' '~' '#x' '\'`},
		{"control characters", []string{"x", "a\x1b=b\n"}, `x $'a\x1b=b\n'`},
		{"what no shell can have", []string{"x", "a\x00b"}, `x "a\x00b"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := syntax.ShellWords(tt.words); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
