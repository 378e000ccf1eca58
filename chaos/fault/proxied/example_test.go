package proxied

import (
	"regexp"
	"testing"
)

func TestExample(t *testing.T) {
	for pattern, want := range map[string]string{
		`^/v1/`: "/v1/", `^/v1/users/(\d+)$`: "/v1/users/1", `(?i)^/A[b-z]{2,4}x?y*$`: "/Abb",
		`^/(posts|users)/.+`: "/posts/x", `^/[^/]+/[-_]$`: "/a/-", `\bx`: "x", `a\Bb`: "ab", `$^x`: "",
		`[^\x00-\x{10FFFF}]`: "",
	} {
		re := regexp.MustCompile(pattern)
		got := example(re)
		if want != "" && !re.MatchString(got) || want == "" && got != "" {
			t.Errorf("%s: %q, such as %q", pattern, got, want)
		}
	}
}

func FuzzExample(f *testing.F) {
	for _, s := range []string{`^/v1/(\d+)$`, `(a|b){3}`, `(?s).{1000}`, `((a{1000}){1000})`, `[[:^alpha:]]+?$`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if re, err := regexp.Compile(s); err == nil {
			if got := example(re); got != "" && !re.MatchString(got) {
				t.Errorf("%q does not match %q", got, s)
			}
		}
	})
}
