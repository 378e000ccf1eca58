package targets_test

import (
	"testing"

	"brunt/targets"
)

func TestSplitURL(t *testing.T) {
	for _, c := range []struct{ url, prefix, target string }{
		{"http://a", "http://a", ""},
		{"http://a/", "http://a", "/"},
		{"http://a:1/b/c?d=e", "http://a:1", "/b/c?d=e"},
		{"http://a?b", "http://a", "?b"},
		{"http://a#f", "http://a", ""},
		{"http://a/b#f/g?h", "http://a", "/b"},
		{"http://a?b#f", "http://a", "?b"},
		{"http://[::1]:1/b", "http://[::1]:1", "/b"},
		{"a/b", "a", "/b"},
		{"", "", ""},
		{"://", "://", ""},
	} {
		if p, rest := targets.SplitURL([]byte(c.url)); string(p) != c.prefix || string(rest) != c.target {
			t.Errorf("%s: %q and %q", c.url, p, rest)
		}
	}
}
