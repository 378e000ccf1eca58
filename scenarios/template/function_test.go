package template

import (
	"encoding/json"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// TestFunctions holds base64, hex and sha256 against values that coreutils printed, for arguments that are
// known when the file is read and for those of each request.
func TestFunctions(t *testing.T) {
	const sum = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // printf foo | sha256sum
	tests := []struct{ text, want string }{
		{`"${base64('user:pass')}"`, "dXNlcjpwYXNz"},
		{`"Basic ${base64(user, ':', env.TOKEN)}"`, "Basic YW5uOnMzY3IidC8m"},
		{`"${hex(user)}"`, "616e6e"},
		{`"${sha256('foo')}"`, sum},
		{`"${base64(sha256('foo'))}"`, "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564="}, // … | xxd -r -p | base64
		{`"${hex(sha256('foo'))}"`, sum},
		{`"${base64('a,b', ')')}"`, "YSxiKQ=="},
		{`"${sha256(var.word)}"`, sum},
		{`"${base64(user, ':', var.word)}"`, "YW5uOmZvbw=="},
		{`"${base64(sha256(var.word))}"`, "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564="},
		{`"${base64(hex(var.word), sha256('foo'))}"`, "NjY2ZjZmLCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564="},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			n, s := fillNode(t, tt.text, `{user: ann}`)
			var tmpl Text
			syntax.Decode(n, &tmpl, s.Mistakes)
			it := &Iter{Vars: make([]Value, 1)}
			it.Vars[0].SetText("foo")
			got, err := tmpl.Append(nil, it)
			if err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if strings.Contains(tt.text, "env.") && strings.Contains(tmpl.Text(), "YW5u") {
				t.Errorf("a secret is shown: %s", tmpl.Text())
			}
		})
	}
}

// TestFunctions_Places checks that the value of a function is escaped for its place.
func TestFunctions_Places(t *testing.T) {
	n, s := fillNode(t, `"/a?sum=${base64(sha256(var.word))}"`, "{}")
	var u URL
	syntax.Decode(n, &u, s.Mistakes)
	it := &Iter{Vars: make([]Value, 1)}
	it.Vars[0].SetText("foo")
	if got, err := u.Append(nil, it); err != nil ||
		string(got) != "/a?sum=LCa0a2j%2Fxo%2F5m0U8HTBBNBNCLXBkg7%2Bg%2BYpeiGJm564%3D" {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestFunctions_Resolved checks that a function of a secret is stored without the secret and its value, and
// opened again to the same text.
func TestFunctions_Resolved(t *testing.T) {
	t.Setenv("TOKEN", `s3cr"t/&`)
	for _, text := range []string{
		`"Basic ${base64('ann:', env.TOKEN)}"`, `"${base64(env.TOKEN, var.word)}"`, `"${base64(sha256(env.TOKEN))}"`,
		`"${sha256(hex(env.TOKEN, var.word))}"`,
	} {
		n, s := fillNode(t, text, "{}")
		var tmpl Header
		syntax.Decode(n, &tmpl, s.Mistakes)
		it := &Iter{Vars: make([]Value, 1)}
		it.Vars[0].SetText("foo")
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
		if masked := s.Secrets.Mask(string(b)); masked != string(b) || strings.Contains(string(b), string(want)) {
			t.Errorf("%s: a secret is stored: %s", text, b)
		}
		var stored Resolved
		if err := json.Unmarshal(b, &stored); err != nil {
			t.Fatal(err)
		}
		if got, err := stored.Open(&Secrets{}); err != nil || got != string(want) {
			t.Errorf("%s: opened to %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestFunctions_Wrong checks the messages for arguments that are no placeholders.
func TestFunctions_Wrong(t *testing.T) {
	for text, want := range map[string]string{
		"${base64(user:pass)}":  `"user:pass" is neither a placeholder without ${ } nor a text in quotes; such as ${base64(env.USER, ':', env.PASSWORD)}`,
		"${sha256()}":           `"" is neither a placeholder`,
		"${base46(user)}":       `did you mean "base64"?`,
		"${sha265(var.x)}":      `did you mean "sha256"?`,
		"${hex(var.a, foo(1))}": `"foo(1)" is neither`,
	} {
		_, wrong := syntax.SplitPlaceholders(text)
		if len(wrong) != 1 || !strings.Contains(wrong[0].Err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, wrong, want)
		}
	}
	n := syntaxtest.Parse(t, `"${base64(nosuch)}"`)
	_, s := fillNode(t, `"x"`, `{user: ann}`)
	if s.Fill(n, 0); s.Mistakes.Len() != 1 {
		t.Errorf("%d mistakes for an unknown param", s.Mistakes.Len())
	}
}

// TestSecrets_Hex checks that a secret is masked in hex digits as well.
func TestSecrets_Hex(t *testing.T) {
	var s Secrets
	s.Add("hunter2")
	if got := s.Mask("x=68756e74657232;"); strings.Contains(got, "6875") {
		t.Error(got)
	}
}
