package main

import (
	"testing"

	"brunt/scenarios/syntax"
)

// TestAgain: the command of a drill that is worth running next names the whole system, in words that a shell reads as
// they are.
func TestAgain(t *testing.T) {
	var builtin, url, set drillFlags
	url.url, url.rate, url.services = "http://127.0.0.1:8080/?a=1&b=2", "50", []string{"posts=container:shop-posts-1"}
	set.set = []string{"text=two words"}
	for _, c := range []struct {
		flags *drillFlags
		args  []string
		want  string
	}{
		{&builtin, nil, ""},
		{&set, []string{"my shop.yaml"}, `'my shop.yaml' --set 'text=two words'`},
		{&url, nil, `--url 'http://127.0.0.1:8080/?a=1&b=2' --rate 50 --service posts=container:shop-posts-1`},
	} {
		if got := syntax.ShellWords(c.flags.again(c.args)); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
