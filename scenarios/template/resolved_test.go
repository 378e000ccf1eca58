package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"brunt/scenarios/syntax"
)

// FuzzResolved checks that resolving, encoding, decoding and opening returns the text of the template,
// and that the encoded form contains no secret.
func FuzzResolved(f *testing.F) {
	for _, secret := range []string{"plain", "a b&c=\"d\"/#", "ü\xff", "$${", "9"} {
		f.Add(secret, "before ", "/after?x=")
	}
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if strings.ContainsRune(secret, 0) || !utf8.ValidString(before+after) {
			t.Skip("no variable, or no scenario, holds it")
		}
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("RESOLVED", secret)
		read := withoutNewline(secret)
		for place, decode := range map[string]func(n *syntax.Node, m *syntax.Mistakes) *Template{
			"text": places["text"], "header": places["header"], "url": places["url"], "json": places["json"],
		} {
			n := &syntax.Node{Kind: syntax.String, Parts: []syntax.Part{
				{Text: before},
				{Text: secret, Filled: true, Secret: "env.RESOLVED"},
				{Text: after},
				{Text: read, Filled: true, Secret: "file." + file, Path: file},
				{Ref: &syntax.Ref{Kind: syntax.RefUnit, Text: "unit.db.addr"}},
			}}
			var m syntax.Mistakes
			tmpl := decode(n, &m)
			if m.Len() > 0 {
				continue
			}
			it := &Iter{Env: &Env{Units: map[string]string{"unit.db.addr": "127.0.0.1:5432"}}}
			want, err := tmpl.Append(nil, it)
			if err != nil {
				t.Fatal(err)
			}
			resolved, err := tmpl.Resolve(it)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(resolved)
			if err != nil {
				t.Fatal(err)
			}
			if others := before + after + file + "RESOLVEDtextenvfileinhostpathqueryheaderjson127.0.0.1:5432"; len(secret) > 3 &&
				!strings.Contains(others, secret) && strings.Contains(string(b), secret) {
				t.Errorf("%s: %q is written down: %s", place, secret, b)
			}
			var back Resolved
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			var secrets Secrets
			got, err := back.Open(&secrets)
			if err != nil || got != string(want) {
				t.Errorf("%s: opened %q, %v, want %q", place, got, err, want)
			}
			if len(secret) > 3 && strings.TrimSpace(secret) == secret && secrets.Mask(secret) == secret {
				t.Errorf("%s: %q is not hidden", place, secret)
			}
		}
	})
}

func TestResolve_Errors(t *testing.T) {
	tmpl := Template{Pieces: []piece{{ref: &syntax.Ref{Kind: syntax.RefUnit, Text: "unit.db.addr"}}}}
	if _, err := tmpl.Resolve(&Iter{Env: &Env{}}); err == nil {
		t.Error("a unit without address is resolved")
	}
	for _, s := range []Resolved{
		{{Env: "NOT_SET_AT_ALL"}}, {{File: filepath.Join(t.TempDir(), "none")}}, {{Env: "PATH", In: "nowhere"}},
	} {
		if _, err := s.Open(&Secrets{}); err == nil {
			t.Errorf("%+v is opened", s)
		}
	}
}
