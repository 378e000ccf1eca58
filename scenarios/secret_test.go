package scenarios

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

// TestMask holds that a secret is masked in every form that it takes on its way.
func TestMask(t *testing.T) {
	for _, secret := range []string{"plain-token", `q"uo\te`, "a b&c=d/e?f#g%h+i", "é ü 😀 x", "two\nlines here", "\ttab and blank ", "<b>&'\"", "\x00\x7f\x1bctl", "bad \xff utf-8"} {
		var s Secrets
		s.Add(secret)
		asJSON, _ := json.Marshal(secret)
		for form, text := range map[string]string{
			"raw":           secret,
			"trimmed":       strings.TrimSpace(secret),
			"json":          string(asJSON),
			"our json":      string(appendQuoted(nil, secret)),
			"query":         url.QueryEscape(secret),
			"path":          url.PathEscape(secret),
			"our query":     string(appendEscaped(nil, secret, escQuery, false)),
			"our URL":       string(appendEscaped(nil, secret, escBase, false)),
			"our header":    string(appendEscaped(nil, secret, escHeader, false)),
			"quoted by Go":  fmt.Sprintf("%q", secret),
			"html":          html.EscapeString(secret),
			"in a sentence": "before " + secret + " and " + secret + " after",
		} {
			masked := s.Mask(text)
			if !strings.Contains(masked, Masked) {
				t.Errorf("%q %s: %q", secret, form, masked)
			}
			rest := strings.ReplaceAll(masked, Masked, "")
			if form != "in a sentence" && strings.Trim(rest, "\" \t\n%0AD+2") != "" {
				t.Errorf("%q %s: %q is left", secret, form, rest)
			}
		}
	}
}

func TestSecrets(t *testing.T) {
	var none *Secrets
	if got := none.Mask("x"); got != "x" {
		t.Errorf("got %s", got)
	}
	var s Secrets
	for _, v := range []string{"", "  ", "1", "on", " a ", "\n"} {
		s.Add(v)
	}
	if got := s.Mask("1 on a"); got != "1 on a" {
		t.Errorf("what is shorter than three bytes is masked: %s", got)
	}
	s.Add("abc")
	s.Add("abcdef")
	s.Add("abc")
	if got := s.Mask("abcdef abc abx"); got != "*** *** abx" {
		t.Errorf("the longer goes first: %s", got)
	}
	if got := s.Mask("x abcd… ab… … abcde…f"); got != "x ***… ab… … ***…f" {
		t.Errorf("one that was cut off: %s", got)
	}
	s.Add("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQ\n-----END KEY-----\n")
	if got := s.Mask("error in MIIEvQIBADANBgkq"); got != "error in ***" {
		t.Errorf("a line of a secret: %s", got)
	}
}

// TestSecretsNowhere looks for a secret in all that is printed of a scenario.
func TestSecretsNowhere(t *testing.T) {
	const secret = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2"
	o := memory{"s.yaml": `extends: ok.yaml
params: {p: "x${env.KEY}"}
name: "${file.key.txt}"
seed: "${env.KEY}"
pacing: "${p}"
target: {with: {a: "${p}"}}
load: {reads: {executor: "${env.KEY}", timeout: "${p}", max_in_flight: "${p}", flow: [{get: "/ ${env.KEY}"}, {think: "${env.KEY}"}], connections: {keep_alive: "${p}", source_addresses: {a: "${env.KEY}"}}}}
chaos: {x: {at: "${env.KEY}", after: "${env.KEY}", network.latency: {delay: "${p}"}}}
slo: ["p95 < ${env.KEY}", "${env.KEY} < 1s", {metric: "${p}", below: "${p}"}, "errors < 1% ${p}"]
data: {t: {csv: "${env.KEY}"}}
setup: ["${env.KEY}", {get: /, name: "${env.KEY}"}]
`, "ok.yaml": okYAML, "key.txt": secret + "\n"}.options()
	o.Env = func(k string) (string, bool) { return secret, k == "KEY" }
	sc, err := Parse("s.yaml", o)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	e := err.(*MistakesError)
	if len(e.List()) < 15 {
		t.Errorf("%d mistakes", len(e.List()))
	}
	m := sc.Mistakes()
	m.Add(Pos{}, "%s and %q", secret, secret)
	for what, text := range map[string]string{"Error": err.Error(), "Explain": e.Explain(), "the scenario": sc.Explain(), "later": m.Err().Error()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows it:\n%s", what, text)
		}
	}
}
